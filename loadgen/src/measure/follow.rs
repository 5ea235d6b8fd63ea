//! Telling of a window while it is open.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::Session;
use crate::arrivals::Arrivals;
use crate::engine::{Ended, Engine, Stage};
use crate::error::Error;
use crate::observer::{Event, Observer, Position};
use crate::probes::Latest;
use crate::recorder::News;
use crate::ticks::{Standing, Ticker};

/// The time between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// A stage that is looked at once a second.
pub(crate) struct Following<'a> {
    observer: &'a dyn Observer,
    stage: &'a Stage,
    window: Position<'a>,
    opened: Instant,
    ticker: Ticker,
    news: Vec<News>,
    latest: Option<Latest>,
    /// The place of the target among all.
    target: usize,
}

impl<'a> Session<'a> {
    /// Follows a measured stage that offers requests for so long, on these arrivals or in the closed loop.
    pub(crate) fn follow<'s>(
        &self,
        stage: &'s Stage,
        window: Position<'s>,
        target: usize,
        offered: Duration,
        arrivals: Option<Arrivals>,
    ) -> Following<'s>
    where
        'a: 's,
    {
        let operations = stage.traffic.parts.iter().map(|part| part.operation.clone()).collect();
        Following {
            observer: self.observer,
            stage,
            window,
            opened: stage.opened,
            ticker: Ticker::new(operations, offered, arrivals),
            news: Vec::new(),
            latest: self.latest.clone(),
            target,
        }
    }
}

impl Following<'_> {
    /// Runs the stage to its end, and looks each second.
    pub(super) async fn run(&mut self, engine: &mut Engine, stage: &Arc<Stage>) -> Result<Ended, Error> {
        tokio::select! {
            biased;
            ended = engine.run(stage) => ended,
            never = self.each_second() => match never {},
        }
    }

    /// Looks each second, for as long as it is polled. A second that passes while somebody is still being told of the one
    /// before falls out, and is part of the next.
    pub(crate) async fn each_second(&mut self) -> Infallible {
        let mut seconds = tokio::time::interval_at((self.opened + PERIOD).into(), PERIOD);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            seconds.tick().await;
            self.look();
        }
    }

    /// The last look, after the records were taken: with it, what was told adds up to what they hold.
    pub(crate) fn last(mut self) {
        self.look();
    }

    fn look(&mut self) {
        self.stage.news(&mut self.news);
        let (sent, skipped, now) = (self.stage.sent(), self.stage.skipped(), Instant::now());
        let seen = self.latest.as_ref().map(|latest| latest.of(self.target, now)).unwrap_or_default();
        let at = now.saturating_duration_since(self.opened);
        let tick = self.ticker.tick(&mut self.news, Standing { sent, skipped, seen, at });
        self.observer.on(&Event::Second { window: self.window, tick: &tick });
    }
}
