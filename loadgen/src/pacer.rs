//! Wakes the client up when a request is due.
//!
//! Tokio's timers tick in milliseconds and round up, which at responses of 300 us would be most of the median. So a
//! wait is slept through with Tokio until [`COARSE`] before its end, and a thread of the pacer's own sleeps through
//! the rest with the operating system's clock. It doesn't spin: on a small machine the core it would burn is the one
//! that the server under test needs.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// What is left to the thread at the end of a wait: more than Tokio's rounding.
pub const COARSE: Duration = Duration::from_millis(2);

/// A thread that sleeps precisely. It ends when the pacer is dropped.
#[derive(Debug)]
pub struct Pacer {
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Order {
    due: Instant,
    wake: oneshot::Sender<()>,
}

impl Pacer {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let (orders, received) = mpsc::channel::<Order>();
        thread::Builder::new().name("pacer".to_owned()).spawn(move || {
            request_exact_wake_ups();
            for Order { due, wake } in received {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                // Nobody listens any more when the run was stopped meanwhile.
                let _ = wake.send(());
            }
        })?;
        Ok(Self { orders })
    }

    /// Waits until `due`; returns at once when that is over. Orders are served one after another, which is enough
    /// for a schedule, where one worker at a time waits for the next arrival.
    pub async fn sleep_until(&self, due: Instant) {
        if due.saturating_duration_since(Instant::now()) > COARSE {
            tokio::time::sleep_until((due - COARSE).into()).await;
        }
        if due <= Instant::now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        let ordered = self.orders.send(Order { due, wake }).is_ok() && woken.await.is_ok();
        if !ordered {
            // The thread is gone, which only a panic of the standard library could do; late is better than never.
            tokio::time::sleep_until(due.into()).await;
        }
    }
}

/// Linux lets a sleep run over by 50 us, to save wake-ups; this thread asks for 1 ns instead.
#[cfg(target_os = "linux")]
fn request_exact_wake_ups() {
    if let Err(error) = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1)) {
        tracing::debug!(%error, "the timer slack stays as it is; wake-ups may be 50 us late");
    }
}

#[cfg(not(target_os = "linux"))]
fn request_exact_wake_ups() {}

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
