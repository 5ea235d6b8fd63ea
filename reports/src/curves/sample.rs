//! A search and a curve with made-up figures, for tests.

use std::time::Duration;

use super::{Axis, Capacity, Curve, End, Objective, Point, Series, Settings, Stage, Step, Verdict};
use crate::latency::Latency;
use crate::run::{CpuCost, Process, Subject};
use crate::sample;

pub(super) fn latency(ms: u64, requests: usize) -> Latency {
    let mut latency = Latency::new();
    (0..requests).for_each(|_| latency.record(Duration::from_millis(ms)));
    latency
}

fn subject(name: &str) -> Subject {
    Subject { name: name.into(), level: Some("indexed".into()), description: "a made-up server".into() }
}

fn step(stage: Stage, rate: f64, ms: u64) -> Step {
    let response = latency(ms, 1000);
    let objective: Objective = "p99 < 100ms".parse().unwrap();
    let judgement = objective.judge(&response, 0);
    let holds = ms < 100;
    Step {
        stage,
        asked_per_second: rate,
        reached_per_second: rate * 0.99,
        offered_s: 10.0,
        drained_s: 10.1,
        requests: 1000,
        unsent: 0,
        p50_us: response.quantile_us(0.5),
        p99_us: response.quantile_us(0.99),
        lateness_p99_us: Some(90),
        failed: 0,
        errors: [].into(),
        cpu: CpuCost { client_s: Some(1.0), server_s: Some(4.0), database_s: None, server_rss_bytes: None },
        verdict: if holds { Verdict::Holds } else { Verdict::Breaks },
        judgements: vec![judgement],
        reasons: if holds { vec![] } else { vec![format!("p99 < 100ms: it was {ms} ms")] },
        response,
    }
}

/// A search that found between 113/s and 123/s.
pub(super) fn capacity() -> Capacity {
    let run = sample::run();
    Capacity {
        schema: super::SCHEMA,
        name: "capacity-sample".into(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        command: "callbench capacity first_page --slo 'p99 < 100ms'".into(),
        environment: run.environment,
        subject: subject("live"),
        scenario: "first_page".into(),
        workspace: "acme".into(),
        page_size: 50,
        objectives: vec!["p99 < 100ms".into()],
        settings: Settings {
            from_per_second: 20.0,
            max_per_second: 1e6,
            precision: 0.1,
            step_s: 10.0,
            confirm_s: 30.0,
            warm_up_s: 1.0,
            max_in_flight: 64,
            process: Process::Poisson,
            seed: 1,
        },
        steps: vec![
            step(Stage::Ladder, 80.0, 12),
            step(Stage::Ladder, 160.0, 450),
            step(Stage::Narrowing, 113.1, 30),
            step(Stage::Narrowing, 123.4, 130),
            step(Stage::Confirming, 113.1, 31),
        ],
        lower: Some(113.1),
        confirmed: true,
        upper: Some(123.4),
        end: End::Confirmed,
        answer: String::new(),
        probes: Vec::new(),
        warnings: vec!["something to know".into()],
    }
    .answered()
}

fn points(exponent: f64, ms: f64) -> Vec<Point> {
    [1_u64, 10, 100]
        .into_iter()
        .map(|size| {
            let grown = (size as f64).powf(exponent);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a made-up time")]
            let response = latency((ms * grown).round() as u64, 40);
            Point {
                size,
                requests: 40,
                failed: 0,
                p50_us: response.quantile_us(0.5).unwrap(),
                p95_us: response.quantile_us(0.95).unwrap(),
                buffers: Some(50.0 * grown),
                statements: Some(2.0),
                response,
            }
        })
        .collect()
}

/// Two variants, one of which grows with the page.
pub(super) fn depth() -> Curve {
    let run = sample::run();
    Curve {
        schema: super::SCHEMA,
        name: "depth-sample".into(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        command: "callbench depth".into(),
        complete: true,
        environment: run.environment,
        axis: Axis::Page,
        workspace: "acme".into(),
        page_size: 50,
        subjects: vec![subject("naive"), subject("live")],
        series: vec![
            Series::new("naive", "list", points(1.0, 20.0)),
            Series::new("live", "list", points(0.0, 3.0)),
        ],
        checks: vec![],
        warnings: vec![],
    }
}
