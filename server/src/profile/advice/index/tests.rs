use super::*;
use crate::profile::advice::advise;
use crate::profile::advice::testing::{Ground, assert_says, of_kind, sentences};

/// A statement and its values that want an index, the index, and what was seen.
struct Case {
    sql: &'static str,
    values: &'static str,
    index: &'static str,
    seen: &'static str,
}

/// Sees the finding, makes the index that it names, and sees that it is used and nothing is left to be said.
async fn provoke(ground: &mut Ground, case: &Case) {
    let before = ground.see(Layer::Queryset, case.sql, case.values).await;
    let says = [case.seen, case.index];
    assert_says(&sentences(Kind::MissingIndex, &before), &says);

    let before_indexes = ground.indexes().await;
    ground.run(case.index).await;
    ground.run("ANALYZE customer").await;
    let after = ground.see(Layer::Queryset, case.sql, case.values).await;
    assert_eq!(sentences(Kind::MissingIndex, &after), [""; 0], "{}: {:#?}", case.sql, after.plan);
    let indexes = ground.indexes().await;
    let new = indexes.iter().find(|index| !before_indexes.contains(index)).expect("one more");
    let name = new.split(' ').nth(2).expect("a name");
    assert!(
        after.plan.iter().flat_map(|plan| plan.root.walk()).any(|node| node.index.as_deref() == Some(name)),
        "{new}: {:#?}",
        after.plan
    );
    // An index that is there is not asked for, even if a plan of that moment would do without it.
    let request = Request { indexes: &indexes, ..Request::default() };
    assert_eq!(of_kind(Kind::MissingIndex, advise(&request, &[before])), [""; 0], "{new}");
    ground.run(&format!("DROP INDEX {name}")).await;
}

#[tokio::test]
async fn a_scan_that_throws_away_nearly_everything_names_the_index_that_it_lacks() {
    let mut ground = Ground::new().await;
    for case in [
        Case {
            sql: "SELECT id FROM customer WHERE status = $1",
            values: "'blocked'",
            index: "CREATE INDEX CONCURRENTLY ON customer (status)",
            seen: "customer is read from end to end, 20,000 rows, of which 40 are wanted",
        },
        Case {
            sql: "SELECT id FROM customer AS c WHERE c.status = ANY ($2) AND c.workspace_id = $1 AND NOT c.is_deleted",
            values: "1, '{blocked,absent}'",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, status) WHERE NOT is_deleted",
            seen: "of which 20 are wanted",
        },
        Case {
            sql: "SELECT id FROM customer WHERE employee_id = $2 AND workspace_id = $1",
            values: "1, 4",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, employee_id)",
            seen: "of which 100 are wanted",
        },
        Case {
            sql: "SELECT id FROM customer WHERE workspace_id = $1 AND status = ANY ($2)
                   ORDER BY created_at DESC, id DESC LIMIT 50",
            values: "1, '{absent,blocked}'",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, status, created_at DESC, id DESC)",
            seen: "customer is read from end to end",
        },
        Case {
            sql: "SELECT id FROM customer WHERE workspace_id = $1 AND duration > $2 ORDER BY created_at DESC LIMIT 50",
            values: "1, 497",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, duration)",
            seen: "customer is read from end to end",
        },
        Case {
            sql: "SELECT id FROM customer WHERE status = $1 AND created_at < $2 ORDER BY created_at DESC LIMIT 50",
            values: "'blocked', '2024-01-10Z'",
            index: "CREATE INDEX CONCURRENTLY ON customer (status, created_at DESC)",
            seen: "customer is read from end to end",
        },
        Case {
            sql: "SELECT id FROM customer WHERE duration > $2 AND workspace_id = $1",
            values: "1, 497",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, duration)",
            seen: "customer is read from end to end",
        },
        Case {
            sql: "SELECT id FROM customer WHERE workspace_id = $1 AND status = $2 ORDER BY created_at DESC, id DESC LIMIT 50",
            values: "2, 'blocked'",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, status, created_at DESC, id DESC)",
            seen: "customer is read from end to end",
        },
        Case {
            sql: "SELECT id FROM customer WHERE other_attributes @> $1",
            values: r#"'{"city": 7}'"#,
            index: "CREATE INDEX CONCURRENTLY ON customer USING gin (other_attributes jsonb_path_ops)",
            seen: "of which 20 are wanted",
        },
    ] {
        provoke(&mut ground, &case).await;
    }
}

#[tokio::test]
async fn an_index_whose_filter_throws_away_nearly_everything_is_too_narrow() {
    let mut ground = Ground::new().await;
    ground.run("CREATE INDEX by_workspace ON customer (workspace_id)").await;
    ground.run("CREATE INDEX by_time ON customer (workspace_id, created_at DESC, id DESC)").await;
    ground.run("SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off").await;
    for case in [
        // A walk along the order that looks for a rare value.
        Case {
            sql: "SELECT id, name FROM customer WHERE workspace_id = $1 AND employee_id = $2
                   ORDER BY created_at DESC, id DESC LIMIT 50",
            values: "2, 1001",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, employee_id, created_at DESC, id DESC)",
            seen: "by_time finds 10,000 rows of customer, of which a filter leaves 0",
        },
        Case {
            sql: "SELECT id, name FROM customer WHERE workspace_id = $1 AND duration > $2
                   ORDER BY created_at DESC, id DESC LIMIT 10",
            values: "2, 497",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, created_at DESC, id DESC, duration)",
            seen: "of which a filter leaves 10",
        },
    ] {
        provoke(&mut ground, &case).await;
    }
}

#[tokio::test]
async fn a_sort_of_many_rows_under_a_limit_names_the_index_that_has_the_order() {
    let mut ground = Ground::new().await;
    for case in [
        Case {
            sql: "SELECT c.id, c.name FROM customer AS c WHERE c.workspace_id = $1 AND NOT c.is_deleted
                   ORDER BY c.created_at DESC, c.id DESC LIMIT 50",
            values: "1",
            index: "CREATE INDEX CONCURRENTLY ON customer (workspace_id, created_at DESC, id DESC) WHERE NOT is_deleted",
            seen: "10,000 rows of customer are sorted, of which 50 are wanted",
        },
        Case {
            sql: r#"SELECT id FROM customer ORDER BY name COLLATE "C" NULLS FIRST LIMIT 50"#,
            values: "",
            index: r#"CREATE INDEX CONCURRENTLY ON customer (name COLLATE "C" NULLS FIRST)"#,
            seen: "20,000 rows of customer are sorted",
        },
        // For each row of another table, the newest of its own.
        Case {
            sql: "SELECT e, latest.id FROM generate_series(0, 19) AS e
                   CROSS JOIN LATERAL (SELECT c.id FROM customer AS c WHERE c.employee_id = e
                                        ORDER BY c.created_at DESC LIMIT 1) AS latest",
            values: "",
            index: "CREATE INDEX CONCURRENTLY ON customer (employee_id, created_at DESC)",
            seen: "customer",
        },
    ] {
        provoke(&mut ground, &case).await;
    }
}

#[tokio::test]
async fn what_no_index_would_make_better_is_left_alone() {
    let mut ground = Ground::new().await;
    for (sql, values) in [
        // Most rows pass.
        ("SELECT id FROM customer WHERE status = $1", "'active'"),
        ("SELECT id FROM customer", ""),
        // All rows that are sorted are wanted.
        ("SELECT id FROM customer WHERE workspace_id = $1 ORDER BY created_at", "1"),
        ("SELECT id FROM customer WHERE workspace_id = $1 ORDER BY created_at LIMIT 9000", "1"),
        // Few rows are read.
        ("SELECT id FROM customer WHERE id < $1 AND status = 'blocked'", "900"),
        // What is compared is no column.
        ("SELECT id FROM customer WHERE upper(name) = $1", "'X'"),
        ("SELECT id FROM customer WHERE id::text = $1", "'7'"),
        ("SELECT id FROM customer WHERE status <> $1", "'active'"),
        // What is sorted by is no column of one table.
        ("SELECT employee_id, count(*) FROM customer GROUP BY id ORDER BY count(*) DESC LIMIT 5", ""),
    ] {
        let seen = ground.see(Layer::Queryset, sql, values).await;
        assert_eq!(sentences(Kind::MissingIndex, &seen), [""; 0], "{sql}: {:#?}", seen.plan);
    }
}

#[test]
fn an_index_that_is_there_serves_whoever_wants_its_first_columns() {
    let scan = Node {
        kind: "Seq Scan".to_owned(),
        relation: Some("customer".to_owned()),
        alias: Some("c".to_owned()),
        filter: Some("((NOT c.is_deleted) AND (c.workspace_id = 1))".to_owned()),
        ..Node::default()
    };
    let text = Text::of("SELECT 1 FROM customer AS c WHERE NOT c.is_deleted AND c.workspace_id = $1");
    let order = ["c.created_at DESC".to_owned(), "c.id DESC".to_owned()];
    let wanted = Definition::of(&scan, &text, false, Purpose::Order, &order).unwrap();
    for (there, serves) in [
        ("(workspace_id, created_at DESC, id DESC)", true),
        ("(workspace_id, created_at DESC, id DESC) INCLUDE (status) WHERE (NOT is_deleted)", true),
        ("(workspace_id, created_at, id)", true),
        ("(workspace_id DESC, created_at, id, status)", true),
        ("(workspace_id, created_at DESC, id)", false),
        ("(workspace_id, created_at DESC)", false),
        ("(created_at DESC, id DESC)", false),
        ("(workspace_id, created_at DESC, id DESC) WHERE is_test", false),
    ] {
        let indexdef = format!("CREATE INDEX some ON public.customer USING btree {there}");
        assert_eq!(wanted.is_served_by(&indexdef), serves, "{there}");
    }
    assert!(
        !wanted.is_served_by("CREATE INDEX some ON public.call USING btree (workspace_id, created_at, id)")
    );
}
