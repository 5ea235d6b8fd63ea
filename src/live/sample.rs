//! A look at a window, for the tests of those who are told of it.

use loadgen::probes::Seen;
use loadgen::{Flow, PartTick, Position, Tick};

/// The second of twelve windows: a mix.
pub(super) fn window() -> Position<'static> {
    Position {
        round: 1,
        rounds: Some(6),
        number: 2,
        windows: Some(12),
        subject: "live",
        operation: "mix",
        pass: 1,
    }
}

/// Its second look: 200 arrivals of which 2 were skipped, and 180 answers of which 2 failed.
pub(super) fn tick() -> Tick {
    let response_us = |us: u32, count: usize| vec![us; count];
    Tick {
        number: 2,
        at_s: 2.0,
        seconds: 1.0,
        offered_s: 30.0,
        lately: Flow {
            due: Some(200),
            skipped: 2,
            requests: 180,
            errors: [("timeout".to_owned(), 1), ("connect".to_owned(), 1)].into(),
            p50_us: Some(2000),
            p99_us: Some(30_000),
            max_us: Some(35_000),
            max_lag_us: Some(900),
            lateness_p99_us: Some(80),
        },
        so_far: Flow {
            due: Some(400),
            skipped: 2,
            requests: 378,
            errors: [("timeout".to_owned(), 2), ("connect".to_owned(), 1)].into(),
            p50_us: Some(2500),
            p99_us: Some(40_000),
            max_us: Some(61_000),
            max_lag_us: Some(1200),
            lateness_p99_us: Some(90),
        },
        in_flight: 7,
        queued: Some(13),
        parts: vec![
            PartTick {
                operation: "mix/first_page".to_owned(),
                response_us: response_us(2000, 150),
                errors: [("timeout".to_owned(), 1)].into(),
            },
            PartTick {
                operation: "mix/detail".to_owned(),
                response_us: response_us(30_000, 30),
                errors: [("connect".to_owned(), 1)].into(),
            },
        ],
        seen: Seen {
            client_cores: Some(0.2),
            server_cores: Some(0.5),
            database_cores: Some(1.25),
            waiting_for_lock: Some(4),
            deadlocks: Some(1),
        },
    }
}
