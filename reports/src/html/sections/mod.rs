//! The sections of the page, one file each, in the order of the page.

pub(super) mod again;
pub(crate) mod budgets;
pub(super) mod checks;
pub(super) mod data;
pub(super) mod environment;
pub(super) mod meanwhile;
pub(super) mod ran;
pub(super) mod reading;
pub(super) mod rounds;
pub(super) mod tail;
pub(super) mod timeline;
pub(super) mod times;
pub(super) mod verdict;
pub(super) mod warnings;
pub(super) mod work;

pub(crate) use self::environment::machine;
use crate::budgets::Metric;
use crate::run::{Bound, Run, Unit};
use crate::summary::Case;

/// The upper limits in microseconds that budgets put on quantiles of a case.
fn limits(run: &Run, case: Case<'_>) -> Vec<(f64, f64)> {
    let of_case = run.verdicts.iter().filter(|verdict| {
        verdict.subject == case.subject
            && verdict.operation == case.operation
            && verdict.against.is_none()
            && verdict.bound == Bound::Upper
            && verdict.observed.is_some_and(|observed| observed.unit == Unit::Microseconds)
    });
    of_case
        .filter_map(|verdict| match Metric::of_rule(&verdict.rule)? {
            Metric::Quantile(quantile) => Some((quantile, verdict.limit)),
            _ => None,
        })
        .collect()
}
