//! Transactions in plain SQL: as the server orders them, and as they come.
//!
//! Both do the same to the same rows. In order, the rows are first locked by id, in one statement, as the server does it; the
//! control lacks that statement, and so locks rows as they arrive.

use reports::labs::locks::Way;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::case::Turn;
use super::fresh;
use super::rows::{self, Rows};

/// The name of the lab's sessions in `pg_stat_activity`.
const APPLICATION: &str = "callbench lock lab";

/// A waiting session looks for a deadlock after this long, so that a control ends in reasonable time.
const DEADLOCK_TIMEOUT: &str = "deadlock_timeout = '20ms'";

/// Nobody waits for ever, whatever goes wrong.
const LOCK_TIMEOUT: &str = "lock_timeout = '30s'";

/// A session of one writer.
#[derive(Debug)]
pub(super) struct SqlHand {
    connection: PgConnection,
    rows: Rows,
    is_ordered: bool,
    seed: u64,
}

/// A session of the lab. It finds deadlocks soon where the user may set that.
pub(super) async fn session(url: &str) -> Result<PgConnection, sqlx::Error> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let mut connection = PgConnection::connect_with(&options.application_name(APPLICATION)).await?;
    rows::set(&mut connection, DEADLOCK_TIMEOUT).await?;
    rows::set(&mut connection, LOCK_TIMEOUT).await?;
    Ok(connection)
}

impl SqlHand {
    pub(super) async fn open(url: &str, rows: &Rows, way: Way, seed: u64) -> Result<Self, sqlx::Error> {
        let connection = session(url).await?;
        Ok(Self { connection, rows: rows.clone(), is_ordered: way != Way::Control, seed })
    }

    /// One transaction; says how many rows it has changed.
    pub(super) async fn attempt(&mut self, turn: &Turn) -> Result<u64, sqlx::Error> {
        let (rows, is_ordered) = (&self.rows, self.is_ordered);
        let ids = |picks: &[usize]| -> Vec<Uuid> { picks.iter().map(|pick| rows.ids[*pick]).collect() };
        let mut transaction = self.connection.begin().await?;
        let db = &mut *transaction;
        let changed = match turn {
            Turn::Insert { block, rows: picks } => {
                let mut ids: Vec<Uuid> = picks.iter().map(|pick| fresh(self.seed, *block, *pick)).collect();
                if is_ordered {
                    ids.sort_unstable();
                }
                insert(db, rows, &ids).await?
            }
            Turn::Update(picks) => {
                let taken = if is_ordered { lock(db, rows, &ids(picks)).await? } else { ids(picks) };
                update(db, &taken).await?
            }
            Turn::Delete(picks) => {
                let taken = if is_ordered { lock(db, rows, &ids(picks)).await? } else { ids(picks) };
                delete(db, &taken).await?
            }
            Turn::Calls(picks) => {
                hold(db, rows, &ids(picks)).await?;
                add_calls(db, rows, &ids(picks), is_ordered).await?
            }
            Turn::ReadModifyWrite(pick) => read_modify_write(db, rows.ids[*pick], is_ordered).await?,
            Turn::UpdateThenLock(picks) => {
                let taken = lock(db, rows, &ids(picks)).await?;
                let changed = update(db, &taken).await?;
                sqlx::query("LOCK TABLE customer IN SHARE UPDATE EXCLUSIVE MODE").execute(db).await?;
                changed
            }
        };
        transaction.commit().await?;
        Ok(changed)
    }

    /// Brings back customers that were deleted, in the order of their ids whatever the way; says how many.
    pub(super) async fn revive(&mut self, picks: &[usize]) -> Result<u64, sqlx::Error> {
        let ids: Vec<Uuid> = picks.iter().map(|pick| self.rows.ids[*pick]).collect();
        let revived = sqlx::query(
            "WITH locked AS MATERIALIZED (
                 SELECT id FROM customer WHERE id = ANY ($1) AND is_deleted ORDER BY id FOR NO KEY UPDATE)
             UPDATE customer AS c SET is_deleted = false, deleted_at = NULL, duration = duration + 1
               FROM locked WHERE c.id = locked.id",
        )
        .bind(&ids)
        .execute(&mut self.connection)
        .await?;
        Ok(revived.rows_affected())
    }

    /// Ends the session, which hands in what it counted.
    pub(super) async fn close(self) {
        // The server notices either way.
        let _ = self.connection.close().await;
    }
}

/// The server's lock: all rows that are there, by id, before any is changed; says which. Only these may be changed: one that
/// somebody brings back meanwhile is not locked.
async fn lock(db: &mut PgConnection, rows: &Rows, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT id FROM customer
          WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
          ORDER BY id
            FOR NO KEY UPDATE",
    )
    .bind(rows.workspace)
    .bind(ids)
    .fetch_all(db)
    .await
}

/// The server's lock against deletion, which others may have at the same time.
async fn hold(db: &mut PgConnection, rows: &Rows, ids: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT id FROM customer
          WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
          ORDER BY id
            FOR SHARE",
    )
    .bind(rows.workspace)
    .bind(ids)
    .execute(db)
    .await?;
    Ok(())
}

async fn insert(db: &mut PgConnection, rows: &Rows, ids: &[Uuid]) -> Result<u64, sqlx::Error> {
    let mut changed = 0;
    for id in ids {
        let inserted = sqlx::query(
            "INSERT INTO customer (id, workspace_id, name, phone, status, quality, call_status)
             VALUES ($1, $2, $3, '0', 'active', 'cold', 'pending') ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(rows.workspace)
        .bind(&rows.mark);
        changed += inserted.execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

async fn update(db: &mut PgConnection, ids: &[Uuid]) -> Result<u64, sqlx::Error> {
    let mut changed = 0;
    for id in ids {
        let updated = sqlx::query(
            "UPDATE customer SET duration = duration + 1, updated_at = now() WHERE id = $1 AND NOT is_deleted",
        )
        .bind(id);
        changed += updated.execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

async fn delete(db: &mut PgConnection, ids: &[Uuid]) -> Result<u64, sqlx::Error> {
    let mut changed = 0;
    for id in ids {
        let deleted = sqlx::query(
            "UPDATE customer SET is_deleted = true, deleted_at = now(), duration = duration + 1
              WHERE id = $1 AND NOT is_deleted",
        )
        .bind(id);
        changed += deleted.execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

/// All calls in one statement, so that the trigger takes the totals by customer; or one after the other.
async fn add_calls(
    db: &mut PgConnection,
    rows: &Rows,
    customers: &[Uuid],
    is_ordered: bool,
) -> Result<u64, sqlx::Error> {
    let at_once = if is_ordered { customers.len() } else { 1 };
    let mut changed = 0;
    for customers in customers.chunks(at_once.max(1)) {
        let added = sqlx::query(
            "INSERT INTO call (id, workspace_id, customer_id, direction, status, duration, duration_seconds, call_type)
             SELECT gen_random_uuid(), $1, customer_id, 'outbound', 'completed', 60, 60, 'direct'
               FROM unnest($2::uuid[]) AS own (customer_id)",
        )
        .bind(rows.workspace)
        .bind(customers);
        changed += added.execute(&mut *db).await?.rows_affected();
    }
    Ok(changed)
}

/// Adds 1 to a counter in the client, with the row locked from the reading on, or not.
async fn read_modify_write(db: &mut PgConnection, id: Uuid, is_ordered: bool) -> Result<u64, sqlx::Error> {
    let read = if is_ordered {
        sqlx::query_scalar("SELECT duration FROM customer WHERE id = $1 FOR NO KEY UPDATE")
    } else {
        sqlx::query_scalar("SELECT duration FROM customer WHERE id = $1")
    };
    let count: f64 = read.bind(id).fetch_one(&mut *db).await?;
    let written = sqlx::query("UPDATE customer SET duration = $2 WHERE id = $1").bind(id).bind(count + 1.0);
    Ok(written.execute(db).await?.rows_affected())
}
