//! What is told of a measurement while it runs: to people at a terminal ([`view`]), to machines that read along
//! ([`lines`]), and to Prometheus ([`metrics`], served by [`endpoint`]).
//!
//! All of them are told by the coordinator of the measurement, on the main thread, where no request is sent from. Each has
//! a file of its own and knows nothing of the others; [`Live`] is what a command holds, and [`Watched`] what it hands to the
//! measurement.

mod endpoint;
mod lines;
mod metrics;
#[cfg(test)]
mod sample;
mod view;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use loadgen::curves::{Progress, Sought, Trial};
use loadgen::{Event, Observer, Plan, Target};
use reports::curves::Step;
use tokio_util::sync::CancellationToken;

use self::endpoint::Endpoint;
use self::lines::Line;
pub(crate) use self::lines::{Finished, Lines};
use self::metrics::Metrics;
use self::view::{Rounds, Search};
use crate::cli::{self, Json};

/// Whom a command tells of its measurements.
pub(crate) struct Live {
    json: Option<Json>,
    lines: Option<Lines>,
    metrics: Option<(Arc<Metrics>, Endpoint)>,
    linger: Duration,
}

impl Live {
    /// Opens what was asked for. What can't be served is an error here, before anything is measured.
    pub(crate) fn open(asked: &cli::Live) -> anyhow::Result<Self> {
        let metrics = match asked.metrics {
            None => None,
            Some(address) => {
                let metrics = Arc::new(Metrics::new());
                let endpoint = Endpoint::open(address, Arc::clone(&metrics)).with_context(|| {
                    format!(
                        "the metrics can't be served at {address}; give another address to --metrics, or port 0 for any \
                         that is free"
                    )
                })?;
                Some((metrics, endpoint))
            }
        };
        let lines = (asked.json == Some(Json::Lines)).then(Lines::to_stdout);
        let url = metrics.as_ref().map(|(_, endpoint)| endpoint.url());
        match &lines {
            Some(lines) => lines.tell(&Line::started(url.as_deref())),
            None => url.iter().for_each(|url| eprintln!("metrics at {url}")),
        }
        let linger = asked.metrics_linger.unwrap_or_default();
        Ok(Self { json: asked.json, lines, metrics, linger })
    }

    /// Whoever is told of the rounds of a plan.
    pub(crate) fn rounds(&self, plan: &Plan, targets: &[Target]) -> Watched<'_, Rounds> {
        if let Some(lines) = &self.lines {
            lines.tell(&Line::measuring(plan, targets));
        }
        self.watched(|| Rounds::new(plan, targets))
    }

    /// Whoever is told of the steps of a search.
    pub(crate) fn search(&self, sought: &Sought, target: &Target) -> Watched<'_, Search> {
        if let Some(lines) = &self.lines {
            lines.tell(&Line::searching(sought, target));
        }
        self.watched(Search::new)
    }

    fn watched<V>(&self, view: impl FnOnce() -> V) -> Watched<'_, V> {
        let metrics = self.metrics.as_ref().map(|(metrics, _)| &**metrics);
        if let Some(metrics) = metrics {
            metrics.begin();
        }
        Watched { view: self.lines.is_none().then(view), lines: self.lines.as_ref(), metrics }
    }

    /// Something that a reader of the result must know, found outside of a measurement.
    pub(crate) fn warn(&self, sentence: &str) {
        match &self.lines {
            Some(lines) => lines.tell(&Line::Warning { sentence }),
            None => eprintln!("warning: {sentence}"),
        }
    }

    /// What is printed of a result in the end.
    pub(crate) fn print(&self) -> Print<'_> {
        match (&self.lines, self.json) {
            (Some(lines), _) => Print::Line(lines),
            (None, Some(_)) => Print::Document,
            (None, None) => Print::Table,
        }
    }

    /// The end of the command: a failure is told as well, and metrics are served for a while longer.
    pub(crate) async fn close(
        self,
        outcome: anyhow::Result<u8>,
        stop: &CancellationToken,
    ) -> anyhow::Result<u8> {
        match (&outcome, &self.lines) {
            (Err(error), Some(lines)) => lines.tell(&Line::Failed { sentence: &format!("{error:#}") }),
            (Ok(_), _) if self.metrics.is_some() => {
                // Whether it was cut short makes no difference.
                let _ = stop.run_until_cancelled(tokio::time::sleep(self.linger)).await;
            }
            _ => {}
        }
        outcome
    }
}

/// How a result is printed.
#[derive(Clone, Copy)]
pub(crate) enum Print<'a> {
    /// For people.
    Table,
    /// Its JSON file.
    Document,
    /// One line that says where it is.
    Line(&'a Lines),
}

impl Print<'_> {
    /// `--json` of a command that tells nothing meanwhile.
    pub(crate) fn json(json: bool) -> Self {
        if json { Self::Document } else { Self::Table }
    }
}

/// Hands on what happens to everybody who is to be told.
pub(crate) struct Watched<'a, V> {
    /// People; nobody where machines read along.
    view: Option<V>,
    lines: Option<&'a Lines>,
    metrics: Option<&'a Metrics>,
}

impl<V: Observer> Observer for Watched<'_, V> {
    fn on(&self, event: &Event<'_>) {
        if let Some(metrics) = self.metrics {
            metrics.on(event);
        }
        if let Some(lines) = self.lines {
            lines.on(event);
        }
        if let Some(view) = &self.view {
            view.on(event);
        }
    }
}

impl<V: Progress> Progress for Watched<'_, V> {
    fn trying(&self, trial: &Trial, length: Duration) {
        if let Some(lines) = self.lines {
            lines.tell(&Line::trying(trial, length));
        }
        if let Some(view) = &self.view {
            view.trying(trial, length);
        }
    }

    fn tried(&self, step: &Step) {
        if let Some(lines) = self.lines {
            lines.tell(&Line::step(step));
        }
        if let Some(view) = &self.view {
            view.tried(step);
        }
    }
}
