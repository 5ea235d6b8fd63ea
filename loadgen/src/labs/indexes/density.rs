//! How full the pages of B-trees are, by the extension `pgstattuple`. It reads each index whole.

use std::collections::BTreeMap;

use reports::labs::indexes::Density;
use sqlx::{AssertSqlSafe, Connection as _};

use super::Error;

/// Densities by the name of the index. `create` makes the extension where it is missing; otherwise that, or a user who may
/// not call it, is an answer without densities.
pub async fn densities(url: &str, create: bool) -> Result<BTreeMap<String, Density>, Error> {
    let mut connection = super::connect(url).await?;
    if create {
        sqlx::query("CREATE EXTENSION IF NOT EXISTS pgstattuple").execute(&mut connection).await?;
    }
    let function: Option<String> = sqlx::query_scalar(
        "SELECT format('%I.pgstatindex', n.nspname)
           FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
          WHERE e.extname = 'pgstattuple'
            AND (pg_has_role(current_user, 'pg_stat_scan_tables', 'USAGE')
                 OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user))",
    )
    .fetch_optional(&mut connection)
    .await?;
    let Some(function) = function else { return Ok(BTreeMap::new()) };
    // Safe: the name comes quoted from the catalogue.
    let rows: Vec<(String, f64, f64)> = sqlx::query_as(AssertSqlSafe(format!(
        "SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END,
                d.avg_leaf_density, d.leaf_fragmentation
           FROM pg_catalog.pg_index AS i
           JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i' AND c.relpersistence = 'p'
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_am AS am ON am.oid = c.relam AND am.amname = 'btree'
          CROSS JOIN LATERAL {function}(c.oid::regclass) AS d
          WHERE i.indisvalid AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'callbench')
            AND n.nspname NOT LIKE 'pg\\_toast%'",
    )))
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    // An empty index has no leaf page, so no density.
    let sound = rows.into_iter().filter(|(_, leaf, _)| leaf.is_finite());
    Ok(sound
        .map(|(name, leaf, fragmentation)| {
            let fragmentation = if fragmentation.is_finite() { fragmentation / 100.0 } else { 0.0 };
            (name, Density { leaf: leaf / 100.0, fragmentation })
        })
        .collect())
}
