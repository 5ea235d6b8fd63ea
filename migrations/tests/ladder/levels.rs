//! What each level has, whatever way leads there.

use std::collections::BTreeSet;

use migrations::{Error, Event, Level, connect, level, migrate, move_in, unwind};
use sqlx::PgConnection;

use crate::support::{climb, fresh, run, schema};

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
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Before).await;
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
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
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
    let (database, mut conn) = fresh().await;
    let empty = schema(&mut conn).await;
    let mut seen = Vec::new();
    for to in Level::ALL {
        climb(&database, &mut conn, to).await;
        seen.push(schema(&mut conn).await);
    }
    for (to, expected) in Level::ALL.into_iter().zip(&seen).rev() {
        climb(&database, &mut conn, to).await;
        assert_eq!(&schema(&mut conn).await, expected, "back at level {to}");
        assert_eq!(level(&mut conn).await.unwrap(), Some(to));
    }
    unwind(&mut conn, &mut |_| {}).await.unwrap();
    assert_eq!(schema(&mut conn).await, empty);
    assert_eq!(level(&mut conn).await.unwrap(), None);
}

#[tokio::test]
async fn who_skips_a_level_builds_each_index_once_and_has_the_same_schema() {
    let (stepwise, mut by_steps) = fresh().await;
    climb(&stepwise, &mut by_steps, Level::Indexed).await;
    climb(&stepwise, &mut by_steps, Level::Optimized).await;
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Before).await;
    let events = climb(&database, &mut conn, Level::Optimized).await;
    assert_eq!(schema(&mut conn).await, schema(&mut by_steps).await);
    let replaced: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::Started { step, action: "replace" } => Some(step.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(replaced, ["replace idx_customer_label_label_id"], "what was there before");
    // And back to a level that was never stood on.
    climb(&database, &mut conn, Level::Indexed).await;
    climb(&stepwise, &mut by_steps, Level::Indexed).await;
    assert_eq!(schema(&mut conn).await, schema(&mut by_steps).await);
}

#[tokio::test]
async fn an_extension_that_was_there_before_is_used_and_left_alone() {
    const WHERE: &str = "SELECT coalesce(max(n.nspname::text), 'nowhere') FROM pg_extension e
                         JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'btree_gin'";
    for (prepare, at_top, afterwards) in
        [("CREATE EXTENSION btree_gin", "public", "public"), ("SELECT 1", "callbench", "nowhere")]
    {
        let (database, mut conn) = fresh().await;
        run(&mut conn, prepare).await;
        climb(&database, &mut conn, Level::Optimized).await;
        let found: String = sqlx::query_scalar(WHERE).fetch_one(&mut conn).await.unwrap();
        assert_eq!(found, at_top);
        climb(&database, &mut conn, Level::Indexed).await;
        let found: String = sqlx::query_scalar(WHERE).fetch_one(&mut conn).await.unwrap();
        assert_eq!(found, afterwards);
    }
}

#[tokio::test]
async fn a_second_run_changes_nothing() {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    assert_eq!(climb(&database, &mut conn, Level::Indexed).await, Vec::new());
}

#[tokio::test]
async fn an_invalid_leftover_of_a_failed_build_is_found_and_rebuilt() {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Before).await;
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

    climb(&database, &mut conn, Level::Indexed).await;
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
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    sqlx::raw_sql("DROP INDEX idx_call_customer_created").execute(&mut conn).await.unwrap();
    let events = climb(&database, &mut conn, Level::Indexed).await;
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
            migrate(&mut conn, &url, Level::Optimized, &mut |_| {}).await
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
    let (database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE TABLE orders AS SELECT 1 AS id").execute(&mut conn).await.unwrap();
    move_in(&mut conn).await.unwrap();
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
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
    let (database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE SCHEMA shop; CREATE TABLE shop.orders (id int)").execute(&mut conn).await.unwrap();
    let error = migrate(&mut conn, database.url(), Level::Before, &mut |_| {}).await.unwrap_err();
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
    let (database, mut conn) = fresh().await;
    sqlx::raw_sql("CREATE EXTENSION pg_stat_statements").execute(&mut conn).await.unwrap();
    climb(&database, &mut conn, Level::Before).await;
}

#[tokio::test]
async fn a_step_of_a_newer_version_is_not_guessed_at() {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Before).await;
    sqlx::raw_sql("INSERT INTO callbench.migration VALUES ('idx_of_tomorrow', 'optimized')")
        .execute(&mut conn)
        .await
        .unwrap();
    let error = migrate(&mut conn, database.url(), Level::Indexed, &mut |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::UnknownStep(step) if step == "idx_of_tomorrow"), "{error}");
}
