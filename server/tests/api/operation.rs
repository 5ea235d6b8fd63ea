//! The server as somebody runs it: start, health, a full pool, the end.

use migrations::Level;
use reqwest::Method;
use serde_json::json;
use server::{Config, Error, Server, Variant};
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;
use tokio::net::TcpListener;

use crate::service::{Service, list};
use crate::world;

async fn refusal_to_start(config: Config) -> Error {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Server::open(config, listener).await.unwrap_err()
}

#[tokio::test]
async fn a_database_without_tables_is_named_with_the_command_that_makes_them() {
    let database = cluster::testing::database("server_empty").await;
    let error = refusal_to_start(Config::new(database.url(), Variant::Live)).await.to_string();
    assert!(error.contains("has no table workspace, employee, "), "{error}");
    assert!(error.contains("callbench db migrate --to indexed"), "{error}");
}

#[tokio::test]
async fn a_server_that_could_not_serve_does_not_start() {
    let nobody =
        refusal_to_start(Config::new("postgres://me:secret@127.0.0.1:1/x", Variant::Live)).await.to_string();
    assert!(nobody.contains("127.0.0.1:1") && !nobody.contains("secret"), "{nobody}");
    let empty = Config { pool_size: 0, ..Config::new("postgres://127.0.0.1:1/x", Variant::Live) };
    assert!(matches!(refusal_to_start(empty).await, Error::PoolTooSmall));
    let crowdless = Config { max_connections: 0, ..Config::new("postgres://127.0.0.1:1/x", Variant::Live) };
    assert!(matches!(refusal_to_start(crowdless).await, Error::NoConnections));
    let public_url = Some("example.com".to_owned());
    let unlinked = Config { public_url, ..Config::new("postgres://127.0.0.1:1/x", Variant::Live) };
    assert!(matches!(refusal_to_start(unlinked).await, Error::BadPublicUrl(_)));
}

#[tokio::test]
async fn limits_of_time_that_do_not_nest_are_refused_with_all_of_them() {
    let config = || Config::new("postgres://127.0.0.1:1/x", Variant::Live);
    let s = Duration::from_secs;
    for wrong in [
        Config { statement_timeout: s(30), ..config() },
        Config { pool_wait: s(31), ..config() },
        Config { request_timeout: s(25), ..config() },
        Config { request_timeout: s(60), ..config() },
        Config { proxy_timeout: s(30), ..config() },
    ] {
        assert!(matches!(refusal_to_start(wrong).await, Error::Timeouts { .. }));
    }
    let wrong = Config { statement_timeout: s(30), ..config() };
    assert_eq!(
        refusal_to_start(wrong).await.to_string(),
        "the limits of time must nest, each shorter than the next: a wait for a connection (5 s), a statement (30 s) < \
         a request (30 s) < what the proxy waits (60 s)"
    );
}

#[tokio::test]
async fn health_needs_no_token() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let get = async |path: &str| service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await;
    get("/healthz").await.is(200, &json!({ "status": "ok" }));
    get("/readyz").await.is(200, &json!({ "status": "ok", "variant": "live", "database": "ok" }));
}

/// Waits until a connection of the server waits for a lock.
pub(crate) async fn until_blocked(db: &mut sqlx::PgConnection) {
    loop {
        let blocked: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                               AND application_name = 'callbench-serve' AND wait_event_type = 'Lock')",
        )
        .fetch_one(&mut *db)
        .await
        .unwrap();
        if blocked {
            return;
        }
    }
}

#[tokio::test]
async fn a_full_pool_answers_503_after_a_bounded_wait_and_serves_again_when_it_has_room() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let pool_wait = Duration::from_millis(100);
    let origin = service.start(Config { pool_size: 2, pool_wait, ..service.config(Variant::Live) }).await;
    let url = list(&origin, "workspace_id=one");
    assert_eq!(service.get(&url, &token).await.status, 200);

    let mut holder = service.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let stuck = service.get(&url, &token);
    let crowd = async {
        until_blocked(&mut db).await;
        let turned_away = service.get(&url, &token).await;
        turned_away.refuses(503, "No database connection became free in time. Try again later.");
        assert_eq!(turned_away.header("retry-after"), "1");
        let ready = service.send(Method::GET, &format!("{origin}/readyz"), None, &[]).await;
        assert_eq!(ready.status, 503);
        let alive = service.send(Method::GET, &format!("{origin}/healthz"), None, &[]).await;
        assert_eq!(alive.status, 200);
        lock.rollback().await.unwrap();
    };
    let (served, ()) = tokio::join!(stuck, crowd);
    assert_eq!(served.status, 200);
    assert_eq!(service.get(&url, &token).await.status, 200);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_given_up_by_the_database_and_answered_503() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let statement_timeout = Duration::from_millis(200);
    let origin = service.start(Config { statement_timeout, ..service.config(Variant::Live) }).await;
    let mut holder = service.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE call IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let late = service.get(&list(&origin, "workspace_id=one"), &token).await;
    late.refuses(503, "The request took too long and was given up.");
    lock.rollback().await.unwrap();
    assert_eq!(service.get(&list(&origin, "workspace_id=one"), &token).await.status, 200);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_the_request_that_runs() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::open(service.config(Variant::Live), listener).await.unwrap();
    let serving = server.serve(async { stopped.await.unwrap_or_default() });
    let serving = tokio::spawn(serving);

    let mut holder = service.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let url = list(&origin, "workspace_id=one");
    let running = service.get(&url, &token);
    let stopping = async {
        until_blocked(&mut db).await;
        stop.send(()).unwrap();
        lock.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(running, stopping);
    assert_eq!(answer.status, 200);
    serving.await.unwrap().unwrap();
}
