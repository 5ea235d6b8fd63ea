//! Is it still the kind of data that was loaded? How often values occur, how rows are spread over workspaces and over
//! the pages of a table.
//!
//! A share is compared with that of the rows which the generator writes for the same specification, so whatever a
//! profile sets, the expectation follows; shares that the specification promises by number are compared with that number
//! too ([`promised`]). The tolerance is what such a share strays by from one seed to the next: five standard errors of a
//! binomial proportion, `5 sqrt(p (1 - p) / n)`, with `p` by Laplace's rule of succession, `(k + 1) / (n + 2)`, so that
//! a value which never occurs has a tolerance as well. Rows that were never touched agree to the last digit; rows after
//! a load test may fail the comparison of rows and still pass here.

use std::collections::BTreeSet;

use super::error::Error;
use super::findings::{Check, Figure, Group, Verdict};
use super::snapshot::Snapshot;
use super::sums::Tallies;
use super::tally::Tally;
use crate::entities::Table;
use crate::population::{Population, Tenant};
use crate::spec::Spec;

/// Standard errors that a share may be off.
const SIGMAS: f64 = 5.0;

/// Calls above which a customer is one of the heavy ones.
const HEAVY_CALLS: i64 = 10_000;

/// The least correlation of `created_at` with the place on disk.
const LEAST_CORRELATION: f64 = 0.9;
/// Chunks from which on it can be expected: as many chunks as there are connections are written at once, and lie mixed.
const CHUNKS_IN_ORDER: u64 = 100;

/// The shares that a specification promises: table, value as [`Tally::counts`] names it, share.
fn promised(spec: &Spec) -> [(Table, &'static str, f64); 1] {
    [(Table::Customer, "is_deleted = true", spec.profile.customers.deleted_per_mille as f64 / 1_000.0)]
}

/// Everything that the passing rows have told.
pub(super) fn check(population: &Population, tallies: &[Tallies]) -> Vec<Check> {
    let mut checks = Vec::new();
    for Tallies { table, held, .. } in tallies {
        match table {
            Table::Workspace => {
                let expected = u64::from(population.spec.workspaces);
                checks.push(Check::exactly(Group::Distributions, "workspaces", held.rows, expected));
            }
            Table::Customer => checks.extend(sizes(*table, population, held, |tenant| tenant.customers)),
            Table::Call => checks.extend(sizes(*table, population, held, |tenant| tenant.calls)),
            _ => {}
        }
    }
    for Tallies { table, held, generated } in tallies {
        checks.extend(shares_promised(*table, &population.spec, held));
        checks.extend(shares_generated(*table, held, generated));
    }
    checks
}

/// Rows of the largest workspace, and the workspaces that have not their number of rows.
fn sizes(table: Table, population: &Population, held: &Tally, size: fn(&Tenant) -> u64) -> Vec<Check> {
    let expected = population.tenants.iter().map(size);
    let mut off: Vec<(u64, usize)> = expected
        .zip(&held.of_workspaces)
        .enumerate()
        .map(|(number, (expected, &found))| (expected.abs_diff(found), number))
        .filter(|&(by, _)| by > 0)
        .collect();
    off.sort_by_key(|&(by, number)| (std::cmp::Reverse(by), number));
    let examples = off.iter().take(3).map(|&(by, number)| {
        let tenant = &population.tenants[number];
        let sign = if held.of_workspaces[number] > size(tenant) { "more" } else { "fewer" };
        format!("{} ({by} {sign})", sqlx::types::Uuid::from_bytes(tenant.id))
    });
    let count = |name: String, found, expected| Check::exactly(Group::Distributions, name, found, expected);
    vec![
        count(
            format!("{table}: rows of the largest workspace"),
            held.of_workspaces[0],
            size(&population.tenants[0]),
        ),
        Check::none(
            Group::Distributions,
            format!("{table}: workspaces with another number of rows than planned"),
            off.len() as u64,
            examples.collect(),
        ),
        count(format!("{table}: rows of unknown workspaces"), held.of_other_workspaces, 0),
    ]
}

/// Shares against what the specification promises.
fn shares_promised(table: Table, spec: &Spec, held: &Tally) -> Vec<Check> {
    let counts = held.counts();
    let of_table = promised(spec).into_iter().filter(|(of, ..)| *of == table && held.rows > 0);
    of_table
        .map(|(_, value, expected)| {
            let observed = counts.get(value).copied().unwrap_or_default() as f64 / held.rows as f64;
            let tolerance = SIGMAS * (expected * (1.0 - expected) / held.rows as f64).sqrt();
            share(format!("{table}.{value}, as specified"), observed, expected, tolerance)
        })
        .collect()
}

/// Shares against those of the rows that the generator writes.
fn shares_generated(table: Table, held: &Tally, generated: &Tally) -> Vec<Check> {
    let (found, expected) = (held.counts(), generated.counts());
    if generated.rows == 0 || held.rows == 0 {
        // There is no share of nothing; the count of rows says what there is to say.
        return Vec::new();
    }
    let values: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let part = |count: Option<&u64>, of: u64| count.copied().unwrap_or_default() as f64 / of as f64;
    values
        .into_iter()
        .map(|value| {
            let count = expected.get(value);
            let tolerance = tolerance(count.copied().unwrap_or_default(), generated.rows);
            let (observed, expected) = (part(found.get(value), held.rows), part(count, generated.rows));
            share(format!("{table}.{value}"), observed, expected, tolerance)
        })
        .collect()
}

/// How far a share may be from that of `count` among `rows`.
fn tolerance(count: u64, rows: u64) -> f64 {
    let share = (count as f64 + 1.0) / (rows as f64 + 2.0);
    SIGMAS * (share * (1.0 - share) / rows as f64).sqrt()
}

fn share(name: String, observed: f64, expected: f64, tolerance: f64) -> Check {
    let is_within = (observed - expected).abs() <= tolerance;
    Check {
        group: Group::Distributions,
        name,
        observed: Figure::Share(observed),
        expected: Some(Figure::Share(expected)),
        tolerance: Some(Figure::Share(tolerance)),
        verdict: if is_within { Verdict::Passed } else { Verdict::Failed },
        examples: Vec::new(),
    }
}

/// Customers without calls and with very many, to know.
pub(super) async fn calls_per_customer(snapshot: &mut Snapshot) -> Result<Vec<Check>, Error> {
    if !snapshot.holds("customer") || !snapshot.holds("call") {
        return Ok(Vec::new());
    }
    let (without, heavy, most): (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*) FILTER (WHERE calls IS NULL), count(*) FILTER (WHERE calls > $1), coalesce(max(calls), 0)
         FROM public.customer c
         LEFT JOIN (SELECT customer_id, count(*) AS calls FROM public.call GROUP BY customer_id) AS called
             ON called.customer_id = c.id",
    )
    .bind(HEAVY_CALLS)
    .fetch_one(snapshot.any())
    .await
    .map_err(Error::database("counting the calls of customers"))?;
    let noted = |name: &str, found: i64| {
        Check::noted(Group::Distributions, name, Figure::Count(found.unsigned_abs()))
    };
    Ok(vec![
        noted("customers without calls", without),
        noted("customers with more than 10,000 calls", heavy),
        noted("calls of the customer with the most", most),
    ])
}

/// Whether rows lie on disk in the order of their time, as the statistics have it.
pub(super) async fn order_on_disk(
    population: &Population,
    snapshot: &mut Snapshot,
) -> Result<Vec<Check>, Error> {
    let mut checks = Vec::new();
    for table in [Table::Customer, Table::Call] {
        // Nothing for a table that was never analysed, or whose statistics the user may not see.
        let correlation: Option<f32> = sqlx::query_scalar(
            "SELECT correlation FROM pg_stats
             WHERE schemaname = 'public' AND tablename = $1 AND attname = 'created_at' AND correlation IS NOT NULL
             ORDER BY inherited DESC LIMIT 1",
        )
        .bind(table.name())
        .fetch_optional(snapshot.any())
        .await
        .map_err(Error::database("reading statistics"))?;
        let Some(correlation) = correlation.map(f64::from) else { continue };
        let name = format!("{table}: correlation of created_at with the place on disk");
        let mut check = Check::noted(Group::Distributions, name, Figure::Correlation(correlation));
        if table.chunks(population) >= CHUNKS_IN_ORDER {
            check.expected = Some(Figure::Correlation(LEAST_CORRELATION));
            check.verdict = if correlation >= LEAST_CORRELATION { Verdict::Passed } else { Verdict::Failed };
        }
        checks.push(check);
    }
    Ok(checks)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::spec::Scale;
    use crate::verify::sides::write_chunks;
    use crate::verify::tally::Workspaces;

    fn tally(population: &Population, table: Table) -> Tally {
        let mut tally = Tally::new(table, Arc::new(Workspaces::of(population)));
        write_chunks(table, population, &0.into(), &tokio_util::sync::CancellationToken::new(), &mut tally);
        tally
    }

    fn population(seed: u64) -> Population {
        Population::new(&Spec::of(Scale::Tiny, seed, "2026-03-01T00:00:00Z".parse().unwrap()))
    }

    #[test]
    fn what_is_promised_holds_for_every_seed() {
        for seed in 1..=20 {
            let population = population(seed);
            let checks =
                shares_promised(Table::Customer, &population.spec, &tally(&population, Table::Customer));
            assert_eq!(checks.len(), 1);
            for check in checks {
                assert_eq!(check.verdict, Verdict::Passed, "seed {seed}: {check:?}");
            }
        }
    }

    #[test]
    fn customers_of_another_seed_are_of_the_same_kind() {
        let first = tally(&population(1), Table::Customer);
        for seed in 2..=20 {
            let other = tally(&population(seed), Table::Customer);
            let checks = shares_generated(Table::Customer, &other, &first);
            assert!(checks.len() > 15, "{checks:?}");
            for check in checks {
                let [Figure::Share(found), Figure::Share(expected), Figure::Share(tolerance)] =
                    [check.observed, check.expected.unwrap(), check.tolerance.unwrap()]
                else {
                    panic!("{check:?}");
                };
                // Both sides are samples here, and the difference of two strays by the root of two more.
                assert!((found - expected).abs() < tolerance * 2.0_f64.sqrt(), "seed {seed}: {check:?}");
            }
        }
    }

    #[test]
    fn the_same_rows_agree_to_the_last_digit_and_others_are_told() {
        let population = population(4);
        let calls = tally(&population, Table::Call);
        for check in shares_generated(Table::Call, &calls, &calls) {
            assert_eq!(Some(check.observed), check.expected);
        }
        assert!(
            sizes(Table::Call, &population, &calls, |tenant| tenant.calls)
                .iter()
                .all(|check| check.verdict == Verdict::Passed)
        );
        let mut doubled = tally(&population, Table::Call);
        doubled.of_workspaces[3] += 7;
        doubled.of_workspaces[5] -= 9;
        let check = &sizes(Table::Call, &population, &doubled, |tenant| tenant.calls)[1];
        assert_eq!(check.observed, Figure::Count(2));
        assert!(
            check.examples[0].ends_with("(9 fewer)") && check.examples[1].ends_with("(7 more)"),
            "{check:?}"
        );
    }

    #[test]
    fn a_value_that_never_occurs_may_still_occur_a_few_times() {
        assert!(tolerance(0, 10_000) > 1.0 / 10_000.0);
        assert!(tolerance(0, 10_000) < 10.0 / 10_000.0);
        assert!((tolerance(5_000, 10_000) - 0.025).abs() < 1e-6);
    }
}
