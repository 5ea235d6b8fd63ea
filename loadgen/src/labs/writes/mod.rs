//! What a write costs: time, log, buffers and processor of each operation, and which index is to blame.
//!
//! A [`Site`] is one level of the schema in one way: through a server, or as plain SQL. [`measure`] does each operation of
//! its [`Plan`] a fixed number of times, one after the other, right after a checkpoint: a fixed *time* would let the slow
//! ones do less, and the first touch of each page after a checkpoint logs the whole page. What the database counts is read
//! before and after, never in between, and nothing else writes meanwhile as far as that can be helped.

mod api;
mod choice;
mod extensions;
mod operation;
mod own;
mod pending;
mod rows;
mod sql;
mod state;
mod stretch;

pub use operation::{Operation, UnknownOperation};

use std::collections::BTreeMap;

use reports::labs::writes::{Level, Measurement, Through};
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::api::Api;
use self::extensions::Missing;
use self::own::Own;
use self::rows::Subjects;
use self::sql::Sql;
use self::stretch::{Bench, Way};
use crate::labs::NoWorkspace;
use crate::labs::wal::{LogReader, Unavailable};
use crate::plan::Target;
use crate::probes;

/// Writes of each kind that are made before any is counted: the connection, its prepared statements and their generic plans
/// (which PostgreSQL takes up at the sixth execution) are there then.
const WARM_UP: u64 = 6;

/// Live customers that a workspace has to have: enough for the largest writes, half of them to be deleted.
const LEAST_CUSTOMERS: usize = 300;

/// Why writes could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A write that the server did not carry out.
    #[error("a write to {path} was not carried out: {what}")]
    Refused {
        /// The path that was asked.
        path: String,
        /// What came back.
        what: String,
    },
    /// A write that did something else.
    #[error(
        "a write changed {written} rows instead of {wanted}; does anybody else write to the same workspace?"
    )]
    OtherRows {
        /// Rows that it was to change.
        wanted: u64,
        /// Rows that it changed.
        written: u64,
    },
    /// A workspace that is not there.
    #[error(transparent)]
    NoWorkspace(#[from] NoWorkspace),
    /// Too few rows to choose from.
    #[error(
        "the workspace `{workspace}` has {there} live customers, and these writes need {LEAST_CUSTOMERS}; choose a larger \
         workspace, or a larger --scale"
    )]
    TooFewCustomers {
        /// The workspace as given.
        workspace: String,
        /// How many it has.
        there: usize,
    },
    /// The database did not do what it was told.
    #[error("the database can't be measured: {0}")]
    Database(#[from] sqlx::Error),
    /// The server can't be asked.
    #[error(transparent)]
    Server(#[from] crate::Error),
}

/// What is done at each site.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The operations, in their order.
    pub operations: Vec<Operation>,
    /// How often each is done; `None` for [`Operation::usual_count`].
    pub count: Option<u64>,
    /// Seed of the choice of rows and values.
    pub seed: u64,
}

impl Plan {
    /// How often an operation is to be done.
    #[must_use]
    pub fn count_of(&self, operation: Operation) -> u64 {
        self.count.unwrap_or_else(|| operation.usual_count())
    }

    /// The same for all operations of the plan, by name.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let named = |operation: &Operation| (operation.name().to_owned(), self.count_of(*operation));
        self.operations.iter().map(named).collect()
    }

    /// Writes of a kind with those of the warm-up; 0 for what is not measured.
    fn writes(&self, operation: Operation) -> usize {
        let count = usize::try_from(self.count_of(operation) + WARM_UP).unwrap_or(usize::MAX);
        if self.operations.contains(&operation) { count } else { 0 }
    }
}

/// One level, in one way.
#[derive(Debug)]
pub struct Site {
    /// What the level is called in the result.
    pub level: String,
    /// The variant of the reference server behind [`Self::target`].
    pub variant: String,
    /// How writes are made.
    pub through: Through,
    /// The server; its workspace and its database are meant for plain SQL as well.
    pub target: Target,
    /// The database that is written to.
    pub database_url: String,
    /// Whether the database is a copy that nobody else uses. In any other, only rows of the measurement's own are written,
    /// which go with its end, and no setting of a table is changed.
    pub is_copy: bool,
}

/// What a site has shown.
#[derive(Debug)]
pub struct Measured {
    /// The level as it was found.
    pub level: Level,
    /// Settings that decide what is written to the log.
    pub settings: BTreeMap<String, String>,
    /// Each operation.
    pub measurements: Vec<Measurement>,
    /// What a reader must know.
    pub warnings: Vec<String>,
    /// False when it was stopped before its end.
    pub complete: bool,
}

/// Measures the operations of a plan at a site. `tell` is called before each of them, with the number of its writes.
pub async fn measure(
    plan: &Plan,
    site: &Site,
    tell: &mut (dyn FnMut(Operation, u64) + Send),
    stop: &CancellationToken,
) -> Result<Measured, Error> {
    let mut control = probes::connect(&site.database_url).await?;
    let workspace = crate::labs::workspace(&mut control, &site.target.workspace).await?;
    let missing = Missing::read(&mut control).await?;
    let own = Own::new(workspace);
    let outcome = measured(plan, site, &own, workspace, &mut control, tell, stop).await;
    // Whatever happened, nothing of ours stays in somebody's database.
    let removed = if site.is_copy { Ok(()) } else { own.remove(&mut control).await };
    let restored = missing.restore(&mut control).await;
    let measured = outcome?;
    removed?;
    restored?;
    control.close().await?;
    Ok(measured)
}

/// The same, leaving its rows and extensions behind.
async fn measured(
    plan: &Plan,
    site: &Site,
    own: &Own,
    workspace: Uuid,
    control: &mut PgConnection,
    tell: &mut (dyn FnMut(Operation, u64) + Send),
    stop: &CancellationToken,
) -> Result<Measured, Error> {
    let mut warnings = Vec::new();
    if site.is_copy {
        state::keep_autovacuum_away(control).await?;
        if let Err(error) = state::warm(control).await {
            warnings.push(format!(
                "{}, {}: the buffers were cold ({error}); install PostgreSQL's contrib modules",
                site.level,
                site.through.name()
            ));
        }
    }
    let log = log(site, &mut warnings).await?;
    let mut subjects = Subjects::choose(control, workspace, plan, site, own).await?;
    let level = Level {
        name: site.level.clone(),
        variant: (site.through == Through::Api).then(|| site.variant.clone()),
        tables: state::tables(control).await?,
    };
    let settings = state::settings(control).await?;
    let way = way(site, workspace).await?;
    let mut bench =
        Bench::new(probes::connect(&site.database_url).await?, way, log, site, &mut warnings).await?;
    let mut measurements = Vec::new();
    bench.warm_up(&mut subjects, &plan.operations, WARM_UP).await?;
    for &operation in &plan.operations {
        let wanted = plan.count_of(operation);
        let count = subjects.available(operation, wanted);
        tell(operation, count);
        if count < wanted {
            warnings.push(format!(
                "{}, {}: {operation} was done {count} times instead of {wanted}, because the workspace has too few customers \
                 to delete",
                site.level,
                site.through.name(),
            ));
        }
        match bench.measure(&mut subjects, operation, count, &mut warnings, stop).await? {
            Some(measurement) => measurements.push(measurement),
            None => break,
        }
    }
    bench.close().await?;
    let complete = measurements.len() == plan.operations.len();
    Ok(Measured { level, settings, measurements, warnings, complete })
}

/// The reader of the log; `None`, and a warning, where it can't be read.
async fn log(site: &Site, warnings: &mut Vec<String>) -> Result<Option<LogReader>, Error> {
    match LogReader::open(probes::connect(&site.database_url).await?).await {
        Ok(reader) => Ok(Some(reader)),
        Err(Unavailable::Failed(error)) => Err(error.into()),
        Err(unavailable) => {
            warnings.push(format!("the log is not split by relation: {unavailable}"));
            Ok(None)
        }
    }
}

async fn way(site: &Site, workspace: Uuid) -> Result<Way, Error> {
    Ok(match site.through {
        Through::Api => Way::Api(Api::new(site.target.clone())?),
        Through::Sql => Way::Sql(Sql { connection: probes::connect(&site.database_url).await?, workspace }),
    })
}
