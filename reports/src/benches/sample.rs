//! Benches for tests, with round figures.

use chrono::{DateTime, Utc};

use super::baseline::{groups, is_baseline};
use super::{Bench, Benches, Estimate, Throughput};

fn moment() -> DateTime<Utc> {
    "2026-07-01T09:05:00Z".parse().unwrap()
}

/// A time with an interval that ends a tenth below and above.
pub(super) fn estimate(value: f64) -> Estimate {
    Estimate { value, lower: value * 0.9, upper: value * 1.1, confidence: 0.95 }
}

/// A bench of this time in nanoseconds.
pub(super) fn bench(function: &str, parameter: Option<&str>, time_ns: f64) -> Bench {
    Bench {
        function: function.to_owned(),
        parameter: parameter.map(str::to_owned),
        is_baseline: is_baseline(function),
        time_ns: estimate(time_ns),
        mean_ns: estimate(time_ns),
        median_ns: estimate(time_ns * 0.95),
        slope_ns: None,
        throughput: None,
        beside_baseline: None,
        measured_at: moment(),
    }
}

/// Two groups, one of them with throughput, the other without a baseline.
pub(super) fn benches() -> Benches {
    let rows = |mut bench: Bench| {
        bench.throughput = Some(Throughput::of(Some(50), Some(100_000), bench.time_ns.value));
        bench
    };
    let groups = groups(vec![
        ("cursor decode".to_owned(), rows(bench("cursor", None, 500_000.0))),
        ("cursor decode".to_owned(), rows(bench("baseline: base64 alone", None, 100_000.0))),
        ("database".to_owned(), bench("worst filter", Some("before"), 41_000_000.0)),
        ("database".to_owned(), bench("worst filter", Some("optimized"), 512.4)),
    ]);
    let command = "callbench bench --criterion".to_owned();
    Benches::new("criterion-1".to_owned(), moment(), command, "target/criterion".to_owned(), groups)
}
