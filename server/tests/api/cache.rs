//! The cache behind `/api/v1/workspaces/…/`, as a client and the database see it: with Redis, without, and with one that
//! goes away under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use cluster::testing::{OwnRedis, own_redis};
use futures_util::future::join_all;
use migrations::Level;
use redis::AsyncCommands as _;
use reqwest::Method;
use server::{Config, Error, Server, Variant};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::service::{Answer, Service};
use crate::workspaces::url;
use crate::world::{self, Customer, at};

const PATIENCE: Duration = Duration::from_mins(1);

/// A workspace with one customer, and an admin of it.
struct Stage {
    service: Service,
    db: PgConnection,
    workspace: Uuid,
    token: String,
}

impl Stage {
    async fn set() -> Self {
        let service = Service::at(Level::Indexed).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        let token = world::user(&mut db, "admin", None, &[workspace]).await;
        Customer::of(workspace, "c", at("2026-01-01T00:00:00Z")).insert(&mut db).await;
        Self { service, db, workspace, token }
    }

    /// Waits for Redis as long as a busy machine may need.
    fn config(&self, redis: Option<&OwnRedis>) -> Config {
        Config {
            redis_url: redis.map(OwnRedis::url),
            cache_wait: Duration::from_secs(5),
            pool_size: 8,
            ..self.service.config(Variant::Live)
        }
    }

    async fn get(&self, origin: &str) -> Answer {
        self.service.get(&url(origin, "one"), &self.token).await
    }
}

fn told(answer: &Answer) -> (i64, String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let time = body["last_updated"].as_str().unwrap().to_owned();
    (body["customer_count"].as_i64().unwrap(), time[..10].to_owned(), answer.header("x-cache").to_owned())
}

fn seen(count: i64, date: &str, outcome: &str) -> (i64, String, String) {
    (count, date.to_owned(), outcome.to_owned())
}

/// Statements that read the figures of a workspace since the last reset: of everything, and of the count alone.
async fn figures_read(db: &mut PgConnection) -> (i64, i64) {
    sqlx::query_as(
        "SELECT coalesce(sum(calls) FILTER (WHERE query LIKE '%max(updated_at)%'), 0)::bigint,
                coalesce(sum(calls) FILTER (WHERE query LIKE 'SELECT count(*) FROM customer%'), 0)::bigint
           FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND query NOT LIKE '%pg_stat_statements%'",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

#[tokio::test]
async fn what_was_asked_a_moment_ago_is_not_asked_again() {
    let redis = own_redis().await;
    for redis in [None, Some(&redis)] {
        let mut stage = Stage::set().await;
        let origin = stage.service.start(stage.config(redis)).await;
        assert_eq!(told(&stage.get(&origin).await), seen(1, "2026-01-01", "miss"));
        // Written behind the server's back.
        Customer::of(stage.workspace, "c", at("2026-02-01T00:00:00Z")).insert(&mut stage.db).await;
        assert_eq!(told(&stage.get(&origin).await), seen(1, "2026-01-01", "hit"));
        let other = stage.service.start(stage.config(redis)).await;
        let shared = told(&stage.get(&other).await);
        match redis {
            Some(_) => assert_eq!(shared, seen(1, "2026-01-01", "hit")),
            None => assert_eq!(shared, seen(2, "2026-02-01", "miss")),
        }
    }
}

#[tokio::test]
async fn the_count_lives_for_a_minute_and_the_rest_for_five_each_with_one_statement() {
    let redis = own_redis().await;
    let mut direct = redis.connection().await;
    let mut stage = Stage::set().await;
    stage.db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let origin = stage.service.start(stage.config(Some(&redis))).await;
    assert_eq!(told(&stage.get(&origin).await), seen(1, "2026-01-01", "miss"));
    assert_eq!(figures_read(&mut stage.db).await, (1, 0));

    let mut keys: Vec<String> = direct.keys("*").await.unwrap();
    keys.sort();
    let [count, metadata, stamp] = keys.as_slice() else { panic!("{keys:?}") };
    for (key, end, life_ms) in [
        (count, ":all:count", 60_000),
        (metadata, ":all:metadata", 300_000),
        (stamp, ":stamp", 24 * 60 * 60 * 1000),
    ] {
        assert!(key.starts_with("callbench:1:") && key.ends_with(end), "{key}");
        let left_ms: i64 = direct.pttl(key).await.unwrap();
        assert!((life_ms - 40_000..=life_ms).contains(&left_ms), "{key}: {left_ms}");
    }

    // The end of a life, without waiting for it.
    Customer::of(stage.workspace, "c", at("2026-02-01T00:00:00Z")).insert(&mut stage.db).await;
    direct.del::<_, ()>(count).await.unwrap();
    assert_eq!(told(&stage.get(&origin).await), seen(2, "2026-01-01", "miss"));
    assert_eq!(figures_read(&mut stage.db).await, (1, 1));
    assert_eq!(told(&stage.get(&origin).await), seen(2, "2026-01-01", "hit"));
    direct.del::<_, ()>(metadata).await.unwrap();
    assert_eq!(told(&stage.get(&origin).await), seen(2, "2026-02-01", "miss"));
    assert_eq!(told(&stage.get(&origin).await), seen(2, "2026-02-01", "hit"));
    assert_eq!(figures_read(&mut stage.db).await, (2, 1));
}

#[tokio::test]
async fn many_misses_at_the_same_moment_make_one_query_and_a_client_that_leaves_hangs_nobody() {
    let redis = own_redis().await;
    for redis in [None, Some(&redis)] {
        let mut stage = Stage::set().await;
        stage.db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
        // Admissions are known, so that what waits for the lock is the query of the figures alone.
        let admission_ttl = Duration::from_secs(5);
        let origin = stage.service.start(Config { admission_ttl, ..stage.config(redis) }).await;
        let mut holder = stage.service.connection().await;
        let options =
            stage.service.send(Method::OPTIONS, &url(&origin, "one"), Some(&stage.token), &[]).await;
        assert_eq!(options.status, 200);

        let mut lock = holder.begin().await.unwrap();
        lock.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE").await.unwrap();
        let leaving = tokio::time::timeout(Duration::from_millis(300), stage.get(&origin)).await;
        assert!(leaving.is_err(), "nobody can be answered yet");
        let crowd = join_all((0..100).map(|_| stage.get(&origin)));
        let release = async {
            until_blocked(&mut stage.service.connection().await).await;
            lock.rollback().await.unwrap();
        };
        let (answers, ()) = tokio::join!(crowd, release);
        for answer in &answers {
            assert_eq!(told(answer).0, 1);
        }
        let (everything, counts) = figures_read(&mut stage.db).await;
        // One for the crowd; that of the client that left may have been sent, too.
        assert!((1..=2).contains(&everything) && counts == 0, "{everything} {counts}");
        assert_eq!(told(&stage.get(&origin).await), seen(1, "2026-01-01", "hit"));
    }
}

async fn until_blocked(db: &mut PgConnection) {
    let begun = Instant::now();
    let blocked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
                                    AND application_name = 'callbench-serve' AND wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(blocked).fetch_one(&mut *db).await.unwrap() {
        assert!(begun.elapsed() < PATIENCE, "no query waits");
    }
}

#[tokio::test]
async fn a_pool_of_two_connections_is_enough_for_a_crowd_that_misses() {
    let stage = Stage::set().await;
    let origin = stage.service.start(Config { pool_size: 2, ..stage.config(None) }).await;
    let answers = join_all((0..50).map(|_| stage.get(&origin))).await;
    assert!(answers.iter().all(|answer| told(answer).0 == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_goes_away_under_load_and_comes_back_and_no_request_fails() {
    let mut redis = own_redis().await;
    let stage = Arc::new(Stage::set().await);
    // As it is served: a bounded wait of some milliseconds.
    let config =
        Config { cache_wait: Config::new("", Variant::Live).cache_wait, ..stage.config(Some(&redis)) };
    let origin = Arc::new(stage.service.start(config).await);
    let (answered, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let load: Vec<_> = (0..16)
        .map(|_| {
            let (stage, origin, answered, over) =
                (Arc::clone(&stage), Arc::clone(&origin), Arc::clone(&answered), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(SeqCst) {
                    assert_eq!(told(&stage.get(&origin).await).0, 1);
                    answered.fetch_add(1, SeqCst);
                }
            })
        })
        .collect();
    let until = async |wanted: &str| {
        let begun = Instant::now();
        while told(&stage.get(&origin).await).2 != wanted {
            assert!(begun.elapsed() < PATIENCE, "no {wanted}");
        }
    };
    let more = async || {
        let (begun, goal) = (Instant::now(), answered.load(SeqCst) + 200);
        while answered.load(SeqCst) < goal {
            assert!(begun.elapsed() < PATIENCE, "the load hangs");
            tokio::task::yield_now().await;
        }
    };
    until("hit").await;
    more().await;
    redis.stop();
    until("miss").await;
    more().await;
    redis.start().await;
    until("hit").await;
    more().await;
    redis.freeze().await;
    until("miss").await;
    more().await;
    redis.thaw();
    until("hit").await;
    more().await;
    over.store(true, SeqCst);
    for one in load {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn a_server_starts_without_its_redis_and_not_with_a_url_that_is_none() {
    let mut redis = own_redis().await;
    redis.stop();
    let stage = Stage::set().await;
    let origin = stage.service.start(stage.config(Some(&redis))).await;
    for _ in 0..2 {
        assert_eq!(told(&stage.get(&origin).await), seen(1, "2026-01-01", "miss"));
    }
    for bad in ["localhost:6379", "http://:secret@localhost", "redis://"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = Config { redis_url: Some(bad.to_owned()), ..stage.config(None) };
        let error = Server::open(config, listener).await.unwrap_err();
        assert!(matches!(error, Error::BadRedisUrl(_)), "{bad}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
