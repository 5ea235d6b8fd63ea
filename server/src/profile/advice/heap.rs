//! Scans of an index alone that had to ask the table all the same.
//!
//! An index does not know which of its rows are visible. PostgreSQL asks the visibility map, and where that has no word on a
//! page, the page itself. Only VACUUM writes the map (manual, Index-Only Scans).

use super::{Evidence, Finding, Kind, figures};

/// Fewer are some milliseconds, even when each is a read from disk, and any table that is written to has some.
const FEWEST_FETCHES: f64 = 100.0;

/// The part of the rows below which autovacuum keeps up.
const SHARE: f64 = 0.1;

/// A finding for each such scan.
pub(super) fn findings(seen: &Evidence) -> Vec<Finding> {
    let Some(plan) = seen.good_plan() else { return Vec::new() };
    let is_many = |fetches: f64, rows: f64| fetches >= FEWEST_FETCHES && fetches >= rows * SHARE;
    plan.root
        .walk()
        .filter(|node| node.kind == "Index Only Scan" && is_many(node.heap_fetches, node.rows_read()))
        .map(|node| {
            let table = node.relation.as_deref().unwrap_or_default();
            let cost_ms = seen.cost_ms(plan, node);
            let sentence = format!(
                "{} has all that is asked of {table}, but for {} of {} rows the table was read, too ({}): VACUUM (ANALYZE) \
                 {table}",
                node.index.as_deref().unwrap_or("An index"),
                figures::count(node.heap_fetches),
                figures::count(node.rows_read()),
                seen.spent(cost_ms),
            );
            Finding::new(Kind::HeapFetches, cost_ms, sentence)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::Layer;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    const SQL: &str = "SELECT duration FROM customer WHERE workspace_id = $1";

    #[tokio::test]
    async fn an_index_only_scan_that_reads_the_table_wants_a_vacuum() {
        let mut ground = Ground::new().await;
        ground.run("CREATE INDEX covering ON customer (workspace_id, duration)").await;
        ground.run("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexscan = off").await;
        let clean = ground.see(Layer::Queryset, SQL, "1").await;
        assert_eq!(sentences(Kind::HeapFetches, &clean), [""; 0]);

        ground.run("UPDATE customer SET name = 'new' WHERE id <= 5000").await;
        let dirty = ground.see(Layer::Queryset, SQL, "1").await;
        let says =
            ["covering has all that is asked of customer", "of 10,000 rows", "VACUUM (ANALYZE) customer"];
        assert_says(&sentences(Kind::HeapFetches, &dirty), &says);

        ground.run("VACUUM (ANALYZE) customer").await;
        let clean = ground.see(Layer::Queryset, SQL, "1").await;
        assert_eq!(sentences(Kind::HeapFetches, &clean), [""; 0]);
    }

    #[tokio::test]
    async fn what_autovacuum_will_see_to_is_no_reason() {
        let mut ground = Ground::new().await;
        ground.run("CREATE INDEX covering ON customer (workspace_id, duration)").await;
        ground.run("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexscan = off").await;
        let few = "SELECT duration FROM customer WHERE workspace_id = $1 AND duration = $2";
        for (written, sql, values, least) in
            [("id <= 500", SQL, "1", FEWEST_FETCHES), ("duration = 302", few, "1, 302", 20.0)]
        {
            ground.run("VACUUM customer").await;
            ground.run(&format!("UPDATE customer SET name = 'new' WHERE {written}")).await;
            let seen = ground.see(Layer::Queryset, sql, values).await;
            let fetches: f64 =
                seen.plan.iter().flat_map(|plan| plan.root.walk()).map(|node| node.heap_fetches).sum();
            assert!(fetches >= least, "{sql}: {fetches}");
            assert_eq!(sentences(Kind::HeapFetches, &seen), [""; 0], "{sql}: {fetches}");
        }
    }
}
