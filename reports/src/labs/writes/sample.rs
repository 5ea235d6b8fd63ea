//! Write amplification with made-up figures, for tests.

use std::time::Duration;

use super::{Growth, Level, Measurement, Processor, SCHEMA, Table, Through, Work, Writes};
use crate::labs::wal::{Kind, LogSpan, Part, RecordType, Source, Totals, Updates};
use crate::latency::Latency;
use crate::sample;

fn part(kind: Kind, relation: &str, record: &str, totals: Totals) -> Part {
    let table = (kind == Kind::Index).then(|| "customer".to_owned());
    let types = vec![RecordType { name: record.to_owned(), totals }];
    Part { kind, relation: relation.to_owned(), table, totals, shared_records: 0, types }
}

fn measurement(level: &str, through: Through, is_hot: bool) -> Measurement {
    let totals = |records, bytes, image_bytes| Totals { records, bytes, image_bytes };
    let record = if is_hot { "Heap/HOT_UPDATE" } else { "Heap/UPDATE" };
    let mut parts = vec![
        part(Kind::Heap, "customer", record, totals(10, 2_000, 0)),
        part(Kind::NoRelation, "no relation", "Transaction/COMMIT", totals(10, 340, 0)),
    ];
    if !is_hot {
        let entries = totals(10, 900, 80_000);
        parts.push(part(Kind::Index, "idx_customer_workspace_status", "Btree/INSERT_LEAF", entries));
    }
    let sum: Totals = parts.iter().map(|part| part.totals).sum();
    let mut service = Latency::new();
    (1..=10).for_each(|ms| service.record(Duration::from_millis(ms)));
    Measurement {
        level: level.to_owned(),
        operation: "update_indexed".to_owned(),
        through,
        operations: 10,
        rows: 10,
        row_bytes: 2_500,
        p50_us: service.quantile_us(0.5).unwrap(),
        p95_us: service.quantile_us(0.95).unwrap(),
        p99_us: service.quantile_us(0.99).unwrap(),
        max_us: service.max_us().unwrap(),
        service,
        checkpoints: Some(0),
        log_bytes: sum.all_bytes() + 60,
        log: Some(LogSpan {
            source: Source::BlockRef,
            span_bytes: sum.all_bytes() + 60,
            padding_bytes: 36,
            page_header_bytes: 24,
            totals: sum,
            parts,
        }),
        counted_updates: Some(Updates { all: 10, hot: if is_hot { 10 } else { 0 } }),
        growth: vec![Growth {
            kind: Kind::Index,
            relation: "idx_customer_workspace_status".to_owned(),
            bytes: 8_192,
        }],
        postponed: Vec::new(),
        work: Some(Work { statements: 3.0, buffers: 12.5, buffers_read: 0.0, database_ms: 0.1 }),
        processor: Processor { client_us: None, server_us: Some(300.0), database_us: Some(450.0) },
    }
}

/// An update at two levels: heap-only at the first, and with an index at the second.
pub(super) fn writes() -> Writes {
    let run = sample::run();
    let level = |name: &str, variant: &str| Level {
        name: name.to_owned(),
        variant: Some(variant.to_owned()),
        tables: vec![Table {
            name: "customer".to_owned(),
            fillfactor: 100,
            autovacuum_off: true,
            indexes: vec!["customer_pkey".to_owned()],
        }],
    };
    Writes {
        schema: SCHEMA,
        name: "writes-sample".into(),
        started_at: run.started_at,
        finished_at: run.finished_at,
        command: "callbench writes --scale dev".into(),
        complete: true,
        environment: run.environment,
        workspace: "acme".into(),
        seed: 1,
        counts: [("update_indexed".to_owned(), 10)].into(),
        settings: [("full_page_writes".to_owned(), "on".to_owned())].into(),
        levels: vec![level("before", "naive"), level("optimized", "rollup")],
        measurements: [("before", true), ("optimized", false)]
            .into_iter()
            .flat_map(|(level, is_hot)| {
                [Through::Api, Through::Sql].map(|way| measurement(level, way, is_hot))
            })
            .collect(),
        verdicts: Vec::new(),
        warnings: vec!["autovacuum may have run".into()],
    }
}
