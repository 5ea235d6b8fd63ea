//! Goose's users as the pool of workers.
//!
//! An attack is planned to run for one second. Goose then tells its users to exit, and waits for the transaction that
//! each is in, which is the whole measurement: so the attack ends when this engine says so, and its books are closed
//! the moment the last worker has gone. (A plan of one iteration per user would do as well, but prints a line to
//! standard output.)
//!
//! What goose 0.19 keeps once per process, and how it is dealt with, so that several measurements can follow one
//! another (or run side by side, as tests do) in one process:
//!
//! - *The kill switch* is a static that every starting attack resets. It is never used to end an attack. It is watched,
//!   since goose's handler of Ctrl-C pulls it where the program has set no handler of its own.
//! - *The logger*: goose would make its own the logger of the process. Log records are sent to `tracing` instead.
//! - *Arguments*: `GooseAttack::initialize` reads those of the program; `initialize_with_config` doesn't.

use std::sync::Arc;
use std::time::Duration;

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::goose::{GooseUser, Scenario, Transaction, TransactionFunction};
use goose::metrics::GooseMetrics;
use goose::{GooseAttack, GooseError};
use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::stage::Stage;
use super::threads::Threads;
use crate::error::Error;
use crate::operations;
use crate::pacer::Pacer;

/// A request that takes longer has failed, unless a plan gives measured ones another time.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Users that goose starts per second: all of them within moments.
const USERS_PER_SECOND: usize = 1000;

/// How often goose's kill switch is looked at.
const KILL_SWITCH_EVERY: Duration = Duration::from_millis(100);

/// The pool of workers, alive from start to finish of a measurement.
#[derive(Debug)]
pub(crate) struct Engine {
    stages: watch::Sender<Option<Arc<Stage>>>,
    /// Workers that are in their transaction.
    present: watch::Receiver<usize>,
    workers: usize,
    stop: CancellationToken,
    /// Cancelled when a worker ends without having been told to: a bug, but one that must not hang the run.
    lost: CancellationToken,
    attack: JoinHandle<Result<GooseMetrics, GooseError>>,
    pacer: Arc<Pacer>,
    /// What all of it runs on.
    _threads: Threads,
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All its requests were answered.
    Drained,
    /// The run was stopped in the middle of it.
    Stopped,
}

/// What every worker holds.
struct Membership {
    /// The one that sends; goose's own knows no limit to where a redirection may lead.
    client: Client,
    stages: watch::Receiver<Option<Arc<Stage>>>,
    present: Arc<watch::Sender<usize>>,
    stop: CancellationToken,
    lost: CancellationToken,
}

impl Engine {
    /// Starts `workers` users, who wait for an answer for `timeout`. `host` is any valid URL: workers carry whole URLs in their requests. Workers end at
    /// once when `stop` is cancelled, and the engine cancels it when it is dropped.
    pub(crate) async fn start(
        host: &str,
        workers: usize,
        timeout: Duration,
        stop: CancellationToken,
    ) -> Result<Self, Error> {
        // Fails if the program has a logger already, which serves as well.
        let _ = tracing_log::LogTracer::builder().with_max_level(tracing_log::log::LevelFilter::Warn).init();
        let (stages, feed) = watch::channel(None);
        let (counter, present) = watch::channel(0);
        let lost = CancellationToken::new();
        let membership = Arc::new(Membership {
            client: operations::client(timeout)?,
            stages: feed,
            present: Arc::new(counter),
            stop: stop.clone(),
            lost: lost.clone(),
        });
        let attack = attack(host, workers, membership).map_err(|error| failed(&error))?;
        let threads = Threads::start().map_err(|error| lacking("threads", &error))?;
        let pacer = Arc::new(threads.within(Pacer::start).map_err(|error| lacking("timer", &error))?);
        let attack = threads.spawn(attack.execute());
        let mut engine = Self { stages, present, workers, stop, lost, attack, pacer, _threads: threads };
        engine.everybody_present().await?;
        Ok(engine)
    }

    /// What wakes the workers up.
    pub(crate) fn pacer(&self) -> Arc<Pacer> {
        Arc::clone(&self.pacer)
    }

    async fn everybody_present(&mut self) -> Result<(), Error> {
        let workers = self.workers;
        tokio::select! {
            // An error means that the last worker is gone, which the other branch reports with its reason.
            Ok(_) = self.present.wait_for(|present| *present == workers) => Ok(()),
            () = self.stop.cancelled() => Ok(()),
            ended = &mut self.attack => Err(premature(ended)),
        }
    }

    /// Opens a stage and waits until every worker has left it.
    pub(crate) async fn run(&mut self, stage: &Arc<Stage>) -> Result<Ended, Error> {
        self.stages.send_replace(Some(Arc::clone(stage)));
        let mut kill_switch = tokio::time::interval(KILL_SWITCH_EVERY);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(Ended::Stopped),
                () = stage.drained(self.workers) => return Ok(Ended::Drained),
                () = self.lost.cancelled() => {
                    return Err(Error::Engine { what: "a worker ended before it was told to".to_owned() });
                }
                ended = &mut self.attack => return Err(premature(ended)),
                _ = kill_switch.tick() => {
                    if goose::is_killswitch_triggered() {
                        self.stop.cancel();
                    }
                }
            }
        }
    }

    /// Sends the workers home at once, whatever they are doing, and waits until goose has ended, which may take up to
    /// its planned second if the run has only just begun.
    pub(crate) async fn abandon(mut self) {
        self.stop.cancel();
        // How it ends makes no difference any more: the run has been given up for another reason.
        let _ = (&mut self.attack).await;
    }

    /// Sends the workers home and returns how many requests goose has counted.
    pub(crate) async fn finish(mut self) -> Result<u64, Error> {
        // Closing the channel ends the transactions, and goose has been waiting for that.
        let (closed, _) = watch::channel(None);
        drop(std::mem::replace(&mut self.stages, closed));
        match (&mut self.attack).await {
            Ok(Ok(metrics)) => {
                let counted =
                    metrics.requests.values().map(|request| request.success_count + request.fail_count);
                Ok(counted.sum::<usize>() as u64)
            }
            Ok(Err(error)) => Err(failed(&error)),
            Err(error) => Err(Error::Engine { what: error.to_string() }),
        }
    }
}

impl Drop for Engine {
    /// However the measurement ends, nothing goes on: workers leave on the token, and goose ends by itself once they
    /// have, at the latest when its planned second is up.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn lacking(what: &str, error: &std::io::Error) -> Error {
    Error::Engine { what: format!("the system gives the workers no {what}: {error}") }
}

fn failed(error: &GooseError) -> Error {
    Error::Engine { what: error.to_string() }
}

fn premature(ended: Result<Result<GooseMetrics, GooseError>, tokio::task::JoinError>) -> Error {
    match ended {
        Ok(Ok(_)) => Error::Engine { what: "goose ended before it was told to".to_owned() },
        Ok(Err(error)) => failed(&error),
        Err(error) => Error::Engine { what: error.to_string() },
    }
}

fn attack(host: &str, workers: usize, membership: Arc<Membership>) -> Result<GooseAttack, Box<GooseError>> {
    let function: TransactionFunction = Arc::new(move |user| {
        let membership = Arc::clone(&membership);
        Box::pin(async move {
            membership.attend(user).await;
            Ok(())
        })
    });
    // One for all users, which nobody uses; see `Membership`.
    let client = GooseClientBuilder::new().without_cookies();
    let transaction = Transaction::new(function).set_name("turns");
    let scenario = Scenario::new("callbench").register_transaction(transaction);
    Ok(GooseAttack::initialize_with_config(configuration(host, workers))?
        .set_client_builder_without_cookies(client)?
        .register_scenario(scenario))
}

fn configuration(host: &str, workers: usize) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(host.to_owned());
    configuration.users = Some(workers);
    configuration.increase_rate = Some(USERS_PER_SECOND.to_string());
    configuration.run_time = Some("1".to_owned());
    configuration.quiet = 1;
    configuration.no_print_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_transaction_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration.no_telnet = true;
    configuration
}

impl Membership {
    /// A worker's whole life: it takes part in every stage until the engine is closed or stopped.
    async fn attend(&self, user: &mut GooseUser) {
        if self.stop.is_cancelled() || self.stages.has_changed().is_err() {
            // The run ended within goose's planned second: goose starts the transaction over and over until that is
            // up, and must not do it as fast as it can.
            return tokio::time::sleep(Duration::from_millis(20)).await;
        }
        user.client.clone_from(&self.client);
        let loss = self.lost.clone().drop_guard();
        let _presence = Presence::enter(&self.present);
        let mut stages = self.stages.clone();
        // Goose starts all workers before the first stage opens, and a stage follows only after all have left the
        // one before, so no worker misses one.
        while let Some(Ok(())) = self.stop.run_until_cancelled(stages.changed()).await {
            let stage = stages.borrow_and_update().clone();
            if let Some(stage) = stage {
                stage.work(user, &self.stop).await;
            }
        }
        loss.disarm();
    }
}

/// Counts a worker while it exists.
struct Presence<'a>(&'a watch::Sender<usize>);

impl<'a> Presence<'a> {
    fn enter(present: &'a watch::Sender<usize>) -> Self {
        present.send_modify(|present| *present += 1);
        Self(present)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|present| *present -= 1);
    }
}
