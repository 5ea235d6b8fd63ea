//! The probes against a real PostgreSQL in which something happens.
//!
//! A sampler looks once when it starts and once when it finishes, so no test waits for the clock. Backends are told to
//! hand in their counters at once, which they would do within seconds by themselves.

use std::time::{Duration, Instant};

use cluster::testing::{self, TestDatabase};
use loadgen::probes::{CpuMeter, Findings, Sampler, Watched, postmaster_pid};
use reports::run::{DatabaseSample, Probes};
use sqlx::{Connection as _, PgConnection};

/// Longer than any test, so that only the first and the last sample are taken.
const NEVER: Duration = Duration::from_hours(1);

async fn start(url: &str, period: Duration) -> Sampler {
    let watched =
        Watched { subject: "live".into(), database_url: Some(url.to_owned()), meter: CpuMeter::default() };
    Sampler::start(vec![watched], Instant::now(), period).await
}

async fn connect(database: &TestDatabase) -> PgConnection {
    PgConnection::connect(database.url()).await.unwrap()
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn hand_in_counters(connection: &mut PgConnection) {
    run(connection, "SELECT pg_stat_force_next_flush()").await;
}

async fn pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.unwrap()
}

/// Asks until the answer is there.
async fn until_some<T>(connection: &mut PgConnection, sql: &'static str, about: &str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
{
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found: Option<T> =
            sqlx::query_scalar(sql).bind(about).fetch_optional(&mut *connection).await.unwrap();
        if let Some(found) = found {
            return found;
        }
        assert!(Instant::now() < deadline, "never seen: {sql}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_somebody_waits(connection: &mut PgConnection, database: &TestDatabase) -> i32 {
    let waiting = "SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
                   WHERE a.datname = $1 AND a.wait_event_type = 'Lock' AND l.waitstart IS NOT NULL";
    until_some(connection, waiting, database.name()).await
}

fn only(findings: Findings) -> Probes {
    let [probes] = <[Probes; 1]>::try_from(findings.probes).unwrap();
    probes
}

fn first_and_last(probes: &Probes) -> (&DatabaseSample, &DatabaseSample) {
    assert_eq!(probes.database.len(), 2, "one at the start and one at the end");
    (&probes.database[0], &probes.database[1])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_waits_is_seen_with_its_blocker_and_its_table() {
    let database = testing::database("probes_blocked").await;
    let (mut holder, mut watcher) = (connect(&database).await, connect(&database).await);
    run(
        &mut holder,
        "CREATE TABLE seat (id int PRIMARY KEY, taken bool); INSERT INTO seat VALUES (1, false)",
    )
    .await;
    run(&mut holder, "BEGIN; UPDATE seat SET taken = true WHERE id = 1").await;
    let mut waiter = connect(&database).await;
    let (holder_pid, waiter_pid) = (pid(&mut holder).await, pid(&mut waiter).await);
    let waiting =
        tokio::spawn(async move { run(&mut waiter, "UPDATE seat  SET taken = false WHERE id = 1").await });
    assert_eq!(until_somebody_waits(&mut watcher, &database).await, waiter_pid);

    let sampler = start(database.url(), NEVER).await;
    run(&mut holder, "ROLLBACK").await;
    waiting.await.unwrap();
    let probes = only(sampler.finish().await);

    let (blocked, free) = first_and_last(&probes);
    let states = blocked.sessions.unwrap().states.unwrap();
    assert_eq!((states.active, states.idle_in_transaction, states.waiting_for_lock), (1, 1, 1), "{states:?}");
    assert!(states.longest_lock_wait_ms.unwrap() > 0.0);
    assert_eq!(blocked.sessions.unwrap().connections, 3, "without the probe's own");
    let states = free.sessions.unwrap().states.unwrap();
    assert_eq!((states.waiting_for_lock, states.longest_lock_wait_ms), (0, None));

    let worst = probes.worst_wait.unwrap();
    assert_eq!((worst.waiting, worst.waits.len()), (1, 1));
    let wait = &worst.waits[0];
    assert_eq!((wait.waiting_pid, wait.blocking_pid), (waiter_pid, holder_pid));
    assert_eq!((wait.lock.as_str(), wait.mode.as_str()), ("transactionid", "ShareLock"));
    assert_eq!(wait.relation.as_deref(), Some("seat"));
    assert_eq!(wait.waiting_statement.as_deref(), Some("UPDATE seat SET taken = false WHERE id = 1"));
    assert_eq!(wait.blocking_state.as_deref(), Some("idle in transaction"));
    assert!(wait.blocking_statement.as_deref().unwrap().contains("SELECT pg_backend_pid()"), "{wait:?}");
    let looks = probes.costs.iter().find(|cost| cost.probe == "pg_locks").unwrap().readings;
    assert_eq!(looks, 1, "nobody is asked who blocks when nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_counted() {
    let database = testing::database("probes_deadlock").await;
    let (mut one, mut two) = (connect(&database).await, connect(&database).await);
    let mut watcher = connect(&database).await;
    run(&mut watcher, "CREATE TABLE seat (id int PRIMARY KEY, taken bool); INSERT INTO seat VALUES (1), (2)")
        .await;
    let sampler = start(database.url(), NEVER).await;

    // Whoever looks for deadlocks first is the one that gives way.
    run(&mut one, "SET deadlock_timeout = '1h'; BEGIN; UPDATE seat SET taken = true WHERE id = 1").await;
    run(&mut two, "SET deadlock_timeout = '1ms'; BEGIN; UPDATE seat SET taken = true WHERE id = 2").await;
    let waiting =
        tokio::spawn(async move { run(&mut one, "UPDATE seat SET taken = true WHERE id = 2; COMMIT").await });
    until_somebody_waits(&mut watcher, &database).await;
    let error = sqlx::query("UPDATE seat SET taken = true WHERE id = 1").execute(&mut two).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("40P01"));
    run(&mut two, "ROLLBACK").await;
    hand_in_counters(&mut two).await;
    waiting.await.unwrap();

    let probes = only(sampler.finish().await);
    let (before, after) = first_and_last(&probes);
    assert_eq!(after.activity.unwrap().deadlocks - before.activity.unwrap().deadlocks, 1);
    assert!(after.activity.unwrap().rollbacks > before.activity.unwrap().rollbacks);
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_are_heap_only_unless_they_touch_an_index() {
    let database = testing::database("probes_hot").await;
    let mut connection = connect(&database).await;
    run(
        &mut connection,
        "CREATE TABLE seat (id int PRIMARY KEY, place int, note int) WITH (fillfactor = 10, autovacuum_enabled = off);
         CREATE INDEX ON seat (place); INSERT INTO seat SELECT n, n, n FROM generate_series(1, 100) n",
    )
    .await;
    hand_in_counters(&mut connection).await;
    for (sql, hot) in [("UPDATE seat SET note = note + 1", 100), ("UPDATE seat SET place = place + 1", 0)] {
        let sampler = start(database.url(), NEVER).await;
        run(&mut connection, sql).await;
        hand_in_counters(&mut connection).await;
        let probes = only(sampler.finish().await);
        let (before, after) = first_and_last(&probes);
        let (before, after) = (before.tables.unwrap(), after.tables.unwrap());
        assert_eq!(after.updated - before.updated, 100, "{sql}");
        assert_eq!(after.hot_updated - before.hot_updated, hot, "{sql}");
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int4")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(after.moved.is_some(), version >= 160_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wal_grows_by_what_was_written() {
    let database = testing::database("probes_wal").await;
    let mut connection = connect(&database).await;
    run(&mut connection, "CREATE TABLE note (words text)").await;
    hand_in_counters(&mut connection).await;
    let sampler = start(database.url(), NEVER).await;
    run(&mut connection, "INSERT INTO note SELECT repeat('x', 1000) FROM generate_series(1, 1000)").await;
    hand_in_counters(&mut connection).await;
    let probes = only(sampler.finish().await);
    let (before, after) = first_and_last(&probes);
    let (before, after) = (before.wal.unwrap(), after.wal.unwrap());
    // Other tests may write into the same cluster, so there is no upper bound.
    assert!(after.bytes - before.bytes >= 1_000_000, "{before:?} {after:?}");
    assert!(after.position_bytes - before.position_bytes >= 1_000_000, "{before:?} {after:?}");
    assert!(after.records - before.records >= 1_000, "{before:?} {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_see_others_gets_no_zeros_but_the_reason() {
    let database = testing::database("probes_rights").await;
    let mut others = connect(&database).await;
    run(&mut others, "BEGIN").await;
    // Any role without privileges will do, and this one is always there.
    let findings =
        start(&format!("{}&options[role]=pg_signal_backend", database.url()), NEVER).await.finish().await;
    let reasons: Vec<&String> =
        findings.warnings.iter().filter(|warning| warning.contains("pg_read_all_stats")).collect();
    assert_eq!(reasons.len(), 1, "{:?}", findings.warnings);
    let probes = only(findings);
    let (_, last) = first_and_last(&probes);
    let sessions = last.sessions.unwrap();
    assert_eq!((sessions.connections, sessions.states), (1, None));
    assert!(last.activity.is_some() && last.wal.is_some() && last.tables.is_some(), "{last:?}");
    assert_eq!(probes.worst_wait, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_is_a_warning_and_sampling_goes_on() {
    let database = testing::database("probes_killed").await;
    let mut killer = connect(&database).await;
    let sampler = start(database.url(), Duration::from_millis(20)).await;
    let probe =
        "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'callbench probe'";
    let pid: i32 = until_some(&mut killer, probe, database.name()).await;
    sqlx::query("SELECT pg_terminate_backend($1)").bind(pid).execute(&mut killer).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while until_some::<i32>(&mut killer, probe, database.name()).await == pid {
        assert!(Instant::now() < deadline, "it never came back");
    }
    let findings = sampler.finish().await;
    let lost: Vec<&String> =
        findings.warnings.iter().filter(|warning| warning.contains("failed and are missing")).collect();
    assert!(matches!(lost[..], [one] if one.contains("`live`")), "{:?}", findings.warnings);
    let probes = only(findings);
    assert!(probes.skipped >= 1);
    assert!(probes.database.last().unwrap().activity.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_takes_longer_than_the_period_skips_samples() {
    let database = testing::database("probes_late").await;
    let mut elsewhere = PgConnection::connect(&testing::cluster().await.url("postgres")).await.unwrap();
    let mut in_the_way = connect(&database).await;
    let started = Instant::now();
    let period = Duration::from_millis(20);
    let sampler = start(database.url(), period).await;
    run(&mut in_the_way, "BEGIN; LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE").await;
    let stuck = "SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND NOT l.granted
                 WHERE a.datname = $1 AND a.application_name = 'callbench probe' AND l.waitstart < now() - '60ms'::interval";
    until_some::<i32>(&mut elsewhere, stuck, database.name()).await;
    run(&mut in_the_way, "ROLLBACK").await;
    // It would make up for what it missed, if it did, in the periods that follow.
    let now: String =
        sqlx::query_scalar("SELECT clock_timestamp()::text").fetch_one(&mut elsewhere).await.unwrap();
    let freed = format!("{}|{now}", database.name());
    let later = "SELECT pid FROM pg_stat_activity
                 WHERE datname = split_part($1, '|', 1) AND application_name = 'callbench probe'
                   AND query_start > split_part($1, '|', 2)::timestamptz + '100ms'::interval";
    until_some::<i32>(&mut elsewhere, later, &freed).await;
    let probes = only(sampler.finish().await);
    // One at the start and one at the end have no period of their own.
    let due = started.elapsed().as_millis() / period.as_millis() + 2;
    let (taken, skipped) = (probes.database.len() as u128, u128::from(probes.skipped));
    assert!(skipped >= 2, "{skipped} of {due}");
    assert!(taken + skipped <= due, "{taken} taken and {skipped} skipped of {due}");
    assert!(probes.database.is_sorted_by(|a, b| a.at_s < b.at_s));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sampler_that_is_given_up_leaves_no_session_behind() {
    let database = testing::database("probes_given_up").await;
    let mut watcher = connect(&database).await;
    let sampler = start(database.url(), Duration::from_millis(5)).await;
    let probe =
        "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name = 'callbench probe'";
    until_some::<i32>(&mut watcher, probe, database.name()).await;
    drop(sampler);
    let gone = "SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_stat_activity
                                           WHERE datname = $1 AND application_name = 'callbench probe')";
    until_some::<i32>(&mut watcher, gone, database.name()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn processes_of_client_and_database_are_seen_and_an_unknown_server_is_absent() {
    let database = testing::database("probes_processes").await;
    let mut busy = connect(&database).await;
    let postmaster = postmaster_pid(&mut busy).await.unwrap();
    let watched = Watched {
        subject: "live".into(),
        database_url: Some(database.url().to_owned()),
        meter: CpuMeter::new(None, postmaster),
    };
    let sampler = Sampler::start(vec![watched], Instant::now(), NEVER).await;
    run(&mut busy, "SELECT count(*) FROM generate_series(1, 2000000)").await;
    busy.close().await.unwrap();
    let findings = sampler.finish().await;
    assert_eq!(findings.warnings, Vec::<String>::new());
    let probes = only(findings);
    let (first, last) = (probes.processes[0], probes.processes[probes.processes.len() - 1]);
    assert_eq!(last.server, None);
    let (before, after) = (first.database.unwrap(), last.database.unwrap());
    assert!(after.cpu_s - before.cpu_s >= 0.02, "{before:?} {after:?}");
    assert!(before.processes > 3, "{before:?}");
    assert!(after.voluntary_switches > 0, "{after:?}");
    assert!(last.client.unwrap().resident_bytes > 1 << 20);
    assert!(probes.costs.iter().any(|cost| cost.probe == "/proc" && cost.own_ms > 0.0), "{:?}", probes.costs);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn memory_that_processes_of_the_database_share_is_counted_once() {
    let database = testing::database("probes_memory").await;
    let mut sessions = Vec::new();
    for _ in 0..8 {
        sessions.push(connect(&database).await);
    }
    let postmaster = postmaster_pid(&mut sessions[0]).await.unwrap();
    let watched =
        Watched { subject: "live".into(), database_url: None, meter: CpuMeter::new(None, postmaster) };
    let probes = only(Sampler::start(vec![watched], Instant::now(), NEVER).await.finish().await);
    let seen = probes.processes.last().unwrap().database.unwrap();
    // The other meter adds up what each process has resident, its own or not.
    let added_up = CpuMeter::new(postmaster, None).read().server_rss_bytes.unwrap();
    assert!(seen.processes > 8 && seen.resident_bytes > 1 << 20, "{seen:?}");
    assert!(seen.resident_bytes < added_up / 4 * 3, "{seen:?} of {added_up}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_there_are_no_samples_of_one() {
    let watched = Watched { subject: "target".into(), database_url: None, meter: CpuMeter::default() };
    let findings = Sampler::start(vec![watched], Instant::now(), NEVER).await.finish().await;
    assert_eq!(findings.warnings, Vec::<String>::new());
    let probes = only(findings);
    assert!(probes.database.is_empty() && probes.worst_wait.is_none());
    assert!(probes.costs.iter().all(|cost| cost.probe == "/proc"), "{:?}", probes.costs);
}
