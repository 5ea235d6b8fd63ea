//! Made-up profiles that resemble those of the reference server, for tests.

use chrono::{TimeDelta, TimeZone as _, Utc};
use serde_json::{Value, json};

use super::assertion::Assertion;
use super::judgement::judge;
use super::session::{Repeat, SCHEMA, Server, Session, median};

/// Statements that `naive` sends for each of 50 customers, with their milliseconds and how many values they know.
const PER_CUSTOMER: [(&str, f64, usize); 15] = [
    ("SELECT id, name, phone_number, email FROM employee WHERE id = $1", 0.031, 8),
    ("SELECT id, name, description, starts_on, ends_on FROM campaign WHERE id = $1", 0.030, 5),
    ("SELECT count(*) FROM call WHERE customer_id = $1", 0.080, 50),
    ("SELECT count(*) FROM call WHERE customer_id = $1 AND status = 'completed'", 0.075, 50),
    ("SELECT count(*) FROM call WHERE customer_id = $1 AND status = 'failed'", 0.074, 50),
    ("SELECT avg(duration_seconds) FROM call WHERE customer_id = $1", 0.082, 50),
    ("SELECT sum(duration_seconds) FROM call WHERE customer_id = $1", 0.081, 50),
    ("SELECT max(created_at) FROM call WHERE customer_id = $1", 0.033, 50),
    ("SELECT min(created_at) FROM call WHERE customer_id = $1", 0.032, 50),
    (
        "SELECT id, status, transcript FROM call WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 1",
        0.041,
        50,
    ),
    (
        "SELECT label.id, label.name FROM label JOIN customer_label ON label_id = label.id WHERE customer_id = $1",
        0.035,
        50,
    ),
    ("SELECT id, name FROM workspace WHERE id = $1", 0.022, 1),
    ("SELECT count(*) FROM campaign_customer WHERE customer_id = $1", 0.026, 50),
    ("SELECT avg(sentiment) FROM call WHERE customer_id = $1 AND sentiment IS NOT NULL", 0.078, 50),
    ("SELECT EXISTS (SELECT FROM call WHERE customer_id = $1 AND status = 'scheduled')", 0.029, 50),
];

const GRANT: &str = "SELECT w.id, u.role\nFROM auth_token t\nJOIN app_user u ON u.id = t.user_id\nJOIN workspace w ON w.slug = $2\nWHERE t.key_hash = $1";
const PAGE: &str = "SELECT id, name, phone_number, email, status, quality, created_at FROM customer WHERE workspace_id = $1 AND NOT is_deleted ORDER BY created_at DESC, id DESC LIMIT 50 OFFSET $2";

/// A profile of the variant `naive` with 752 statements in `total_ms`.
pub(super) fn naive(total_ms: f64) -> Repeat {
    let mut statements = vec![
        json!({"sql": GRANT, "layer": "permission", "pool": "pages", "start_ms": 0.1, "time_ms": 0.6, "rows": 1, "values": "a0"}),
        json!({"sql": PAGE, "layer": "queryset", "pool": "pages", "start_ms": 0.8, "time_ms": 2.5, "rows": 50, "values": "b0"}),
    ];
    let step = (total_ms - 4.0) / 750.0;
    for customer in 0..50_usize {
        for (place, (sql, ms, values)) in PER_CUSTOMER.into_iter().enumerate() {
            let start = 3.5 + step * (customer * PER_CUSTOMER.len() + place) as f64;
            statements.push(json!({
                "sql": sql, "layer": "serializer", "pool": "pages", "start_ms": thousandths(start),
                "time_ms": ms, "rows": 1, "values": format!("{place:x}-{:x}", customer % values),
            }));
        }
    }
    let mut longest_first = PER_CUSTOMER;
    longest_first.sort_by(|a, b| b.1.total_cmp(&a.1));
    let slowest: Vec<Value> = longest_first
        .into_iter()
        .map(|(sql, ms, _)| {
            json!({"sql": sql, "time_ms": thousandths(ms * 50.0), "count": 50, "duplicates": 0, "rows": 50, "layer": "serializer"})
        })
        .collect();
    let repeated: Vec<Value> = PER_CUSTOMER
        .into_iter()
        .map(|(sql, ms, _)| json!({"sql": sql, "count": 50, "time_ms": thousandths(ms * 50.0)}))
        .collect();
    let loaded: Vec<Value> =
        PER_CUSTOMER.into_iter().map(|(sql, _, _)| json!({"sql": sql, "count": 50})).collect();
    let raw = json!({
        "request_id": "0f9e-1", "at": "2026-01-01T00:00:00.000000Z", "method": "GET", "endpoint": "/api/v1/customers/",
        "query": "workspace_id=enterprise-workspace-1", "variant": "naive", "workspace_id": "9c1d", "status": 200,
        "query_count": 752, "total_query_time_ms": 40.55, "serialization_time_ms": thousandths(total_ms - 3.6),
        "total_time_ms": total_ms, "response_time_ms": total_ms,
        "breakdown": {
            "middleware_time_ms": 0.1, "permission_time_ms": 0.7, "queryset_time_ms": 2.8,
            "serializer_time_ms": thousandths(total_ms - 3.6),
        },
        "bottleneck_type": "io", "bottleneck_layer": "serializer", "cpu_time_ms": 8.2, "pool_wait_ms": 0.01,
        "queries": {
            "total_queries": 752, "total_time_ms": 40.55, "slowest_queries": slowest, "n_plus_one_detected": true,
            "n_plus_one": repeated, "similar": 750, "duplicates": 136,
            "unused_columns": [{"sql": PER_CUSTOMER[9].0, "columns": ["transcript"]}],
        },
        "permission": {
            "statements": 1, "time_ms": 0.6, "count_statements": [], "full_scans": [], "repeated_checks": 0,
        },
        "serializer": {"records": 50, "us_per_record": 1128.0, "share": 0.94, "loaded_one_by_one": loaded},
        "memory": {"allocated_bytes": 526_901, "peak_bytes": 200_000, "allocations": 9_120},
        "recommendations": [
            "15 statements ran once for each of 50 records; load what they load for the whole page in one statement.",
            "`SELECT id, status, transcript FROM call …` fetches `transcript`, which nothing uses: leave it out.",
        ],
        "statements": statements,
        "plans": [
            {"sql": GRANT, "plan": [{"Plan": {"Node Type": "Result", "Actual Rows": 1, "Actual Loops": 1, "Actual Total Time": 0.01, "Plan Rows": 1}, "Execution Time": 0.02}], "custom_plan": null},
            {"sql": PAGE, "plan": page_plan("Index Scan"), "custom_plan": page_plan("Seq Scan")},
        ],
    });
    Repeat::read(raw).expect("a profile")
}

fn page_plan(scan: &str) -> Value {
    json!([{
        "Plan": {
            "Node Type": "Limit", "Plan Rows": 50, "Actual Rows": 50, "Actual Loops": 1, "Actual Total Time": 2.4,
            "Shared Hit Blocks": 412, "Shared Read Blocks": 3,
            "Plans": [{
                "Node Type": "Sort", "Plan Rows": 100, "Actual Rows": 50, "Actual Loops": 1, "Actual Total Time": 2.3,
                "Sort Key": ["created_at DESC", "id DESC"], "Sort Method": "top-N heapsort", "Sort Space Used": 48,
                "Sort Space Type": "Memory", "Shared Hit Blocks": 412, "Shared Read Blocks": 3,
                "Plans": [{
                    "Node Type": scan, "Relation Name": "customer", "Alias": "customer", "Plan Rows": 100, "Actual Rows": 2000,
                    "Actual Loops": 1, "Actual Total Time": 1.6, "Filter": "((NOT is_deleted) AND (workspace_id < 'x'))",
                    "Rows Removed by Filter": 120, "Shared Hit Blocks": 412, "Shared Read Blocks": 3,
                }],
            }],
        },
        "Planning Time": 0.2, "Execution Time": 2.5,
    }])
}

/// What a server gives that knows only the contract of the seed.
pub(super) fn plain() -> Repeat {
    let raw = json!({
        "query_count": 2, "total_time_ms": 3.1, "total_query_time_ms": 2.0,
        "breakdown": {
            "middleware_time_ms": 0.2, "permission_time_ms": 0.5, "queryset_time_ms": 2.0, "serializer_time_ms": 0.4,
        },
        "queries": {
            "total_queries": 2, "slowest_queries": [{"sql": "SELECT 1", "time_ms": 1.5, "count": 1}],
            "n_plus_one_detected": false,
        },
    });
    Repeat::read(raw).expect("a profile")
}

/// The session of these answers, held against these assertions.
pub(super) fn session(repeats: Vec<Repeat>, assertions: &[&str]) -> Session {
    let assertions: Vec<Assertion> =
        assertions.iter().map(|text| text.parse().expect("an assertion")).collect();
    let started_at = Utc.with_ymd_and_hms(2026, 1, 1, 12, 0, 0).single().expect("a time");
    let median = median(&repeats);
    Session {
        schema: SCHEMA,
        name: "profile-20260101-120000".into(),
        started_at,
        finished_at: started_at + TimeDelta::seconds(1),
        callbench: "0.1.0".into(),
        command: "callbench profile first_page --variant naive".into(),
        asked: "first_page".into(),
        path: "/api/v1/customers/?workspace_id=enterprise-workspace-1&_profile=explain".into(),
        server: Server {
            name: "naive".into(),
            level: Some("before".into()),
            base_url: "http://127.0.0.1:40000".into(),
        },
        warm_up: (repeats.len() > 1).then(|| naive(90.0)),
        verdicts: judge(&assertions, &repeats, median),
        repeats,
        median,
    }
}

/// Five answers of `naive`, judged: a pass, a fail, and one that can't be judged.
pub(super) fn naive_session() -> Session {
    let repeats = [61.2, 58.3, 60.0, 75.4, 59.1].map(naive).into();
    session(repeats, &["total_time_ms < 500", "query_count < 10", "qeury_count < 10"])
}

fn thousandths(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}
