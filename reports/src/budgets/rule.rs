//! The grammar of a rule: `metric op value`.
//!
//! ```text
//! rule  = metric op value
//! op    = "<" | "<=" | ">" | ">=" | "="
//! value = number unit       us ms s for times, % for shares, B KB KiB MB MiB for bytes,
//!                           x for multiples of a base, nothing for counts
//! ```
//!
//! A time needs its unit: tools disagree on what a bare number means, and a limit that is off by a factor of a
//! thousand never fails. Spaces may stand between the parts.

use std::ops::Range;

use super::metric::{List, Metric, Quantity};
use crate::document::Mistake;
use crate::operator::{Operator, Signs};
use crate::run::Bound;

/// A rule that has been read and can both hold and fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// As written.
    pub text: String,
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub operator: Operator,
    /// The limit in the unit of the metric, or a multiple of the base.
    pub limit: f64,
}

const SIGNS: Signs = Signs(&[
    ("<", Operator::Below),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    (">=", Operator::AtLeast),
    ("=", Operator::Equal),
]);

/// Units of each quantity, with the factor to the unit of the metric.
const TIME: [(&str, f64); 4] = [("us", 1.0), ("µs", 1.0), ("ms", 1e3), ("s", 1e6)];
const BYTES: [(&str, f64); 5] = [("B", 1.0), ("KB", 1e3), ("KiB", 1024.0), ("MB", 1e6), ("MiB", 1_048_576.0)];

impl Rule {
    /// Reads a rule of a list.
    pub(super) fn parse(text: &str, list: List) -> Result<Self, Mistake> {
        let is_operator = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~' | ':');
        let metric_span = trimmed(text, 0..text.find(is_operator).unwrap_or(text.len()));
        if text.trim().is_empty() {
            return Err(Mistake::new(
                0..text.len(),
                "empty rule",
                "expected `metric op value`, such as `p95 < 500ms`",
            ));
        }
        let whole = trimmed(text, 0..text.len());
        if metric_span.is_empty() {
            return Err(Mistake::new(whole, "rule without a metric", expected_metric(list)));
        }
        let metric = metric(text, metric_span.clone(), list)?;

        let operator_start = metric_span.end + spaces(&text[metric_span.end..]);
        let operator_text: String = text[operator_start..].chars().take_while(|c| is_operator(*c)).collect();
        if operator_text.is_empty() {
            return Err(Mistake::new(whole, "rule without a comparison", expected_operator()));
        }
        let operator_span = operator_start..operator_start + operator_text.len();
        let operator = operator(&operator_text, operator_span.clone())?;

        let value_span = trimmed(text, operator_span.end..text.len());
        if value_span.is_empty() {
            let expected = format!("expected a value such as {}", example(metric, list));
            return Err(Mistake::new(whole, "rule without a limit", expected));
        }
        let limit = value(text, value_span.clone(), metric, list)?;
        let rule = Self { text: text.trim().to_owned(), metric, operator, limit };
        rule.possible(list).map_err(|(problem, expected)| {
            Mistake::new(metric_span.start..value_span.end, problem, expected)
        })?;
        Ok(rule)
    }

    /// The side on which values have to stay.
    #[must_use]
    pub fn bound(&self) -> Bound {
        match self.operator {
            Operator::Below | Operator::AtMost => Bound::Upper,
            Operator::Above | Operator::AtLeast => Bound::Lower,
            Operator::Equal | Operator::Unequal => Bound::Exact,
        }
    }

    /// Refuses rules that no measurement could satisfy, and rules that none could break.
    fn possible(&self, list: List) -> Result<(), (&'static str, String)> {
        let (limit, metric) = (self.limit, self.metric);
        let never_holds = "rule that can never hold";
        let never_fails = "rule that can never fail";
        let ceiling = if list == List::Versus { None } else { metric.ceiling() };
        if metric.quantity() == Quantity::Time && self.operator == Operator::Equal {
            return Err((never_holds, "a measured time is never exactly a limit; use `<=` or `>=`".into()));
        }
        if list == List::Versus && self.operator == Operator::Equal {
            return Err((never_holds, "a measured ratio is never exactly a limit; use `<=` or `>=`".into()));
        }
        match self.operator {
            Operator::Below if limit <= 0.0 => Err((never_holds, format!("{metric} is never below 0"))),
            Operator::AtMost
                if limit <= 0.0 && (metric.quantity() == Quantity::Time || list == List::Versus) =>
            {
                Err((never_holds, format!("{metric} is always above 0")))
            }
            Operator::AtLeast if limit <= 0.0 => Err((never_fails, format!("{metric} is never below 0"))),
            Operator::Above if limit <= 0.0 && metric.quantity() == Quantity::Time => {
                Err((never_fails, format!("{metric} is always above 0")))
            }
            _ => match (ceiling, self.operator) {
                (Some(top), Operator::Below) if limit > top => Err((never_fails, above(metric))),
                (Some(top), Operator::AtMost) if limit >= top => Err((never_fails, above(metric))),
                (Some(top), Operator::Above) if limit >= top => Err((never_holds, above(metric))),
                (Some(top), Operator::AtLeast | Operator::Equal) if limit > top => {
                    Err((never_holds, above(metric)))
                }
                _ => Ok(()),
            },
        }
    }
}

fn above(metric: Metric) -> String {
    match metric {
        Metric::Errors => "a share is at most 100%".into(),
        _ => "times are recorded up to 3600s; choose a limit within that".into(),
    }
}

fn expected_metric(list: List) -> String {
    format!("expected one of {}", Metric::names(list).join(", "))
}

fn metric(text: &str, span: Range<usize>, list: List) -> Result<Metric, Mistake> {
    let name = &text[span.clone()];
    // `p95 500ms` has no operator: only the first word was meant as the metric.
    let span = span.start..span.start + name.find(char::is_whitespace).unwrap_or(name.len());
    let name = &text[span.clone()];
    match Metric::named(name) {
        Some(metric) if metric.fits(list) => Ok(metric),
        Some(metric) => {
            let place = match list {
                List::Versus if metric == Metric::Errors => {
                    "a ratio of errors has no meaning when the base has none; limit them in `latency`"
                }
                _ if metric.is_work() => "it is counted work and belongs in `work`",
                _ if metric.is_timed() => "it belongs in `latency`",
                _ => "it is counted by `callbench locks` and belongs in `counts`",
            };
            Err(Mistake::new(span, "misplaced metric", place))
        }
        None => {
            Err(Mistake::new(span, "unknown metric", expected_metric(list))
                .suggest(name, Metric::names(list)))
        }
    }
}

fn expected_operator() -> String {
    format!("expected one of {}", SIGNS.list())
}

fn operator(text: &str, span: Range<usize>) -> Result<Operator, Mistake> {
    SIGNS.read(text).map_err(|meant| {
        let mut mistake = Mistake::new(span, "unknown comparison", expected_operator());
        mistake.suggestion = meant.map(|operator| SIGNS.of(operator).into());
        mistake
    })
}

fn value(text: &str, span: Range<usize>, metric: Metric, list: List) -> Result<f64, Mistake> {
    let value = &text[span.clone()];
    let example = example(metric, list);
    let digits =
        value.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(value.len());
    let number_span = span.start..span.start + digits;
    let number =
        value[..digits].parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
            let span = if digits == 0 { span.clone() } else { number_span.clone() };
            Mistake::new(span, "not a number", format!("expected a value such as {example}"))
        })?;
    if number < 0.0 {
        return Err(Mistake::new(number_span, "negative limit", format!("{metric} is never below 0")));
    }
    let unit_start = number_span.end + spaces(&value[digits..]);
    let unit_span = unit_start..span.end;
    let unit = &text[unit_span.clone()];

    let units: Vec<(&str, f64)> = if list == List::Versus {
        vec![("x", 1.0)]
    } else {
        match metric.quantity() {
            Quantity::Time => TIME.to_vec(),
            Quantity::Share => vec![("%", 0.01)],
            Quantity::Bytes => BYTES.to_vec(),
            Quantity::Count if unit.is_empty() => return Ok(number),
            Quantity::Count => {
                return Err(Mistake::new(
                    unit_span,
                    "unit on a count",
                    format!("{metric} is a plain number, such as {example}"),
                ));
            }
        }
    };
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).filter(|name| *name != "µs").collect();
    let expected = if list == List::Versus {
        "a limit against a base is a multiple, such as 0.5x".to_owned()
    } else {
        format!("expected {} after the number, such as {example}", alternatives(&names))
    };
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(number * factor),
        None if unit.is_empty() => Err(Mistake::new(number_span, "limit without a unit", expected)),
        None => Err(Mistake::new(unit_span, "unknown unit", expected).suggest(unit, names)),
    }
}

fn example(metric: Metric, list: List) -> &'static str {
    match (list, metric.quantity()) {
        (List::Versus, _) => "0.5x",
        (_, Quantity::Time) => "500ms",
        (_, Quantity::Share) => "0.1%",
        (_, Quantity::Count) => "10",
        (_, Quantity::Bytes) => "700B",
    }
}

fn alternatives(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// The part of `span` without surrounding white space.
fn trimmed(text: &str, span: Range<usize>) -> Range<usize> {
    let part = &text[span.clone()];
    let start = span.start + (part.len() - part.trim_start().len());
    start..(start + part.trim().len())
}

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::Tally;

    fn read(text: &str, list: List) -> (Metric, Operator, f64) {
        let rule = Rule::parse(text, list).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
        (rule.metric, rule.operator, rule.limit)
    }

    #[test]
    fn rules_read_with_and_without_spaces() {
        let (p95, p999) = (Metric::Quantile(0.95), Metric::Quantile(0.999));
        for (text, list, expected) in [
            ("p95 < 500ms", List::Latency, (p95, Operator::Below, 500_000.0)),
            ("p95<500ms", List::Latency, (p95, Operator::Below, 500_000.0)),
            ("  p99.9 <=  1.5 s ", List::Latency, (p999, Operator::AtMost, 1_500_000.0)),
            ("max < 250us", List::Latency, (Metric::Max, Operator::Below, 250.0)),
            ("errors = 0%", List::Latency, (Metric::Errors, Operator::Equal, 0.0)),
            ("errors < 0.1 %", List::Latency, (Metric::Errors, Operator::Below, 0.001)),
            ("statements/req < 10", List::Work, (Metric::Statements, Operator::Below, 10.0)),
            ("statements/req = 2", List::Work, (Metric::Statements, Operator::Equal, 2.0)),
            ("wal_bytes/req <= 1KiB", List::Work, (Metric::WalBytes, Operator::AtMost, 1_024.0)),
            ("database_time/req < 5ms", List::Work, (Metric::DatabaseTime, Operator::Below, 5_000.0)),
            ("p95 <= 0.5x", List::Versus, (p95, Operator::AtMost, 0.5)),
            ("buffers/req < 0.1x", List::Versus, (Metric::Buffers, Operator::Below, 0.1)),
            ("deadlocks = 0", List::Counts, (Metric::Tally(Tally::Deadlocks), Operator::Equal, 0.0)),
            (
                "transactions >= 20000",
                List::Counts,
                (Metric::Tally(Tally::Transactions), Operator::AtLeast, 20_000.0),
            ),
        ] {
            let (metric, operator, limit) = read(text, list);
            assert_eq!((metric, operator), (expected.0, expected.1), "{text}");
            assert!((limit - expected.2).abs() < 1e-9, "{text}: {limit}");
        }
    }

    /// Each mistake with the text that it points at.
    #[test]
    fn mistakes_point_at_the_offending_words() {
        for (text, list, problem, offending, suggestion) in [
            ("", List::Latency, "empty rule", "", None),
            ("< 5ms", List::Latency, "rule without a metric", "< 5ms", None),
            ("p59x < 500ms", List::Latency, "unknown metric", "p59x", Some("p95")),
            ("eror = 0%", List::Latency, "unknown metric", "eror", Some("errors")),
            ("statement/req < 3", List::Work, "unknown metric", "statement/req", Some("statements/req")),
            ("statements/req < 3", List::Latency, "misplaced metric", "statements/req", None),
            ("p95 < 5ms", List::Work, "misplaced metric", "p95", None),
            ("errors < 0.5x", List::Versus, "misplaced metric", "errors", None),
            ("deadlocks < 0.5x", List::Versus, "misplaced metric", "deadlocks", None),
            ("deadlocks = 0", List::Work, "misplaced metric", "deadlocks", None),
            ("p95 < 5ms", List::Counts, "misplaced metric", "p95", None),
            ("deadlock = 0", List::Counts, "unknown metric", "deadlock", Some("deadlocks")),
            ("deadlocks = 0%", List::Counts, "unit on a count", "%", None),
            ("p95", List::Latency, "rule without a comparison", "p95", None),
            (" p95 500ms", List::Latency, "rule without a comparison", "p95 500ms", None),
            ("p95 =< 500ms", List::Latency, "unknown comparison", "=<", Some("<=")),
            ("statements/req == 3", List::Work, "unknown comparison", "==", Some("=")),
            ("p95 != 500ms", List::Latency, "unknown comparison", "!=", None),
            ("p95 <", List::Latency, "rule without a limit", "p95 <", None),
            ("p95 < fast", List::Latency, "not a number", "fast", None),
            ("p95 < 1.2.3ms", List::Latency, "not a number", "1.2.3", None),
            ("p95 < -5ms", List::Latency, "negative limit", "-5", None),
            ("p95 < 500", List::Latency, "limit without a unit", "500", None),
            ("p95 < 500mS", List::Latency, "unknown unit", "mS", Some("ms")),
            ("p95 < 500 ms please", List::Latency, "unknown unit", "ms please", Some("ms")),
            ("p95 < 5%", List::Latency, "unknown unit", "%", None),
            ("errors < 0.1", List::Latency, "limit without a unit", "0.1", None),
            ("statements/req < 10ms", List::Work, "unit on a count", "ms", None),
            ("wal_bytes/req < 700", List::Work, "limit without a unit", "700", None),
            ("wal_bytes/req < 1kib", List::Work, "unknown unit", "kib", Some("KiB")),
            ("p95 < 500ms", List::Versus, "unknown unit", "ms", None),
            ("p95 < 0ms", List::Latency, "rule that can never hold", "p95 < 0ms", None),
            ("p95 = 5ms", List::Latency, "rule that can never hold", "p95 = 5ms", None),
            ("p95 <= 0.0x", List::Versus, "rule that can never hold", "p95 <= 0.0x", None),
            ("p95 = 1x", List::Versus, "rule that can never hold", "p95 = 1x", None),
            ("errors > 100%", List::Latency, "rule that can never hold", "errors > 100%", None),
            ("errors <= 100%", List::Latency, "rule that can never fail", "errors <= 100%", None),
            ("errors >= 0%", List::Latency, "rule that can never fail", "errors >= 0%", None),
            ("p50 > 0ms", List::Latency, "rule that can never fail", "p50 > 0ms", None),
            ("p50 < 3601s", List::Latency, "rule that can never fail", "p50 < 3601s", None),
        ] {
            let mistake = Rule::parse(text, list).expect_err(text);
            assert_eq!(mistake.problem, problem, "{text}");
            assert_eq!(&text[mistake.span.clone()], offending, "{text}");
            assert_eq!(mistake.suggestion.as_deref(), suggestion, "{text}");
            assert!(!mistake.expected.is_empty(), "{text}");
        }
    }
}
