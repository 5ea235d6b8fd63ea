//! One operation, done over and over between two readings of everything that counts.

use std::time::{Duration, Instant};

use reports::labs::wal::{LogSpan, Updates};
use reports::labs::writes::{Measurement, Processor, Through, Work};
use reports::latency::Latency;
use reports::run::CpuCost;
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::api::Api;
use super::choice::Change;
use super::operation::Operation;
use super::rows::{self, Subjects};
use super::sql::Sql;
use super::state::{Counted, Sizes};
use super::{Error, Site, pending};
use crate::labs::wal::{LogReader, position};
use crate::probes::{self, CpuMeter, StatementProbe};

/// How long counters of the tables are waited for: a session hands them in once a second at most, while it is used.
const PATIENCE: Duration = Duration::from_secs(4);

/// The pause between two looks at them.
const PAUSE: Duration = Duration::from_millis(50);

/// The way that writes take.
#[derive(Debug)]
pub(super) enum Way {
    Api(Api),
    Sql(Sql),
}

impl Way {
    async fn carry_out(&mut self, change: &Change) -> Result<(Vec<Uuid>, Duration), Error> {
        match self {
            Self::Api(api) => api.carry_out(change).await,
            Self::Sql(sql) => sql.carry_out(change).await,
        }
    }

    /// Has the session that wrote hand in its counters.
    async fn hand_in(&mut self, anybody: Option<Uuid>) -> Result<(), Error> {
        match (self, anybody) {
            (Self::Api(api), Some(customer)) => api.nudge(customer).await,
            (Self::Api(_), None) => Ok(()),
            (Self::Sql(sql), _) => sql.hand_in().await,
        }
    }
}

/// What measures at one site.
pub(super) struct Bench {
    control: PgConnection,
    way: Way,
    log: Option<LogReader>,
    statements: Option<StatementProbe>,
    meter: CpuMeter,
    level: String,
    through: Through,
    may_checkpoint: bool,
}

impl Bench {
    pub(super) async fn new(
        mut control: PgConnection,
        way: Way,
        log: Option<LogReader>,
        site: &Site,
        warnings: &mut Vec<String>,
    ) -> Result<Self, Error> {
        let statements = match StatementProbe::new(probes::connect(&site.database_url).await?).await {
            Ok(probe) => Some(probe),
            Err(unavailable) => {
                warnings.push(format!("buffers are not counted: {unavailable}"));
                None
            }
        };
        let server_pid = match &way {
            Way::Api(api) => api.pid(),
            Way::Sql(_) => None,
        };
        let meter = CpuMeter::new(server_pid, probes::postmaster_pid(&mut control).await?);
        let may_checkpoint = match sqlx::raw_sql("CHECKPOINT").execute(&mut control).await {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) => {
                warnings.push(format!(
                    "no checkpoint could be made ({error}), so bytes of full-page images can't be compared; grant the user \
                     pg_checkpoint"
                ));
                false
            }
            Err(error) => return Err(error.into()),
        };
        let mut bench = Self {
            control,
            way,
            log,
            statements,
            meter,
            level: site.level.clone(),
            through: site.through,
            may_checkpoint,
        };
        pending::empty(&mut bench.control, None, &mut Vec::new()).await?;
        Ok(bench)
    }

    /// So many writes of each kind that are not counted. Their counters are waited for, so that they are not taken for those of
    /// what follows.
    pub(super) async fn warm_up(
        &mut self,
        subjects: &mut Subjects,
        operations: &[Operation],
        count: u64,
    ) -> Result<(), Error> {
        let counted = Counted::read(&mut self.control).await?;
        let mut expected = 0;
        for &operation in operations {
            let start = position(&mut self.control).await?;
            let mut rows = 0;
            for _ in 0..count {
                let Some(change) = subjects.next(operation) else { break };
                let (ids, _) = self.way.carry_out(&change).await?;
                rows += ids.len() as u64;
            }
            let end = position(&mut self.control).await?;
            // Where it can't be read, one update for each row is expected, and what is measured says so later.
            let log = match &mut self.log {
                Some(log) => log.read(start, end).await.ok(),
                None => None,
            };
            expected += expected_updates(operation, rows, log.as_ref()).unwrap_or_default();
        }
        self.updates(subjects, &counted, expected).await?;
        // What they left for later is no business of what is measured.
        pending::empty(&mut self.control, None, &mut Vec::new()).await?;
        Ok(())
    }

    /// Does so many writes. `None` when it was stopped among them.
    pub(super) async fn measure(
        &mut self,
        subjects: &mut Subjects,
        operation: Operation,
        count: u64,
        warnings: &mut Vec<String>,
        stop: &CancellationToken,
    ) -> Result<Option<Measurement>, Error> {
        let mut ids = Vec::new();
        let mut service = Latency::new();
        // Before the statements are counted: it is none of the operations.
        if self.may_checkpoint {
            sqlx::raw_sql("CHECKPOINT").execute(&mut self.control).await?;
        }
        let mut unread = |error| {
            warnings.push(format!("the statements and buffers of {operation} are not counted: {error}"));
        };
        let counters = match &mut self.statements {
            Some(statements) => statements.read().await.map_err(&mut unread).ok(),
            None => None,
        };
        let sizes = Sizes::read(&mut self.control).await?;
        let counted = Counted::read(&mut self.control).await?;
        let start = position(&mut self.control).await?;
        let processor = self.meter.read();
        for _ in 0..count {
            if stop.is_cancelled() {
                return Ok(None);
            }
            let Some(change) = subjects.next(operation) else { break };
            let (written, took) = self.way.carry_out(&change).await?;
            service.record(took);
            ids.extend(written);
        }
        let processor = self.meter.since(&processor);
        let end = position(&mut self.control).await?;

        let operations = service.count();
        let work = match (&mut self.statements, counters) {
            (Some(statements), Some(before)) => statements.read().await.map_err(unread).ok().map(|after| {
                let work = after.work_since(&before, &self.level, operation.name(), operations);
                Work {
                    statements: work.statements_per_request,
                    buffers: work.buffers_per_request,
                    buffers_read: work.buffers_read_per_request,
                    database_ms: work.database_ms_per_request,
                }
            }),
            _ => None,
        };
        let growth = Sizes::read(&mut self.control).await?.since(&sizes);
        let log = match &mut self.log {
            Some(log) => match log.read(start, end).await {
                Ok(span) => Some(span),
                Err(unavailable) => {
                    warnings.push(format!("the log of {operation} is not split: {unavailable}"));
                    None
                }
            },
            None => None,
        };
        let counted_updates = match expected_updates(operation, ids.len() as u64, log.as_ref()) {
            Some(expected) => {
                let updates = self.updates(subjects, &counted, expected).await?;
                if updates.is_none() {
                    let within = PATIENCE.as_secs();
                    warnings.push(format!(
                        "the counters of the tables had not all updates of {operation} within {within} s"
                    ));
                }
                updates
            }
            None => None,
        };
        let vacuums = Counted::read(&mut self.control).await?.vacuums_since(&counted);
        let row_bytes = rows::bytes(&mut self.control, operation, &ids).await?;
        let postponed = pending::empty(&mut self.control, self.log.as_mut(), warnings).await?;
        let us = |quantile| service.quantile_us(quantile).unwrap_or_default();
        let measurement = Measurement {
            level: self.level.clone(),
            operation: operation.name().to_owned(),
            through: self.through,
            operations,
            rows: ids.len() as u64,
            row_bytes,
            p50_us: us(0.5),
            p95_us: us(0.95),
            p99_us: us(0.99),
            max_us: service.max_us().unwrap_or_default(),
            checkpoints: log.as_ref().map(checkpoints),
            log_bytes: end.since(start),
            log,
            counted_updates,
            growth,
            postponed,
            work,
            processor: each(&processor, operations, self.through),
            service,
        };
        warnings.extend(doubts(&measurement, vacuums));
        Ok(Some(measurement))
    }

    /// Updates since the reading `before`, waited for until they are as many as expected; `None` if they do not come.
    async fn updates(
        &mut self,
        subjects: &Subjects,
        before: &Counted,
        expected: u64,
    ) -> Result<Option<Updates>, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let updates = Counted::read(&mut self.control).await?.updates_since(before);
            if updates.all >= expected {
                return Ok(Some(updates));
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            self.way.hand_in(subjects.anybody()).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Says goodbye to the database.
    pub(super) async fn close(self) -> Result<(), Error> {
        if let Way::Sql(sql) = self.way {
            sql.connection.close().await?;
        }
        self.control.close().await?;
        Ok(())
    }
}

/// Updates that the counters of the tables will have: those of the log, or one for each row. `None` where that is not known,
/// because triggers update totals.
fn expected_updates(operation: Operation, rows: u64, log: Option<&LogSpan>) -> Option<u64> {
    match (log, operation) {
        (Some(log), _) => Some(log.updates().all),
        (None, Operation::SingleCall | Operation::BatchCall) => None,
        (None, Operation::SingleInsert | Operation::BatchInsert) => Some(0),
        (None, _) => Some(rows),
    }
}

/// Checkpoints that ended in a span. One that begins there and ends behind it is not seen.
fn checkpoints(log: &LogSpan) -> u64 {
    log.records_of("XLOG/CHECKPOINT_ONLINE") + log.records_of("XLOG/CHECKPOINT_SHUTDOWN")
}

fn each(used: &CpuCost, operations: u64, through: Through) -> Processor {
    let each = |seconds: Option<f64>| seconds.map(|seconds| seconds * 1e6 / operations.max(1) as f64);
    let server_us = match through {
        Through::Api => each(used.server_s),
        Through::Sql => None,
    };
    Processor { client_us: each(used.client_s), server_us, database_us: each(used.database_s) }
}

/// What makes a measurement less than it should be.
fn doubts(measurement: &Measurement, vacuums: u64) -> Vec<String> {
    let place = format!("{}, {}, {}", measurement.level, measurement.through.name(), measurement.operation);
    let mut doubts = Vec::new();
    if measurement.checkpoints.is_some_and(|checkpoints| checkpoints > 0) {
        doubts.push(format!(
            "{place}: a checkpoint fell into it, so its full-page images are more than those of one; give fewer --operations"
        ));
    }
    if vacuums > 0 {
        doubts.push(format!("{place}: autovacuum was at its tables meanwhile"));
    }
    if let (Some(log), Some(counted)) = (&measurement.log, measurement.counted_updates)
        && counted != log.updates()
    {
        let Updates { all, hot } = log.updates();
        doubts.push(format!(
            "{place}: the counters of the tables have {} updates, {} of them heap-only, and the log has {all} and {hot}",
            counted.all, counted.hot
        ));
    }
    doubts
}
