//! Rows that are read only to be skipped.

use super::sql::Text;
use super::{Evidence, Finding, Kind, MANY_ROWS, Node, figures};

/// How many times more rows are skipped than returned, from which skipping is what the statement does.
const TIMES_MORE: f64 = 5.0;

/// A finding for each LIMIT below which far more rows come up than it hands out. Without an OFFSET it stops when it has its
/// rows, so it takes in no more.
pub(super) fn findings(seen: &Evidence) -> Vec<Finding> {
    let Some(plan) = seen.good_plan() else { return Vec::new() };
    let skipped = |limit: &Node| limit.rows_taken() - limit.rows;
    plan.root
        .walk()
        .filter(|node| node.kind == "Limit")
        .filter(|limit| skipped(limit) >= MANY_ROWS && skipped(limit) >= TIMES_MORE * limit.rows)
        .map(|limit| {
            let cost_ms = seen.cost_ms(plan, limit) * skipped(limit) / limit.rows_taken();
            let sentence = format!(
                "OFFSET reads and skips {} rows of {} to return {} ({}): {}",
                figures::count(skipped(limit)),
                seen.table(),
                figures::count(limit.rows),
                seen.spent(cost_ms),
                remedy(&Text::of(seen.sql)),
            );
            Finding::new(Kind::DeepOffset, cost_ms, sentence)
        })
        .collect()
}

/// Where to go on instead, in terms of the order if there is one.
fn remedy(text: &Text) -> String {
    let orders = text.orders();
    let Some(keys) = orders.last() else {
        return "give it an ORDER BY, and go on behind the last row seen".to_owned();
    };
    let columns: Vec<&str> = keys.iter().filter_map(|key| key.split(' ').next()).collect();
    let is_descending = |key: &String| key.split(' ').any(|word| word.eq_ignore_ascii_case("desc"));
    let descending = keys.iter().filter(|key| is_descending(key)).count();
    let comparison = match descending {
        0 => ">",
        all if all == keys.len() => "<",
        // A comparison of rows goes one way only.
        _ => return format!("go on behind the last row seen, by conditions on {}", columns.join(" and ")),
    };
    format!(
        "go on behind the last row seen, by WHERE ({}) {comparison} (its values), which costs the same at any depth",
        columns.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::Layer;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    const BY_OFFSET: &str = "SELECT c.id, c.name FROM customer AS c WHERE c.workspace_id = $1
                              ORDER BY c.created_at DESC, c.id DESC LIMIT $2 OFFSET $3";
    const BY_KEY: &str = "SELECT c.id, c.name FROM customer AS c
                           WHERE c.workspace_id = $1 AND (c.created_at, c.id) < ($3, $4)
                           ORDER BY c.created_at DESC, c.id DESC LIMIT $2";

    #[tokio::test]
    async fn a_deep_offset_should_go_on_from_the_last_row_and_a_shallow_one_may_stay() {
        let mut ground = Ground::new().await;
        ground.run("CREATE INDEX ON customer (workspace_id, created_at DESC, id DESC)").await;
        let deep = ground.see(Layer::Queryset, BY_OFFSET, "1, 50, 9000").await;
        let says = ["skips 9,000 rows of customer to return 50", "WHERE (c.created_at, c.id) < (its values)"];
        assert_says(&sentences(Kind::DeepOffset, &deep), &says);
        let beyond = ground.see(Layer::Queryset, BY_OFFSET, "1, 50, 20000").await;
        assert_says(&sentences(Kind::DeepOffset, &beyond), &["skips 10,000 rows of customer to return 0"]);

        let shallow = ground.see(Layer::Queryset, BY_OFFSET, "1, 50, 950").await;
        assert_eq!(sentences(Kind::DeepOffset, &shallow), [""; 0]);
        let as_deep = ground.see(Layer::Queryset, BY_KEY, "1, 50, '2024-01-02Z', 0").await;
        assert_eq!(sentences(Kind::DeepOffset, &as_deep), [""; 0]);
    }

    #[test]
    fn where_to_go_on_follows_from_the_order() {
        for (sql, says) in [
            ("SELECT 1 ORDER BY a, b OFFSET 5", "WHERE (a, b) > (its values)"),
            ("SELECT 1 ORDER BY a desc OFFSET 5", "WHERE (a) < (its values)"),
            ("SELECT 1 ORDER BY a DESC, b OFFSET 5", "by conditions on a and b"),
            ("SELECT 1 OFFSET 5", "give it an ORDER BY"),
        ] {
            let remedy = remedy(&Text::of(sql));
            assert!(remedy.contains(says), "{remedy}");
        }
    }
}
