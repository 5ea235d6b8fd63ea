//! The open loop: one schedule, shared fairly by all workers.
//!
//! Exactly one idle worker waits for the next arrival, holding the lock; the others queue behind it. Workers that
//! took an arrival each and slept on it would hold the schedule hours ahead at low rates, could not be stopped, and
//! would leave an arrival waiting for its worker while others idle. The lock is first come, first served, so the worker
//! that takes an arrival is the one that has been free longest, which is what lets a late client be told from a busy
//! pool (see [`crate::recorder::Sample::of`]), and an arrival be skipped that nobody was free for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use reports::run::WhenBusy;
use tokio::sync::Mutex;

use crate::arrivals::{Arrival, Arrivals};
use crate::pacer::Pacer;

/// When the requests of a window are due.
#[derive(Debug)]
pub(crate) struct Schedule {
    opened: Instant,
    arrivals: Mutex<Arrivals>,
    when_busy: WhenBusy,
    skipped: AtomicU64,
    closed: AtomicBool,
    pacer: Arc<Pacer>,
}

/// An arrival that a worker has taken upon itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Which one.
    pub(crate) arrival: Arrival,
    /// The instant at which it was due.
    pub(crate) due: Instant,
}

impl Schedule {
    pub(crate) fn new(opened: Instant, arrivals: Arrivals, when_busy: WhenBusy, pacer: Arc<Pacer>) -> Self {
        let (skipped, closed) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { opened, arrivals: Mutex::new(arrivals), when_busy, skipped, closed, pacer }
    }

    /// Gives up what nobody has claimed yet.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// How many arrivals were given up. Known once the last worker has left.
    pub(super) fn unsent(&self) -> u64 {
        self.arrivals.try_lock().map_or(0, |arrivals| arrivals.clone().count() as u64)
    }

    /// Waits for the next arrival and returns it; at once if it is over. `None` when the schedule has ended. `free` is
    /// when the worker that asks has become so; what it needs for the arrival is made `ready` before the wait.
    ///
    /// The instant is the computed one, not the one of waking up: what the client sleeps too long is its lateness,
    /// and must be seen. For the same reason only `free` can make an arrival be skipped: one that is over because
    /// the client woke up late is sent.
    pub(super) async fn claim<T>(
        &self,
        free: Instant,
        ready: impl FnOnce(&Arrival) -> T,
    ) -> Option<(Claim, T)> {
        let mut arrivals = self.arrivals.lock().await;
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return None;
            }
            let arrival = arrivals.next()?;
            let due = self.opened + arrival.due;
            if self.when_busy == WhenBusy::Skip && due < free {
                self.skipped.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let ready = ready(&arrival);
            self.pacer.sleep_until(due).await;
            return Some((Claim { arrival, due }, ready));
        }
    }

    /// How many arrivals were skipped so far.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::arrivals::{Pattern, Process, Rate};

    /// One arrival a millisecond, twenty in all.
    fn schedule(opened: Instant, when_busy: WhenBusy) -> Schedule {
        let pattern = Pattern::Drawn { rate: Rate::constant(1000.0), process: Process::Constant };
        let arrivals = pattern.arrivals(Duration::from_millis(20), 1);
        Schedule::new(opened, arrivals, when_busy, Arc::new(Pacer::start().unwrap()))
    }

    async fn claim(schedule: &Schedule, free: Instant) -> Option<Claim> {
        let (claim, number) = schedule.claim(free, |arrival| arrival.number).await?;
        assert_eq!(claim.arrival.number, number, "what is ready is ready for this arrival");
        Some(claim)
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(Duration::from_secs(5)).unwrap()
    }

    /// Polls a claim once, which leaves it holding the lock or waiting for it.
    async fn poll_once(claim: &mut std::pin::Pin<Box<impl Future<Output = Option<Claim>>>>) {
        std::future::poll_fn(|context| {
            assert!(claim.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn workers_together_take_each_arrival_once() {
        let opened = Instant::now();
        let schedule = Arc::new(schedule(opened, WhenBusy::Queue));
        let workers: Vec<_> = (0..7)
            .map(|_| {
                let schedule = Arc::clone(&schedule);
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while let Some(Claim { arrival, due }) = claim(&schedule, opened).await {
                        taken.push((arrival.number, due.duration_since(opened).as_millis()));
                    }
                    taken
                })
            })
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..20).map(|number| (number, u128::from(number))).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_arrival_that_is_over_keeps_its_due_time() {
        let opened = long_ago();
        let schedule = schedule(opened, WhenBusy::Queue);
        for ms in [0, 1] {
            let taken = claim(&schedule, Instant::now()).await.unwrap();
            assert_eq!((taken.arrival.number, taken.due), (ms, opened + Duration::from_millis(ms)));
        }
        assert_eq!(schedule.skipped(), 0);
    }

    #[tokio::test]
    async fn a_worker_that_gives_up_waiting_takes_no_second_arrival_with_it() {
        let opened = Instant::now() + Duration::from_hours(1);
        let schedule = schedule(opened, WhenBusy::Queue);
        // Polled once, it holds the lock and waits for the first arrival; then it is dropped, as a stop does it.
        let mut claim = Box::pin(claim(&schedule, opened));
        poll_once(&mut claim).await;
        drop(claim);
        assert_eq!(schedule.arrivals.try_lock().unwrap().next().unwrap().number, 1);
    }

    #[tokio::test]
    async fn idle_workers_hold_one_arrival_between_them() {
        let opened = Instant::now() + Duration::from_hours(1);
        let schedule = schedule(opened, WhenBusy::Queue);
        let mut claims: Vec<_> = (0..50).map(|_| Box::pin(claim(&schedule, opened))).collect();
        for claim in &mut claims {
            poll_once(claim).await;
        }
        drop(claims);
        assert_eq!(schedule.arrivals.try_lock().unwrap().next().unwrap().number, 1);
    }

    #[tokio::test]
    async fn what_was_due_while_everybody_was_busy_is_skipped_and_counted() {
        let opened = long_ago();
        let schedule = schedule(opened, WhenBusy::Skip);
        let at = |ms| opened + Duration::from_millis(ms);
        let first = claim(&schedule, opened).await.unwrap();
        assert_eq!((first.arrival.number, schedule.skipped()), (0, 0));
        // Busy until 4.5 ms: 1 to 4 are gone. The one that is due at the very moment is not.
        let next = claim(&schedule, at(4) + Duration::from_micros(500)).await.unwrap();
        assert_eq!((next.arrival.number, next.due, schedule.skipped()), (5, at(5), 4));
        assert_eq!(claim(&schedule, at(6)).await.unwrap().arrival.number, 6);
        // Busy until after the end.
        assert_eq!(claim(&schedule, Instant::now()).await, None);
        assert_eq!(schedule.skipped(), 4 + 13);
    }

    #[tokio::test]
    async fn a_closed_schedule_gives_up_what_is_left_and_says_how_much_that_was() {
        let schedule = schedule(long_ago(), WhenBusy::Queue);
        for _ in 0..8 {
            assert!(claim(&schedule, Instant::now()).await.is_some());
        }
        schedule.close();
        assert_eq!((claim(&schedule, Instant::now()).await, schedule.unsent()), (None, 12));
    }

    #[tokio::test]
    async fn a_client_that_was_free_but_woke_late_skips_nothing() {
        let opened = long_ago();
        let schedule = schedule(opened, WhenBusy::Skip);
        for number in 0..20 {
            assert_eq!(claim(&schedule, opened).await.unwrap().arrival.number, number);
        }
        assert_eq!(schedule.skipped(), 0);
    }
}
