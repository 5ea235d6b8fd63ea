//! The pool of connections, and the look at the database before the first request.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection as _, Executor as _};

use crate::{Config, Error, Variant};

/// What each connection is called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "callbench-serve";

/// A connection that was idle for longer is asked for a sign of life before it is used; a busy one saves that round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

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

/// Opens the pool of a server whose database is there and has the tables.
pub(crate) async fn open(config: &Config) -> Result<PgPool, Error> {
    if config.pool_size == 0 {
        return Err(Error::EmptyPool);
    }
    let mut first = migrations::connect(&config.database_url, APPLICATION_NAME).await?;
    require_tables(&mut first).await?;
    first.close().await?;

    let statement_timeout_ms = config.statement_timeout.as_millis().to_string();
    let options = migrations::connection::options(&config.database_url, APPLICATION_NAME)?.options([
        ("statement_timeout", statement_timeout_ms.as_str()),
        // A page is some milliseconds of work. Compiling it first would cost more than it saves, and an estimate that
        // is far too high would start the compiler.
        ("jit", "off"),
        ("plan_cache_mode", plan_cache_mode(config.variant)),
    ]);
    Ok(PgPoolOptions::new()
        .max_connections(config.pool_size)
        .acquire_timeout(config.pool_wait)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// How PostgreSQL plans prepared statements.
///
/// `live` sends statements whose best plan is the same for every tenant, cursor and filter value, and says so by their
/// shape (see `variants::live`). Planning them anew for each request took 0.8 ms where running them took 2 ms, so they
/// are planned once. `naive` is planned with its values at each execution, as the statements of an ORM are that binds on
/// the client's side (Django's does). Left to the server's default it would change over to a plan for all tenants after
/// five executions, and its first page took 2.7 s instead of 1.5 s on the million-customer workspace: the baseline must
/// not look worse than it is.
fn plan_cache_mode(variant: Variant) -> &'static str {
    match variant {
        Variant::Live => "force_generic_plan",
        Variant::Naive => "force_custom_plan",
    }
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

/// Whether the database answers now.
pub(crate) async fn answers(pool: &PgPool) -> Result<(), sqlx::Error> {
    pool.acquire().await?.execute("SELECT 1").await.map(drop)
}
