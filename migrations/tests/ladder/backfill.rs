//! The totals come into being while others write, whatever interrupts that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use cluster::testing::TestDatabase;
use migrations::{Error, Event, Level, level, migrate, unwind};
use sqlx::PgConnection;
use tokio::task::JoinSet;

use crate::support::{assert_totals_agree, climb, fill, fresh, number, open, refused, run, schema, until};

/// Several batches.
const CUSTOMERS: u32 = 11_000;
const CALLS: u32 = 40_000;

/// A filled database at level `indexed`.
async fn filled() -> (TestDatabase, PgConnection) {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    fill(&mut conn, CUSTOMERS, CALLS).await;
    // The planner reads from the index alone what is known to be visible.
    run(&mut conn, "VACUUM (ANALYZE)").await;
    (database, conn)
}

/// Nobody waits longer than this for the migration, or fails.
const BOUND: &str = "SET lock_timeout = '5s'";

/// Statements of a writer; `{0}` is a number that is different each time. Rows are picked so that two writers never wait
/// for each other's calls.
const STATEMENTS: [&str; 7] = [
    "INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate)
     SELECT c.workspace_id, c.id, 'inbound', (ARRAY['completed', 'missed', 'busy'])[1 + {0} % 3], 7, 7 + {0} % 50,
            (ARRAY['campaign', 'direct', 'callback'])[1 + {0} % 2], 0.0125 * ({0} % 7)
     FROM generate_series(1, 1 + {0} % 20) AS i JOIN customer c ON c.id = md5('customer' || ({0} * 7919 + i) % 11000)::uuid",
    "UPDATE call SET status = 'completed', duration_seconds = duration_seconds + 1, billing_rate = 0.5
     WHERE id IN (SELECT id FROM call WHERE customer_id > md5('{0}')::uuid ORDER BY customer_id LIMIT 5
                  FOR UPDATE SKIP LOCKED)",
    "UPDATE call SET call_type = 'callback'
     WHERE id IN (SELECT id FROM call WHERE customer_id > md5('{0}')::uuid ORDER BY customer_id LIMIT 9
                  FOR UPDATE SKIP LOCKED)",
    // To another customer of the same workspace.
    "UPDATE call SET customer_id = (SELECT id FROM customer c WHERE c.workspace_id = call.workspace_id
                                      AND c.id > md5('{0}x')::uuid ORDER BY c.id LIMIT 1)
     WHERE id IN (SELECT id FROM call WHERE customer_id > md5('{0}')::uuid ORDER BY customer_id LIMIT 7
                  FOR UPDATE SKIP LOCKED)
       AND EXISTS (SELECT FROM customer c WHERE c.workspace_id = call.workspace_id AND c.id > md5('{0}x')::uuid)",
    "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE customer_id > md5('{0}')::uuid ORDER BY customer_id
                                   LIMIT 1 + {0} % 12 FOR UPDATE SKIP LOCKED)",
    "BEGIN;
     UPDATE call SET duration_seconds = 0, status = 'missed'
     WHERE id IN (SELECT id FROM call WHERE customer_id > md5('{0}')::uuid ORDER BY customer_id LIMIT 15
                  FOR UPDATE SKIP LOCKED);
     ROLLBACK",
    // A customer with all calls goes.
    "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE customer_id = md5('customer' || {0} % 11000)::uuid
                                   FOR UPDATE SKIP LOCKED)",
];

/// What writers and their test tell each other.
#[derive(Default)]
struct Signals {
    stop: AtomicBool,
    /// Transactions that were run.
    done: AtomicU64,
    /// A writer has ended.
    ended: AtomicBool,
}

impl Signals {
    /// Holds the caller up until so many more transactions were run.
    fn let_write(&self, transactions: u64) {
        tokio::task::block_in_place(|| {
            let until = self.done.load(Relaxed) + transactions;
            while self.done.load(Relaxed) < until && !self.ended.load(Relaxed) {
                std::thread::yield_now();
            }
        });
    }
}

/// Notes the end of a writer, by failure too.
struct End(Arc<Signals>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.ended.store(true, Relaxed);
    }
}

/// Writers that go on until they are told to stop.
struct Writers {
    tasks: JoinSet<()>,
    signals: Arc<Signals>,
}

impl Writers {
    /// Each turn of a writer is a transaction, or several statements around one.
    async fn start(database: &TestDatabase, writers: u64, turn: fn(u64) -> Vec<String>) -> Self {
        let signals = Arc::new(Signals::default());
        let mut tasks = JoinSet::new();
        for writer in 0..writers {
            let mut conn = open(database).await;
            run(&mut conn, BOUND).await;
            let end = End(Arc::clone(&signals));
            tasks.spawn(async move {
                let mut turns = (writer..).step_by(usize::try_from(writers).unwrap());
                while !end.0.stop.load(Relaxed) {
                    for statement in turns.next().map(turn).unwrap_or_default() {
                        run(&mut conn, &statement).await;
                    }
                    end.0.done.fetch_add(1, Relaxed);
                }
            });
        }
        Self { tasks, signals }
    }

    /// Ends the writers; none may have failed.
    async fn stop(mut self) {
        self.signals.stop.store(true, Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no writer fails");
        }
    }
}

/// One statement of each kind, turn by turn.
fn any_statement(turn: u64) -> Vec<String> {
    // Four writers, each of which comes by every kind.
    let kind = (turn / 4 + turn) % STATEMENTS.len() as u64;
    vec![STATEMENTS[usize::try_from(kind).unwrap()].replace("{0}", &turn.to_string())]
}

/// Customers from the last to the first, in one transaction.
fn descending(_: u64) -> Vec<String> {
    let some = |first: u32| {
        format!(
            "UPDATE call SET duration_seconds = duration_seconds + 1 WHERE customer_id IN (
                 SELECT id FROM customer WHERE id >= '{first:02x}000000-0000-0000-0000-000000000000'
                 ORDER BY id LIMIT 2)"
        )
    };
    let statements = (0..256).rev().map(some);
    ["BEGIN".to_owned()].into_iter().chain(statements).chain(["COMMIT".to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_are_right_for_every_customer_when_others_write_all_the_while() {
    let (database, mut conn) = filled().await;
    let writers = Writers::start(&database, 4, any_statement).await;
    let signals = Arc::clone(&writers.signals);
    signals.let_write(40);
    let mut batches = 0;
    let mut on_event = |event| {
        if let Event::Counted { .. } = event {
            batches += 1;
            // Everything that can be written is, before the next batch.
            signals.let_write(30);
        }
    };
    migrate(&mut conn, database.url(), Level::Optimized, &mut on_event).await.unwrap();
    assert!(batches >= 5, "{batches}");
    signals.let_write(40);
    writers.stop().await;
    assert_totals_agree(&mut conn).await;
    assert!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await > 10_000);
    assert_eq!(level(&mut conn).await.unwrap(), Some(Level::Optimized));
    // Statistics are there at once.
    let known = "SELECT reltuples::bigint FROM pg_class WHERE relname = 'customer_call_stats'";
    assert!(number(&mut conn, known).await > 10_000);

    // Down and up again, with the same writers.
    let writers = Writers::start(&database, 4, any_statement).await;
    let indexed = migrate(&mut conn, database.url(), Level::Indexed, &mut |_| {}).await;
    let optimized = migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await;
    writers.stop().await;
    indexed.unwrap();
    optimized.unwrap();
    assert_totals_agree(&mut conn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_takes_customers_in_the_wrong_order_is_let_pass() {
    let (database, mut conn) = filled().await;
    // It meets every batch from the other side.
    let writers = Writers::start(&database, 1, descending).await;
    let signals = Arc::clone(&writers.signals);
    let mut on_event = |event| {
        if let Event::Counted { .. } = event {
            signals.let_write(1);
        }
    };
    migrate(&mut conn, database.url(), Level::Optimized, &mut on_event).await.unwrap();
    writers.stop().await;
    assert_totals_agree(&mut conn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_whom_somebody_holds_is_waited_for_alone() {
    let (database, mut conn) = filled().await;
    let (mut holder, mut other) = (open(&database).await, open(&database).await);
    run(&mut other, "SET lock_timeout = '500ms'").await;
    let of_last =
        "UPDATE call SET duration_seconds = duration_seconds + 1 WHERE customer_id = (SELECT id FROM customer
                   ORDER BY id DESC OFFSET {0} LIMIT 1)";
    let (mut held, mut waits) = (false, 0);
    let mut on_event = |event| {
        let statements: Vec<(&mut PgConnection, String)> = match event {
            Event::Counted { .. } if !std::mem::replace(&mut held, true) => {
                vec![(&mut holder, format!("BEGIN; {}", of_last.replace("{0}", "500")))]
            }
            // Those before and after can be written to, by others too.
            Event::Waiting { .. } => {
                waits += 1;
                vec![
                    (
                        &mut other,
                        format!("{}; {}", of_last.replace("{0}", "499"), of_last.replace("{0}", "501")),
                    ),
                    (&mut holder, "COMMIT".to_owned()),
                ]
            }
            _ => Vec::new(),
        };
        tokio::task::block_in_place(|| {
            for (conn, statement) in statements {
                tokio::runtime::Handle::current().block_on(run(conn, &statement));
            }
        });
    };
    migrate(&mut conn, database.url(), Level::Optimized, &mut on_event).await.unwrap();
    assert!(waits >= 1, "{waits}");
    assert_totals_agree(&mut conn).await;
}

#[tokio::test]
async fn who_writes_for_long_holds_up_the_migration_and_nobody_else() {
    let (database, mut conn) = filled().await;
    let mut slow = open(&database).await;
    run(&mut slow, "BEGIN; DELETE FROM call WHERE customer_id = md5('customer1')::uuid").await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let mut on_event = |event| {
        if let Event::Waiting { step, tries } = event {
            tell.send((step, tries)).expect("somebody listens");
        }
    };
    let migrating = migrate(&mut conn, database.url(), Level::Optimized, &mut on_event);
    let others = async {
        assert_eq!(told.recv().await.unwrap(), ("totals".to_owned(), 1));
        let mut other = open(&database).await;
        run(&mut other, BOUND).await;
        run(&mut other, "UPDATE call SET duration_seconds = 1 WHERE customer_id = md5('customer2')::uuid")
            .await;
        assert_eq!(told.recv().await.unwrap(), ("totals".to_owned(), 2));
        run(&mut other, "UPDATE call SET duration_seconds = 2 WHERE customer_id = md5('customer2')::uuid")
            .await;
        run(&mut slow, "COMMIT").await;
        // Later tries may have to wait as well, while this machine is slow.
        while told.recv().await.is_some() {}
    };
    tokio::select! {
        migrated = migrating => migrated.unwrap(),
        () = others => unreachable!("the sender lives as long as the migration"),
    }
    assert_totals_agree(&mut conn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_can_not_be_truncated_while_they_are_counted() {
    let (database, mut conn) = filled().await;
    let mut other = open(&database).await;
    run(&mut other, "SET lock_timeout = '20ms'").await;
    let mut answers = Vec::new();
    let mut on_event = |event| {
        if let Event::Counted { .. } = event {
            let truncated = refused(&mut other, "TRUNCATE call");
            answers
                .push(tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(truncated)));
        }
    };
    migrate(&mut conn, database.url(), Level::Optimized, &mut on_event).await.unwrap();
    assert!(answers.len() >= 5 && answers.iter().all(|code| code == "55P03"), "{answers:?}");
    assert_totals_agree(&mut conn).await;
    run(&mut other, "SET lock_timeout = 0; TRUNCATE call").await;
    assert_totals_agree(&mut conn).await;
}

/// Migrates until some batches are written, then drops everything, as a process that is killed.
async fn interrupted(database: &TestDatabase) {
    let mut conn = open(database).await;
    let enough = tokio::sync::Notify::new();
    let mut on_event = |event| {
        if let Event::Counted { customers: 4_000.., .. } = event {
            enough.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = enough.notified() => {}
        migrated = migrate(&mut conn, database.url(), Level::Optimized, &mut on_event) => {
            panic!("not interrupted: {migrated:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_the_totals_are_known_as_such_and_the_next_run_begins_anew() {
    let (database, mut conn) = filled().await;
    let untouched = schema(&mut conn).await;
    interrupted(&database).await;
    let half = number(&mut conn, "SELECT count(*) FROM customer_call_stats").await;
    assert!((4_000..11_000).contains(&half), "{half}");
    assert_eq!(level(&mut conn).await.unwrap(), Some(Level::Indexed), "not the level");
    // Those who write meanwhile are not bothered by it.
    run(&mut conn, "DELETE FROM call WHERE duration_seconds % 7 = 0").await;

    let events = climb(&database, &mut conn, Level::Optimized).await;
    let leftover = Event::Leftover { name: "customer_call_stats".to_owned() };
    assert_eq!(events.iter().filter(|event| **event == leftover).count(), 1, "{events:?}");
    assert_totals_agree(&mut conn).await;
    assert_eq!(climb(&database, &mut conn, Level::Optimized).await, []);
    climb(&database, &mut conn, Level::Indexed).await;
    assert_eq!(schema(&mut conn).await, untouched);

    // Who gives the level up is rid of them as well.
    interrupted(&database).await;
    assert_eq!(climb(&database, &mut conn, Level::Indexed).await.first(), Some(&leftover));
    assert_eq!(schema(&mut conn).await, untouched);
    interrupted(&database).await;
    unwind(&mut conn, &mut |_| {}).await.unwrap();
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace").await,
        0
    );
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM pg_class WHERE relname LIKE 'customer_call_%'").await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_is_an_error_that_the_next_run_mends() {
    let (database, mut conn) = filled().await;
    let mut other = open(&database).await;
    // The one that reads holds a snapshot, the one that writes an advisory lock.
    for lost in ["backend_xmin IS NOT NULL", "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"]
    {
        let terminate = format!(
            "SELECT count(pg_terminate_backend(pid, 60000)) = 1 FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'callbench migrate' AND {lost}"
        );
        let mut is_first = true;
        let mut on_event = |event| {
            if let Event::Counted { .. } = event
                && std::mem::take(&mut is_first)
            {
                let terminated = until(&mut other, &terminate);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(terminated));
            }
        };
        let failed = migrate(&mut conn, database.url(), Level::Optimized, &mut on_event).await.unwrap_err();
        assert!(matches!(&failed, Error::Step { step, .. } if step == "totals"), "{failed}");
        assert_eq!(level(&mut conn).await.unwrap(), Some(Level::Indexed));
        climb(&database, &mut conn, Level::Optimized).await;
        assert_totals_agree(&mut conn).await;
        climb(&database, &mut conn, Level::Indexed).await;
    }
}

#[tokio::test]
async fn a_table_of_the_same_name_that_is_not_ours_is_left_alone() {
    let (database, mut conn) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    run(&mut conn, "CREATE TABLE customer_call_stats AS SELECT 1 AS mine").await;
    let failed = migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap_err();
    assert!(failed.to_string().contains("already exists"), "{failed}");
    assert_eq!(number(&mut conn, "SELECT mine::bigint FROM customer_call_stats").await, 1);
}

#[tokio::test]
async fn connections_that_lead_elsewhere_are_refused() {
    let (database, mut conn) = fresh().await;
    let (elsewhere, _) = fresh().await;
    climb(&database, &mut conn, Level::Indexed).await;
    let failed = migrate(&mut conn, elsewhere.url(), Level::Optimized, &mut |_| {}).await.unwrap_err();
    assert!(failed.to_string().contains("different database"), "{failed}");
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM pg_class WHERE relname LIKE 'customer_call_%'").await,
        0
    );
}
