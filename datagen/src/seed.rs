//! From a specification to a database that holds it: the whole way, with its refusals.

use std::sync::Arc;
use std::time::Instant;

use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::encode::Written;
use crate::entities::Table;
use crate::error::{Error, LOCK_PATIENCE};
use crate::ledger::{self, LoadedTable, Present};
use crate::loader::set_aside::{SetAside, run};
use crate::loader::{copy, rebuild, session};
use crate::plan;
use crate::population::Population;
use crate::progress::{Phase, Progress, Unit};
use crate::spec::{DATASET_VERSION, Spec};

/// The table that level `optimized` keeps with triggers; the loader fills it, for triggers are off while it loads.
const TOTALS: &str = "customer_call_stats";

/// How to seed.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections that load at the same time.
    pub connections: usize,
    /// Allows to overwrite what the tables hold, if it is not what is asked for.
    pub drop: bool,
    /// A data set of another date is another data set. Otherwise one that differs only in its date is taken as it is.
    pub exact_date: bool,
    /// Ends the load early, with [`Error::Interrupted`].
    pub stop: CancellationToken,
}

impl Default for Options {
    fn default() -> Self {
        let connections = std::thread::available_parallelism().map_or(2, usize::from);
        Self { connections, drop: false, exact_date: false, stop: CancellationToken::new() }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Seeded {
    /// The data set was there already; nothing was written.
    AlreadyThere(Present),
    /// The data set was loaded.
    Loaded(Present),
}

impl Seeded {
    /// What the database holds now.
    #[must_use]
    pub fn present(&self) -> &Present {
        match self {
            Self::AlreadyThere(present) | Self::Loaded(present) => present,
        }
    }
}

/// Loads the data set into the database at `url`, with the schema at `level`, unless it is there already.
///
/// Whatever interrupts it, the database knows that the data set is incomplete, and the next call starts again.
/// Two calls at once wait for each other for a few seconds, then the second gives up.
pub async fn seed(
    url: &str,
    spec: &Spec,
    level: migrations::Level,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Seeded, Error> {
    spec.check()?;
    // Dropping the load closes its connections: the server ends half-done COPYs and index builds.
    tokio::select! {
        biased;
        () = options.stop.cancelled() => Err(Error::Interrupted),
        done = seed_uninterrupted(url, spec, level, options, progress) => done,
    }
}

async fn seed_uninterrupted(
    url: &str,
    spec: &Spec,
    level: migrations::Level,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Seeded, Error> {
    let mut control = session::open(url).await?;
    migrations::lock(&mut control, LOCK_PATIENCE).await?;
    let found = ledger::read(&mut control).await?;
    if let Some((present, _)) = &found {
        let is_wanted = present.version == DATASET_VERSION && present.spec.is_same(spec, options.exact_date);
        if is_wanted && present.is_complete() {
            return Ok(Seeded::AlreadyThere(present.clone()));
        }
        if !is_wanted && !options.drop {
            return Err(other_spec(&mut control, present, spec).await?);
        }
    }
    let connections = session::open_all(url, options.connections.max(1)).await?;
    let mut load = Load { control, connections, progress, phases: Vec::new() };
    match found {
        // What a load that broke off has left is put together again while it is empty; the migrations find a whole
        // schema.
        Some((_, set_aside)) => load.empty(Some(set_aside)).await?,
        None if options.drop => load.empty(None).await?,
        None => load.refuse_rows_of_others().await?,
    }
    migrations::migrate(&mut load.control, level, &mut |_| {}).await?;
    load.run(spec).await.map(Seeded::Loaded)
}

async fn other_spec(conn: &mut PgConnection, present: &Present, spec: &Spec) -> Result<Error, Error> {
    let version = |version| {
        if version == DATASET_VERSION { String::new() } else { format!(", rows of version {version}") }
    };
    let date = |dated: &Spec| {
        if present.spec.is_same(spec, false) { format!(", as of {}", dated.as_of) } else { String::new() }
    };
    let state = if present.is_complete() { "" } else { ", incomplete" };
    Ok(Error::OtherSpec {
        database: database_name(conn).await?,
        found: format!("{}{}{}{state}", present.spec, date(&present.spec), version(present.version)),
        asked: format!("{spec}{}", date(spec)),
    })
}

struct Load<'a> {
    /// Holds the lock; is never in the middle of a long statement.
    control: PgConnection,
    connections: Vec<PgConnection>,
    progress: &'a dyn Progress,
    phases: Vec<Phase>,
}

impl Load<'_> {
    async fn run(mut self, spec: &Spec) -> Result<Present, Error> {
        let population = {
            let spec = spec.clone();
            // A million workspaces take a second.
            tokio::task::spawn_blocking(move || Population::new(&spec))
                .await
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
        };
        let population = Arc::new(population);
        let tables = existing_tables(&mut self.control).await?;
        let set_aside = self.take_apart(spec, &tables).await?;

        let mut loaded = Vec::new();
        for table in Table::ALL {
            let written = self.copy(table, &population).await?;
            loaded.push(LoadedTable {
                table: table.name().to_owned(),
                rows: written.rows,
                bytes: written.bytes,
                checksum: format!("{:016x}", written.checksum.0),
            });
        }
        if tables.contains(&TOTALS) {
            self.total().await?;
        }
        self.put_together(&set_aside, &tables).await?;
        self.vacuum(&tables).await?;

        ledger::complete(&mut self.control, &loaded, &self.phases).await?;
        let present = ledger::present(&mut self.control).await?;
        let _ = self.control.close().await;
        present.ok_or_else(|| Error::Ledger("its row is gone".to_owned()))
    }

    /// Refuses tables with rows that no load of ours has written. Tables of a database that was never migrated are for
    /// the migrations to refuse.
    async fn refuse_rows_of_others(&mut self) -> Result<(), Error> {
        if !is_migrated(&mut self.control).await? {
            return Ok(());
        }
        for table in existing_tables(&mut self.control).await? {
            let holds_rows: bool = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                "SELECT EXISTS (SELECT FROM public.{table})"
            )))
            .fetch_one(&mut self.control)
            .await
            .map_err(|error| Error::database("looking for rows", error))?;
            if holds_rows {
                let database = database_name(&mut self.control).await?;
                return Err(Error::NotEmpty { database, table: table.to_owned() });
            }
        }
        Ok(())
    }

    /// Empties all tables, and brings back what a load that broke off had set aside.
    async fn empty(&mut self, set_aside: Option<SetAside>) -> Result<(), Error> {
        if !is_migrated(&mut self.control).await? {
            return Ok(());
        }
        let tables = existing_tables(&mut self.control).await?;
        if set_aside.is_some() {
            run(&mut self.control, "writing the ledger", "UPDATE callbench.dataset SET completed_at = NULL")
                .await?;
        }
        // With triggers off: that of `call` empties the totals too, and the two would be in each other's way.
        let found = SetAside::find(&mut self.control, &tables).await?;
        let failed = |error| Error::database("emptying the tables", error);
        let mut transaction = self.control.begin().await.map_err(failed)?;
        found.switch_triggers(&mut transaction, false).await?;
        truncate(&mut transaction, &tables).await?;
        found.switch_triggers(&mut transaction, true).await?;
        transaction.commit().await.map_err(failed)?;
        if let Some(set_aside) = set_aside {
            let connections = std::mem::take(&mut self.connections);
            self.connections = rebuild::indexes(&mut self.control, connections, &set_aside, &()).await?;
            set_aside.give_back_the_rest(&mut self.control, &tables).await?;
        }
        Ok(())
    }

    /// In one transaction: the ledger says what is coming, and what is in its way goes.
    async fn take_apart(&mut self, spec: &Spec, tables: &[&str]) -> Result<SetAside, Error> {
        let failed = |error| Error::database("setting indexes aside", error);
        ledger::create(&mut self.control).await?;
        let mut transaction = self.control.begin().await.map_err(failed)?;
        let set_aside = SetAside::find(&mut transaction, tables).await?;
        ledger::begin(&mut transaction, spec, &set_aside).await?;
        set_aside.take(&mut transaction, tables).await?;
        truncate(&mut transaction, tables).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(set_aside)
    }

    async fn copy(&mut self, table: Table, population: &Arc<Population>) -> Result<Written, Error> {
        let name = format!("copy {table}");
        let clock = self.start(&name, plan::rows(population, table), Unit::Rows);
        let connections = std::mem::take(&mut self.connections);
        let (written, connections) = copy::copy(table, population, connections, self.progress).await?;
        self.connections = connections;
        self.finish(name, clock, Some(written));
        Ok(written)
    }

    /// Fills the totals in one go, as the triggers would have, had they been on.
    async fn total(&mut self) -> Result<(), Error> {
        let clock = self.start("totals", 1, Unit::Tables);
        sqlx::query(
            "INSERT INTO customer_call_stats
                 (workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls, missed_calls,
                  campaign_calls, cost_campaign, cost_direct, cost_callback)
             SELECT workspace_id, customer_id,
                    count(*), sum(duration_seconds),
                    count(*) FILTER (WHERE status = 'completed'),
                    count(*) FILTER (WHERE status = 'missed'),
                    count(*) FILTER (WHERE call_type = 'campaign'),
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                             FILTER (WHERE call_type = 'campaign'), 0),
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                             FILTER (WHERE call_type = 'direct'), 0),
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                             FILTER (WHERE call_type = 'callback'), 0)
             FROM call
             GROUP BY workspace_id, customer_id",
        )
        .execute(&mut self.connections[0])
        .await
        .map_err(|error| Error::database("filling the totals", error))?;
        self.progress.advanced(1, 0);
        self.finish("totals".to_owned(), clock, None);
        Ok(())
    }

    async fn put_together(&mut self, set_aside: &SetAside, tables: &[&str]) -> Result<(), Error> {
        let clock = self.start("indexes", set_aside.indexes.len() as u64, Unit::Indexes);
        let connections = std::mem::take(&mut self.connections);
        self.connections = rebuild::indexes(&mut self.control, connections, set_aside, self.progress).await?;
        set_aside.give_back_the_rest(&mut self.control, tables).await?;
        self.finish("indexes".to_owned(), clock, None);
        Ok(())
    }

    async fn vacuum(&mut self, tables: &[&str]) -> Result<(), Error> {
        let clock = self.start("vacuum", tables.len() as u64, Unit::Tables);
        let connections = std::mem::take(&mut self.connections);
        self.connections = rebuild::vacuum(connections, tables, self.progress).await?;
        self.finish("vacuum".to_owned(), clock, None);
        Ok(())
    }

    fn start(&self, name: &str, total: u64, unit: Unit) -> Instant {
        self.progress.phase_started(name, total, unit);
        Instant::now()
    }

    fn finish(&mut self, name: String, clock: Instant, written: Option<Written>) {
        let phase = Phase {
            name,
            seconds: clock.elapsed().as_secs_f64(),
            rows: written.map(|written| written.rows),
            bytes: written.map(|written| written.bytes),
        };
        self.progress.phase_finished(&phase);
        self.phases.push(phase);
    }
}

async fn is_migrated(conn: &mut PgConnection) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT to_regclass('callbench.migration') IS NOT NULL")
        .fetch_one(conn)
        .await
        .map_err(|error| Error::database("looking for the schema", error))
}

/// Those of our tables that are there, in the order of loading; the totals come last.
async fn existing_tables(conn: &mut PgConnection) -> Result<Vec<&'static str>, Error> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')",
    )
    .fetch_all(conn)
    .await
    .map_err(|error| Error::database("looking for tables", error))?;
    let ours = Table::ALL.into_iter().map(Table::name).chain([TOTALS]);
    Ok(ours.filter(|table| found.iter().any(|found| found == table)).collect())
}

async fn truncate(conn: &mut PgConnection, tables: &[&str]) -> Result<(), Error> {
    if tables.is_empty() {
        return Ok(());
    }
    let tables: Vec<String> = tables.iter().map(|table| format!("public.{table}")).collect();
    run(conn, "emptying the tables", &format!("TRUNCATE {}", tables.join(", "))).await
}

async fn database_name(conn: &mut PgConnection) -> Result<String, Error> {
    sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(conn)
        .await
        .map_err(|error| Error::database("asking for the name of the database", error))
}
