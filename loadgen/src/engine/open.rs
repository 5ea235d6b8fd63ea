//! The open loop: one schedule, shared fairly by all workers.
//!
//! Exactly one idle worker waits for the next arrival, holding the lock; the others queue behind it. Workers that
//! took an arrival each and slept on it would hold the schedule hours ahead at low rates, could not be stopped, and
//! would leave an arrival waiting for its worker while others idle. The lock is first come, first served, so the worker
//! that takes an arrival is the one that has been free longest, which is what lets a late client be told from a busy
//! pool (see [`crate::recorder::Sample::of`]).

use std::iter::Enumerate;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Mutex;

use crate::arrivals::Arrivals;
use crate::pacer::Pacer;

/// When the requests of a window are due.
#[derive(Debug)]
pub(crate) struct Schedule {
    opened: Instant,
    arrivals: Mutex<Enumerate<Arrivals>>,
    pacer: Arc<Pacer>,
}

impl Schedule {
    pub(crate) fn new(opened: Instant, arrivals: Arrivals, pacer: Arc<Pacer>) -> Self {
        Self { opened, arrivals: Mutex::new(arrivals.enumerate()), pacer }
    }

    /// Waits for the next arrival and returns when it was due; at once if that is over. `None` when the schedule has
    /// ended. What it takes is made ready before the wait, from its number.
    ///
    /// The instant is the computed one, not the one of waking up: what the client sleeps too long is its lateness,
    /// and must be seen.
    pub(super) async fn claim<T>(&self, ready: impl FnOnce(u64) -> T) -> Option<(Instant, T)> {
        let mut arrivals = self.arrivals.lock().await;
        let (number, after) = arrivals.next()?;
        let (due, ready) = (self.opened + after, ready(number as u64));
        self.pacer.sleep_until(due).await;
        Some((due, ready))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arrivals::Process;

    fn schedule(opened: Instant) -> Schedule {
        let arrivals = Arrivals::new(Process::Constant, 1000.0, Duration::from_millis(20), 1);
        Schedule::new(opened, arrivals, Arc::new(Pacer::start().unwrap()))
    }

    #[tokio::test]
    async fn workers_together_take_each_arrival_once() {
        let opened = Instant::now();
        let schedule = Arc::new(schedule(opened));
        let workers: Vec<_> = (0..7)
            .map(|_| {
                let schedule = Arc::clone(&schedule);
                tokio::spawn(async move {
                    let mut due = Vec::new();
                    while let Some((at, number)) = schedule.claim(u128::from).await {
                        assert_eq!(at.duration_since(opened).as_millis(), number);
                        due.push(number);
                    }
                    due
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_arrival_that_is_over_keeps_its_due_time() {
        let opened = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        let schedule = schedule(opened);
        assert_eq!(schedule.claim(|number| number).await, Some((opened, 0)));
        assert_eq!(schedule.claim(|number| number).await, Some((opened + Duration::from_millis(1), 1)));
    }

    #[tokio::test]
    async fn a_worker_that_gives_up_waiting_takes_no_second_arrival_with_it() {
        let opened = Instant::now() + Duration::from_hours(1);
        let schedule = schedule(opened);
        // Polled once, it holds the lock and waits for the first arrival; then it is dropped, as a stop does it.
        let mut claim = Box::pin(schedule.claim(drop));
        std::future::poll_fn(|context| {
            assert!(claim.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(claim);
        assert_eq!(schedule.arrivals.try_lock().unwrap().next(), Some((1, Duration::from_millis(1))));
    }
}
