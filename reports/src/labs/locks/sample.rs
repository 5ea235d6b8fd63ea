//! A made-up result for tests.

use super::{Counter, Judgement, Locks, Proof, Trial, Waiting, Watch, Way};
use crate::run::{BlockedMoment, LockWait, ProbeCost, Subject};
use crate::sample;

/// A trial of 20,000 transactions with so many deadlocks.
pub(super) fn trial(way: Way, deadlocks: u64) -> Trial {
    let wait = LockWait {
        waiting_pid: 12,
        waiting_application: Some("callbench lock lab".into()),
        waiting_user: Some("callbench".into()),
        waiting_statement: Some("UPDATE customer SET duration = duration + 1 WHERE id = $1".into()),
        lock: "transactionid".into(),
        mode: "ShareLock".into(),
        relation: Some("customer".into()),
        waited_ms: Some(12.5),
        blocking_pid: 11,
        blocking_state: Some("active".into()),
        blocking_statement: Some("COMMIT".into()),
        ..LockWait::default()
    };
    Trial {
        case: "update_32".into(),
        what: "32 writers update shared customers".into(),
        way,
        proof: Proof::Deadlocks,
        threads: 32,
        rows: 10,
        asked: 20_000,
        transactions: 20_000,
        commits: 20_000,
        overlapped: 20_000,
        met: Some(19_500),
        deadlocks,
        counted_by_server: Some(deadlocks),
        alone: true,
        serialization_failures: 0,
        lock_timeouts: 0,
        retries: deadlocks,
        given_up: 0,
        failures: std::collections::BTreeMap::new(),
        counter: Some(Counter { expected: 200_000, found: 200_000 }),
        index_builds: None,
        deadlock_timeout_ms: 20.0,
        seconds: 12.0,
        watch: Watch {
            period_ms: 50.0,
            seconds: 12.0,
            looks: 240,
            missed: 1,
            looks_with_waits: 200,
            waits: 4_000,
            longest_ms: Some(12.5),
            worst: Some(BlockedMoment { at_s: 2.0, waiting: 1, waits: vec![wait] }),
            deadlocks: Some(deadlocks),
            costs: vec![ProbeCost {
                probe: "pg_locks".into(),
                readings: 200,
                own_ms: 300.0,
                longest_ms: 4.0,
            }],
            hidden: vec![],
            strip: vec![
                Waiting { at_s: 2.0, waiting: 1, longest_ms: Some(12.5) },
                Waiting { at_s: 2.05, waiting: 0, longest_ms: None },
            ],
        },
        judgement: Judgement::default(),
    }
}

/// A case in three ways, judged.
pub(super) fn locks() -> Locks {
    let run = sample::run();
    Locks {
        schema: super::SCHEMA,
        name: "locks-sample".into(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        command: "callbench locks".into(),
        complete: true,
        environment: run.environment,
        subject: Subject {
            name: "rollup".into(),
            level: Some("optimized".into()),
            description: "the reference server, variant rollup".into(),
        },
        workspace: "acme".into(),
        transactions: 20_000,
        cases: vec![],
        trials: vec![trial(Way::Control, 25), trial(Way::Sql, 0), trial(Way::Api, 0)],
        verdicts: Vec::new(),
        warnings: vec!["something to know".into()],
    }
    .judged()
}
