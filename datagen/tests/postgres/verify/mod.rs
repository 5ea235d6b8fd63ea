//! Verifying: clean after a load, and whatever is done to the rows is found, named and counted.

mod changes;
mod checks;
mod moment;

use cluster::databases;
use cluster::testing::{self, TestDatabase};
use datagen::Table;
use datagen::verify::{Changes, Check, Error, Group, Options, TableFinding, Verification, verify};
use migrations::Level;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::OnceCell;

use crate::support::{connect, connections, load, number, spec};

static LOADED: [OnceCell<TestDatabase>; 3] = [const { OnceCell::const_new() }; 3];

/// A database of its own for one test, loaded at `level`: a copy of one that is loaded once.
async fn loaded(level: Level) -> TestDatabase {
    let original = LOADED[level as usize]
        .get_or_init(|| async {
            let database = testing::database("verify_original").await;
            load(database.url(), &spec(), level, &connections(2)).await;
            database
        })
        .await;
    let database = testing::database("verify").await;
    databases::drop(database.url()).await.unwrap();
    databases::clone(original.url(), database.name()).await.unwrap();
    database
}

fn with_connections(connections: usize) -> Options {
    Options { connections, ..Options::default() }
}

async fn found(database: &TestDatabase) -> Verification {
    verify(database.url(), &with_connections(2), &()).await.unwrap()
}

async fn error(database: &TestDatabase) -> Error {
    verify(database.url(), &with_connections(2), &()).await.unwrap_err()
}

async fn run(database: &TestDatabase, sql: &str) {
    let mut conn = connect(database.url()).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// The first column of a statement.
async fn texts(database: &TestDatabase, sql: &str) -> Vec<String> {
    let mut conn = connect(database.url()).await;
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut conn).await.unwrap()
}

async fn count(database: &TestDatabase, sql: &str) -> u64 {
    number(&mut connect(database.url()).await, sql).await.unsigned_abs()
}

#[track_caller]
fn table<'a>(found: &'a Verification, name: &str) -> &'a TableFinding {
    found.tables.iter().find(|table| table.table == name).unwrap_or_else(|| panic!("{name} is missing"))
}

#[track_caller]
fn changes<'a>(found: &'a Verification, name: &str) -> &'a Changes {
    table(found, name).changes.as_ref().unwrap_or_else(|| panic!("{name} has no changes"))
}

#[track_caller]
fn check<'a>(found: &'a Verification, name: &str) -> &'a Check {
    found.checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn failed(found: &Verification, group: Group) -> Vec<&str> {
    found.failures().filter(|check| check.group == group).map(|check| check.name.as_str()).collect()
}

/// Adds a call of an existing customer with the least id.
const ADD_A_CALL: &str = "INSERT INTO call (id, workspace_id, customer_id, direction, status, duration, duration_seconds,
                                            call_type, billing_rate, created_at)
     SELECT 'ffffffff-0000-4000-8000-000000000001', workspace_id, id, 'outbound', 'completed', 60, 60, 'direct', 1.5,
            '2026-03-02T10:00:00Z'
     FROM customer ORDER BY id LIMIT 1";

#[tokio::test]
async fn a_fresh_load_is_exactly_as_loaded_at_every_level() {
    for level in Level::ALL {
        let database = loaded(level).await;
        for connections in [1, 3] {
            let found = verify(database.url(), &with_connections(connections), &()).await.unwrap();
            assert_eq!(found.sentence(), "The data set is exactly as loaded.", "{level}: {found:#?}");
            assert!(found.passed());
            assert_eq!(found.level.as_deref(), Some(level.name()));
            for of_generator in Table::ALL.into_iter().take(11) {
                let finding = table(&found, of_generator.name());
                assert_eq!(finding.loaded.as_ref(), Some(&finding.held));
                assert!(finding.held.rows > 0 && finding.changes.is_none(), "{finding:?}");
            }
            let groups = [Group::References, Group::Totals, Group::Distributions, Group::Health];
            let checks = groups.map(|group| found.checks.iter().filter(|check| check.group == group).count());
            let has_totals = level == Level::Optimized;
            assert_eq!(checks[0], if has_totals { 17 } else { 16 });
            assert_eq!(checks[1], if has_totals { 3 } else { 0 });
            assert!(checks[2] > 30 && checks[3] > 6, "{checks:?}");
        }
    }
}

#[tokio::test]
async fn totals_that_came_by_migration_are_not_in_the_ledger_and_verify_all_the_same() {
    let database = loaded(Level::Before).await;
    let mut conn = connect(database.url()).await;
    migrations::migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    run(&database, "ANALYZE").await;
    let found = found(&database).await;
    assert!(found.passed(), "{}", found.sentence());
    assert_eq!(found.level.as_deref(), Some("optimized"));
}

#[tokio::test]
async fn findings_survive_json() {
    let database = loaded(Level::Optimized).await;
    run(&database, ADD_A_CALL).await;
    let found = found(&database).await;
    let read: Verification = serde_json::from_str(&serde_json::to_string(&found).unwrap()).unwrap();
    assert_eq!((&read.tables, read.sentence()), (&found.tables, found.sentence()));
    // Shares may lose their last digit on the way.
    assert_eq!(read.checks.len(), found.checks.len());
    let json = serde_json::to_value(check(&found, "customers with calls and no totals")).unwrap();
    assert_eq!(json["verdict"], "passed");
    assert_eq!(json["observed"], serde_json::json!({ "count": 0 }));
}

#[tokio::test]
async fn whoever_may_only_read_may_verify() {
    let database = loaded(Level::Optimized).await;
    let role = format!("reader_of_{}", database.name());
    run(
        &database,
        &format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'x';
             GRANT USAGE ON SCHEMA callbench TO {role};
             GRANT SELECT ON ALL TABLES IN SCHEMA public, callbench TO {role}"
        ),
    )
    .await;
    let (scheme, rest) = database.url().split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let found = verify(&format!("{scheme}://{role}:x@{host}"), &with_connections(2), &()).await;
    run(&database, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    let found = found.unwrap();
    assert!(found.passed(), "{}", found.sentence());
}

#[tokio::test]
async fn what_can_not_be_verified_is_said_in_a_sentence() {
    let database = testing::database("verify_empty").await;
    let said = error(&database).await.to_string();
    assert!(
        said.contains(database.name()) && said.contains("no dataset") && said.contains("callbench seed"),
        "{said}"
    );

    let database = loaded(Level::Before).await;
    run(&database, "UPDATE callbench.dataset SET version = version - 1").await;
    let error_of = error(&database).await;
    assert!(matches!(error_of, Error::OtherVersion { .. }), "{error_of}");
    let said = error_of.to_string();
    let [older, ours] = [datagen::DATASET_VERSION - 1, datagen::DATASET_VERSION];
    assert!(said.contains(&format!("rows of version {older}")), "{said}");
    assert!(said.contains(&format!("generates version {ours}")), "{said}");

    run(&database, "UPDATE callbench.dataset SET version = version + 1, completed_at = NULL").await;
    let said = error(&database).await.to_string();
    assert!(said.contains("incomplete") && said.contains("callbench seed"), "{said}");

    run(
        &database,
        "UPDATE callbench.dataset SET completed_at = now(), spec = jsonb_set(spec, '{workspaces}', '0')",
    )
    .await;
    let said = error(&database).await.to_string();
    assert!(said.contains("at least one workspace"), "{said}");

    run(&database, "UPDATE callbench.dataset SET spec = jsonb_set(spec, '{workspaces}', '12')").await;
    run(&database, "ALTER TABLE label RENAME COLUMN name TO title").await;
    let said = error(&database).await.to_string();
    assert!(said.contains("reading label") && said.contains("\"name\""), "{said}");

    let nowhere = verify("postgres://me@127.0.0.1:1/x", &Options::default(), &()).await.unwrap_err();
    assert!(matches!(nowhere, Error::Connect(_)), "{nowhere}");
}

#[tokio::test]
async fn a_generator_that_changed_without_a_new_version_is_not_taken_for_changed_rows() {
    let database = loaded(Level::Before).await;
    run(
        &database,
        "UPDATE callbench.dataset SET tables = jsonb_set(tables, '{7,checksum}', '\"0123456789abcdef\"')",
    )
    .await;
    let found = found(&database).await;
    assert!(!found.passed());
    let said = found.sentence();
    assert!(said.contains("generates other rows") && said.contains("(customer)"), "{said}");
}
