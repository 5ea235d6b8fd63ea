//! One statement for each record, where one for all of them would do.
//!
//! The rule of the research on profilers, with `records` the rows that the request answers: the same text at least
//! `max(5, records / 2)` times. Half of the records, because what is absent (a customer without an employee) is not asked
//! for; five, because a page of two rows proves nothing.

use std::collections::BTreeMap;

use super::sql::{Text, Verb};
use super::{Evidence, Finding, Kind, Layer, Request, figures};

/// Fewer runs may be chance.
const FEWEST: usize = 5;

/// Whether a statement that ran so often in a request of so many records was asked for each of them.
pub(crate) fn is_n_plus_one(sql: &str, times: usize, records: usize) -> bool {
    // The words that begin and end transactions are no statements about rows.
    is_often(times, records) && Text::of(sql).verb().is_some()
}

fn is_often(times: usize, records: usize) -> bool {
    times >= FEWEST && times.saturating_mul(2) >= records
}

/// Statements that are repaired alike.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern<'s> {
    layer: Layer,
    table: Option<&'s str>,
    column: Option<&'s str>,
    verb: Verb,
}

/// The findings, one for all statements that ask alike for the same rows.
pub(super) fn findings(request: &Request, evidence: &[Evidence]) -> Vec<Finding> {
    let mut groups: BTreeMap<Pattern, Vec<usize>> = BTreeMap::new();
    for (at, seen) in evidence.iter().enumerate() {
        if is_often(seen.times, request.records)
            && let text = Text::of(seen.sql)
            && let Some(verb) = text.verb()
        {
            let pattern =
                Pattern { layer: seen.layer, table: text.table(), column: text.looked_up_by(), verb };
            groups.entry(pattern).or_default().push(at);
        }
    }
    groups.iter().map(|(pattern, places)| finding(request, evidence, pattern, places)).collect()
}

fn finding(request: &Request, evidence: &[Evidence], pattern: &Pattern, places: &[usize]) -> Finding {
    let group = || places.iter().map(|at| &evidence[*at]);
    let times: usize = group().map(|seen| seen.times).sum();
    let time_ms: f64 = group().map(|seen| seen.time_ms).sum();
    let costliest =
        places.iter().copied().max_by(|a, b| evidence[*a].time_ms.total_cmp(&evidence[*b].time_ms));
    let who = match places.len() {
        1 => "one statement".to_owned(),
        several => format!("{several} statements"),
    };
    let sentence = format!(
        "N+1 in the {}: {who} on {} ran {} times for {} records ({}): {}",
        pattern.layer,
        pattern.table.unwrap_or("no table"),
        figures::count(times as f64),
        figures::count(request.records as f64),
        figures::ms(time_ms),
        remedy(pattern),
    );
    Finding { statement: costliest, ..Finding::new(Kind::NPlusOne, time_ms, sentence) }
}

/// What to write instead.
fn remedy(pattern: &Pattern) -> String {
    let column = pattern.column.unwrap_or("id");
    match pattern.verb {
        Verb::Select => format!("load all of them at once, by a join or by WHERE {column} = ANY($1)"),
        Verb::Aggregate => {
            format!("compute all of them at once, by WHERE {column} = ANY($1) GROUP BY {column}")
        }
        Verb::First => format!(
            "load all of them at once, by LEFT JOIN LATERAL (… LIMIT 1) or by DISTINCT ON ({column}) with WHERE {column} = \
             ANY($1)"
        ),
        Verb::Insert => "insert all of them at once, by INSERT … SELECT … FROM unnest($1, …)".to_owned(),
        Verb::Change => format!("change all of them at once, by WHERE {column} = ANY($1)"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::profile::advice::advise;
    use crate::profile::advice::testing::{Ground, assert_says, of_kind};

    const ONE: &str = "SELECT name FROM customer WHERE id = $1";
    const SUM: &str = "SELECT sum(duration) FROM customer WHERE workspace_id = $2 AND employee_id = $1";
    const COUNT: &str = "SELECT count(*) FROM customer WHERE employee_id = $1";
    const ALL: &str = "SELECT id, name FROM customer WHERE id = ANY($1)";

    /// Runs a statement for each of the ids, as a serializer with a method for each field does.
    async fn one_by_one(ground: &mut Ground, sql: &'static str, ids: i32) -> Evidence<'static> {
        let began = Instant::now();
        let mut rows = 0;
        for id in 1..=ids {
            let statement = sqlx::query(sql).bind(i64::from(id));
            let statement = if sql == SUM { statement.bind(1) } else { statement };
            rows += statement.fetch_all(&mut ground.db).await.unwrap().len() as u64;
        }
        let (times, time_ms) = (usize::try_from(ids).unwrap(), began.elapsed().as_secs_f64() * 1e3);
        let layer = Layer::Serializer;
        Evidence { sql, layer, times, time_ms, rows, plan: None, custom_plan: None, unused_columns: &[] }
    }

    #[tokio::test]
    async fn a_statement_for_each_record_should_be_one_for_all_of_them() {
        let mut ground = Ground::new().await;
        let request = Request { records: 50, ..Request::default() };
        let evidence = [one_by_one(&mut ground, ONE, 47).await];
        let findings = advise(&request, &evidence);
        assert_eq!(findings[0].statement, Some(0));
        let says =
            ["N+1 in the serializer", "on customer ran 47 times for 50 records", "= ANY($1)", "by WHERE id"];
        assert_says(&of_kind(Kind::NPlusOne, findings), &says);

        let ids: Vec<i64> = (1..=50).collect();
        let rows = sqlx::query(ALL).bind(ids).fetch_all(&mut ground.db).await.unwrap().len() as u64;
        let all = Evidence { sql: ALL, times: 1, rows, ..evidence[0].clone() };
        assert_eq!(rows, 50);
        assert_eq!(advise(&request, &[all]), []);
    }

    #[tokio::test]
    async fn statements_that_are_repaired_alike_are_one_finding() {
        let mut ground = Ground::new().await;
        let request = Request { records: 20, ..Request::default() };
        let mut evidence = Vec::new();
        for sql in [ONE, SUM, COUNT] {
            evidence.push(one_by_one(&mut ground, sql, 20).await);
        }
        let found = advise(&request, &evidence);
        let sums: Vec<&Finding> =
            found.iter().filter(|finding| finding.sentence.contains("GROUP BY")).collect();
        assert_eq!((found.len(), sums.len()), (2, 1), "{found:#?}");
        assert!(
            sums[0].sentence.contains("2 statements on customer ran 40 times for 20 records"),
            "{sums:?}"
        );
        assert!(sums[0].sentence.contains("WHERE employee_id = ANY($1) GROUP BY employee_id"), "{sums:?}");
        let costliest = if evidence[1].time_ms >= evidence[2].time_ms { 1 } else { 2 };
        assert_eq!(sums[0].statement, Some(costliest));
    }

    #[test]
    fn half_of_the_records_and_five_runs_are_a_pattern() {
        for (times, records, is) in [
            (5, 0, true),
            (4, 0, false),
            (4, 4, false),
            (5, 10, true),
            (5, 11, false),
            (25, 50, true),
            (24, 50, false),
        ] {
            assert_eq!(is_n_plus_one(ONE, times, records), is, "{times} of {records}");
        }
        assert!(!is_n_plus_one("BEGIN", 50, 50), "it is about no rows");
    }

    #[test]
    fn the_remedy_suits_what_the_statement_does() {
        for (sql, says) in [
            (
                "SELECT id FROM call WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 1",
                "LEFT JOIN LATERAL",
            ),
            ("INSERT INTO call (id, customer_id) VALUES ($1, $2)", "FROM unnest($1, …)"),
            (
                "UPDATE customer SET name = 'x' WHERE id = $1",
                "change all of them at once, by WHERE id = ANY($1)",
            ),
        ] {
            let layer = Layer::Queryset;
            let seen = Evidence {
                sql,
                layer,
                times: 9,
                time_ms: 9.0,
                rows: 9,
                plan: None,
                custom_plan: None,
                unused_columns: &[],
            };
            assert_says(&of_kind(Kind::NPlusOne, advise(&Request::default(), &[seen])), &[says]);
        }
    }
}
