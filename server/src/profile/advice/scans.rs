//! Tables that are read from end to end.

use super::{Evidence, Finding, Kind, Layer, MANY_ROWS, Node, Plan, Request, figures, index};

/// The tables that a plan reads from end to end, each once: by a `Seq Scan`, or along an index that is asked for nothing.
/// A small table is read so by any good plan and is left out, and so is a walk along an index that a LIMIT ends.
pub(crate) fn scans_whole(plan: &Plan) -> Vec<String> {
    let mut tables: Vec<String> =
        whole_scans(plan).into_iter().filter_map(|node| node.relation.clone()).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

fn whole_scans(plan: &Plan) -> Vec<&Node> {
    let mut found = Vec::new();
    visit(&plan.root, false, &mut found);
    found
}

fn visit<'p>(node: &'p Node, is_limited: bool, found: &mut Vec<&'p Node>) {
    let is_whole = match node.kind.as_str() {
        "Seq Scan" => true,
        "Index Scan" | "Index Only Scan" => node.index_condition.is_none() && !is_limited,
        _ => false,
    };
    if is_whole && node.rows_read() >= MANY_ROWS {
        found.push(node);
    }
    // A limit ends what streams into it; a sort, a hash or an aggregate takes in all there is.
    let streams = |kind: &str| !matches!(kind, "Aggregate" | "Sort" | "Hash" | "WindowAgg" | "SetOp");
    let is_limited = (is_limited || node.kind == "Limit") && streams(&node.kind);
    for child in &node.children {
        visit(child, is_limited && !child.is_subplan, found);
    }
}

/// A finding for each table that a permission check reads from end to end.
pub(super) fn findings(request: &Request, seen: &Evidence) -> Vec<Finding> {
    let Some(plan) = seen.good_plan().filter(|_| seen.layer == Layer::Permission) else { return Vec::new() };
    let wanted = index::wanted(request, seen, plan);
    whole_scans(plan)
        .into_iter()
        .filter_map(|node| Some((node, node.relation.as_deref()?)))
        .map(|(node, table)| {
            let cost_ms = seen.cost_ms(plan, node);
            let remedy = wanted
                .iter()
                .find(|wanted| wanted.scan.relation.as_deref() == Some(table))
                .map_or_else(|| "ask for single rows by a key".to_owned(), |wanted| wanted.index.to_string());
            let sentence = format!(
                "The permission check reads {table} from end to end, {} rows ({}): {remedy}",
                figures::count(node.rows_read()),
                seen.spent(cost_ms),
            );
            Finding::new(Kind::ScanInPermission, cost_ms, sentence)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    #[tokio::test]
    async fn a_permission_check_that_reads_a_whole_table_names_the_index_that_it_lacks() {
        let mut ground = Ground::new().await;
        let sql = "SELECT EXISTS (SELECT FROM customer AS c WHERE c.workspace_id = $1 AND c.name = $2)";
        let found = ground.see(Layer::Permission, sql, "1, 'nobody'").await;
        let index = "CREATE INDEX CONCURRENTLY ON customer (workspace_id, name)";
        assert_says(
            &sentences(Kind::ScanInPermission, &found),
            &["reads customer from end to end, 20,000 rows", index],
        );
        assert_eq!(sentences(Kind::MissingIndex, &found), [""; 0], "it is told once");
        assert_eq!(scans_whole(found.plan.as_ref().unwrap()), ["customer"]);

        ground.run(index).await;
        let found = ground.see(Layer::Permission, sql, "1, 'nobody'").await;
        assert_eq!(sentences(Kind::ScanInPermission, &found), [""; 0]);
        assert!(scans_whole(found.plan.as_ref().unwrap()).is_empty());
    }

    #[tokio::test]
    async fn a_walk_along_an_index_is_whole_when_nothing_is_asked_of_it_and_nothing_ends_it() {
        let mut ground = Ground::new().await;
        ground.run("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off").await;
        for (sql, is_whole) in [
            ("SELECT id, name FROM customer ORDER BY id", true),
            ("SELECT count(*) FROM customer", true),
            ("SELECT count(*) FROM (SELECT id, name FROM customer ORDER BY id) AS c LIMIT 1", true),
            ("SELECT id, name FROM customer ORDER BY id LIMIT 5000", false),
            ("SELECT id, name FROM customer WHERE id > 100", false),
        ] {
            let plan = ground.explain("force_custom_plan", sql, "").await;
            assert_eq!(!scans_whole(&plan).is_empty(), is_whole, "{sql}: {plan:#?}");
        }
    }

    #[tokio::test]
    async fn a_small_table_may_be_read_whole() {
        let mut ground = Ground::new().await;
        ground.run("CREATE TABLE role AS SELECT g AS id FROM generate_series(1, 900) AS g").await;
        let found = ground.see(Layer::Permission, "SELECT id FROM role WHERE id = $1", "3").await;
        assert!(scans_whole(found.plan.as_ref().unwrap()).is_empty());
        assert_eq!(sentences(Kind::ScanInPermission, &found), [""; 0]);
    }
}
