//! What was sampled beside the windows of the made-up run.

use super::Draw;
use crate::run::{
    BlockedMoment, DatabaseCounters, DatabaseSample, LockWait, ProbeCost, Probes, ProcessCounters,
    ProcessSample, SessionStates, Sessions, TableCounters, WalCounters, Window,
};

/// The samples of one subject over whole seconds, up to the end of the last window.
pub(super) fn probes(subject: &str, seconds: u32, windows: &[Window]) -> Probes {
    // Numbers of their own, so that the windows stay as they are.
    let mut draw = Draw { state: 11 + subject.len() as u64 };
    let mut database = Vec::new();
    let mut processes = Vec::new();
    let (mut activity, mut wal) = (DatabaseCounters::default(), WalCounters::default());
    let mut tables = TableCounters { moved: None, ..TableCounters::default() };
    let mut used = [ProcessCounters::default(); 3];
    for second in 4..=seconds {
        let at_s = f64::from(second);
        let busy = windows.iter().any(|window| {
            window.subject == subject && (window.opened_s..window.opened_s + window.drained_s).contains(&at_s)
        });
        let work = if busy { whole(900.0 + 80.0 * draw.normal()) } else { 4 };
        activity.commits += work;
        activity.buffers_hit += work * 40;
        activity.buffers_read += work / 90;
        activity.active_ms += work as f64 * 0.9;
        activity.session_ms += 12_000.0;
        wal.records += work / 12;
        wal.bytes += work * 9;
        wal.position_bytes += work * 10;
        tables.updated += work / 100;
        tables.hot_updated += work / 104;
        let waits = u64::from(busy && draw.uniform() > 0.985);
        let states = SessionStates {
            active: u64::from(busy),
            idle: 11 - u64::from(busy),
            idle_in_transaction: 0,
            waiting_for_lock: waits,
            longest_lock_wait_ms: (waits > 0).then(|| 4.0 + 30.0 * draw.uniform()),
        };
        let sessions = Some(Sessions { connections: 12, states: Some(states) });
        database.push(DatabaseSample {
            at_s,
            activity: Some(activity),
            wal: Some(wal),
            tables: Some(tables),
            sessions,
        });
        let share = if busy { 1.0 } else { 0.02 };
        for (party, (cores, memory)) in
            used.iter_mut().zip([(0.03, 34_000_000), (0.11 * share, 41_000_000), (0.62 * share, 310_000_000)])
        {
            party.cpu_s += cores * (1.0 + 0.1 * draw.normal());
            party.resident_bytes = memory;
            party.voluntary_switches += whole(4_000.0 * cores);
            party.involuntary_switches += whole(300.0 * cores);
            party.processes = 1;
        }
        let [client, server, family] = used.map(Some);
        processes.push(ProcessSample { at_s, client, server, database: family });
    }
    let readings = database.len() as u64;
    let cost = |probe: &str, each_ms: f64| ProbeCost {
        probe: probe.into(),
        readings,
        own_ms: each_ms * readings as f64,
        longest_ms: each_ms * 3.1,
    };
    Probes {
        subject: subject.into(),
        database,
        processes,
        worst_wait: Some(worst_wait()),
        costs: vec![
            cost("pg_stat_database", 0.41),
            cost("pg_stat_wal", 0.22),
            cost("pg_stat_user_tables", 0.83),
            cost("pg_stat_activity", 0.55),
            cost("/proc", 1.9),
        ],
        skipped: 0,
    }
}

fn worst_wait() -> BlockedMoment {
    BlockedMoment {
        at_s: 61.0,
        waiting: 1,
        waits: vec![LockWait {
            waiting_pid: 4_712,
            waiting_statement: Some("UPDATE customer SET score = $2 WHERE id = $1".into()),
            lock: "transactionid".into(),
            mode: "ShareLock".into(),
            relation: Some("customer".into()),
            waited_ms: Some(31.0),
            blocking_pid: 4_709,
            blocking_state: Some("active".into()),
            blocking_statement: Some("UPDATE customer SET score = $2 WHERE id = $1".into()),
            ..LockWait::default()
        }],
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "some thousands, and never below zero"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0).round() as u64
}
