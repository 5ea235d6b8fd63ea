//! Wakes the client up when a request is due.
//!
//! Tokio's timers tick in milliseconds and round up, which at responses of 300 us would be most of the median. So the
//! pacer waits for a timer of the operating system, which is exact to the nanosecond, and which Tokio watches as it watches
//! the sockets: the thread that is woken up for an arrival is the one that sends its request. (A thread that sleeps and
//! then wakes the task takes twice the processor time, and that of a small machine belongs to the server under test.)
//!
//! To wake a thread takes the system some time, 20 to 100 us on an idle virtual machine. The pacer learns what it takes
//! at best, and sets the timer that much earlier. What is left when it woke up too early is spun away: mostly nothing.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The pacer never wakes up earlier than this, so that it never spins for longer.
const LONGEST_LEAD_NS: u64 = 150_000;

/// The lead moves by so much of a quarter up and of three quarters down.
const STEP_NS: u64 = 1_000;

/// An exact timer. One task at a time can wait for it, which is enough for a schedule, where one worker waits for the
/// next arrival and the others for their turn to do so.
#[derive(Debug)]
pub struct Pacer {
    timer: Timer,
    /// How long a wake-up takes at least at present, in nanoseconds.
    lead_ns: AtomicU64,
}

impl Pacer {
    /// Makes the timer, which the Tokio runtime watches that this is called in. Fails when the process may open no more
    /// files.
    pub fn start() -> io::Result<Self> {
        Ok(Self { timer: Timer::new()?, lead_ns: AtomicU64::new(0) })
    }

    /// Waits until `due`; returns at once when that is over.
    pub async fn sleep_until(&self, due: Instant) {
        let now = Instant::now();
        let lead_ns = self.lead_ns.load(Ordering::Relaxed);
        if let Some(at) = due.checked_sub(Duration::from_nanos(lead_ns)).filter(|at| *at > now) {
            if let Err(error) = self.timer.sleep(at - now).await {
                // Late is better than never, and what is late is counted.
                tracing::warn!(%error, "the exact timer does not work");
                tokio::time::sleep_until(at.into()).await;
            }
            self.lead_ns.store(learned(lead_ns, at.elapsed()), Ordering::Relaxed);
        }
        while Instant::now() < due {
            std::hint::spin_loop();
        }
    }
}

/// Follows the lower quartile of what wake-ups take, by steps whose mean is zero just there (Robbins and Monro, "A
/// Stochastic Approximation Method", 1951). A mean would follow the few that take milliseconds, and spin for the rest.
fn learned(lead_ns: u64, took: Duration) -> u64 {
    if took > Duration::from_nanos(lead_ns) {
        (lead_ns + STEP_NS / 4).min(LONGEST_LEAD_NS)
    } else {
        lead_ns.saturating_sub(3 * STEP_NS / 4)
    }
}

#[cfg(target_os = "linux")]
use linux::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A `timerfd`. Unlike a sleep it is given no slack by the kernel.
    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            #[expect(
                deprecated,
                reason = "its successor is unsafe, since a type may close its file while it is watched; this one doesn't"
            )]
            let watched = AsyncFd::with_interest(timer, Interest::READABLE)?;
            Ok(Self(watched))
        }

        /// Sleeps for more than no time at all. A sleep that was given up leaves nothing behind for the next.
        pub(super) async fn sleep(&self, length: Duration) -> io::Result<()> {
            let once = Timespec { tv_sec: 0, tv_nsec: 0 };
            let length = Timespec::try_from(length).map_err(io::Error::other)?;
            let setting = Itimerspec { it_interval: once, it_value: length };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &setting)?;
            loop {
                let mut ready = self.0.readable().await?;
                // It would block when what was ready is a sleep that was given up.
                let expired = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?));
                if let Ok(expired) = expired {
                    return expired.map(drop);
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
use elsewhere::Timer;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::time::Duration;

    /// What Tokio rounds up to.
    const TICK: Duration = Duration::from_millis(2);

    /// Tokio's timer for all but the end, and a thread that sleeps for that.
    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn sleep(&self, length: Duration) -> io::Result<()> {
            let end = std::time::Instant::now() + length;
            tokio::time::sleep(length.saturating_sub(TICK)).await;
            let rest = move || std::thread::sleep(end.saturating_duration_since(std::time::Instant::now()));
            tokio::task::spawn_blocking(rest).await.map_err(io::Error::other)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn a_wait_never_ends_before_it_is_due() {
        let pacer = Pacer::start().unwrap();
        for us in [0, 1, 50, 900, 1_900, 2_500, 4_000] {
            let due = Instant::now() + Duration::from_micros(us);
            pacer.sleep_until(due).await;
            assert!(Instant::now() >= due, "woke before {us} us had passed");
        }
    }

    #[tokio::test]
    async fn a_wait_after_one_that_was_given_up_is_not_cut_short_by_it() {
        let pacer = Pacer::start().unwrap();
        for given_up in [Duration::from_micros(200), Duration::from_hours(1)] {
            let mut wait = pin!(pacer.sleep_until(Instant::now() + given_up));
            poll_fn(|context| {
                assert!(wait.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            // Long enough for the first of them to be over, and for Tokio to have seen it.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let due = Instant::now() + Duration::from_millis(20);
        pacer.timer.sleep(due - Instant::now()).await.unwrap();
        assert!(Instant::now() >= due);
    }

    #[test]
    fn the_lead_follows_the_lower_quartile_of_what_wake_ups_take() {
        let (mut lead_ns, mut sum) = (0, 0);
        // Every fourth takes 20 us, the others 60, 70 and 3,000: the quartile lies between 20 and 60.
        for us in [20, 60, 3_000, 70].into_iter().cycle().take(4_000) {
            lead_ns = learned(lead_ns, Duration::from_micros(us));
            sum += lead_ns;
        }
        assert!((19_000..=60_000).contains(&lead_ns), "{lead_ns}, {} in the mean", sum / 4_000);
        for _ in 0..2_000 {
            lead_ns = learned(lead_ns, Duration::from_secs(1));
        }
        assert_eq!(lead_ns, LONGEST_LEAD_NS);
        for _ in 0..2_000 {
            lead_ns = learned(lead_ns, Duration::ZERO);
        }
        assert_eq!(lead_ns, 0);
    }

    #[tokio::test]
    async fn a_wait_for_the_past_is_no_wait_and_needs_no_timer() {
        let pacer = Pacer::start().unwrap();
        let past = Instant::now();
        // The future is ready at its first poll: there is nothing to wait for.
        let mut wait = pin!(pacer.sleep_until(past));
        let ready = poll_fn(|context| Poll::Ready(wait.as_mut().poll(context))).await;
        assert!(ready.is_ready());
    }
}
