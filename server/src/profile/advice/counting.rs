//! Counts: of a permission check, which only needs to know whether there is any row, and of all rows beside a page of them.

use super::sql::{Text, Verb, counts};
use super::{Evidence, Finding, Kind, Layer, Node, figures};

/// From how many rows an exact count costs more than the page that it stands beside, which is some milliseconds.
const MANY_COUNTED: f64 = 10_000.0;

/// The finding, if the statement counts and should not. A permission check should not however few there are: what it counts
/// grows with the tenant.
pub(super) fn findings(seen: &Evidence) -> Option<Finding> {
    let counted = seen.plan.as_ref().and_then(|plan| counted(&plan.root));
    if seen.layer == Layer::Permission {
        return counts(seen.sql).then(|| {
            let rows = counted.map_or_else(String::new, |rows| format!("{} of ", figures::count(rows)));
            let (table, spent) = (seen.table(), seen.spent(seen.time_ms));
            let sentence = format!(
                "The permission check counts {rows}the rows of {table} with COUNT ({spent}): use EXISTS, which stops at the \
                 first row"
            );
            Finding::new(Kind::CountInPermission, seen.time_ms, sentence)
        });
    }
    let rows = counted.filter(|rows| *rows >= MANY_COUNTED)?;
    let is_count = counts(seen.sql) && Text::of(seen.sql).verb() == Some(Verb::Aggregate);
    let sentence = format!(
        "{} rows of {} are counted one by one ({}): answer without a number, or with an estimate (Plan Rows of EXPLAIN)",
        figures::count(rows),
        seen.table(),
        seen.spent(seen.time_ms),
    );
    is_count.then(|| Finding::new(Kind::ExactCount, seen.time_ms, sentence))
}

/// Rows that the outermost aggregate took in; `None` when the statement is not one.
fn counted(root: &Node) -> Option<f64> {
    let is_chain = |node: &Node| {
        matches!(
            node.kind.as_str(),
            "Aggregate" | "Gather" | "Gather Merge" | "Limit" | "Result" | "Subquery Scan"
        )
    };
    let mut node = root;
    let mut rows = None;
    while is_chain(node) {
        // Of a count in several processes, the lower aggregate is the one that sees the rows.
        if node.kind == "Aggregate" {
            rows = Some(node.rows_taken());
        }
        node = node.inputs().next()?;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    const COUNT: &str = "SELECT COUNT(*) > 0 FROM customer WHERE workspace_id = $1 AND employee_id = $2";

    #[tokio::test]
    async fn a_permission_check_that_counts_should_ask_whether_there_is_any() {
        let mut ground = Ground::new().await;
        let count = ground.see(Layer::Permission, COUNT, "1, 4").await;
        assert_says(
            &sentences(Kind::CountInPermission, &count),
            &["counts 100 of the rows of customer", "EXISTS"],
        );

        let exists = "SELECT EXISTS (SELECT FROM customer WHERE workspace_id = $1 AND employee_id = $2)";
        let exists = ground.see(Layer::Permission, exists, "1, 4").await;
        assert_eq!(sentences(Kind::CountInPermission, &exists), [""; 0]);
        // What the page itself counts is no permission check.
        let count = ground.see(Layer::Queryset, COUNT, "1, 4").await;
        assert_eq!(sentences(Kind::CountInPermission, &count), [""; 0]);
    }

    #[tokio::test]
    async fn a_count_of_many_rows_beside_a_page_is_told_and_one_of_few_is_not() {
        let mut ground = Ground::new().await;
        let all = "SELECT count(*), now() FROM customer WHERE status = $1";
        let many = ground.see(Layer::Queryset, all, "'active'").await;
        assert_says(&sentences(Kind::ExactCount, &many), &["19,960 rows of customer are counted"]);
        let few = ground.see(Layer::Queryset, all, "'blocked'").await;
        assert_eq!(sentences(Kind::ExactCount, &few), [""; 0]);
        // A number for each group is an answer of its own.
        let groups = "SELECT workspace_id, count(*) FROM customer GROUP BY workspace_id";
        let groups = ground.see(Layer::Queryset, groups, "").await;
        assert_eq!(sentences(Kind::ExactCount, &groups), [""; 0]);
    }

    #[tokio::test]
    async fn what_several_processes_count_is_counted_once() {
        let mut ground = Ground::new().await;
        let setup = "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
                     SET min_parallel_table_scan_size = 0";
        ground.run(setup).await;
        let count = ground.see(Layer::Queryset, "SELECT count(*) FROM customer", "").await;
        assert!(count.plan.iter().flat_map(|plan| plan.root.walk()).any(|node| node.kind == "Gather"));
        // Before 18, PostgreSQL prints whole rows for each process.
        assert_says(&sentences(Kind::ExactCount, &count), &["20,00", "rows of customer are counted"]);
    }
}
