//! Loading and serving: which mode a server runs in, who may change it, and what a crash leaves.

use cluster::{Cluster, Error, Mode, Options};
use nix::sys::signal::Signal;
use sqlx::Executor;
use sqlx::postgres::PgConnection;

use crate::support::{Holder, Home, ask, connect, signal, until};

const LEVEL: &str = "SELECT current_setting('wal_level')";

fn loading(home: &Home) -> Options {
    Options { mode: Mode::Loading, ..home.options() }
}

async fn level(cluster: &Cluster) -> String {
    ask(&cluster.url("postgres"), LEVEL).await
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.expect(sql);
}

/// Bytes of log that the server has written by now.
async fn wal_bytes(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
        .fetch_one(connection)
        .await
        .expect("a position")
}

#[tokio::test]
async fn a_fresh_start_runs_in_the_mode_that_was_asked_for() {
    let home = Home::new();
    for (options, mode, level_of_mode) in
        [(loading(&home), Mode::Loading, "minimal"), (home.options(), Mode::Serving, "replica")]
    {
        let cluster = Cluster::start(&options).await.expect("a start");
        assert_eq!(cluster.mode(), mode);
        assert_eq!(cluster.is_loading(), mode == Mode::Loading);
        assert_eq!(level(&cluster).await, level_of_mode);
        assert!(!cluster.notes().iter().any(|note| note.contains("wal_level")), "{:?}", cluster.notes());
        // Durability is the same in both.
        for setting in ["SHOW fsync", "SHOW full_page_writes", "SHOW synchronous_commit", "SHOW autovacuum"] {
            assert_eq!(ask(&cluster.url("postgres"), setting).await, "on", "{setting}");
        }
        cluster.release().await.expect("an end");
    }
}

#[tokio::test]
async fn a_table_emptied_and_filled_in_one_transaction_is_not_logged_while_loading() {
    const ROWS: &str =
        "BEGIN; TRUNCATE filled; INSERT INTO filled SELECT n FROM generate_series(1, 100000) AS n; COMMIT";
    let home = Home::new();
    let mut logged = Vec::new();
    for mode in [Mode::Serving, Mode::Loading] {
        let cluster = Cluster::start(&Options { mode, ..home.options() }).await.expect("a start");
        let mut connection = connect(&cluster.url("postgres")).await;
        run(&mut connection, "CREATE TABLE IF NOT EXISTS filled (n bigint)").await;
        let before = wal_bytes(&mut connection).await;
        run(&mut connection, ROWS).await;
        run(&mut connection, "CREATE INDEX ON filled (n)").await;
        logged.push(wal_bytes(&mut connection).await - before);
        drop(connection);
        cluster.release().await.expect("an end");
    }
    // 100,000 rows are 3.5 MB of table and 2 MB of index.
    assert!(logged[0] > 5_000_000 && logged[1] < 500_000, "{logged:?}");
}

#[tokio::test]
async fn who_joins_gets_the_running_mode_and_is_told() {
    let home = Home::new();
    let serving = Cluster::start(&home.options()).await.expect("a start");
    let loader = Cluster::start(&loading(&home)).await.expect("the same server");
    assert_eq!((loader.mode(), level(&loader).await.as_str()), (Mode::Serving, "replica"));
    let said = "PostgreSQL is in use by another process, so it keeps wal_level replica: loading takes longer";
    assert!(loader.notes().iter().any(|note| note == said), "{:?}", loader.notes());
    serving.release().await.expect("an end");
    loader.release().await.expect("an end");

    let loader = Cluster::start(&loading(&home)).await.expect("a start");
    let second = Cluster::start(&loading(&home)).await.expect("the same server");
    assert!(second.is_loading() && !second.notes().iter().any(|note| note.contains("wal_level")));
    let serving = Cluster::start(&home.options()).await.expect("the same server");
    assert_eq!((serving.mode(), level(&serving).await.as_str()), (Mode::Loading, "minimal"));
    assert!(
        serving.notes().iter().any(|note| note.contains("wal_level minimal, for another process that loads"))
    );
    for cluster in [second, serving, loader] {
        cluster.release().await.expect("an end");
    }
}

#[tokio::test]
async fn a_restart_changes_the_mode_and_keeps_data_and_address() {
    let home = Home::new();
    let cluster = Cluster::start(&loading(&home)).await.expect("a start");
    let url = cluster.url("postgres");
    let mut connection = connect(&url).await;
    run(
        &mut connection,
        "CREATE TABLE kept (n bigint);
         BEGIN; TRUNCATE kept; INSERT INTO kept SELECT n FROM generate_series(1, 50000) AS n; COMMIT",
    )
    .await;
    let pid = home.pid().await;
    let cluster = cluster.restart(Mode::Serving).await.expect("a restart, although a connection is open");
    assert_ne!(home.pid().await, pid);
    assert_eq!((cluster.mode(), level(&cluster).await.as_str()), (Mode::Serving, "replica"));
    assert_eq!(cluster.url("postgres"), url);
    assert_eq!(ask(&url, "SELECT count(*)::text FROM kept").await, "50000");

    let pid = home.pid().await;
    let cluster = cluster.restart(Mode::Serving).await.expect("nothing to do");
    assert_eq!(home.pid().await, pid);
    let cluster = cluster.restart(Mode::Loading).await.expect("and back");
    assert_eq!(level(&cluster).await, "minimal");
    assert_eq!(ask(&url, "SELECT count(*)::text FROM kept").await, "50000");
    assert_eq!(home.status().await.users, [std::process::id()]);
    cluster.release().await.expect("an end");
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn a_server_that_another_process_uses_is_not_restarted_under_it() {
    let home = Home::new();
    let cluster = Cluster::start(&loading(&home)).await.expect("a start");
    let other = Holder::start(&home);
    let pid = home.pid().await;
    let mut connection = connect(&other.url).await;
    let cluster = cluster.restart(Mode::Serving).await.expect("it goes on as it is");
    assert_eq!(home.pid().await, pid);
    assert!(cluster.is_loading());
    assert!(
        cluster.notes().iter().any(|note| note.contains("wal_level minimal, for another process that loads"))
    );
    connection.execute("SELECT 1").await.expect("the connection of the other is still there");
    let mut users = [std::process::id(), other.pid()];
    users.sort_unstable();
    assert_eq!(home.status().await.users, users);

    other.kill(Signal::SIGKILL);
    let cluster = cluster.restart(Mode::Serving).await.expect("nobody is in the way now");
    assert_eq!(level(&cluster).await, "replica");
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn of_two_loaders_the_last_one_gets_the_restart() {
    let home = Home::new();
    let mut holders: Vec<Holder> = ["first", "second"]
        .map(|_| Holder::begin_with(&home, &["loading"]))
        .into_iter()
        .map(Holder::ready)
        .collect();
    // Both at once: whoever comes second finds the first one using the server again.
    holders.iter_mut().for_each(Holder::begin_restart);
    holders.iter_mut().for_each(Holder::restarted);
    for holder in &holders {
        assert_eq!(ask(&holder.url, LEVEL).await, "minimal");
    }
    assert_eq!(home.status().await.users.len(), 2);
    let mut last = holders.pop().expect("two");
    holders.pop().expect("one").finish();
    last.begin_restart();
    last.restarted();
    assert_eq!(ask(&last.url, LEVEL).await, "replica");
    last.finish();
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn a_process_killed_in_its_restart_leaves_a_server_that_the_next_start_can_use() {
    let home = Home::new();
    let mut connection = None;
    for _ in 0..4 {
        let mut holder = Holder::ready(Holder::begin_with(&home, &["loading"]));
        let pid = home.pid().await;
        let mut first = connect(&holder.url).await;
        run(&mut first, "CREATE TABLE IF NOT EXISTS kept AS SELECT 'a row' AS what").await;
        connection = Some(first);
        holder.begin_restart();
        // Somewhere between the end of the old server and the answer of the new one.
        until("the old server to go", async || home.status().await.pid != Some(pid)).await;
        holder.kill(Signal::SIGKILL);
        let cluster = Cluster::start(&home.options()).await.expect("a start");
        assert_eq!(level(&cluster).await, "replica");
        assert_eq!(ask(&cluster.url("postgres"), "SELECT what FROM kept").await, "a row");
        cluster.release().await.expect("an end");
        assert!(!home.status().await.running);
    }
    drop(connection);
}

#[tokio::test]
async fn a_server_that_stays_keeps_its_mode_and_is_never_left_loading() {
    let home = Home::new();
    let loader = Cluster::start(&loading(&home)).await.expect("a start");
    let stay = Options { stay: true, ..home.options() };
    let refusal = Cluster::start(&stay).await.expect_err("it would stay in this mode");
    assert!(matches!(refusal, Error::Loading { .. }), "{refusal}");
    assert!(!home.status().await.staying);
    loader.release().await.expect("an end");
    assert!(!home.status().await.running);

    Cluster::start(&stay).await.expect("a start").release().await.expect("no wait");
    let pid = home.pid().await;
    let loader = Cluster::start(&loading(&home)).await.expect("the same server");
    assert!(!loader.is_loading());
    assert!(loader.notes().iter().any(|note| note.contains("`callbench db stop`")), "{:?}", loader.notes());
    let loader = loader.restart(Mode::Loading).await.expect("it goes on as it is");
    assert_eq!((loader.mode(), home.pid().await), (Mode::Serving, pid));
    loader.release().await.expect("an end");
    assert!(cluster::stop(&stay).await.expect("a stop"));
}

#[tokio::test]
async fn a_refusal_to_stay_names_the_process_that_loads() {
    let home = Home::new();
    let loader = Holder::ready(Holder::begin_with(&home, &["loading"]));
    let refusal = Cluster::start(&Options { stay: true, ..home.options() }).await.expect_err("a refusal");
    let text = refusal.to_string();
    assert!(text.starts_with(&format!("another process ({}) loads rows", loader.pid())), "{text}");
    loader.finish();
}

/// Everything of the server at once, as when the machine loses its power: the postmaster, and then its other processes
/// without the time to do anything in order.
async fn crash(home: &Home, backends: &[i32]) {
    signal(home.pid().await, Signal::SIGKILL);
    for backend in backends {
        signal(backend.unsigned_abs(), Signal::SIGKILL);
    }
    home.until_stopped().await;
}

/// The processes of the server that can be told from inside.
async fn processes(connection: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar("SELECT pid FROM pg_stat_activity").fetch_all(connection).await.expect("processes")
}

#[tokio::test]
async fn a_crash_while_a_table_is_filled_leaves_its_old_rows_and_one_after_that_its_new_rows() {
    let home = Home::new();
    let cluster = Cluster::start(&loading(&home)).await.expect("a start");
    let mut connection = connect(&cluster.url("postgres")).await;
    run(
        &mut connection,
        "CREATE TABLE filled (n bigint PRIMARY KEY);
         INSERT INTO filled SELECT n FROM generate_series(1, 1000) AS n;
         CREATE TABLE done (n bigint);
         BEGIN;
         TRUNCATE done;
         INSERT INTO done SELECT n FROM generate_series(1, 200000) AS n;
         COMMIT;
         CREATE INDEX done_n ON done (n)",
    )
    .await;
    run(
        &mut connection,
        "BEGIN; TRUNCATE filled; INSERT INTO filled SELECT n FROM generate_series(5000, 300000) AS n",
    )
    .await;
    let backends = processes(&mut connection).await;
    crash(&home, &backends).await;
    drop(connection);
    // The handle of before still counts as a user, as that of any process whose server has crashed.
    let recovered = Cluster::start(&home.options()).await.expect("a recovery in the other mode");
    assert_eq!(level(&recovered).await, "replica");
    let url = recovered.url("postgres");
    assert_eq!(ask(&url, "SELECT count(*) || ' to ' || max(n) FROM filled").await, "1000 to 1000");
    assert_eq!(ask(&url, "SELECT count(*) || ' to ' || max(n) FROM done").await, "200000 to 200000");
    let by_index = "SELECT set_config('enable_seqscan', 'off', false) || count(*)
                    FROM (SELECT FROM done WHERE n BETWEEN 1000 AND 1999) AS found";
    assert_eq!(ask(&url, by_index).await, "off1000");
    let mut connection = connect(&url).await;
    run(&mut connection, "INSERT INTO filled VALUES (1001)").await;
    drop(connection);
    recovered.release().await.expect("an end");
    cluster.release().await.expect("an end");
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn modes_may_change_over_a_crash_in_either_direction() {
    let home = Home::new();
    let mut holder = Holder::start(&home);
    let mut connection = connect(&holder.url).await;
    run(&mut connection, "CREATE TABLE counted (mode text)").await;
    for (round, next) in [["loading"].as_slice(), &[], &["loading"], &[]].into_iter().enumerate() {
        run(&mut connection, "INSERT INTO counted VALUES (current_setting('wal_level'))").await;
        let backends = processes(&mut connection).await;
        crash(&home, &backends).await;
        holder.kill(Signal::SIGKILL);
        holder = Holder::ready(Holder::begin_with(&home, next));
        connection = connect(&holder.url).await;
        assert_eq!(ask(&holder.url, LEVEL).await, if round % 2 == 0 { "minimal" } else { "replica" });
    }
    let counted = "SELECT string_agg(mode, ' ') FROM counted";
    assert_eq!(ask(&holder.url, counted).await, "replica minimal replica minimal");
    holder.finish();
}

#[tokio::test]
async fn what_needs_the_log_gets_it_and_loading_is_said_to_take_longer() {
    let home = Home::new();
    for (set, reset) in [
        ("SELECT pg_create_physical_replication_slot('kept')", "SELECT pg_drop_replication_slot('kept')"),
        ("ALTER SYSTEM SET archive_mode = 'on'", "ALTER SYSTEM RESET archive_mode"),
        ("ALTER SYSTEM SET max_wal_senders = 3", "ALTER SYSTEM RESET max_wal_senders"),
    ] {
        let cluster = Cluster::start(&home.options()).await.expect("a start");
        run(&mut connect(&cluster.url("postgres")).await, set).await;
        cluster.release().await.expect("an end");

        let cluster = Cluster::start(&loading(&home)).await.expect("a start in spite of it");
        assert_eq!((cluster.mode(), level(&cluster).await.as_str()), (Mode::Serving, "replica"), "{set}");
        let said = cluster.notes().iter().any(|note| note.contains("need wal_level replica"));
        assert!(said, "{set}: {:?}", cluster.notes());
        run(&mut connect(&cluster.url("postgres")).await, reset).await;
        cluster.release().await.expect("an end");
    }
}

#[tokio::test]
async fn a_mode_that_was_set_by_hand_is_told_as_it_is() {
    let home = Home::new();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let mut connection = connect(&cluster.url("postgres")).await;
    run(&mut connection, "ALTER SYSTEM SET wal_level = 'minimal'").await;
    run(&mut connection, "ALTER SYSTEM SET max_wal_senders = 0").await;
    drop(connection);
    cluster.release().await.expect("an end");
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    assert!(cluster.is_loading());
    assert!(cluster.notes().iter().any(|note| note.contains("RESET wal_level")), "{:?}", cluster.notes());
    cluster.release().await.expect("an end");
}
