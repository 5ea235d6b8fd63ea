//! The loader: any number of connections, any level, interrupted, repeated, refused.

use std::collections::HashSet;

use crate::support::{Listener, as_of, connect, connections, load, number, read_back, schema, spec};

use cluster::{Cluster, databases, testing};
use datagen::{Error, Grain, LoadedTable, Options, Scale, Seeded, Spec, Table};
use migrations::Level;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Connection as _;

async fn migrated(url: &str, level: Level) -> Vec<String> {
    let mut conn = connect(url).await;
    migrations::migrate(&mut conn, url, level, &mut |_| {}).await.unwrap();
    schema(&mut conn).await
}

#[tokio::test]
async fn one_and_eight_connections_load_the_same_rows() {
    let (one, eight) = tokio::join!(testing::database("one"), testing::database("eight"));
    let by_one = load(one.url(), &spec(), Level::Optimized, &connections(1)).await;
    let by_eight = load(eight.url(), &spec(), Level::Optimized, &connections(8)).await;
    assert_eq!(by_one.tables, by_eight.tables);
    assert_eq!(by_one.tables.len(), Table::ALL.len());
    let mut conn = connect(eight.url()).await;
    for (table, loaded) in Table::ALL.into_iter().zip(&by_one.tables) {
        let (rows, checksum) = read_back(&mut conn, table).await;
        assert_eq!((rows, format!("{:016x}", checksum.0)), (loaded.rows, loaded.checksum.clone()), "{table}");
    }
}

#[tokio::test]
async fn another_seed_gives_other_rows() {
    let database = testing::database("seeds").await;
    let tiny = |seed| Spec::of(Scale::Tiny, seed, as_of());
    let first = load(database.url(), &tiny(1), Level::Before, &connections(2)).await;
    let drop = Options { drop: true, ..connections(2) };
    let second = load(database.url(), &tiny(2), Level::Before, &drop).await;
    for (first, second) in first.tables.iter().zip(&second.tables) {
        assert_ne!(first.checksum, second.checksum, "{}", first.table);
    }
}

#[tokio::test]
async fn values_stay_what_they_are_for_ever() {
    let database = testing::database("golden").await;
    let present =
        load(database.url(), &Spec::of(Scale::Tiny, 1, as_of()), Level::Optimized, &connections(2)).await;
    let found: Vec<String> = present
        .tables
        .iter()
        .map(|table| format!("{} {} {}", table.table, table.rows, table.checksum))
        .collect();
    assert_eq!(found, GOLDEN, "if the change is meant, the version of the data set has to grow");
}

/// Table, rows, checksum.
const GOLDEN: [&str; 12] = [
    "workspace 21 07de8b3fdc4726ac",
    "employee 85 cacfb025afc5ff82",
    "app_user 108 9ee409a541cb5343",
    "user_workspace 128 72c9601da3156323",
    "auth_token 108 d8d11df8606add88",
    "label 392 6a25ef0bc4487ece",
    "call_campaign 84 90c075b354d05deb",
    "customer 4000 69c239eadb0366fd",
    "customer_label 4380 06a4505f4bd33e36",
    "call_campaign_customer 2540 2e2a4bf197a7defc",
    "call 30000 09660665b5d11157",
    "customer_call_stats 3637 5c31fd035a1c46ad",
];

#[tokio::test]
async fn the_schema_is_the_same_after_the_load_at_every_level() {
    for level in [Level::Before, Level::Indexed, Level::Optimized] {
        let database = testing::database("schema").await;
        let before = migrated(database.url(), level).await;
        load(database.url(), &Spec::of(Scale::Tiny, 1, as_of()), level, &connections(3)).await;
        let mut conn = connect(database.url()).await;
        assert_eq!(schema(&mut conn).await, before, "{level}");
        assert_eq!(migrations::level(&mut conn).await.unwrap(), Some(level));
    }
}

#[tokio::test]
async fn an_index_of_the_users_own_comes_back_with_its_comment() {
    let database = testing::database("own_index").await;
    migrated(database.url(), Level::Before).await;
    let mut conn = connect(database.url()).await;
    sqlx::raw_sql(
        "CREATE INDEX \"my Index\" ON call (lower(status) DESC) INCLUDE (duration) WITH (fillfactor = 70)
             WHERE status <> 'it''s';
         COMMENT ON INDEX \"my Index\" IS 'don''t lose me'",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let before = schema(&mut conn).await;
    load(database.url(), &Spec::of(Scale::Tiny, 1, as_of()), Level::Before, &connections(2)).await;
    assert_eq!(schema(&mut conn).await, before);
}

#[tokio::test]
async fn totals_agree_with_calls_and_go_on_agreeing() {
    let database = testing::database("totals").await;
    load(database.url(), &Spec::of(Scale::Tiny, 1, as_of()), Level::Optimized, &connections(2)).await;
    let mut conn = connect(database.url()).await;
    let differing = "SELECT count(*) FROM (
            SELECT workspace_id, customer_id, count(*) AS total_calls, sum(duration_seconds) AS total_duration_seconds,
                   count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'missed'),
                   count(*) FILTER (WHERE call_type = 'campaign'),
                   sum(CASE WHEN call_type = 'campaign'
                       THEN coalesce(round(billing_rate * duration_seconds / 60, 4), 0) ELSE 0 END),
                   sum(CASE WHEN call_type = 'direct'
                       THEN coalesce(round(billing_rate * duration_seconds / 60, 4), 0) ELSE 0 END),
                   sum(CASE WHEN call_type = 'callback'
                       THEN coalesce(round(billing_rate * duration_seconds / 60, 4), 0) ELSE 0 END)
            FROM call GROUP BY 1, 2
            EXCEPT SELECT workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls,
                          missed_calls, campaign_calls, cost_campaign, cost_direct, cost_callback
            FROM customer_call_stats) AS differing";
    assert_eq!(number(&mut conn, differing).await, 0);
    assert!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await > 1_000);
    sqlx::raw_sql("DELETE FROM call WHERE id IN (SELECT id FROM call LIMIT 100)")
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(number(&mut conn, differing).await, 0);
}

#[tokio::test]
async fn what_is_there_already_is_left_alone() {
    let database = testing::database("twice").await;
    let spec = Spec::of(Scale::Tiny, 1, as_of());
    let first = load(database.url(), &spec, Level::Before, &connections(2)).await;
    let mut conn = connect(database.url()).await;
    let later = Spec::of(Scale::Tiny, 1, as_of() + chrono::TimeDelta::days(40));
    for again in [&spec, &later] {
        let listener = Listener::default();
        let seeded =
            datagen::seed(database.url(), again, Level::Before, &connections(2), &listener).await.unwrap();
        assert_eq!(seeded, Seeded::AlreadyThere(first.clone()));
        assert!(listener.heard.lock().unwrap().is_empty());
    }
    assert_eq!(datagen::present(&mut conn).await.unwrap(), Some(first));
    let exact = Options { exact_date: true, ..connections(2) };
    let refused = datagen::seed(database.url(), &later, Level::Before, &exact, &()).await.unwrap_err();
    assert!(matches!(refused, Error::OtherSpec { .. }), "{refused}");
}

/// Small, but of several chunks.
fn small() -> Spec {
    Spec { other_customers: 2_000, other_calls: 5_000, ..Spec::custom(18_000, 150_000, 6, 7, as_of()) }
}

#[tokio::test]
async fn an_interrupted_load_is_known_to_be_incomplete_and_the_next_one_loads_what_is_missing() {
    let whole = {
        let database = testing::database("whole").await;
        load(database.url(), &small(), Level::Indexed, &connections(2)).await
    };
    let rows_of = |tables: &[LoadedTable]| tables.iter().map(|table| table.rows).sum::<u64>();
    let phases = ["copy call", "copy customer", "index idx_call_workspace_created", "vacuum call"];
    for (phase, grain) in phases.into_iter().flat_map(|phase| [(phase, Grain::Chunk), (phase, Grain::Table)])
    {
        let database = testing::database("interrupted").await;
        let untouched = migrated(database.url(), Level::Indexed).await;
        let options = Options { grain, ..connections(2) };
        let listener = Listener { stop_in: Some((phase, options.stop.clone())), ..Listener::default() };
        let stopped = datagen::seed(database.url(), &small(), Level::Indexed, &options, &listener).await;
        assert!(matches!(stopped, Err(Error::Interrupted)), "{phase}: {stopped:?}");

        let mut conn = connect(database.url()).await;
        let half = datagen::present(&mut conn).await.unwrap().unwrap();
        assert!(!half.is_complete(), "{phase}");
        let refused = datagen::seed(
            database.url(),
            &Spec::of(Scale::Tiny, 9, as_of()),
            Level::Indexed,
            &connections(2),
            &(),
        )
        .await
        .unwrap_err();
        assert!(refused.to_string().contains("incomplete"), "{refused}");
        let refused = datagen::seed(database.url(), &small(), Level::Before, &connections(2), &()).await;
        assert!(matches!(refused, Err(Error::OtherLevel { .. })), "{refused:?}");

        // The next day, as another number of connections.
        let later = Spec { as_of: as_of() + chrono::TimeDelta::days(1), ..small() };
        let listener = Listener::default();
        let options = Options { grain, ..connections(3) };
        let resumed = datagen::seed(database.url(), &later, Level::Indexed, &options, &listener).await;
        let resumed = resumed.unwrap().present().clone();
        assert_eq!(resumed.tables, whole.tables, "{phase}");
        assert_eq!((resumed.attempts, resumed.spec.as_of), (2, as_of()));
        let missing = rows_of(&whole.tables) - rows_of(&half.tables);
        assert_eq!(*listener.rows.lock().unwrap(), missing, "{phase}: only what was missing is loaded");
        assert_eq!(schema(&mut conn).await, untouched, "{phase}");
        for (table, loaded) in Table::ALL.into_iter().zip(&whole.tables) {
            let (rows, checksum) = read_back(&mut conn, table).await;
            assert_eq!(
                (rows, format!("{:016x}", checksum.0)),
                (loaded.rows, loaded.checksum.clone()),
                "{phase}: {table}"
            );
        }
        assert_eq!(number(&mut conn, "SELECT count(*) FROM callbench.dataset_chunk").await, 0);
    }
}

#[tokio::test]
async fn a_load_that_broke_off_among_chunks_keeps_them_whichever_way_it_goes_on() {
    let database = testing::database("mixed").await;
    let options = connections(1);
    let listener = Listener { stop_in: Some(("copy call", options.stop.clone())), ..Listener::default() };
    let stopped = datagen::seed(database.url(), &small(), Level::Before, &options, &listener).await;
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let mut conn = connect(database.url()).await;
    // A chunk is done when its transaction is; the first may have been cut. One that is done for sure:
    let rows_before = number(&mut conn, "SELECT count(*) FROM call").await;
    let whole = Options { grain: Grain::Table, ..connections(2) };
    let resumed = load(database.url(), &small(), Level::Before, &whole).await;
    let call = resumed.tables.iter().find(|table| table.table == "call").unwrap();
    assert_eq!(call.rows, 155_000);
    assert_eq!(number(&mut conn, "SELECT count(*) FROM call").await, 155_000);
    let sent = resumed.phases.iter().find(|phase| phase.name == "copy call").unwrap().rows.unwrap();
    assert_eq!(sent + rows_before.unsigned_abs(), 155_000);
}

#[tokio::test]
async fn whole_tables_have_the_same_rows_and_frozen_ones() {
    let (chunks, whole) = tokio::join!(testing::database("chunks"), testing::database("whole"));
    let by_chunks = load(chunks.url(), &small(), Level::Optimized, &connections(3)).await;
    let options = Options { grain: Grain::Table, ..connections(3) };
    let by_tables = load(whole.url(), &small(), Level::Optimized, &options).await;
    assert_eq!(by_chunks.tables, by_tables.tables);
    for (database, is_frozen) in [(chunks, false), (whole, true)] {
        let mut conn = connect(database.url()).await;
        sqlx::raw_sql("CREATE EXTENSION pageinspect").execute(&mut conn).await.unwrap();
        // HEAP_XMIN_FROZEN, in src/include/access/htup_details.h
        let unfrozen = "SELECT count(*) FROM generate_series(0, 9) AS page,
                               heap_page_items(get_raw_page('call', page)) WHERE t_infomask & 768 <> 768";
        assert_eq!(number(&mut conn, unfrozen).await == 0, is_frozen);
    }
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_loses_nothing_that_the_ledger_has() {
    struct Killer(tokio::sync::Notify);
    impl datagen::Progress for Killer {
        fn advanced(&self, name: &str, _units: u64, _bytes: u64) {
            if name == "copy call" {
                self.0.notify_one();
            }
        }
    }
    let home = tempfile::tempdir().unwrap();
    let home = cluster::Options::new(home.path().join("home"));
    let whole = {
        let database = testing::database("unkilled").await;
        load(database.url(), &small(), Level::Before, &connections(2)).await
    };
    for grain in [Grain::Chunk, Grain::Table] {
        let server = Cluster::start(&home).await.unwrap();
        let url = server.url(if grain == Grain::Table { "whole" } else { "chunks" });
        databases::ensure(&url).await.unwrap();
        let killer = Killer(tokio::sync::Notify::new());
        let options = Options { grain, ..connections(2) };
        let kill = async {
            killer.0.notified().await;
            let pid = cluster::status(&home).await.unwrap().pid.unwrap();
            kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
        };
        let spec = small();
        let (broken, ()) = tokio::join!(datagen::seed(&url, &spec, Level::Before, &options, &killer), kill);
        let broken = broken.unwrap_err();
        assert!(matches!(broken, Error::Broken { .. }), "{broken:?}");
        drop(server);

        let server = Cluster::start(&home).await.unwrap();
        let url = server.url(if grain == Grain::Table { "whole" } else { "chunks" });
        let resumed = load(&url, &spec, Level::Before, &options).await;
        assert_eq!(resumed.tables, whole.tables);
        assert_eq!(resumed.attempts, 2);
        let mut conn = connect(&url).await;
        for (table, loaded) in Table::ALL.into_iter().zip(&whole.tables) {
            let (rows, checksum) = read_back(&mut conn, table).await;
            assert_eq!((rows, format!("{:016x}", checksum.0)), (loaded.rows, loaded.checksum.clone()));
        }
        drop(conn);
        server.release().await.unwrap();
    }
}

#[tokio::test]
async fn one_table_alone_is_loaded_and_is_another_specification() {
    let database = testing::database("only").await;
    let only = Spec { only: vec![Table::Customer], ..Spec::of(Scale::Tiny, 1, as_of()) };
    let before = migrated(database.url(), Level::Before).await;
    let present = load(database.url(), &only, Level::Before, &connections(2)).await;
    assert_eq!(present.tables.iter().map(|table| table.table.as_str()).collect::<Vec<_>>(), ["customer"]);
    let mut conn = connect(database.url()).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM customer").await, 4_000);
    assert_eq!(number(&mut conn, "SELECT count(*) FROM call").await, 0);
    assert_eq!(schema(&mut conn).await, before);
    let all = Spec::of(Scale::Tiny, 1, as_of());
    let refused = datagen::seed(database.url(), &all, Level::Before, &connections(2), &()).await.unwrap_err();
    assert!(refused.to_string().contains("only customer"), "{refused}");
}

#[tokio::test]
async fn a_database_that_holds_something_else_needs_force_and_keeps_it() {
    let database = testing::database("beside").await;
    let mut conn = connect(database.url()).await;
    sqlx::raw_sql("CREATE SCHEMA shop; CREATE TABLE shop.orders AS SELECT 1 AS id")
        .execute(&mut conn)
        .await
        .unwrap();
    let tiny = Spec::of(Scale::Tiny, 1, as_of());
    for drop in [false, true] {
        let options = Options { drop, ..connections(2) };
        let refused = datagen::seed(database.url(), &tiny, Level::Before, &options, &()).await.unwrap_err();
        assert!(matches!(&refused, Error::NotOurs { tables, .. } if tables == "shop.orders"), "{refused}");
        assert_eq!(
            number(&mut conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'callbench'").await,
            0
        );
    }
    load(database.url(), &tiny, Level::Before, &Options { force: true, ..connections(2) }).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM shop.orders").await, 1);
}

#[tokio::test]
async fn a_load_whose_connections_are_killed_says_so_and_can_be_repeated() {
    struct Killer(tokio::sync::Notify);
    impl datagen::Progress for Killer {
        fn advanced(&self, _name: &str, _units: u64, bytes: u64) {
            if bytes > 1_000_000 {
                self.0.notify_one();
            }
        }
    }
    let database = testing::database("killed").await;
    let killer = Killer(tokio::sync::Notify::new());
    let kill = async {
        killer.0.notified().await;
        let mut conn = connect(database.url()).await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'callbench seed'",
        )
        .execute(&mut conn)
        .await
        .unwrap();
    };
    let options = connections(2);
    let spec = spec();
    let (broken, ()) =
        tokio::join!(datagen::seed(database.url(), &spec, Level::Before, &options, &killer), kill);
    let broken = broken.unwrap_err();
    assert!(matches!(broken, Error::Broken { .. }), "{broken:?}");
    load(database.url(), &spec, Level::Before, &connections(2)).await;
}

#[tokio::test]
async fn another_specification_is_refused_and_named() {
    let database = testing::database("other").await;
    load(database.url(), &Spec::of(Scale::Tiny, 1, as_of()), Level::Before, &connections(2)).await;
    let other = Spec::of(Scale::Tiny, 2, as_of());
    let refused =
        datagen::seed(database.url(), &other, Level::Before, &connections(2), &()).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("seed 1") && text.contains("seed 2") && text.contains("--drop"), "{text}");
}

#[tokio::test]
async fn rows_that_somebody_else_wrote_are_not_touched() {
    let database = testing::database("not_empty").await;
    migrated(database.url(), Level::Before).await;
    let mut conn = connect(database.url()).await;
    sqlx::raw_sql("INSERT INTO workspace (slug, name) VALUES ('mine', 'Mine')")
        .execute(&mut conn)
        .await
        .unwrap();
    let before = schema(&mut conn).await;
    let tiny = Spec::of(Scale::Tiny, 1, as_of());
    let refused =
        datagen::seed(database.url(), &tiny, Level::Indexed, &connections(2), &()).await.unwrap_err();
    assert!(matches!(&refused, Error::NotEmpty { table, .. } if table == "workspace"), "{refused}");
    assert_eq!(number(&mut conn, "SELECT count(*) FROM workspace").await, 1);
    assert_eq!(schema(&mut conn).await, before);
    let drop = Options { drop: true, ..connections(2) };
    let refused = datagen::seed(database.url(), &tiny, Level::Before, &drop, &()).await.unwrap_err();
    assert!(matches!(refused, Error::NotEmpty { .. }), "{refused}");
    let force = Options { force: true, ..connections(2) };
    let refused = datagen::seed(database.url(), &tiny, Level::Before, &force, &()).await.unwrap_err();
    assert!(matches!(refused, Error::NotEmpty { .. }), "{refused}");
    assert_eq!(number(&mut conn, "SELECT count(*) FROM workspace").await, 1);
    load(database.url(), &tiny, Level::Before, &Options { force: true, ..drop }).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM workspace WHERE slug = 'mine'").await, 0);
}

#[tokio::test]
async fn a_database_with_tables_of_our_names_is_refused_untouched_whatever_is_allowed() {
    let database = testing::database("foreign").await;
    let mut conn = connect(database.url()).await;
    sqlx::raw_sql(
        "CREATE TABLE customer (id int PRIMARY KEY, name text); INSERT INTO customer VALUES (1, 'Ada')",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    let tiny = Spec::of(Scale::Tiny, 1, as_of());
    for drop in [false, true] {
        let options = Options { drop, ..connections(2) };
        let refused = datagen::seed(database.url(), &tiny, Level::Before, &options, &()).await.unwrap_err();
        assert!(matches!(refused, Error::NotOurs { .. }), "{refused}");
        let options = Options { drop, force: true, ..connections(2) };
        let refused = datagen::seed(database.url(), &tiny, Level::Before, &options, &()).await.unwrap_err();
        assert!(matches!(refused, Error::Migrate(migrations::Error::NamesTaken { .. })), "{refused}");
    }
    assert_eq!(number(&mut conn, "SELECT count(*) FROM customer WHERE name = 'Ada'").await, 1);
    assert_eq!(number(&mut conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'callbench'").await, 0);
}

#[tokio::test]
async fn a_second_seed_at_the_same_time_gives_up_with_a_sentence() {
    let database = testing::database("two_at_once").await;
    let mut first = connect(database.url()).await;
    migrations::lock(&mut first, std::time::Duration::ZERO).await.unwrap();
    let tiny = Spec::of(Scale::Tiny, 1, as_of());
    let refused =
        datagen::seed(database.url(), &tiny, Level::Before, &connections(2), &()).await.unwrap_err();
    assert!(matches!(refused, Error::Migrate(migrations::Error::Busy { .. })), "{refused}");
    first.close().await.unwrap();
    load(database.url(), &tiny, Level::Before, &connections(2)).await;
}

#[tokio::test]
async fn progress_hears_of_every_row_and_phase() {
    let database = testing::database("progress").await;
    let listener = Listener::default();
    let seeded =
        datagen::seed(database.url(), &spec(), Level::Optimized, &connections(2), &listener).await.unwrap();
    let present = seeded.present();
    let rows: u64 = present.tables.iter().map(|table| table.rows).sum();
    assert_eq!(*listener.rows.lock().unwrap(), rows);
    assert_eq!(*listener.phases.lock().unwrap(), present.phases);
    let names: HashSet<&str> = present.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(names.len(), present.phases.len());
    for table in Table::ALL.into_iter().map(Table::name) {
        assert!(
            names.contains(format!("copy {table}").as_str())
                && names.contains(format!("vacuum {table}").as_str())
        );
    }
    assert!(
        names.contains("index idx_call_customer_created") && names.contains("index call_pkey"),
        "{names:?}"
    );
    assert!(present.phases.iter().all(|phase| phase.began_seconds >= 0.0 && phase.seconds >= 0.0));
    let units = listener.units.lock().unwrap();
    for phase in &present.phases {
        assert_eq!(units[&phase.name], phase.rows.unwrap_or(1_000), "{}", phase.name);
    }
    assert!(listener.heard.lock().unwrap().iter().any(|heard| heard == "copy call 120000 Rows"));
}

#[tokio::test]
async fn a_wrong_url_gets_a_sentence() {
    let database = testing::database("url").await;
    let tiny = Spec::of(Scale::Tiny, 1, as_of());
    let absent = database.url().replace(database.name(), "no_such_database");
    for (url, expected) in [
        (absent.as_str(), "no database `no_such_database`"),
        ("postgres://127.0.0.1:1/x", "no PostgreSQL answers at 127.0.0.1:1"),
        ("mysql://127.0.0.1/x", "the database URL can't be read"),
    ] {
        let refused = datagen::seed(url, &tiny, Level::Before, &connections(2), &()).await.unwrap_err();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}
