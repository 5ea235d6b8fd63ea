//! The ladder against a real PostgreSQL.

use std::collections::BTreeSet;

use cluster::testing::{TestDatabase, database};
use migrations::{Error, Event, Level, connect, level, migrate, move_in, unwind};
use sqlx::PgConnection;

async fn fresh() -> (TestDatabase, PgConnection) {
    let database = database("ladder").await;
    let conn = connect(database.url(), "test").await.expect("connect");
    (database, conn)
}

async fn climb(conn: &mut PgConnection, to: Level) -> Vec<Event> {
    let mut events = Vec::new();
    migrate(conn, to, &mut |event| events.push(event)).await.expect("migrate");
    events
}

/// Tables, columns, indexes, functions and triggers of `public`, as text.
async fn schema(conn: &mut PgConnection) -> BTreeSet<String> {
    sqlx::query_scalar(
        "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
                || coalesce('(' || character_maximum_length || ')', '') || ' ' || is_nullable
                || ' ' || coalesce(column_default, '')
         FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal",
    )
    .fetch_all(conn)
    .await
    .expect("schema")
    .into_iter()
    .collect()
}

async fn index_names(conn: &mut PgConnection) -> BTreeSet<String> {
    sqlx::query_scalar(
        "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx_%'",
    )
    .fetch_all(conn)
    .await
    .expect("indexes")
    .into_iter()
    .collect()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn level_before_has_the_single_column_indexes_of_production_and_no_other() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Before).await;
    let expected = names([
        "idx_customer_workspace_id",
        "idx_customer_employee_id",
        "idx_call_workspace_id",
        "idx_call_customer_id",
        "idx_call_campaign_customer_id",
        "idx_enrolment_customer_id",
        "idx_enrolment_campaign_id",
        "idx_customer_label_label_id",
        "idx_label_workspace_id",
        "idx_employee_workspace_id",
    ]);
    assert_eq!(index_names(&mut conn).await, expected);
    assert_eq!(level(&mut conn).await.unwrap(), Some(Level::Before));
}

#[tokio::test]
async fn level_indexed_has_the_names_of_the_contract_and_drops_what_they_cover() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Indexed).await;
    let indexes = index_names(&mut conn).await;
    for name in [
        "idx_customer_workspace_created",
        "idx_customer_workspace_employee",
        "idx_customer_workspace_status",
        "idx_customer_workspace_quality",
        "idx_customer_workspace_call_status",
        "idx_customer_workspace_duration",
        "idx_customer_other_attributes",
        "idx_call_customer_created",
        "idx_call_workspace_created",
        "idx_call_campaign_customer_id",
    ] {
        assert!(indexes.contains(name), "{name} is missing");
    }
    for name in [
        "idx_customer_workspace_id",
        "idx_customer_employee_id",
        "idx_call_workspace_id",
        "idx_call_customer_id",
    ] {
        assert!(!indexes.contains(name), "{name} should be gone");
    }
    let whole: Vec<String> = sqlx::query_scalar(
        "SELECT indexname::text FROM pg_indexes
         WHERE tablename = 'customer' AND indexname LIKE 'idx_%' AND indexdef NOT LIKE '%WHERE (NOT is_deleted)'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert_eq!(whole, Vec::<String>::new(), "indexes of customer without the predicate");
}

#[tokio::test]
async fn every_step_is_taken_back_exactly() {
    let (_database, mut conn) = fresh().await;
    let empty = schema(&mut conn).await;
    let mut seen = Vec::new();
    for to in Level::ALL {
        climb(&mut conn, to).await;
        seen.push(schema(&mut conn).await);
    }
    for (to, expected) in Level::ALL.into_iter().zip(&seen).rev() {
        climb(&mut conn, to).await;
        assert_eq!(&schema(&mut conn).await, expected, "back at level {to}");
        assert_eq!(level(&mut conn).await.unwrap(), Some(to));
    }
    unwind(&mut conn, &mut |_| {}).await.unwrap();
    assert_eq!(schema(&mut conn).await, empty);
    assert_eq!(level(&mut conn).await.unwrap(), None);
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Indexed).await;
    assert_eq!(climb(&mut conn, Level::Indexed).await, Vec::new());
}

#[tokio::test]
async fn an_invalid_leftover_of_a_failed_build_is_found_and_rebuilt() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Before).await;
    // A real failed build: a unique index over equal values stays behind, invalid, under the name of a later step.
    sqlx::raw_sql(
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status)
         SELECT gen_random_uuid(), 'same', '0', 'active', 'hot', 'pending' FROM generate_series(1, 2)",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    sqlx::raw_sql("CREATE UNIQUE INDEX CONCURRENTLY idx_customer_workspace_status ON customer (name)")
        .execute(&mut conn)
        .await
        .expect_err("two equal names");

    climb(&mut conn, Level::Indexed).await;
    let definition: String = sqlx::query_scalar(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_customer_workspace_status'",
    )
    .fetch_one(&mut conn)
    .await
    .unwrap();
    assert!(definition.contains("(workspace_id, status, created_at DESC, id DESC)"), "{definition}");
    assert_no_invalid_index(&mut conn).await;
}

#[tokio::test]
async fn an_index_that_was_lost_after_its_step_is_repaired_and_said() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Indexed).await;
    sqlx::raw_sql("DROP INDEX idx_call_customer_created").execute(&mut conn).await.unwrap();
    let events = climb(&mut conn, Level::Indexed).await;
    assert_eq!(events, vec![Event::Repairing { index: "idx_call_customer_created".to_owned() }]);
    assert!(index_names(&mut conn).await.contains("idx_call_customer_created"));
}

async fn assert_no_invalid_index(conn: &mut PgConnection) {
    let invalid: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_index WHERE NOT indisvalid OR NOT indisready")
            .fetch_one(conn)
            .await
            .unwrap();
    assert_eq!(invalid, 0);
}

#[tokio::test]
async fn processes_that_migrate_at_once_do_not_deadlock() {
    let (database, mut conn) = fresh().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let url = database.url().to_owned();
        tasks.spawn(async move {
            let mut conn = connect(&url, "test").await.expect("connect");
            migrate(&mut conn, Level::Optimized, &mut |_| {}).await
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.expect("task").expect("migrate");
    }
    assert_eq!(level(&mut conn).await.unwrap(), Some(Level::Optimized));
    assert_no_invalid_index(&mut conn).await;
}

#[tokio::test]
async fn who_is_let_in_beside_others_leaves_them_alone_and_their_names_too() {
    let (_database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE TABLE orders AS SELECT 1 AS id").execute(&mut conn).await.unwrap();
    move_in(&mut conn).await.unwrap();
    migrate(&mut conn, Level::Optimized, &mut |_| {}).await.unwrap();
    // Every table that we make has a name that is looked for.
    for table in tables(&mut conn).await.iter().filter(|table| *table != "orders") {
        let (_other, mut other) = fresh().await;
        let taken = format!("CREATE TABLE {table} (id int)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(taken)).execute(&mut other).await.unwrap();
        let refused = move_in(&mut other).await.unwrap_err();
        let expected = format!("public.{table}");
        assert!(matches!(&refused, Error::NamesTaken { tables, .. } if *tables == expected), "{refused}");
        assert_eq!(tables(&mut other).await, std::slice::from_ref(table));
    }
    unwind(&mut conn, &mut |_| {}).await.unwrap();
    assert_eq!(tables(&mut conn).await, ["orders"]);
}

async fn tables(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relkind = 'r' AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'callbench'))
           AND relname <> 'migration'
         ORDER BY relname",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_database_with_tables_of_somebody_else_is_not_touched() {
    let (_database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)").execute(&mut conn).await.unwrap();
    let error = migrate(&mut conn, Level::Before, &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::ForeignTables { tables, .. } if tables == "shop.orders"), "{error}");
    let schemas: Vec<String> =
        sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname = 'callbench'")
            .fetch_all(&mut conn)
            .await
            .unwrap();
    assert!(schemas.is_empty());
}

#[tokio::test]
async fn tables_of_extensions_are_nobody_elses() {
    let (_database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE EXTENSION pg_stat_statements").execute(&mut conn).await.unwrap();
    climb(&mut conn, Level::Before).await;
}

#[tokio::test]
async fn a_step_of_a_newer_version_is_not_guessed_at() {
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Before).await;
    sqlx::raw_sql("INSERT INTO callbench.migration VALUES ('idx_of_tomorrow', 'optimized')")
        .execute(&mut conn)
        .await
        .unwrap();
    let error = migrate(&mut conn, Level::Indexed, &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::UnknownStep(step) if step == "idx_of_tomorrow"), "{error}");
}

/// The totals against the aggregate that they stand for.
async fn assert_totals_agree(conn: &mut PgConnection) {
    let wrong: i64 = sqlx::query_scalar(
        "WITH expected AS (
             SELECT customer_id, count(*) AS calls, sum(duration_seconds) AS seconds,
                    count(*) FILTER (WHERE status = 'completed') AS successful,
                    count(*) FILTER (WHERE status = 'missed') AS missed,
                    count(*) FILTER (WHERE call_type = 'campaign') AS campaign,
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'campaign'), 0) AS c1,
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'direct'), 0) AS c2,
                    coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'callback'), 0) AS c3
             FROM call GROUP BY customer_id)
         SELECT count(*) FROM expected e FULL JOIN
             (SELECT * FROM customer_call_stats WHERE total_calls <> 0) s USING (customer_id)
         WHERE (e.calls, e.seconds, e.successful, e.missed, e.campaign, e.c1, e.c2, e.c3) IS DISTINCT FROM
               (s.total_calls, s.total_duration_seconds, s.successful_calls, s.missed_calls, s.campaign_calls,
                s.cost_campaign, s.cost_direct, s.cost_callback)",
    )
    .fetch_one(conn)
    .await
    .unwrap();
    assert_eq!(wrong, 0, "customers whose totals are wrong");
}

#[tokio::test]
async fn totals_are_backfilled_and_follow_every_statement() {
    const CALLS: &str = "INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate)
         SELECT '00000000-0000-4000-8000-000000000001', ('00000000-0000-4000-8000-00000000000' || i % 7)::uuid, 'outbound',
                (ARRAY['completed', 'missed', 'busy'])[1 + i % 3], i, i, (ARRAY['campaign', 'direct', 'callback'])[1 + i % 4 % 3],
                CASE WHEN i % 5 > 0 THEN 0.0375 * (i % 11) END
         FROM generate_series(1, 500) AS i";
    let (_database, mut conn) = fresh().await;
    climb(&mut conn, Level::Indexed).await;
    sqlx::raw_sql(CALLS).execute(&mut conn).await.unwrap();
    climb(&mut conn, Level::Optimized).await;
    assert_totals_agree(&mut conn).await;
    for statement in [
        CALLS,
        "UPDATE call SET status = 'completed', duration_seconds = duration_seconds + 1 WHERE duration_seconds % 2 = 0",
        "UPDATE call SET customer_id = '00000000-0000-4000-8000-000000000009' WHERE duration_seconds < 40",
        "UPDATE call SET transcript = 'hello'",
        "DELETE FROM call WHERE duration_seconds % 3 = 0",
        "DELETE FROM call WHERE false",
        "TRUNCATE call",
    ] {
        sqlx::raw_sql(statement).execute(&mut conn).await.unwrap();
        assert_totals_agree(&mut conn).await;
    }
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM customer_call_stats").fetch_one(&mut conn).await.unwrap();
    assert_eq!(left, 0, "after TRUNCATE");
}
