//! What a load or a migration that broke off leaves behind, and rows don't show: missing tables and indexes, invalid
//! ones, triggers that are off, tables that are never vacuumed.

use migrations::Level;
use sqlx::PgConnection;

use super::error::Error;
use super::findings::{Check, Group};
use super::snapshot::{Snapshot, TOTALS};
use crate::ledger::Present;

/// The triggers that keep the totals.
const TOTALS_TRIGGERS: [&str; 4] = [
    "customer_call_stats_delete",
    "customer_call_stats_insert",
    "customer_call_stats_truncate",
    "customer_call_stats_update",
];

/// Checks the schema at `level`; `None` is between two levels.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    present: &Present,
    level: Option<Level>,
) -> Result<Vec<Check>, Error> {
    let gone: Vec<String> = present
        .tables
        .iter()
        .map(|loaded| loaded.table.clone())
        .filter(|table| table != TOTALS && !snapshot.holds(table))
        .collect();
    let has_totals = snapshot.holds(TOTALS);
    let conn = snapshot.any();
    let mut checks = vec![none("tables that were loaded and are gone", gone)];

    let Some(level) = level else {
        let name = "the schema is between two levels; finish with: callbench db migrate";
        checks.push(Check::none(Group::Health, name, 1, Vec::new()));
        return Ok(checks);
    };
    let found = names(
        conn,
        "SELECT relname::text FROM pg_class WHERE relkind IN ('i', 'I') AND relnamespace = 'public'::regnamespace",
    )
    .await?;
    let wanted = migrations::index_names(level).into_iter();
    let missing = wanted.filter(|index| !found.iter().any(|found| found == index)).map(str::to_owned);
    checks.push(none(format!("indexes of level {level} that are missing"), missing.collect()));

    checks.push(none(
        "tables without a primary key",
        names(
            conn,
            "SELECT relname::text FROM pg_class t
             WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace AND NOT t.relispartition
               AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
             ORDER BY 1",
        )
        .await?,
    ));
    checks.push(none(
        "indexes that are not valid",
        names(
            conn,
            "SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
             WHERE i.relnamespace = 'public'::regnamespace AND NOT (x.indisvalid AND x.indisready)
             ORDER BY 1",
        )
        .await?,
    ));
    let off = "SELECT g.tgname::text FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
               WHERE t.relnamespace = 'public'::regnamespace AND NOT g.tgisinternal AND g.tgenabled NOT IN ('O', 'A')
               ORDER BY 1";
    checks.push(none("triggers that are off", names(conn, off).await?));
    if has_totals {
        let found = names(
            conn,
            "SELECT g.tgname::text FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
             WHERE t.relnamespace = 'public'::regnamespace AND t.relname = 'call' AND NOT g.tgisinternal",
        )
        .await?;
        let missing =
            TOTALS_TRIGGERS.into_iter().filter(|trigger| !found.iter().any(|found| found == trigger));
        checks.push(none("triggers of the totals that are missing", missing.map(str::to_owned).collect()));
    }
    checks.push(none(
        "tables that autovacuum leaves out",
        names(
            conn,
            "SELECT relname::text FROM pg_class, pg_options_to_table(reloptions)
             WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
               AND option_name = 'autovacuum_enabled' AND NOT option_value::boolean
             ORDER BY 1",
        )
        .await?,
    ));
    checks.push(none(
        "tables without statistics",
        names(
            conn,
            "SELECT relname::text FROM pg_class
             WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND reltuples < 0
             ORDER BY 1",
        )
        .await?,
    ));
    Ok(checks)
}

async fn names(conn: &mut PgConnection, statement: &'static str) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(statement).fetch_all(conn).await.map_err(Error::database("reading the catalogue"))
}

/// There should be none of `found`, the first of which are named.
fn none(name: impl Into<String>, found: Vec<String>) -> Check {
    let count = found.len() as u64;
    Check::none(Group::Health, name, count, found.into_iter().take(3).collect())
}
