//! A stage: one window, or one warm-up, from its opening until the last worker has left it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use goose::goose::GooseUser;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::closed::Users;
use super::open::Schedule;
use crate::operations::Prepared;
use crate::recorder::{Instants, Recorder, Recording};

/// Where the turns of a stage come from.
#[derive(Debug)]
pub(crate) enum Loop {
    /// A schedule.
    Open(Schedule),
    /// The answers.
    Closed(Users),
}

/// What is sent, when, and where it is written down.
#[derive(Debug)]
pub(crate) struct Stage {
    /// The name under which goose counts its requests; `None` leaves them out of goose's metrics (a warm-up).
    pub(crate) name: Option<String>,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) turns: Loop,
    recorder: Recorder,
    left: AtomicUsize,
    everybody_left: Notify,
}

impl Stage {
    /// A stage that opens at `opened`, which lies a little ahead, so that all workers have come when it does.
    pub(crate) fn new(name: Option<String>, prepared: Arc<Prepared>, turns: Loop, opened: Instant) -> Self {
        let recorder = Recorder::new(opened, matches!(turns, Loop::Open(_)));
        Self { name, prepared, turns, recorder, left: AtomicUsize::new(0), everybody_left: Notify::new() }
    }

    /// Takes what was recorded.
    pub(crate) fn recording(&self) -> Recording {
        self.recorder.take()
    }

    /// Waits until all of `workers` have left.
    pub(super) async fn drained(&self, workers: usize) {
        while self.left.load(Ordering::Acquire) < workers {
            self.everybody_left.notified().await;
        }
    }

    /// What a worker does in the stage: it takes turns until there are no more, and leaves. A stop makes it leave at
    /// once and drops the request it has in flight.
    pub(super) async fn work(&self, user: &mut GooseUser, stop: &CancellationToken) {
        stop.run_until_cancelled(self.take_turns(user)).await;
        self.left.fetch_add(1, Ordering::AcqRel);
        self.everybody_left.notify_one();
    }

    async fn take_turns(&self, user: &mut GooseUser) {
        match &self.turns {
            Loop::Open(schedule) => {
                let mut free = Instant::now();
                loop {
                    let request = self.prepared.request();
                    let Some(due) = schedule.claim().await else { return };
                    free = self.turn(user, request, Some(due), free).await;
                }
            }
            Loop::Closed(users) => {
                if !users.admit() {
                    return;
                }
                tokio::time::sleep_until(users.opened().into()).await;
                while users.turn(Instant::now()) {
                    let request = self.prepared.request();
                    self.turn(user, request, None, Instant::now()).await;
                }
            }
        }
    }

    /// Sends one request and records it; returns when its answer had come, from when on the worker counts as free.
    /// What the worker does after that, such as checking the reply, is on the client's account, not the server's.
    async fn turn(
        &self,
        user: &mut GooseUser,
        request: reqwest::Request,
        due: Option<Instant>,
        free: Instant,
    ) -> Instant {
        let sent = Instant::now();
        let exchange = self.prepared.send(&user.client, request).await;
        let instants = Instants { free, due: due.unwrap_or(sent), sent, done: exchange.done };
        let failure = self.prepared.failure(&exchange);
        self.recorder.record(instants, failure.as_deref());
        if let Some(name) = &self.name {
            let label = if due.is_some() { "OPEN" } else { "CLOSED" };
            let status = exchange.outcome.as_ref().ok().map(|reply| reply.status);
            let response = instants.done.saturating_duration_since(instants.due);
            let told = user
                .record_custom_request_duration(
                    label,
                    name,
                    response,
                    failure.is_none(),
                    status,
                    failure.as_deref(),
                )
                .await;
            if let Err(error) = told {
                // Goose's own metrics are a courtesy; the histograms above are the result.
                tracing::debug!(%error, "goose did not take a sample");
            }
        }
        exchange.done
    }
}
