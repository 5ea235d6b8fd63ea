//! The writes as plain SQL: a transaction each, with the locks and the order of locks that the reference server takes.

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::Error;
use super::choice::{Change, NewCall, Newcomer};

/// Writes on a connection of its own.
#[derive(Debug)]
pub(super) struct Sql {
    pub(super) connection: PgConnection,
    pub(super) workspace: Uuid,
}

impl Sql {
    /// Carries out one write; the ids of its rows, and how long it took from its `BEGIN` to the answer to its `COMMIT`.
    pub(super) async fn carry_out(&mut self, change: &Change) -> Result<(Vec<Uuid>, Duration), Error> {
        let ids = match change {
            Change::Insert(newcomers) => new_ids(newcomers.len()),
            Change::Call(calls) => new_ids(calls.len()),
            Change::Status(ids, _) | Change::Delete(ids) => ids.clone(),
            Change::Phone(id, _) => vec![*id],
        };
        let began = Instant::now();
        let mut transaction = self.connection.begin().await?;
        let written = match change {
            Change::Insert(newcomers) => insert(&mut transaction, self.workspace, &ids, newcomers).await?,
            Change::Status(_, status) => set_status(&mut transaction, self.workspace, &ids, status).await?,
            Change::Phone(id, phone) => set_phone(&mut transaction, self.workspace, *id, phone).await?,
            Change::Delete(_) => delete(&mut transaction, self.workspace, &ids).await?,
            Change::Call(calls) => call(&mut transaction, self.workspace, &ids, calls).await?,
        };
        transaction.commit().await?;
        let took = began.elapsed();
        if written != ids.len() as u64 {
            return Err(Error::OtherRows { wanted: ids.len() as u64, written });
        }
        Ok((ids, took))
    }

    /// Hands in the counters of this session, now and not once a second.
    pub(super) async fn hand_in(&mut self) -> Result<(), Error> {
        // PostgreSQL 14 does not know the function.
        let knows: bool = sqlx::query_scalar(
            "SELECT /* callbench probe */ to_regproc('pg_catalog.pg_stat_force_next_flush') IS NOT NULL",
        )
        .fetch_one(&mut self.connection)
        .await?;
        if knows {
            sqlx::query("SELECT /* callbench probe */ pg_stat_force_next_flush()")
                .execute(&mut self.connection)
                .await?;
        }
        Ok(())
    }
}

fn new_ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::new_v4()).collect()
}

/// New customers, all in one statement.
pub(super) async fn insert(
    connection: &mut PgConnection,
    workspace: Uuid,
    ids: &[Uuid],
    newcomers: &[Newcomer],
) -> Result<u64, sqlx::Error> {
    fn all<'n, T>(newcomers: &'n [Newcomer], of: impl Fn(&'n Newcomer) -> T) -> Vec<T> {
        newcomers.iter().map(of).collect()
    }
    let done = sqlx::query(
        "INSERT INTO customer (id, workspace_id, name, email, phone, carrier, status, quality, call_status, duration,
                               is_test, checked, other_attributes, employee_id, created_at, updated_at)
         SELECT id, $1, name, email, phone, carrier, status, quality, 'pending', 0,
                false, false, other_attributes::jsonb, NULL, now(), now()
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
                AS draft (id, name, email, phone, carrier, status, quality, other_attributes)",
    )
    .bind(workspace)
    .bind(ids)
    .bind(all(newcomers, |new| new.name.as_str()))
    .bind(all(newcomers, |new| new.email.as_str()))
    .bind(all(newcomers, |new| new.phone.as_str()))
    .bind(all(newcomers, |new| new.carrier))
    .bind(all(newcomers, |new| new.status))
    .bind(all(newcomers, |new| new.quality))
    .bind(all(newcomers, |new| new.other_attributes.to_string()))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn set_status(
    connection: &mut PgConnection,
    workspace: Uuid,
    ids: &[Uuid],
    status: &str,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "WITH locked AS MATERIALIZED (
             SELECT id FROM customer
              WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
              ORDER BY id
                FOR NO KEY UPDATE)
         UPDATE customer AS c
            SET status = $3, updated_at = now()
           FROM locked
          WHERE c.id = locked.id AND c.workspace_id = $1",
    )
    .bind(workspace)
    .bind(ids)
    .bind(status)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn set_phone(
    connection: &mut PgConnection,
    workspace: Uuid,
    id: Uuid,
    phone: &str,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "WITH locked AS MATERIALIZED (
             SELECT id FROM customer
              WHERE id = $2 AND workspace_id = $1 AND NOT is_deleted
                FOR NO KEY UPDATE)
         UPDATE customer AS c
            SET phone = $3, updated_at = now()
           FROM locked
          WHERE c.id = locked.id AND c.workspace_id = $1",
    )
    .bind(workspace)
    .bind(id)
    .bind(phone)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

async fn delete(connection: &mut PgConnection, workspace: Uuid, ids: &[Uuid]) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "WITH locked AS MATERIALIZED (
             SELECT id FROM customer
              WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
              ORDER BY id
                FOR NO KEY UPDATE)
         UPDATE customer AS c
            SET is_deleted = true, deleted_at = now(), updated_at = now()
           FROM locked
          WHERE c.id = locked.id AND c.workspace_id = $1",
    )
    .bind(workspace)
    .bind(ids)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// New calls. Their customers are locked against deletion first, in the order of their ids.
async fn call(
    connection: &mut PgConnection,
    workspace: Uuid,
    ids: &[Uuid],
    calls: &[NewCall],
) -> Result<u64, sqlx::Error> {
    fn all<'c, T>(calls: &'c [NewCall], of: impl Fn(&'c NewCall) -> T) -> Vec<T> {
        calls.iter().map(of).collect()
    }
    sqlx::query(
        "SELECT id FROM customer
          WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
          ORDER BY id
            FOR SHARE",
    )
    .bind(workspace)
    .bind(all(calls, |call| call.customer_id))
    .fetch_all(&mut *connection)
    .await?;
    let done = sqlx::query(
        "INSERT INTO call (id, workspace_id, customer_id, campaign_customer_id, direction, status, duration,
                           duration_seconds, recording_url, transcript, sentiment_score, call_type, billing_rate,
                           created_at)
         SELECT id, $1, customer_id, NULL, direction, status, seconds, seconds, NULL, NULL, NULL, call_type,
                billing_rate::numeric, now()
           FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::int4[], $7::text[], $8::text[])
                AS draft (id, customer_id, direction, status, seconds, call_type, billing_rate)",
    )
    .bind(workspace)
    .bind(ids)
    .bind(all(calls, |call| call.customer_id))
    .bind(all(calls, |call| call.direction))
    .bind(all(calls, |call| call.status))
    .bind(all(calls, |call| call.seconds))
    .bind(all(calls, |call| call.call_type))
    .bind(all(calls, |call| call.billing_rate))
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
