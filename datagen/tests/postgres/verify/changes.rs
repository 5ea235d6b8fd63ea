//! Which rows changed, and how that is told.

use datagen::verify::{Figure, Group, Options, verify};
use migrations::Level;

use super::{ADD_A_CALL, changes, check, count, failed, found, loaded, run, table, texts, with_connections};

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
    // Nearly all rows of the buckets that differ are changed ones, so the sample is close.
    assert!(estimate.changed.rows.abs_diff(updated) < updated / 50, "{estimate:?} of {updated}");
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
