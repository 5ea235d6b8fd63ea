//! Columns that are fetched and not used.

use super::{Evidence, Finding, Kind, figures};

/// Columns of fewer rows cost nothing that could be seen.
const FEWEST_ROWS: u64 = 10;

/// The finding, if nobody read some of the columns. What they cost can't be told apart from the others, so it comes last.
pub(super) fn findings(seen: &Evidence) -> Option<Finding> {
    let is_worth_it = !seen.unused_columns.is_empty() && seen.rows >= FEWEST_ROWS;
    is_worth_it.then(|| {
        let sentence = format!(
            "Nobody reads {} of the {} rows of {}: leave {} out of the SELECT",
            seen.unused_columns.join(", "),
            figures::count(seen.rows as f64),
            seen.table(),
            if seen.unused_columns.len() == 1 { "it" } else { "them" },
        );
        Finding::new(Kind::UnusedColumns, 0.0, sentence)
    })
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Column as _, Executor as _, Row as _};

    use super::*;
    use crate::profile::advice::Layer;
    use crate::profile::advice::testing::{Ground, assert_says, sentences};

    /// Runs a statement whose reader wants the id and the name; what else it brings is unused.
    async fn brought(ground: &mut Ground, sql: &str) -> (u64, Vec<String>) {
        let rows = ground.db.fetch_all(AssertSqlSafe(sql)).await.unwrap();
        let columns = rows[0].columns().iter().map(|column| column.name().to_owned());
        (rows.len() as u64, columns.filter(|column| !["id", "name"].contains(&column.as_str())).collect())
    }

    #[tokio::test]
    async fn columns_that_nobody_reads_are_named() {
        let mut ground = Ground::new().await;
        let wide = "SELECT id, name, status, created_at FROM customer ORDER BY id LIMIT 50";
        for (sql, finds) in [
            (wide, true),
            ("SELECT id, name FROM customer ORDER BY id LIMIT 50", false),
            ("SELECT id, name, status FROM customer ORDER BY id LIMIT 9", false),
        ] {
            let (rows, columns) = brought(&mut ground, sql).await;
            let unused: Vec<&str> = columns.iter().map(String::as_str).collect();
            let plan = ground.explain("auto", sql, "").await;
            let layer = Layer::Queryset;
            let seen = Evidence {
                sql,
                layer,
                times: 1,
                time_ms: plan.total_ms(),
                rows,
                plan: Some(plan),
                custom_plan: None,
                unused_columns: &unused,
            };
            let found = sentences(Kind::UnusedColumns, &seen);
            if finds {
                assert_says(&found, &["Nobody reads status, created_at of the 50 rows of customer"]);
            } else {
                assert_eq!(found, [""; 0], "{sql}");
            }
        }
    }
}
