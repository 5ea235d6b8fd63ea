//! Writers that meet at the same customers: those of the server wait for each other one way only, and lose at most against
//! others.

use std::sync::Arc;

use migrations::Level;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::customers::draft::Draft;
use crate::customers::store;
use crate::database::retry::retried;
use crate::database::tally::Tally;
use crate::database::{self, Pool};
use crate::permission::Admission;
use crate::refusal::Refusal;

const ADMISSION: Admission = Admission { workspace_id: Uuid::from_u128(1), employee_id: None };

/// A database with this many customers, their ids in order, and connections that find deadlocks at once.
async fn customers(count: i32) -> (cluster::testing::TestDatabase, Pool, Vec<Uuid>) {
    let database = cluster::testing::database("server_contention").await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    migrations::migrate(&mut db, database.url(), Level::Indexed, &mut |_| {}).await.unwrap();
    let mut ids: Vec<Uuid> = sqlx::query_scalar(
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status)
         SELECT $1, 'c', '1', 'active', 'hot', 'pending' FROM generate_series(1, $2) RETURNING id",
    )
    .bind(ADMISSION.workspace_id)
    .bind(count)
    .fetch_all(&mut db)
    .await
    .unwrap();
    ids.sort_unstable();
    let options = database.url().parse::<sqlx::postgres::PgConnectOptions>().unwrap();
    let pool = database::testing(options.options([("deadlock_timeout", "10ms")]), 8);
    (database, pool, ids)
}

/// Changes these customers as the server does, found by a plan of this kind, and says how many retries it took.
async fn change(pool: Pool, ids: Vec<Uuid>, plan: &'static str) -> (Result<usize, Refusal>, u64) {
    let draft = &Draft { status: Some("blocked"), ..Draft::default() };
    let (pool, ids) = (&pool, &ids);
    let tally = Arc::new(Tally::default());
    let changing = retried(|| async move {
        let mut transaction = pool.transaction().await?;
        (&mut *transaction).execute(plan).await?;
        let updated = store::update(&mut transaction, &ADMISSION, ids, draft).await?;
        transaction.commit().await?;
        Ok(updated.len())
    });
    let outcome = Arc::clone(&tally).count(changing).await;
    (outcome, tally.retries())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_the_server_never_lose_against_each_other_whatever_their_plans() {
    let (_database, pool, ids) = customers(300).await;
    // Without an order of its own, a statement locks in the order in which its plan meets the rows: as they lie in the
    // table, or by id.
    let plans = [
        "SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off",
        "SET LOCAL enable_seqscan = off",
    ];
    let mut writers = Vec::new();
    for round in 0..80 {
        let mut ids = ids.clone();
        ids.rotate_left(round);
        if round % 4 < 2 {
            ids.reverse();
        }
        writers.push(tokio::spawn(change(pool.clone(), ids, plans[round % 2])));
    }
    for writer in writers {
        assert_eq!(writer.await.unwrap(), (Ok(300), 0));
    }
}

/// Waits until this many sessions of the database wait for a lock of another.
async fn waiting(db: &mut PgConnection, count: i64) {
    loop {
        let found: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *db)
        .await
        .unwrap();
        if found == count {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_with_somebody_who_locks_in_another_order_is_tried_again_and_counted() {
    const TAKE: &str = "UPDATE customer SET quality = 'cold' WHERE id = $1";
    let (database, pool, ids) = customers(3).await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    let mut gate = PgConnection::connect(database.url()).await.unwrap();
    let mut disorderly = PgConnection::connect(database.url()).await.unwrap();
    // The server takes the first, and waits for the second.
    let mut gate = gate.begin().await.unwrap();
    sqlx::query(TAKE).bind(ids[1]).execute(&mut *gate).await.unwrap();
    // The other has the last and will ask for the first. It never looks for a deadlock, so it is not the one to give way.
    disorderly.execute("SET deadlock_timeout = '1h'").await.unwrap();
    disorderly.execute("BEGIN").await.unwrap();
    sqlx::query(TAKE).bind(ids[2]).execute(&mut disorderly).await.unwrap();

    let writer = tokio::spawn(change(pool, ids.clone(), "SET LOCAL enable_seqscan = off"));
    waiting(&mut db, 1).await;
    let first = ids[0];
    let other = tokio::spawn(async move {
        sqlx::query(TAKE).bind(first).execute(&mut disorderly).await.unwrap();
        disorderly.execute("COMMIT").await.unwrap();
    });
    waiting(&mut db, 2).await;
    // With the second free, the server asks for the last, and the circle is closed.
    gate.commit().await.unwrap();
    other.await.unwrap();
    assert_eq!(writer.await.unwrap(), (Ok(3), 1));
    let states: Vec<(String, String)> =
        sqlx::query_as("SELECT status, quality FROM customer ORDER BY id").fetch_all(&mut db).await.unwrap();
    assert!(states.iter().all(|(status, quality)| status == "blocked" && quality == "cold"), "{states:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_that_was_deleted_while_the_writer_waited_is_not_there() {
    let (database, pool, ids) = customers(2).await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    let mut deleter = PgConnection::connect(database.url()).await.unwrap();
    let mut deleting = deleter.begin().await.unwrap();
    sqlx::query("UPDATE customer SET is_deleted = true WHERE id = $1")
        .bind(ids[1])
        .execute(&mut *deleting)
        .await
        .unwrap();
    let writer = tokio::spawn(change(pool.clone(), ids.clone(), "SET LOCAL enable_seqscan = off"));
    // A call waits too: it would have been added to a customer that is gone.
    let held = tokio::spawn(async move {
        let mut transaction = pool.transaction().await.unwrap();
        store::hold(&mut transaction, &ADMISSION, &ids[1..]).await.unwrap()
    });
    waiting(&mut db, 2).await;
    deleting.commit().await.unwrap();
    assert_eq!(writer.await.unwrap(), (Ok(1), 0));
    assert!(held.await.unwrap().is_empty());
}
