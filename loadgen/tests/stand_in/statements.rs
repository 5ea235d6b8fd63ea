//! The database's own count of what requests make it do, on a real PostgreSQL.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use cluster::testing;
use loadgen::probes::{CpuMeter, StatementProbe, facts, postmaster_pid};
use loadgen::{Measured, Target};
use reports::run::Work;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection, PgPool};

use crate::server::{TOKEN, WORKSPACE, measure, open, plan};

/// A server that asks its database 3 times for a page of 2 rows, and leaves one row behind.
async fn serve(database_url: &str) -> String {
    let pool = PgPoolOptions::new().max_connections(4).connect(database_url).await.unwrap();
    sqlx::query("CREATE TABLE visit (id int)").execute(&pool).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/api/v1/customers/", get(page)).with_state(Arc::new(pool));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    base_url
}

async fn page(State(pool): State<Arc<PgPool>>) -> String {
    for row in 1..=2_i32 {
        let _: i32 = sqlx::query_scalar("SELECT $1 + 1000").bind(row).fetch_one(&*pool).await.unwrap();
    }
    sqlx::query("INSERT INTO visit VALUES ($1)").bind(1_i32).execute(&*pool).await.unwrap();
    let row = format!(r#"{{"workspace_id": "{WORKSPACE}"}}"#);
    format!(r#"{{"results": [{row}, {row}], "next": null, "previous": null}}"#)
}

async fn measured(database_url: &str) -> Measured {
    let base_url = serve(database_url).await;
    let target = Target {
        page_size: 2,
        database_url: Some(database_url.to_owned()),
        ..Target::new("live", &base_url, TOKEN, "shop")
    };
    measure(&plan("first_page", open(20.0, 4)), &[target]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_work_of_a_request_is_counted_exactly_and_without_the_probes_own() {
    let database = testing::database("loadgen_work").await;
    let measured = measured(database.url()).await;
    let work: &Work = &measured.work[0];
    assert_eq!((work.subject.as_str(), work.operation.as_str()), ("live", "first_page"));
    assert!((work.statements_per_request - 3.0).abs() < 1e-9, "{work:#?}");
    assert!((work.rows_per_request - 3.0).abs() < 1e-9, "{work:#?}");
    assert!(work.wal_bytes_per_request > 0.0, "an insert writes WAL");
    assert!(work.buffers_per_request >= 1.0, "an insert touches its page");
    let mut texts: Vec<_> = work.statements.iter().map(|statement| statement.sql.as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["INSERT INTO visit VALUES ($1)", "SELECT $1 + $2"]);
    let cpu = measured.windows[0].cpu;
    assert_eq!(cpu.database_s.is_some(), cfg!(target_os = "linux"), "{cpu:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_begin_before_the_first_window_and_end_after_the_last() {
    let database = testing::database("loadgen_samples").await;
    let measured = measured(database.url()).await;
    assert_eq!(measured.probes.len(), 1);
    let (probes, windows) = (&measured.probes[0], &measured.windows);
    assert_eq!(probes.subject, "live");
    assert!(probes.database[0].at_s <= windows[0].opened_s, "{:?}", probes.database[0]);
    let (sample, window) = (probes.database.last().unwrap(), windows.last().unwrap());
    assert!(sample.at_s >= window.opened_s + window.drained_s, "{sample:?} {window:?}");
    // The server under load inserts a row for each request.
    let position = |sample: &reports::run::DatabaseSample| sample.wal.unwrap().position_bytes;
    assert!(position(sample) > position(&probes.database[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_probes_samples_nothing() {
    let server = crate::server::StandIn::serve(50, crate::server::Links::Cursors).await;
    let plan = loadgen::Plan { probes: false, ..plan("first_page", open(20.0, 4)) };
    assert_eq!(measure(&plan, &[server.target("live")]).await.probes, Vec::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_exist_is_named_with_its_subject() {
    let missing = testing::cluster().await.url("loadgen_no_such_database");
    let server = crate::server::StandIn::serve(50, crate::server::Links::Cursors).await;
    let mut target = server.target("live");
    target.database_url = Some(missing);
    let stop = tokio_util::sync::CancellationToken::new();
    let plan = plan("first_page", open(20.0, 4));
    let error = loadgen::measure(&plan, &[target], &loadgen::Silent, stop).await.unwrap_err().to_string();
    assert!(error.contains("`live`") && error.contains("loadgen_no_such_database"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_others_need_permission_and_its_want_is_said() {
    let database = testing::database("loadgen_permission").await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").execute(&mut connection).await.unwrap();
    // Any role without privileges will do, and this one is always there.
    sqlx::query("SET ROLE pg_signal_backend").execute(&mut connection).await.unwrap();
    let reason = StatementProbe::new(connection).await.unwrap_err().to_string();
    assert!(reason.contains("pg_read_all_stats"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_printed_with_their_units() {
    let database = testing::database("loadgen_facts").await;
    let facts = facts(database.url()).await.unwrap();
    assert!(facts.version.starts_with("PostgreSQL ") && !facts.version.contains(" on "), "{}", facts.version);
    assert!(facts.settings["shared_buffers"].ends_with('B'), "{:?}", facts.settings);
    assert_eq!(facts.settings["full_page_writes"], "on");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_cpu_of_a_backend_that_has_ended_is_still_counted() {
    let database = testing::database("loadgen_cpu").await;
    let mut watcher = PgConnection::connect(database.url()).await.unwrap();
    let postmaster = postmaster_pid(&mut watcher).await.unwrap();
    assert!(postmaster.is_some());
    let meter = CpuMeter::new(None, postmaster);
    let before = meter.read();
    let mut busy = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("SELECT count(*) FROM generate_series(1, 2000000)").execute(&mut busy).await.unwrap();
    busy.close().await.unwrap();
    // The backend is gone from the list of sessions a moment before its process has ended; either way it counts.
    let used_s = meter.since(&before).database_s.unwrap();
    assert!(used_s >= 0.02, "two million rows took {used_s} s of CPU");
}
