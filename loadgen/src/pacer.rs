//! Wakes the client up when a request is due.
//!
//! Tokio's timers tick in milliseconds and round up, which at responses of 300 us would be most of the median. So a
//! wait is slept through with Tokio until [`COARSE`] before its end, and a thread of the pacer's own sleeps through
//! the rest with the operating system's clock. Waking that thread and then the task takes the system some time, 50 to
//! 100 us on an idle virtual machine; the pacer learns how long and wakes up that much earlier. What is left when it
//! was too early is spun away: a few microseconds, since on a small machine the core it would burn is the one that
//! the server under test needs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// What is left to the thread at the end of a wait: more than Tokio's rounding.
pub const COARSE: Duration = Duration::from_millis(2);

/// The pacer never wakes up earlier than this, so that it never spins for longer.
const LONGEST_LEAD: Duration = Duration::from_micros(150);

/// Before everything that is not the operating system's own.
#[cfg(target_os = "linux")]
const NICENESS: i32 = -15;

/// A thread that sleeps precisely. It ends when the pacer is dropped.
#[derive(Debug)]
pub struct Pacer {
    orders: mpsc::Sender<Order>,
    /// How long a wake-up takes at present, in nanoseconds.
    lead_ns: AtomicU64,
}

#[derive(Debug)]
struct Order {
    at: Instant,
    wake: oneshot::Sender<()>,
}

impl Pacer {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        thread::Builder::new().name("pacer".to_owned()).spawn(move || {
            request_exact_wake_ups();
            request_precedence();
            for Order { at, wake } in received {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                // Nobody listens any more when the run was stopped meanwhile.
                let _ = wake.send(());
            }
        })?;
        Ok(Self { orders, lead_ns: AtomicU64::new(0) })
    }

    /// Waits until `due`; returns at once when that is over. Orders are served one after another, which is enough
    /// for a schedule, where one worker at a time waits for the next arrival.
    pub async fn sleep_until(&self, due: Instant) {
        let left = due.saturating_duration_since(Instant::now());
        if let Some(coarse) = left.checked_sub(COARSE) {
            tokio::time::sleep(coarse).await;
        }
        let now = Instant::now();
        if due <= now {
            return;
        }
        let lead_ns = self.lead_ns.load(Ordering::Relaxed);
        let at = due.checked_sub(Duration::from_nanos(lead_ns)).map_or(now, |at| at.max(now));
        let (wake, woken) = oneshot::channel();
        let ordered = self.orders.send(Order { at, wake }).is_ok() && woken.await.is_ok();
        if !ordered {
            // The thread is gone, which only a panic of the standard library could do; late is better than never.
            return tokio::time::sleep_until(due.into()).await;
        }
        let took = at.elapsed().min(LONGEST_LEAD);
        self.lead_ns.store(learned(lead_ns, took), Ordering::Relaxed);
        while Instant::now() < due {
            std::hint::spin_loop();
        }
    }
}

/// A moving average over the last eight wake-ups or so.
fn learned(lead_ns: u64, took: Duration) -> u64 {
    let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    (lead_ns * 7).saturating_add(took_ns) / 8
}

/// Linux lets a sleep run over by 50 us, to save wake-ups; this thread asks for 1 ns instead.
#[cfg(target_os = "linux")]
fn request_exact_wake_ups() {
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!(%error, "the timer slack stays as it is; wake-ups may be 50 us late");
    }
}

/// The thread sleeps nearly always, and what it does when it wakes up can't wait for the time slice of another. Who may not
/// ask for this (that takes root or `CAP_SYS_NICE`) has a client that is late more often while something else runs.
#[cfg(target_os = "linux")]
fn request_precedence() {
    // On Linux a priority is that of a thread, and this is ours.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the pacer has no precedence; wake-ups may be late while something else runs");
    }
}

#[cfg(not(target_os = "linux"))]
fn request_exact_wake_ups() {}

#[cfg(not(target_os = "linux"))]
fn request_precedence() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_never_ends_before_it_is_due() {
        let pacer = Pacer::start().unwrap();
        for us in [0, 50, 900, 1_900, 2_500, 4_000] {
            let due = Instant::now() + Duration::from_micros(us);
            pacer.sleep_until(due).await;
            assert!(Instant::now() >= due, "woke before {us} us had passed");
        }
    }

    #[test]
    fn the_lead_follows_what_wake_ups_take_and_is_bounded_by_them() {
        let mut lead_ns = 0;
        for _ in 0..60 {
            lead_ns = learned(lead_ns, Duration::from_micros(80));
        }
        assert!((79_000..=80_000).contains(&lead_ns), "{lead_ns}");
        assert_eq!(learned(lead_ns, Duration::ZERO), lead_ns * 7 / 8);
    }

    #[tokio::test]
    async fn a_wait_for_the_past_is_no_wait_and_needs_no_timer() {
        let pacer = Pacer::start().unwrap();
        let past = Instant::now();
        // The future is ready at its first poll: there is nothing to wait for.
        let mut wait = std::pin::pin!(pacer.sleep_until(past));
        let ready = std::future::poll_fn(|context| std::task::Poll::Ready(wait.as_mut().poll(context))).await;
        assert!(ready.is_ready());
    }
}
