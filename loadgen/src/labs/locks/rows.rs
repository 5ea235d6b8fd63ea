//! The rows that the lab writes to: its own, in a workspace that is there.
//!
//! They bear a mark in their name, by which whatever the lab has made is found and removed again.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::case::MOST_SHARED;

/// The customers that writers share.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) workspace: Uuid,
    /// In a random order, as they lie in the table.
    pub(super) ids: Vec<Uuid>,
    /// The name of all customers that the lab makes.
    pub(super) mark: String,
}

impl Rows {
    /// Makes the shared rows in a workspace.
    pub(super) async fn make(db: &mut PgConnection, workspace: Uuid) -> Result<Self, sqlx::Error> {
        let rows = Self {
            workspace,
            ids: (0..MOST_SHARED).map(|_| Uuid::new_v4()).collect(),
            mark: format!("callbench lock lab {}", Uuid::new_v4().simple()),
        };
        sqlx::query(
            "INSERT INTO customer (id, workspace_id, name, phone, status, quality, call_status)
             SELECT id, $1, $2, '0', 'active', 'cold', 'pending' FROM unnest($3::uuid[]) AS own (id)",
        )
        .bind(rows.workspace)
        .bind(&rows.mark)
        .bind(&rows.ids)
        .execute(db)
        .await?;
        Ok(rows)
    }

    /// Brings them all back, with their counters at zero.
    pub(super) async fn reset(&self, db: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE customer SET duration = 0, is_deleted = false, deleted_at = NULL
              WHERE id = ANY ($1) AND workspace_id = $2",
        )
        .bind(&self.ids)
        .bind(self.workspace)
        .execute(db)
        .await?;
        Ok(())
    }

    /// The sum of their counters.
    pub(super) async fn counted(&self, db: &mut PgConnection) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT coalesce(sum(duration), 0)::bigint FROM customer WHERE id = ANY ($1)")
            .bind(&self.ids)
            .fetch_one(db)
            .await
    }

    /// How many customers bear the mark.
    pub(super) async fn made(&self, db: &mut PgConnection) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT count(*) FROM customer WHERE workspace_id = $1 AND name = $2")
            .bind(self.workspace)
            .bind(&self.mark)
            .fetch_one(db)
            .await
    }

    /// How many calls their totals have.
    pub(super) async fn totals(&self, db: &mut PgConnection) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT coalesce(sum(total_calls), 0)::bigint FROM customer_call_stats WHERE customer_id = ANY ($1)",
        )
        .bind(&self.ids)
        .fetch_one(db)
        .await
    }

    /// Removes everything that the lab has made.
    pub(super) async fn clear(&self, db: &mut PgConnection, has_totals: bool) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM call WHERE customer_id = ANY ($1) AND workspace_id = $2")
            .bind(&self.ids)
            .bind(self.workspace)
            .execute(&mut *db)
            .await?;
        if has_totals {
            sqlx::query("DELETE FROM customer_call_stats WHERE customer_id = ANY ($1) AND workspace_id = $2")
                .bind(&self.ids)
                .bind(self.workspace)
                .execute(&mut *db)
                .await?;
        }
        sqlx::query("DELETE FROM customer WHERE workspace_id = $1 AND name = $2")
            .bind(self.workspace)
            .bind(&self.mark)
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Whether calls have totals here.
pub(super) async fn has_totals(db: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT to_regclass('customer_call_stats') IS NOT NULL").fetch_one(db).await
}

/// The server's statements don't count, so a trigger does: each change of a customer adds 1 to its `duration`.
pub(super) async fn count_changes(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "CREATE OR REPLACE FUNCTION callbench_lock_lab_count() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN NEW.duration := OLD.duration + 1; RETURN NEW; END $$;
         CREATE OR REPLACE TRIGGER callbench_lock_lab_count BEFORE UPDATE ON customer
             FOR EACH ROW EXECUTE FUNCTION callbench_lock_lab_count()",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes the trigger away.
pub(super) async fn stop_counting(db: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "DROP TRIGGER IF EXISTS callbench_lock_lab_count ON customer;
         DROP FUNCTION IF EXISTS callbench_lock_lab_count()",
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The milliseconds of `deadlock_timeout` in a session.
pub(super) async fn deadlock_timeout_ms(db: &mut PgConnection) -> Result<f64, sqlx::Error> {
    sqlx::query_scalar("SELECT setting::float8 FROM pg_settings WHERE name = 'deadlock_timeout'")
        .fetch_one(db)
        .await
}

/// Sets one setting of a session; false if the user may not.
pub(super) async fn set(db: &mut PgConnection, assignment: &'static str) -> Result<bool, sqlx::Error> {
    match sqlx::raw_sql(AssertSqlSafe(format!("SET {assignment}"))).execute(db).await {
        Ok(_) => Ok(true),
        Err(error)
            if error.as_database_error().is_some_and(|said| said.code().as_deref() == Some("42501")) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
