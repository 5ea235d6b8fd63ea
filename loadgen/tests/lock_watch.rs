//! The lock monitor beside two sessions that wait for each other on purpose.

use std::time::{Duration, Instant};

use cluster::testing;
use loadgen::probes::{Kept, LockWatch};
use reports::labs::locks::Watch;
use reports::run::BlockedMoment;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_mins(1);
const PERIOD: Duration = Duration::from_millis(20);

/// A session with a name of its own, and its process.
async fn session(url: &str, name: &str) -> (PgConnection, i32) {
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    let mut session = PgConnection::connect_with(&options.application_name(name)).await.unwrap();
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut session).await.unwrap();
    (session, pid)
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// A database with two seats, the first taken by a transaction that stays open, and somebody who waits for it.
struct Scene {
    database: testing::TestDatabase,
    holder: PgConnection,
    holder_pid: i32,
    waiter_pid: i32,
    waiter: JoinHandle<()>,
}

async fn scene(name: &str) -> Scene {
    let database = testing::database(name).await;
    let (mut holder, holder_pid) = session(database.url(), "the holder").await;
    run(&mut holder, "CREATE TABLE seat (id int PRIMARY KEY, taken bool); INSERT INTO seat VALUES (1), (2)")
        .await;
    run(&mut holder, "BEGIN; UPDATE seat SET taken = true WHERE id = 1").await;
    let (mut waiter, waiter_pid) = session(database.url(), "the waiter").await;
    let waiter = tokio::spawn(async move {
        run(&mut waiter, "UPDATE seat\n   SET taken = false\n WHERE id = 1").await;
    });
    Scene { database, holder, holder_pid, waiter_pid, waiter }
}

/// Watches until somebody waits for longer than a moment; gives the look, and the watch, which goes on.
async fn until_seen(url: &str) -> (BlockedMoment, CancellationToken, JoinHandle<Watch>) {
    let (saw, mut seen) = mpsc::unbounded_channel();
    let done = CancellationToken::new();
    let watch = LockWatch::open(url, PERIOD, Kept::Strip).await.unwrap();
    let watching = tokio::spawn(watch.run(done.clone(), move |moment| {
        let _ = saw.send(moment.clone());
    }));
    let looking = async {
        loop {
            let moment = seen.recv().await.expect("the watch goes on");
            if moment.waits.iter().any(|wait| wait.waited_ms.is_some()) {
                return moment;
            }
        }
    };
    let moment = tokio::time::timeout(PATIENCE, looking).await.expect("nobody was seen to wait");
    (moment, done, watching)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_is_seen_with_its_sessions_its_lock_and_its_table() {
    let mut scene = scene("watch_wait").await;
    let (moment, done, watching) = until_seen(scene.database.url()).await;
    assert_eq!((moment.waiting, moment.waits.len()), (1, 1), "{moment:?}");
    let wait = &moment.waits[0];
    assert_eq!((wait.waiting_pid, wait.blocking_pid), (scene.waiter_pid, scene.holder_pid));
    assert_eq!((wait.lock.as_str(), wait.mode.as_str()), ("transactionid", "ShareLock"));
    assert_eq!(wait.relation.as_deref(), Some("seat"));
    assert_eq!(wait.waiting_application.as_deref(), Some("the waiter"));
    assert_eq!(wait.blocking_application.as_deref(), Some("the holder"));
    assert_eq!(wait.waiting_statement.as_deref(), Some("UPDATE seat SET taken = false WHERE id = 1"));
    assert_eq!(wait.blocking_state.as_deref(), Some("idle in transaction"));
    assert!(
        wait.waiting_since.is_some()
            && wait.waiting_user.is_some()
            && wait.waiting_user == wait.blocking_user
    );

    run(&mut scene.holder, "COMMIT").await;
    scene.waiter.await.unwrap();
    done.cancel();
    let watch = watching.await.unwrap();
    assert_eq!((watch.waits, watch.deadlocks), (1, Some(0)), "one wait, in however many looks");
    assert!(watch.looks >= watch.looks_with_waits && watch.looks_with_waits > 0, "{watch:?}");
    assert!(watch.longest_ms > Some(0.0) && watch.hidden.is_empty(), "{watch:?}");
    let worst = watch.worst.unwrap();
    assert_eq!((worst.waiting, worst.waits[0].waiting_pid), (1, scene.waiter_pid));
    assert!(watch.strip.iter().any(|look| look.waiting == 1));
    let probes: Vec<&str> = watch.costs.iter().map(|cost| cost.probe.as_str()).collect();
    assert_eq!(probes, ["pg_stat_activity", "pg_locks"]);
    assert!(watch.costs[0].readings > 0 && watch.costs[0].own_ms > 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_rights_sees_who_waits_and_is_told_what_is_hidden() {
    let mut scene = scene("watch_rights").await;
    // Any role without privileges will do, and this one is always there.
    let url = format!("{}&options[role]=pg_signal_backend", scene.database.url());
    let (moment, done, watching) = until_seen(&url).await;
    let wait = &moment.waits[0];
    assert_eq!((wait.waiting_pid, wait.blocking_pid), (scene.waiter_pid, scene.holder_pid));
    assert_eq!(
        (&wait.waiting_statement, &wait.blocking_statement, &wait.blocking_state),
        (&None, &None, &None)
    );
    run(&mut scene.holder, "COMMIT").await;
    scene.waiter.await.unwrap();
    done.cancel();
    let hidden = watching.await.unwrap().hidden;
    assert!(matches!(&hidden[..], [one] if one.contains("pg_read_all_stats")), "{hidden:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_meanwhile_is_counted_and_a_wait_that_goes_on_is_one() {
    let mut scene = scene("watch_deadlock").await;
    let (_, done, watching) = until_seen(scene.database.url()).await;
    // The holder takes the second seat from somebody who has it and waits for the first.
    let (mut third, _) = session(scene.database.url(), "the third").await;
    run(&mut third, "SET deadlock_timeout = '1h'; BEGIN; UPDATE seat SET taken = true WHERE id = 2").await;
    run(&mut scene.holder, "SET deadlock_timeout = '1ms'").await;
    let third =
        tokio::spawn(
            async move { run(&mut third, "UPDATE seat SET taken = true WHERE id = 1; COMMIT").await },
        );
    let (mut other, _) = session(scene.database.url(), "other").await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut other)
        .await
        .unwrap();
        if waiting == 2 {
            break;
        }
        assert!(Instant::now() < deadline, "{waiting} wait");
    }
    let error = sqlx::query("UPDATE seat SET taken = true WHERE id = 2")
        .execute(&mut scene.holder)
        .await
        .unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("40P01"));
    run(&mut scene.holder, "ROLLBACK").await;
    third.await.unwrap();
    scene.waiter.await.unwrap();
    // It hands in what it counted with its end.
    scene.holder.close().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    while sqlx::query_scalar::<_, i64>(counted).fetch_one(&mut other).await.unwrap() == 0 {
        assert!(Instant::now() < deadline, "nothing was handed in");
    }
    done.cancel();
    assert_eq!(watching.await.unwrap().deadlocks, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_last_look_that_fails_is_told_with_its_reason() {
    let database = testing::database("watch_gone").await;
    let watch = LockWatch::open(database.url(), PERIOD, Kept::Summary).await.unwrap();
    cluster::databases::drop(database.url()).await.unwrap();
    let done = CancellationToken::new();
    done.cancel();
    let watch = watch.run(done, |_| {}).await;
    assert_eq!(watch.deadlocks, None);
    let told = |hidden: &String| hidden.starts_with("The deadlocks could not be counted in the end: ");
    assert!(matches!(&watch.hidden[..], [one] if told(one)), "{:?}", watch.hidden);
}
