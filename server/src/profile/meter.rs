//! Processor time and memory of a request, taken around each poll of its future: between two polls the thread belongs to
//! others, and the next one may be on another thread.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::profile::Recorder;

/// A future whose polls are metered.
pub(crate) struct Metered<F> {
    recorder: Arc<Recorder>,
    work: Pin<Box<F>>,
}

impl<F: Future> Metered<F> {
    /// Notes what the work takes in this recorder.
    pub(crate) fn new(recorder: Arc<Recorder>, work: F) -> Self {
        Self { recorder, work: Box::pin(work) }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = thread_time();
        let (outcome, counts) = allocations::counted(|| self.work.as_mut().poll(context));
        let cpu = before.zip(thread_time()).map(|(before, after)| after.saturating_sub(before));
        self.recorder.polled(cpu, counts);
        outcome
    }
}

/// What this thread has run on a processor so far.
fn thread_time() -> Option<Duration> {
    let time = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_poll_counts_and_what_runs_between_them_does_not() {
        let recorder = Arc::new(Recorder::begin());
        let spin = |rounds: u64| (0..rounds).fold(1_u64, |sum, round| std::hint::black_box(sum ^ round));
        let work = async {
            spin(3_000_000);
            tokio::task::yield_now().await;
            spin(3_000_000)
        };
        let metered = Metered::new(Arc::clone(&recorder), work);
        let others = async { spin(60_000_000) };
        let before = thread_time().unwrap();
        tokio::join!(metered, others);
        let all = thread_time().unwrap().saturating_sub(before);
        let seen = recorder.finish().0.cpu.unwrap();
        assert!(!seen.is_zero() && seen * 3 < all, "{seen:?} of {all:?}");
    }
}
