//! A made-up run, for tests, for the pictures in the documentation, and to look at a change of the report without a
//! measurement.
//!
//! Its figures resemble what the demo shows (a first page with hundreds of statements against one with two), drawn
//! from log-normal times with a fixed seed: the same run, byte for byte, each time.

mod probes;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use statrs::distribution::{ContinuousCDF as _, Normal};

use crate::budgets;
use crate::run::{
    Check, CpuCost, DatabaseFacts, Dataset, Environment, LoadModel, OpenLoop, Phase, Plan, Run, SCHEMA,
    Second, Statement, Subject, TableRows, Timings, Window, Work,
};

/// What one case looks like.
struct Shape {
    subject: &'static str,
    operation: &'static str,
    /// Median service time in microseconds.
    service_us: f64,
    /// Standard deviation of the logarithm of the service time.
    sigma: f64,
    /// Offered requests per second.
    rate: f64,
    /// Length of a window in seconds.
    seconds: f64,
    passes: u32,
}

const SHAPES: [Shape; 4] = [
    Shape {
        subject: "naive",
        operation: "first_page",
        service_us: 447_000.0,
        sigma: 0.09,
        rate: 2.0,
        seconds: 15.0,
        passes: 1,
    },
    Shape {
        subject: "live",
        operation: "first_page",
        service_us: 5_900.0,
        sigma: 0.16,
        rate: 50.0,
        seconds: 10.0,
        passes: 2,
    },
    Shape {
        subject: "naive",
        operation: "page_100",
        service_us: 462_000.0,
        sigma: 0.10,
        rate: 2.0,
        seconds: 15.0,
        passes: 1,
    },
    Shape {
        subject: "live",
        operation: "page_100",
        service_us: 6_050.0,
        sigma: 0.17,
        rate: 50.0,
        seconds: 10.0,
        passes: 2,
    },
];

const ROUNDS: u32 = 6;

/// The run, judged by the default budgets.
///
/// # Panics
/// Never: the default budgets are tested to parse.
#[must_use]
pub fn run() -> Run {
    let budgets = budgets::parse("budgets.toml", budgets::DEFAULT).expect("the default budgets parse");
    let mut run = unjudged();
    run.verdicts = budgets::judge(&budgets, &run);
    run
}

/// The run before any budget has seen it.
#[must_use]
pub fn unjudged() -> Run {
    let started_at = DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default();
    let (windows, seconds) = windows();
    let probes = ["naive", "live"].map(|subject| probes::probes(subject, seconds, &windows));
    Run {
        schema: SCHEMA,
        name: "demo-sample".into(),
        started_at,
        finished_at: started_at + TimeDelta::milliseconds(1_000 * i64::from(seconds)),
        command: "callbench demo --seed 7".into(),
        complete: true,
        environment: environment(),
        dataset: Some(dataset(started_at)),
        plan: Plan {
            operations: vec!["first_page".into(), "page_100".into()],
            rounds: ROUNDS,
            workspace: "enterprise-workspace-1".into(),
            page_size: 50,
            load: LoadModel::Open(OpenLoop::constant(50.0, 64)),
            timeout_ms: 60_000,
            cache: "warm".into(),
            seed: 7,
            shard: None,
        },
        subjects: vec![
            Subject {
                name: "naive".into(),
                level: Some("before".into()),
                description: "OFFSET, COUNT(*) and one statement per row and relation, as it is usually written".into(),
            },
            Subject {
                name: "live".into(),
                level: Some("indexed".into()),
                description: "keyset cursor, one page statement, totals computed from the calls at read time".into(),
            },
        ],
        windows,
        work: vec![
            work("naive", "first_page", 757.0, 3_318.0, 391.0),
            work("live", "first_page", 2.0, 812.0, 4.1),
            work("naive", "page_100", 757.0, 3_544.0, 402.0),
            work("live", "page_100", 2.0, 824.0, 4.2),
        ],
        probes: probes.into(),
        checks: vec![Check {
            name: "naive and live return the same rows with the same values".into(),
            passed: true,
            detail: "200 pages of 50 rows, 31 fields each".into(),
        }],
        warnings: vec![
            "naive could not hold 50 requests/s and was offered 2 requests/s; its times are those of an idle server."
                .into(),
        ],
        verdicts: Vec::new(),
    }
}

/// All windows in the order in which they ran, and the whole seconds that they took.
fn windows() -> (Vec<Window>, u32) {
    let mut draw = Draw { state: 7 };
    let mut windows = Vec::new();
    let mut opened_s = 4.0;
    for round in 1..=ROUNDS {
        let drift = (0.025 * draw.normal()).exp();
        for turn in 0..SHAPES.len() {
            let shape = &SHAPES[(turn + round as usize) % SHAPES.len()];
            for pass in 1..=shape.passes {
                let window = window(shape, round, pass, opened_s, drift, &mut draw);
                opened_s += window.drained_s + 0.4;
                windows.push(window);
            }
        }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred seconds")]
    let seconds = opened_s.ceil() as u32;
    (windows, seconds)
}

fn window(shape: &Shape, round: u32, pass: u32, opened_s: f64, drift: f64, draw: &mut Draw) -> Window {
    let center = shape.service_us * drift * (0.012 * draw.normal()).exp();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few hundred requests")]
    let per_second = shape.rate as u64;
    let mut timings = Timings::default();
    let mut series = Vec::new();
    let mut second = 0.0;
    while second < shape.seconds {
        let mut responses = Vec::new();
        for _ in 0..per_second {
            let stall = if draw.uniform() > 0.996 { 3.2 } else { 1.0 };
            let service = center * stall * (shape.sigma * draw.normal()).exp();
            let lateness = 40.0 + 60.0 * draw.uniform();
            let lag = lateness + if draw.uniform() > 0.97 { 0.3 * service } else { 0.0 };
            let of = |us: f64| Duration::from_secs_f64(us / 1e6);
            timings.lateness.record(of(lateness));
            timings.lag.record(of(lag));
            timings.service.record(of(service));
            timings.response.record(of(lag + service));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "microseconds below 1 h"
            )]
            responses.push((lag + service) as u64);
        }
        responses.sort_unstable();
        series.push(Second {
            requests: per_second,
            errors: 0,
            p50_us: responses.get(responses.len() / 2).copied(),
            max_us: responses.last().copied().unwrap_or_default(),
        });
        second += 1.0;
    }
    let requests = timings.response.count();
    Window {
        subject: shape.subject.into(),
        operation: shape.operation.into(),
        round,
        pass,
        opened_s,
        offered_s: shape.seconds,
        drained_s: shape.seconds + center / 1e6,
        offered_per_second: Some(shape.rate),
        requests,
        skipped: 0,
        errors: BTreeMap::new(),
        timings,
        series,
        cpu: CpuCost {
            client_s: Some(0.000_21 * requests as f64),
            server_s: Some(0.12 * requests as f64 * shape.service_us / 1e6),
            database_s: Some(0.81 * requests as f64 * shape.service_us / 1e6),
            server_rss_bytes: Some(41_000_000),
        },
        invalid: Vec::new(),
    }
}

fn work(subject: &str, operation: &str, statements: f64, buffers: f64, ms: f64) -> Work {
    let statement = |sql: &str, calls: f64, rows: f64, share: f64| Statement {
        sql: sql.into(),
        calls_per_request: calls,
        rows_per_request: rows,
        ms_per_request: ms * share,
        buffers_per_request: buffers * share,
    };
    let statements_behind = if statements > 100.0 {
        vec![
            statement(
                "SELECT COUNT(*) FROM customer WHERE workspace_id = $1 AND NOT is_deleted",
                1.0,
                1.0,
                0.31,
            ),
            statement(
                "SELECT COUNT(*) FROM call WHERE customer_id = $1 AND created_at >= $2 AND status = $3",
                350.0,
                350.0,
                0.38,
            ),
            statement(
                "SELECT * FROM call WHERE customer_id = $1 ORDER BY created_at DESC LIMIT $2",
                50.0,
                50.0,
                0.16,
            ),
            statement(
                "SELECT name FROM label JOIN customer_label ON label_id = label.id WHERE customer_id = $1",
                50.0,
                104.0,
                0.08,
            ),
        ]
    } else {
        vec![
            statement(
                "WITH page AS (SELECT * FROM customer WHERE workspace_id = $1 AND NOT is_deleted AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4) SELECT … FROM page LEFT JOIN LATERAL (…) AS totals ON true",
                1.0,
                51.0,
                0.97,
            ),
            statement(
                "SELECT EXISTS (SELECT FROM auth_token JOIN user_workspace USING (user_id) WHERE token_sha256 = $1 AND workspace_id = $2)",
                1.0,
                1.0,
                0.03,
            ),
        ]
    };
    Work {
        subject: subject.into(),
        operation: operation.into(),
        requests: 20,
        statements_per_request: statements,
        rows_per_request: if statements > 100.0 { 904.0 } else { 52.0 },
        buffers_per_request: buffers,
        buffers_read_per_request: 0.0,
        wal_bytes_per_request: 0.0,
        database_ms_per_request: ms,
        statements: statements_behind,
    }
}

fn environment() -> Environment {
    let settings = [
        ("effective_cache_size", "6GB"),
        ("fsync", "on"),
        ("maintenance_work_mem", "512MB"),
        ("max_connections", "200"),
        ("max_parallel_workers", "2"),
        ("random_page_cost", "1.1"),
        ("shared_buffers", "2GB"),
        ("synchronous_commit", "on"),
        ("work_mem", "64MB"),
    ];
    Environment {
        callbench: env!("CARGO_PKG_VERSION").into(),
        commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        system: "Linux 6.1.0 x86_64".into(),
        cpu: "Example CPU at 2.90 GHz".into(),
        cores: 2,
        memory_bytes: 8 * 1024 * 1024 * 1024,
        database: Some(DatabaseFacts {
            version: "PostgreSQL 15.18 (Debian 15.18-0+deb12u1)".into(),
            settings: settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }),
    }
}

fn dataset(as_of: DateTime<Utc>) -> Dataset {
    let table = |table: &str, rows, workspace_rows, table_mb: u64, index_mb: u64| TableRows {
        table: table.into(),
        rows,
        workspace_rows: Some(workspace_rows),
        table_bytes: table_mb << 20,
        index_bytes: index_mb << 20,
    };
    let phase = |name: &str, seconds, rows, bytes| Phase {
        name: name.into(),
        began_seconds: None,
        seconds,
        rows,
        bytes,
    };
    Dataset {
        scale: "demo".into(),
        seed: 42,
        version: 1,
        as_of,
        tables: vec![
            table("call", 6_004_118, 5_000_000, 871, 402),
            table("customer", 1_201_930, 1_000_000, 388, 291),
            table("customer_label", 1_803_204, 1_500_112, 91, 118),
        ],
        phases: vec![
            phase("create tables", 0.21, None, None),
            phase("copy", 21.4, Some(9_212_400), Some(1_690_000_000)),
            phase("indexes", 13.8, None, None),
            phase("vacuum and analyze", 7.9, None, None),
        ],
    }
}

/// Deterministic draws (`SplitMix64`: Steele, Lea and Flood, OOPSLA 2014).
struct Draw {
    state: u64,
}

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        Normal::standard().inverse_cdf(self.uniform())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_sample_is_the_same_each_time() {
        let json = || serde_json::to_string(&super::run()).unwrap();
        assert_eq!(json(), json());
    }
}
