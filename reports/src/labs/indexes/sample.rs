//! A small price list, for tests.

use chrono::{TimeZone as _, Utc};

use super::{
    Ablation, Extrapolation, Index, Kept, Log, Operation, PriceList, Redundancy, Rule, SCHEMA, Sample, price,
};
use crate::run::Check;

fn index(name: &str, bytes: u64) -> Index {
    Index {
        name: name.to_owned(),
        table: "customer".to_owned(),
        method: "btree".to_owned(),
        columns: vec!["workspace_id".to_owned(), "created_at DESC".to_owned()],
        include: Vec::new(),
        predicate: Some("NOT is_deleted".to_owned()),
        unique: false,
        rule: None,
        valid: true,
        definition: format!("CREATE INDEX {name} ON …"),
        bytes,
        table_rows: Some(1e6),
        share: Some(0.9),
        at_scale: Extrapolation::of("customer", bytes, 1e6, 0.9, Some(1e6)),
        scans: 12,
        tuples_read: 600,
        tuples_fetched: 600,
        last_scan: None,
        density: None,
        redundant: Vec::new(),
    }
}

/// Two rounds over one read and two writes: `idx_order` is needed and dear, `idx_idle` is neither.
pub(super) fn list() -> PriceList {
    let at = Utc.with_ymd_and_hms(2026, 7, 1, 9, 5, 0).unwrap();
    let operation = |name: &str, rows: u64| Operation {
        name: name.to_owned(),
        writes: rows > 0,
        rows,
        times: 20,
        sql: "SELECT … FROM customer".to_owned(),
        tables: vec!["customer".to_owned()],
    };
    let operations =
        vec![operation("first_page", 0), operation("single_insert", 1), operation("batch_insert", 100)];
    let mut samples = Vec::new();
    for round in 1..=2 {
        for (without, pass) in [(None, 1), (None, 2), (Some("idx_order"), 1), (Some("idx_idle"), 1)] {
            let wobble = if pass == 1 { 1.0 } else { -1.0 };
            let is_out = without == Some("idx_order");
            for operation in &operations {
                let full = (if is_out { 700.0 } else { 900.0 + 2.0 * wobble }) * operation.rows as f64;
                let full = if without == Some("idx_idle") { 900.0 * operation.rows as f64 } else { full };
                let log = Log { bytes: full * 3.0, records: 9.0, record_bytes: Some(full), images: 1.0 };
                let buffers = if is_out { 812.0 } else { 54.0 + wobble };
                let plan = if is_out { "idx_other" } else { "idx_order" };
                samples.push(Sample {
                    round,
                    without: without.map(str::to_owned),
                    pass,
                    operation: operation.name.clone(),
                    buffers: if without == Some("idx_idle") { 54.0 } else { buffers },
                    time_us: if is_out { 4000.0 } else { 1000.0 },
                    stopped: false,
                    log: operation.writes.then_some(log),
                    hot: (operation.rows == 1).then_some(if is_out { 0.75 } else { 0.0 }),
                    plan: if operation.writes { Vec::new() } else { vec![plan.to_owned()] },
                });
            }
        }
    }
    let order = index("idx_order", 70 << 20);
    let idle = Index {
        scans: 0,
        redundant: vec![Redundancy::PrefixOf { index: "idx_order".to_owned() }],
        ..index("idx_idle", 10 << 20)
    };
    let key = Index {
        rule: Some(Rule::PrimaryKey),
        unique: true,
        predicate: None,
        columns: vec!["id".to_owned()],
        share: Some(1.0),
        ..index("customer_pkey", 90 << 20)
    };
    let prices = [&idle, &order].map(|index| price(index, &operations, &samples));
    let mut list = PriceList {
        schema: SCHEMA,
        name: "indexes-sample".to_owned(),
        started_at: at,
        finished_at: at,
        command: "callbench indexes --ablate".to_owned(),
        environment: crate::sample::run().environment,
        level: Some("indexed".to_owned()),
        counted_since: Some(at),
        rule: Extrapolation::RULE.to_owned(),
        indexes: vec![key, idle, order],
        ablation: Some(Ablation {
            workspace: "enterprise-workspace-1".to_owned(),
            rounds: 2,
            timeout_s: 30.0,
            operations,
            samples,
            kept: vec![Kept {
                index: "customer_pkey".to_owned(),
                why: "keeps a rule (primary key)".to_owned(),
            }],
            prices: prices.to_vec(),
        }),
        checks: vec![Check {
            name: "indexes as before".to_owned(),
            passed: true,
            detail: "3 definitions compared".to_owned(),
        }],
        warnings: vec!["something to know".to_owned()],
    };
    list.sort();
    list
}
