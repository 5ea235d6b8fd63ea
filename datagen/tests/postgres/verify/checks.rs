//! What joins, totals, shares and the catalogue show, beside the rows themselves.

use datagen::verify::{Figure, Group, Verdict};
use migrations::Level;

use super::{changes, check, count, failed, found, loaded, run, table, texts};

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
        assert_eq!(
            check.examples.len() as u64,
            if table == "customer_label" { 1 } else { orphans.min(3) },
            "{name}"
        );
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
