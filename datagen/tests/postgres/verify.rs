//! Verifying: clean after a load, and whatever is done to the rows is found, named and counted.

use std::sync::Once;

use cluster::databases;
use cluster::testing::{self, TestDatabase};
use datagen::verify::{
    Changes, Check, Error, Figure, Group, Options, TableFinding, Verdict, Verification, verify,
};
use datagen::{Progress, Table, Unit};
use migrations::Level;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

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
    migrations::migrate(&mut conn, Level::Optimized, &mut |_| {}).await.unwrap();
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
async fn a_call_that_was_added_is_counted_dated_and_named_and_its_total_agrees() {
    let database = loaded(Level::Optimized).await;
    run(&database, ADD_A_CALL).await;
    let found = found(&database).await;
    assert!(!found.passed() && !found.rows_are_as_loaded());
    assert_eq!(table(&found, "call").held.rows, 120_001);
    assert_eq!(table(&found, "call").expected.rows, 120_000);
    let changes = changes(&found, "call");
    assert_eq!((changes.added.rows, changes.removed.rows, changes.changed.rows), (1, 0, 0));
    assert_eq!(changes.added.examples, ["ffffffff-0000-4000-8000-000000000001"]);
    assert!(!changes.is_estimated);
    let at = "2026-03-02T10:00:00Z".parse().ok();
    assert_eq!((changes.added_from, changes.added_to), (at, at));
    assert!(table(&found, "customer").is_equal);
    assert_eq!(failed(&found, Group::References), Vec::<&str>::new());
    assert_eq!(failed(&found, Group::Totals), Vec::<&str>::new());
    assert_eq!(failed(&found, Group::Health), Vec::<&str>::new());
    // One workspace has one call more than planned.
    let sizes = check(&found, "call: workspaces with another number of rows than planned");
    assert_eq!(sizes.observed, Figure::Count(1));
    assert!(sizes.examples[0].ends_with(" (1 more)"), "{sizes:?}");
    assert!(found.sentence().starts_with("call: 1 row was added; "), "{}", found.sentence());
}

#[tokio::test]
async fn changed_customers_are_counted_by_column_and_named() {
    let database = loaded(Level::Indexed).await;
    let three = "SELECT id FROM customer WHERE status = 'active' ORDER BY id LIMIT 3";
    let ids = texts(&database, &format!("SELECT id::text FROM ({three}) AS three")).await;
    run(&database, &format!("UPDATE customer SET status = 'blocked' WHERE id IN ({three})")).await;
    run(&database, &format!("UPDATE customer SET carrier = 'Fixed' WHERE id = '{}'", ids[1])).await;
    // An update that changes nothing moves the row, and is no change.
    run(&database, "UPDATE customer SET phone = phone WHERE quality = 'hot'").await;
    let found = found(&database).await;
    let changes = changes(&found, "customer");
    assert_eq!((changes.added.rows, changes.removed.rows, changes.changed.rows), (0, 0, 3));
    assert_eq!(changes.columns, [("status".to_owned(), 3), ("carrier".to_owned(), 1)]);
    assert_eq!(changes.changed.examples, ids);
    assert_eq!((changes.added_from, changes.added_to), (None, None));
    assert_eq!(found.sentence(), "customer: 3 rows were changed (status, carrier).");
    assert_eq!(found.failures().count(), 0, "three of 25,000 do not change the kind of the data");
}

#[tokio::test]
async fn values_that_became_null_are_changes() {
    let database = loaded(Level::Before).await;
    run(&database, "UPDATE app_user SET employee_id = NULL WHERE email = 'employee@callbench.test'").await;
    run(&database, "UPDATE call_campaign SET started_at = created_at WHERE status = 'draft'").await;
    let found = found(&database).await;
    assert_eq!(changes(&found, "app_user").columns, [("employee_id".to_owned(), 1)]);
    assert_eq!(changes(&found, "call_campaign").columns, [("started_at".to_owned(), 12)]);
}

#[tokio::test]
async fn a_customer_who_was_deleted_leaves_orphans() {
    let database = loaded(Level::Optimized).await;
    let id = texts(
        &database,
        "SELECT customer_id::text FROM call JOIN customer_label USING (customer_id)
         JOIN call_campaign_customer USING (customer_id) ORDER BY 1 LIMIT 1",
    )
    .await
    .remove(0);
    let of = |table: &str| format!("SELECT count(*) FROM {table} WHERE customer_id = '{id}'");
    run(&database, &format!("DELETE FROM customer WHERE id = '{id}'")).await;
    let found = found(&database).await;
    let changes = changes(&found, "customer");
    assert_eq!((changes.added.rows, changes.removed.rows, changes.changed.rows), (0, 1, 0));
    assert_eq!(changes.removed.examples, [id.as_str()]);
    for (name, table) in [
        ("call.customer_id without its customer of the same workspace", "call"),
        (
            "call_campaign_customer.customer_id without its customer of the same workspace",
            "call_campaign_customer",
        ),
        ("customer_label.customer_id without its customer", "customer_label"),
        ("customer_call_stats.customer_id without its customer of the same workspace", "customer_call_stats"),
    ] {
        let check = check(&found, name);
        let orphans = count(&database, &of(table)).await;
        assert!(orphans > 0);
        assert_eq!((check.verdict, check.observed), (Verdict::Failed, Figure::Count(orphans)), "{name}");
        assert_eq!(check.examples.len() as u64, orphans.min(3), "{name}");
    }
    assert_eq!(failed(&found, Group::References).len(), 4);
}

#[tokio::test]
async fn references_across_workspaces_are_found() {
    let database = loaded(Level::Before).await;
    let other = "(SELECT id FROM workspace WHERE slug <> 'enterprise-workspace-1' ORDER BY id LIMIT 1)";
    let one = "(SELECT t.id FROM call t WHERE campaign_customer_id IS NULL AND workspace_id <> (SELECT id FROM workspace
                WHERE slug <> 'enterprise-workspace-1' ORDER BY id LIMIT 1) ORDER BY t.id LIMIT 1)";
    run(&database, &format!("UPDATE call SET workspace_id = {other} WHERE id = {one}")).await;
    run(
        &database,
        "UPDATE call SET campaign_customer_id = e.id FROM call_campaign_customer e
         WHERE call.id = (SELECT id FROM call WHERE call_type = 'direct' ORDER BY id DESC LIMIT 1)
           AND e.id = (SELECT e.id FROM call_campaign_customer e, call c WHERE e.workspace_id = c.workspace_id
                       AND e.customer_id <> c.customer_id
                       AND c.id = (SELECT id FROM call WHERE call_type = 'direct' ORDER BY id DESC LIMIT 1) LIMIT 1)",
    )
    .await;
    run(
        &database,
        "UPDATE customer_label SET label_id = (
             SELECT l.id FROM label l, customer c WHERE c.id = customer_id AND l.workspace_id <> c.workspace_id LIMIT 1)
         WHERE customer_id = (SELECT customer_id FROM customer_label GROUP BY 1 HAVING count(*) = 1 LIMIT 1)",
    )
    .await;
    let found = found(&database).await;
    assert_eq!(
        failed(&found, Group::References),
        [
            "call.customer_id without its customer of the same workspace",
            "call.campaign_customer_id without its call_campaign_customer of the same workspace and customer",
            "customer_label between a customer and a label of different workspaces",
        ]
    );
    assert!(
        found
            .failures()
            .filter(|check| check.group == Group::References)
            .all(|check| check.examples.len() == 1)
    );
}

#[tokio::test]
async fn totals_are_held_against_calls_in_both_directions() {
    let database = loaded(Level::Optimized).await;
    let ids = texts(&database, "SELECT customer_id::text FROM customer_call_stats ORDER BY 1 LIMIT 4").await;
    run(
        &database,
        &format!(
            "UPDATE customer_call_stats SET cost_direct = cost_direct + 0.0001 WHERE customer_id = '{}';
             DELETE FROM customer_call_stats WHERE customer_id IN ('{}', '{}');
             INSERT INTO customer_call_stats SELECT workspace_id, gen_random_uuid(), 1, 1, 1, 0, 0, 0, 0, 0
             FROM customer LIMIT 1;
             INSERT INTO customer_call_stats SELECT workspace_id, gen_random_uuid(), 0, 0, 0, 0, 0, 0, 0, 0
             FROM customer LIMIT 1",
            ids[0], ids[1], ids[2]
        ),
    )
    .await;
    let found = found(&database).await;
    let mut missing = check(&found, "customers with calls and no totals").clone();
    missing.examples.sort();
    assert_eq!((missing.observed, &missing.examples[..]), (Figure::Count(2), &ids[1..3]));
    // A row of zeros is what is left of a customer whose calls were deleted.
    assert_eq!(check(&found, "customers with totals and no calls").observed, Figure::Count(1));
    let different = check(&found, "customers whose totals differ from their calls");
    assert_eq!((different.observed, &different.examples[..]), (Figure::Count(1), &ids[..1]));
    assert!(table(&found, "call").is_equal);
}

#[tokio::test]
async fn what_a_broken_migration_or_load_leaves_is_found() {
    let database = loaded(Level::Optimized).await;
    run(
        &database,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_call_customer_created'::regclass;
         DROP INDEX idx_customer_workspace_status;
         ALTER TABLE call DISABLE TRIGGER customer_call_stats_delete;
         DROP TRIGGER customer_call_stats_update ON call;
         ALTER TABLE label SET (autovacuum_enabled = off);
         ALTER TABLE user_workspace DROP CONSTRAINT user_workspace_pkey",
    )
    .await;
    let found = found(&database).await;
    let health: Vec<(&str, Vec<String>)> = found
        .failures()
        .map(|check| {
            assert_eq!(check.group, Group::Health);
            (check.name.as_str(), check.examples.clone())
        })
        .collect();
    let expected = [
        ("indexes of level optimized that are missing", "idx_customer_workspace_status"),
        ("tables without a primary key", "user_workspace"),
        ("indexes that are not valid", "idx_call_customer_created"),
        ("triggers that are off", "customer_call_stats_delete"),
        ("triggers of the totals that are missing", "customer_call_stats_update"),
        ("tables that autovacuum leaves out", "label"),
    ];
    assert_eq!(health, expected.map(|(name, example)| (name, vec![example.to_owned()])));
    assert_eq!(
        found.sentence(),
        "The rows are exactly as loaded, but 6 checks failed, the first: indexes of level optimized that are missing."
    );
}

#[tokio::test]
async fn a_table_that_is_gone_is_named() {
    let database = loaded(Level::Before).await;
    run(&database, "DROP TABLE auth_token").await;
    let found = found(&database).await;
    assert_eq!(check(&found, "tables that were loaded and are gone").examples, ["auth_token"]);
    assert!(!found.passed());
}

#[tokio::test]
async fn a_mass_delete_changes_the_kind_of_the_data() {
    let database = loaded(Level::Before).await;
    run(
        &database,
        "DELETE FROM call WHERE status = 'missed' AND call_type = 'campaign';
         UPDATE customer SET is_deleted = true, deleted_at = now() WHERE NOT is_deleted AND quality = 'hot'",
    )
    .await;
    let found = found(&database).await;
    let distributions = failed(&found, Group::Distributions);
    for name in [
        "call.status = missed",
        "call.status = completed",
        "call.call_type = campaign",
        "customer.is_deleted = true, as specified",
        "customer.is_deleted = true",
        "customer.deleted_at is NULL",
        "call: rows of the largest workspace",
    ] {
        assert!(distributions.contains(&name), "{name} is not among {distributions:?}");
    }
    // Nobody's quality was touched.
    assert_eq!(check(&found, "customer.quality = hot").verdict, Verdict::Passed);
    let removed = 120_000 - count(&database, "SELECT count(*) FROM call").await;
    assert_eq!(changes(&found, "call").removed.rows, removed);
    assert_eq!(changes(&found, "call").removed.examples.len(), 3);
    assert_eq!(check(&found, "call: workspaces with another number of rows than planned").examples.len(), 3);
}

#[tokio::test]
async fn an_emptied_table_is_a_finding_and_no_crash() {
    let database = loaded(Level::Indexed).await;
    run(&database, "TRUNCATE call").await;
    let found = found(&database).await;
    assert_eq!(table(&found, "call").held.rows, 0);
    assert_eq!(changes(&found, "call").removed.rows, 120_000);
    assert!(found.sentence().starts_with("call: 120,000 rows were removed; "), "{}", found.sentence());
}

#[tokio::test]
async fn more_changes_than_are_compared_are_estimated() {
    let database = loaded(Level::Before).await;
    run(
        &database,
        "UPDATE customer SET checked = NOT checked, is_test = (quality = 'hot') WHERE quality <> 'dead'",
    )
    .await;
    let updated = count(&database, "SELECT count(*) FROM customer WHERE quality <> 'dead'").await;
    let options = Options { compared_rows: 2_000, ..with_connections(2) };
    let sampled = verify(database.url(), &options, &()).await.unwrap();
    let estimate = changes(&sampled, "customer");
    assert!(estimate.is_estimated);
    assert!(estimate.changed.rows.abs_diff(updated) < updated / 20, "{estimate:?} of {updated}");
    assert_eq!((estimate.added.rows, estimate.removed.rows), (0, 0));
    assert_eq!(estimate.columns[0], ("checked".to_owned(), estimate.changed.rows));
    assert!(sampled.sentence().starts_with("customer: about "), "{}", sampled.sentence());
    // By default that many are compared one by one.
    assert_eq!(changes(&found(&database).await, "customer").changed.rows, updated);
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_an_added_row() {
    let database = loaded(Level::Before).await;
    run(
        &database,
        "ALTER TABLE call DROP CONSTRAINT call_pkey;
         INSERT INTO call SELECT * FROM call ORDER BY id LIMIT 1",
    )
    .await;
    let found = found(&database).await;
    let id = texts(&database, "SELECT id::text FROM call ORDER BY id LIMIT 1").await;
    assert_eq!(changes(&found, "call").added.examples, id);
    assert_eq!(changes(&found, "call").changed.rows, 0);
}

#[tokio::test]
async fn a_quick_look_counts_and_sums_but_does_not_compare() {
    let database = loaded(Level::Optimized).await;
    run(&database, ADD_A_CALL).await;
    run(&database, "UPDATE label SET name = name || '!' WHERE name IN (SELECT name FROM label LIMIT 1)")
        .await;
    let options = Options { quick: true, ..with_connections(2) };
    let found = verify(database.url(), &options, &()).await.unwrap();
    assert!(!found.passed() && found.is_quick);
    assert!(found.tables.iter().all(|table| table.changes.is_none()));
    assert!(found.checks.iter().all(|check| !matches!(check.group, Group::References | Group::Totals)));
    let sentence = found.sentence();
    for part in ["label: as many rows as loaded, with other contents", "call: 1 row more than loaded"] {
        assert!(sentence.contains(part), "{sentence}");
    }
}

#[tokio::test]
async fn what_an_open_transaction_has_written_is_not_seen() {
    let database = loaded(Level::Optimized).await;
    let mut writer = connect(database.url()).await;
    let mut open = writer.begin().await.unwrap();
    sqlx::raw_sql(ADD_A_CALL).execute(&mut *open).await.unwrap();
    sqlx::raw_sql("DELETE FROM label; UPDATE customer SET status = 'pending'")
        .execute(&mut *open)
        .await
        .unwrap();
    let before = found(&database).await;
    assert!(before.passed(), "{}", before.sentence());
    open.commit().await.unwrap();
    let after = found(&database).await;
    assert_eq!(changes(&after, "call").added.rows, 1);
    assert!(!table(&after, "label").is_equal && !table(&after, "customer").is_equal);
}

/// Writes to the database as soon as the first table is being read.
struct Writer {
    url: String,
    once: Once,
}

impl Progress for Writer {
    fn phase_started(&self, name: &str, _: u64, unit: Unit) {
        assert!(
            name.starts_with("verify ") && (unit == Unit::Rows || unit == Unit::Whole),
            "{name} {unit:?}"
        );
        let url = self.url.clone();
        self.once.call_once(|| {
            let writing = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut conn = connect(&url).await;
                    sqlx::raw_sql(ADD_A_CALL).execute(&mut conn).await.unwrap();
                    sqlx::raw_sql("DELETE FROM workspace").execute(&mut conn).await.unwrap();
                    // A snapshot does not bring truncated rows back, so TRUNCATE has to wait.
                    let lock = "BEGIN; LOCK TABLE call IN ACCESS EXCLUSIVE MODE NOWAIT";
                    let refused = sqlx::raw_sql(lock).execute(&mut conn).await.unwrap_err();
                    assert!(refused.to_string().contains("could not obtain lock"), "{refused}");
                });
            });
            writing.join().unwrap();
        });
    }
}

#[tokio::test]
async fn what_is_committed_while_it_runs_is_not_seen_on_any_connection() {
    let database = loaded(Level::Optimized).await;
    let writer = Writer { url: database.url().to_owned(), once: Once::new() };
    let found = verify(database.url(), &with_connections(4), &writer).await.unwrap();
    assert!(writer.once.is_completed());
    assert!(found.passed(), "{}", found.sentence());
    assert_eq!(count(&database, "SELECT count(*) FROM workspace").await, 0);
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

#[tokio::test]
async fn it_can_be_stopped() {
    let database = loaded(Level::Before).await;
    let options = with_connections(2);
    let stop = StopAt { phase: "verify customer", stop: options.stop.clone() };
    let outcome = verify(database.url(), &options, &stop).await;
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
}

struct StopAt {
    phase: &'static str,
    stop: CancellationToken,
}

impl Progress for StopAt {
    fn phase_started(&self, name: &str, _: u64, _: Unit) {
        if name == self.phase {
            self.stop.cancel();
        }
    }
}

/// Hears of every row that is read, in phases that follow each other.
#[tokio::test]
async fn progress_tells_each_table_and_all_of_its_rows() {
    let database = loaded(Level::Before).await;
    let listener = crate::support::Listener::default();
    verify(database.url(), &with_connections(2), &listener).await.unwrap();
    let heard = listener.heard.lock().unwrap().clone();
    assert_eq!(heard[0], "verify workspace 12 Rows");
    assert_eq!(heard[10], "verify call 120000 Rows");
    assert!(heard.iter().any(|phase| phase == "verify references 16 Tables"), "{heard:?}");
    let phases = listener.phases.lock().unwrap();
    assert_eq!(phases.len(), heard.len());
    assert_eq!((phases[10].name.as_str(), phases[10].rows), ("verify call", Some(120_000)));
}
