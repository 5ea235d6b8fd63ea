//! The connections to the database, and the look at it before the first request.

use prometheus_client::registry::Registry;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::{Config, Error, Variant};

mod found;
mod pool;
pub(crate) mod retry;
mod session;
pub(crate) mod tally;

pub(crate) use found::{Found, Reads};
pub(crate) use pool::Pool;
use pool::Waits;
pub(crate) use session::{Session, Transaction};

/// What each connection is called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "callbench-serve";

/// The tables that a request may touch.
const TABLES: [&str; 11] = [
    "workspace",
    "employee",
    "app_user",
    "user_workspace",
    "auth_token",
    "label",
    "customer",
    "customer_label",
    "call_campaign",
    "call_campaign_customer",
    "call",
];

/// All connections of a server, in two pools.
///
/// *Pages* are statements whose best plan is the same for every tenant and cursor: planned once and kept. *Searches* have
/// filters, and their best plan depends on the values: planned anew each time. How PostgreSQL plans is a setting of the
/// connection, hence two pools; and a crowd of expensive searches can't take the connections of everything else.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pages: Pool,
    searches: Pool,
    waits: Waits,
}

/// Of four connections, one is for searches.
const SHARE_OF_SEARCHES: u32 = 4;

impl Database {
    /// Opens the pools of a server whose database is there and has the tables.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let mut first = migrations::connect(&config.database_url, APPLICATION_NAME).await?;
        require_tables(&mut first).await?;
        first.close().await?;
        let waits = Waits::default();
        let of = |name, size: u32, plan_cache_mode| {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            waits.pool(name, options(config, plan_cache_mode)?, size, config.pool_wait)
        };
        if config.variant == Variant::Naive {
            let pool = of("all", config.pool_size, "force_custom_plan")?;
            return Ok(Self { pages: pool.clone(), searches: pool, waits });
        }
        let searches = (config.pool_size / SHARE_OF_SEARCHES).max(1);
        Ok(Self {
            pages: of("pages", config.pool_size - searches, "force_generic_plan")?,
            searches: of("searches", searches, "force_custom_plan")?,
            waits,
        })
    }

    /// A connection for anything but a search.
    pub(crate) async fn session(&self) -> Result<Session, sqlx::Error> {
        self.pages.session().await
    }

    /// A connection for a statement whose plan should know its values.
    pub(crate) async fn search_session(&self) -> Result<Session, sqlx::Error> {
        self.searches.session().await
    }

    /// A transaction. Only short ones: it holds row locks.
    pub(crate) async fn transaction(&self) -> Result<Transaction, sqlx::Error> {
        self.pages.transaction().await
    }

    /// A transaction on a connection of the pool with this name, which plans as its other connections do.
    pub(crate) async fn transaction_of(&self, pool: &str) -> Result<Transaction, sqlx::Error> {
        if self.searches.is_called(pool) {
            self.searches.transaction().await
        } else {
            self.transaction().await
        }
    }

    /// Whether the database answers now and has the tables.
    pub(crate) async fn has_tables(&self) -> Result<bool, sqlx::Error> {
        let mut session = self.session().await?;
        sqlx::query_scalar("SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest($1::text[]) AS name")
            .bind(&TABLES[..])
            .fetch_one(&mut session)
            .await
    }

    /// Shows the state of the pools, and what was waited for their connections.
    pub(crate) fn register(&self, registry: &mut Registry) {
        let pools = [&self.pages, &self.searches].map(Pool::clone);
        let different = if pools[0].is(&pools[1]) { 1 } else { 2 };
        self.waits.register(registry, pools.into_iter().take(different).collect());
    }

    /// Which database this is, unlike any other of any server, also after it was dropped and made anew. A clone is another
    /// one; a replica is the same.
    pub(crate) async fn identity(&self) -> Result<String, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT format('%s.%s', s.system_identifier, d.oid)
               FROM pg_control_system() AS s, pg_database AS d
              WHERE d.datname = current_database()",
        )
        .fetch_one(&mut self.session().await?)
        .await
    }

    /// Waits for the connections that are in use, and closes all.
    pub(crate) async fn close(&self) {
        tokio::join!(self.pages.close(), self.searches.close());
    }
}

/// The connections of a server. `plan_cache_mode` is how PostgreSQL plans prepared statements.
///
/// `naive` is planned with its values at each execution, as the statements of an ORM are that binds on the client's side
/// (Django's does). Left to the server's default it would change over to a plan for all tenants after five executions,
/// and its first page took 2.7 s instead of 1.5 s on the million-customer workspace: the baseline must not look worse
/// than it is. Planning the page of the other variants anew for each request took 0.8 ms where running it took 2 ms.
fn options(config: &Config, plan_cache_mode: &str) -> Result<PgConnectOptions, Error> {
    let statement_timeout_ms = config.statement_timeout.as_millis().to_string();
    Ok(migrations::connection::options(&config.database_url, APPLICATION_NAME)?.options([
        ("statement_timeout", statement_timeout_ms.as_str()),
        // A page is some milliseconds of work. Compiling it first would cost more than it saves, and an estimate that
        // is far too high would start the compiler.
        ("jit", "off"),
        ("plan_cache_mode", plan_cache_mode),
        // Workers are started before a plan knows that it has nothing to read (see `variants::seek::search`), which cost
        // 8 ms, and a request that takes several cores takes them from the others.
        ("max_parallel_workers_per_gather", "0"),
    ]))
}

/// Connections of a test.
#[cfg(test)]
pub(crate) fn testing(options: PgConnectOptions, size: usize) -> Pool {
    Waits::default().pool("test", options, size, std::time::Duration::from_mins(1)).unwrap()
}

async fn require_tables(connection: &mut PgConnection) -> Result<(), Error> {
    let (database, missing): (String, Vec<String>) = sqlx::query_as(
        "SELECT current_database()::text,
                ARRAY(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL)",
    )
    .bind(&TABLES[..])
    .fetch_one(connection)
    .await?;
    if missing.is_empty() { Ok(()) } else { Err(Error::NoTables { database, missing: missing.join(", ") }) }
}
