//! The numbers of a workspace, out of the database.
//!
//! The count is read from an index alone. The greatest `updated_at` is in no index: every update changes it, and an index
//! on it would make each of them write to all indexes of the table. So it takes the rows of the tenant, at best in the order
//! in which they lie on the disk, which is a bitmap scan. Left to itself the planner, which for a plan that is kept doesn't
//! know how large the tenant is, fetches them in the order of an index: on a workspace of 1,000,000 customers in a table
//! of 1,200,000, all in memory, that took 1,340 ms and 850,000 buffers, where the bitmap took 380 ms and 104,000; the
//! count alone took 170 ms. And if it knows that the tenant has most of the table it reads the others' rows too. Hence the
//! settings of each transaction here.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::database::{Database, Transaction};
use crate::permission::Admission;
use crate::refusal::Refusal;

/// What changes seldom, or costs much to know.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) slug: String,
    pub(crate) name: String,
    /// The greatest `updated_at` of the live customers; none if there are none.
    pub(crate) last_updated: Option<DateTime<Utc>>,
}

/// Live customers.
pub(crate) async fn count(database: &Database, admission: &Admission) -> Result<i64, Refusal> {
    let mut transaction = database.transaction().await?;
    sqlx::query_scalar::<_, String>("SELECT set_config('enable_seqscan', 'off', true)")
        .fetch_one(&mut *transaction)
        .await?;
    let query = match admission.employee_id {
        None => {
            sqlx::query_scalar("SELECT count(*) FROM customer WHERE workspace_id = $1 AND NOT is_deleted")
                .bind(admission.workspace_id)
        }
        Some(employee_id) => sqlx::query_scalar(
            "SELECT count(*) FROM customer WHERE workspace_id = $1 AND employee_id = $2 AND NOT is_deleted",
        )
        .bind(admission.workspace_id)
        .bind(employee_id),
    };
    let count = query.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(count)
}

#[derive(sqlx::FromRow)]
struct Everything {
    slug: String,
    name: String,
    customer_count: i64,
    last_updated: Option<DateTime<Utc>>,
}

/// Everything: whoever reads the rows has counted them.
pub(crate) async fn everything(
    database: &Database,
    admission: &Admission,
) -> Result<(Metadata, i64), Refusal> {
    let mut transaction = database.transaction().await?;
    sqlx::query_as::<_, (String, String)>(
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)",
    )
    .fetch_one(&mut *transaction)
    .await?;
    let found = read_everything(&mut transaction, admission).await?;
    transaction.commit().await?;
    // Whoever was let in saw the workspace a moment ago; if it is gone now, it is as if it had never been.
    let Everything { slug, name, customer_count, last_updated } = found.ok_or(Refusal::Forbidden)?;
    Ok((Metadata { slug, name, last_updated }, customer_count))
}

async fn read_everything(
    transaction: &mut Transaction,
    admission: &Admission,
) -> Result<Option<Everything>, sqlx::Error> {
    let query = match admission.employee_id {
        None => sqlx::query_as(
            "SELECT w.slug, w.name, c.customer_count, c.last_updated
               FROM workspace AS w
              CROSS JOIN (SELECT count(*) AS customer_count, max(updated_at) AS last_updated
                            FROM customer WHERE workspace_id = $1 AND NOT is_deleted) AS c
              WHERE w.id = $1",
        )
        .bind(admission.workspace_id),
        Some(employee_id) => sqlx::query_as(
            "SELECT w.slug, w.name, c.customer_count, c.last_updated
               FROM workspace AS w
              CROSS JOIN (SELECT count(*) AS customer_count, max(updated_at) AS last_updated
                            FROM customer
                           WHERE workspace_id = $1 AND employee_id = $2 AND NOT is_deleted) AS c
              WHERE w.id = $1",
        )
        .bind(admission.workspace_id)
        .bind(employee_id),
    };
    query.fetch_optional(&mut **transaction).await
}
