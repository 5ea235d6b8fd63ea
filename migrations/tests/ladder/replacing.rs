//! An index that a level defines anew, and what is left when that is interrupted.

use migrations::{Event, Level, migrate, unwind};

use crate::support::{climb, fresh, number, open, pid, run, schema, until};

const NAME: &str = "idx_customer_label_label_id";

/// What somebody else does, in a transaction that stays open, so that the replacement can't get past a point.
const POINTS: [(&str, &str); 3] = [
    // A concurrent build waits for writers.
    ("while it builds", "INSERT INTO customer_label VALUES (gen_random_uuid(), gen_random_uuid())"),
    // An index that is altered keeps its name meanwhile.
    ("before the names change", "ALTER INDEX idx_customer_label_label_id SET (fillfactor = 90)"),
    // A concurrent drop waits for readers.
    ("before the other one goes", "LOCK TABLE customer_label IN ACCESS SHARE MODE"),
];

#[tokio::test]
async fn a_replacement_that_is_interrupted_anywhere_leaves_an_index_to_read_by_and_is_ended_by_the_next_run()
{
    let (pristine, mut conn) = fresh().await;
    let empty = schema(&mut conn).await;
    let mut wanted = Vec::new();
    for level in Level::ALL {
        climb(&pristine, &mut conn, level).await;
        wanted.push(schema(&mut conn).await);
    }
    for (point, obstacle) in POINTS {
        for (from, to) in [(Level::Indexed, Level::Optimized), (Level::Optimized, Level::Indexed)] {
            for then in [Some(to), Some(from), None] {
                let case = format!("{from} to {to}, interrupted {point}, then {then:?}");
                let (database, mut conn) = fresh().await;
                climb(&database, &mut conn, from).await;
                let mut other = open(&database).await;
                run(&mut other, "BEGIN").await;
                run(&mut other, obstacle).await;

                let mut migrating = open(&database).await;
                let backend = pid(&mut migrating).await;
                let url = database.url().to_owned();
                let broken =
                    tokio::spawn(
                        async move { migrate(&mut migrating, &url, to, &mut |_| {}).await.is_err() },
                    );
                let blocked = format!(
                    "SELECT EXISTS (SELECT FROM pg_locks l WHERE l.pid = {backend} AND NOT l.granted)
                        AND EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = {backend} AND a.query LIKE '%{NAME}%')"
                );
                until(&mut conn, &blocked).await;
                let terminate = format!("SELECT pg_terminate_backend({backend}, 60000)");
                until(&mut conn, &terminate).await;
                assert!(broken.await.unwrap(), "{case}");
                let left = number(
                    &mut conn,
                    "SELECT count(*) FROM pg_class WHERE relname LIKE 'idx_customer_label_label_id\\_\\_%'",
                )
                .await;
                assert_eq!(left, 1, "{case}");
                let usable = format!(
                    "SELECT count(*) FROM pg_index JOIN pg_class ON oid = indexrelid
                     WHERE relname = '{NAME}' AND indisvalid AND indisready"
                );
                assert_eq!(number(&mut conn, &usable).await, 1, "{case}");
                run(&mut other, "ROLLBACK").await;

                if let Some(then) = then {
                    let events = climb(&database, &mut conn, then).await;
                    let found = events.iter().any(|event| matches!(event, Event::Leftover { .. }));
                    assert!(found, "{case}: {events:?}");
                    assert_eq!(schema(&mut conn).await, wanted[then as usize], "{case}");
                } else {
                    unwind(&mut conn, &mut |_| {}).await.unwrap();
                    assert_eq!(schema(&mut conn).await, empty, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_name_change_that_others_hold_up_gives_up_and_tries_again() {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    let mut other = open(&database).await;
    run(&mut other, "BEGIN; ALTER INDEX idx_customer_label_label_id SET (fillfactor = 90)").await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut on_event = |event| {
        if let Event::Waiting { step, .. } = event {
            // The receiver is gone after the first.
            let _ = tell.send(step);
        }
    };
    let migrating = migrate(&mut conn, database.url(), Level::Optimized, &mut on_event);
    let let_go = async {
        let step = told.recv().await.unwrap();
        run(&mut other, "ROLLBACK").await;
        step
    };
    let (migrated, step) = tokio::join!(migrating, let_go);
    migrated.unwrap();
    assert_eq!(step, format!("replace {NAME}"));
}

#[tokio::test]
async fn an_index_that_is_lost_comes_back_as_the_level_defines_it() {
    for level in [Level::Indexed, Level::Optimized] {
        let (database, mut conn) = fresh().await;
        climb(&database, &mut conn, level).await;
        let wanted = schema(&mut conn).await;
        for name in [NAME, "idx_call_customer_created", "idx_customer_other_attributes"] {
            run(&mut conn, &format!("DROP INDEX {name}")).await;
            let events = climb(&database, &mut conn, level).await;
            assert_eq!(events, [Event::Repairing { index: name.to_owned() }]);
            assert_eq!(schema(&mut conn).await, wanted, "{level}");
        }
        // What goes with the step up is not built before it.
        if level == Level::Indexed {
            run(&mut conn, &format!("DROP INDEX {NAME}")).await;
            let events = climb(&database, &mut conn, Level::Optimized).await;
            assert!(!events.iter().any(|event| matches!(event, Event::Repairing { .. })), "{events:?}");
        }
    }
}
