//! A stage: one window, or one warm-up, from its opening until the last worker has left it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use goose::goose::GooseUser;
use reqwest::Request;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::closed::Users;
use super::open::{Claim, Schedule};
use crate::arrivals::Arrival;
use crate::operations::{self, Draw, Exchange, Prepared, Turns};
use crate::recorder::{Instants, News, Recorder, Recording};

/// Where the turns of a stage come from.
#[derive(Debug)]
pub(crate) enum Loop {
    /// A schedule; and for each name in a recording that is replayed, the operation of the scenario.
    Open(Schedule, Vec<Option<usize>>),
    /// The answers.
    Closed(Users),
}

/// What is sent, when, and where it is written down.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) traffic: Arc<Traffic>,
    /// Whether goose counts its requests; those of a warm-up it doesn't.
    is_measured: bool,
    /// Of what its requests draw.
    seed: u64,
    pub(crate) turns: Loop,
    recorder: Recorder,
    sent: AtomicU64,
    /// When it opens.
    pub(crate) opened: Instant,
    left: AtomicUsize,
    everybody_left: Notify,
}

/// A scenario on a target, ready to be sent.
#[derive(Debug)]
pub(crate) struct Traffic {
    /// At least one.
    pub(crate) parts: Vec<Component>,
    weights: Vec<f64>,
}

/// One operation of it.
#[derive(Debug)]
pub(crate) struct Component {
    /// What its requests are called in the result.
    pub(crate) operation: String,
    /// The name under which goose counts them.
    pub(crate) name: String,
    pub(crate) prepared: Arc<dyn Prepared>,
}

impl Traffic {
    /// Operations, each with its weight.
    pub(crate) fn new(parts: Vec<(Component, f64)>) -> Self {
        let (parts, weights) = parts.into_iter().unzip();
        Self { parts, weights }
    }

    /// Each operation and its share of the requests.
    pub(crate) fn shares(&self) -> impl Iterator<Item = (&Component, f64)> {
        let whole: f64 = self.weights.iter().sum();
        self.parts.iter().zip(&self.weights).map(move |(part, weight)| (part, weight / whole))
    }

    /// What one worker needs for its turns.
    pub(crate) fn hand(&self) -> Hand<'_> {
        Hand { weights: &self.weights, turns: self.parts.iter().map(|part| part.prepared.turns()).collect() }
    }
}

/// The turns of one worker at the operations of a scenario.
pub(crate) struct Hand<'a> {
    weights: &'a [f64],
    turns: Vec<Box<dyn Turns>>,
}

impl Hand<'_> {
    /// The operation and the request of an arrival. A recorded one may name the operation.
    pub(crate) fn request(&mut self, seed: u64, number: u64, named: Option<usize>) -> (usize, Request) {
        let mut draw = Draw::new(seed, number);
        let part =
            named.unwrap_or_else(|| if self.turns.len() > 1 { draw.weighted(self.weights) } else { 0 });
        (part, self.turns[part].request(&mut draw))
    }

    /// What is wrong with the answer to the last request of this operation; `None` if nothing is.
    pub(crate) fn failure(&mut self, part: usize, exchange: &Exchange) -> Option<String> {
        match &exchange.outcome {
            Err(kind) => Some((*kind).to_owned()),
            Ok(reply) => self.turns[part].check(reply).err().map(|fault| fault.to_string()),
        }
    }
}

impl Stage {
    /// A stage that opens at `opened`, which lies a little ahead, so that all workers have come when it does.
    pub(crate) fn measured(traffic: Arc<Traffic>, seed: u64, turns: Loop, opened: Instant) -> Self {
        Self::new(traffic, seed, turns, opened, true)
    }

    /// A stage that is not measured.
    pub(crate) fn warm_up(traffic: Arc<Traffic>, seed: u64, turns: Loop, opened: Instant) -> Self {
        Self::new(traffic, seed, turns, opened, false)
    }

    fn new(traffic: Arc<Traffic>, seed: u64, turns: Loop, opened: Instant, is_measured: bool) -> Self {
        let recorder = Recorder::new(traffic.parts.len(), opened, matches!(turns, Loop::Open(..)));
        let recorder = if is_measured { recorder.followed() } else { recorder };
        Self {
            traffic,
            is_measured,
            seed,
            turns,
            recorder,
            sent: AtomicU64::new(0),
            opened,
            left: AtomicUsize::new(0),
            everybody_left: Notify::new(),
        }
    }

    /// Takes what was recorded of each operation.
    pub(crate) fn recordings(&self) -> Vec<Recording> {
        self.recorder.take()
    }

    /// What was recorded since the last time; see [`Recorder::news`]. Nothing of a warm-up.
    pub(crate) fn news(&self, buffer: &mut Vec<News>) {
        self.recorder.news(buffer);
    }

    /// How many requests were sent, those without an answer yet included. Read after [`Self::news`], it is never less than
    /// what was recorded.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How many arrivals were skipped.
    pub(crate) fn skipped(&self) -> u64 {
        match &self.turns {
            Loop::Open(schedule, _) => schedule.skipped(),
            Loop::Closed(_) => 0,
        }
    }

    /// Gives up the arrivals that no worker has taken yet.
    pub(crate) fn close(&self) {
        if let Loop::Open(schedule, _) = &self.turns {
            schedule.close();
        }
    }

    /// How many arrivals were given up.
    pub(crate) fn unsent(&self) -> u64 {
        match &self.turns {
            Loop::Open(schedule, _) => schedule.unsent(),
            Loop::Closed(_) => 0,
        }
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
        let mut hand = self.traffic.hand();
        match &self.turns {
            Loop::Open(schedule, named) => {
                let mut free = Instant::now();
                loop {
                    let ready = |arrival: &Arrival| {
                        let named = arrival.scenario.and_then(|place| named.get(place).copied().flatten());
                        hand.request(self.seed, arrival.number, named)
                    };
                    let claimed = schedule.claim(free, ready).await;
                    let Some((Claim { due, .. }, (part, request))) = claimed else { return };
                    free = self.turn(user, &mut hand, part, request, Some(due), free).await;
                }
            }
            Loop::Closed(users) => {
                if !users.admit() {
                    return;
                }
                tokio::time::sleep_until(users.opened().into()).await;
                while let Some(number) = users.turn(Instant::now()) {
                    let (part, request) = hand.request(self.seed, number, None);
                    self.turn(user, &mut hand, part, request, None, Instant::now()).await;
                }
            }
        }
    }

    /// Sends one request and records it; returns when its answer had come, from when on the worker counts as free.
    /// What the worker does after that, such as checking the reply, is on the client's account, not the server's.
    async fn turn(
        &self,
        user: &mut GooseUser,
        hand: &mut Hand<'_>,
        part: usize,
        request: Request,
        due: Option<Instant>,
        free: Instant,
    ) -> Instant {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let sent = Instant::now();
        let exchange = operations::send(&user.client, request).await;
        let instants = Instants { free, due: due.unwrap_or(sent), sent, done: exchange.done };
        let failure = hand.failure(part, &exchange);
        self.recorder.record(part, instants, failure.as_deref());
        if self.is_measured {
            let label = if due.is_some() { "OPEN" } else { "CLOSED" };
            let status = exchange.outcome.as_ref().ok().map(|reply| reply.status);
            let response = instants.done.saturating_duration_since(instants.due);
            let told = user
                .record_custom_request_duration(
                    label,
                    &self.traffic.parts[part].name,
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
