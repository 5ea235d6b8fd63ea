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
use sqlx::Executor as _;

use crate::database::Database;
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

const NO_SEQUENTIAL_SCAN: &str = "SELECT set_config('enable_seqscan', 'off', true)";

const BITMAPS_ONLY: &str =
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true)";

const COUNT: &str = "SELECT count(*) FROM customer WHERE workspace_id = $1 AND NOT is_deleted";

const COUNT_OF_EMPLOYEE: &str =
    "SELECT count(*) FROM customer WHERE workspace_id = $1 AND employee_id = $2 AND NOT is_deleted";

const EVERYTHING: &str = "
    SELECT w.slug, w.name, c.customer_count, c.last_updated
      FROM workspace AS w
     CROSS JOIN (SELECT count(*) AS customer_count, max(updated_at) AS last_updated
                   FROM customer
                  WHERE workspace_id = $1 AND NOT is_deleted) AS c
     WHERE w.id = $1";

const EVERYTHING_OF_EMPLOYEE: &str = "
    SELECT w.slug, w.name, c.customer_count, c.last_updated
      FROM workspace AS w
     CROSS JOIN (SELECT count(*) AS customer_count, max(updated_at) AS last_updated
                   FROM customer
                  WHERE workspace_id = $1 AND employee_id = $2 AND NOT is_deleted) AS c
     WHERE w.id = $1";

/// Live customers.
pub(crate) async fn count(database: &Database, admission: &Admission) -> Result<i64, Refusal> {
    let mut transaction = database.transaction().await?;
    transaction.execute(NO_SEQUENTIAL_SCAN).await?;
    let query = match admission.employee_id {
        None => sqlx::query_scalar(COUNT).bind(admission.workspace_id),
        Some(employee_id) => {
            sqlx::query_scalar(COUNT_OF_EMPLOYEE).bind(admission.workspace_id).bind(employee_id)
        }
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
    transaction.execute(BITMAPS_ONLY).await?;
    let query = match admission.employee_id {
        None => sqlx::query_as(EVERYTHING).bind(admission.workspace_id),
        Some(employee_id) => {
            sqlx::query_as(EVERYTHING_OF_EMPLOYEE).bind(admission.workspace_id).bind(employee_id)
        }
    };
    let found: Option<Everything> = query.fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    // Whoever was let in saw the workspace a moment ago; if it is gone now, it is as if it had never been.
    let Everything { slug, name, customer_count, last_updated } = found.ok_or(Refusal::Forbidden)?;
    Ok((Metadata { slug, name, last_updated }, customer_count))
}

#[cfg(test)]
mod tests {
    use migrations::Level;
    use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

    use super::*;

    /// A table of which one tenant has most, as the million-customer workspace has.
    const TENANTS: &str = "
        INSERT INTO workspace (id, slug, name)
        SELECT lpad(w::text, 32, '0')::uuid, 'w' || w, 'w' FROM generate_series(1, 20) AS w;
        INSERT INTO customer (workspace_id, employee_id, name, phone, status, quality, call_status)
        SELECT lpad((CASE WHEN g % 10 < 8 THEN 1 ELSE 1 + g % 20 END)::text, 32, '0')::uuid,
               lpad((g % 7)::text, 32, '0')::uuid, 'c', '090', 'active', 'hot', 'pending'
          FROM generate_series(1, 20000) AS g;
        VACUUM ANALYZE customer;
        VACUUM ANALYZE workspace";

    async fn plan(db: &mut PgConnection, settings: &'static str, sql: &str, mode: &str) -> String {
        let mut transaction = db.begin().await.unwrap();
        sqlx::query(AssertSqlSafe(format!("SET LOCAL plan_cache_mode = {mode}")))
            .execute(&mut *transaction)
            .await
            .unwrap();
        transaction.execute(settings).await.unwrap();
        let id = |number: u8| format!("'00000000-0000-0000-0000-00000000000{number}'");
        let values = if sql.contains("$2") { format!("{}, {}", id(1), id(2)) } else { id(1) };
        let types = if sql.contains("$2") { "uuid, uuid" } else { "uuid" };
        sqlx::raw_sql(AssertSqlSafe(format!("PREPARE asked ({types}) AS {sql}")))
            .execute(&mut *transaction)
            .await
            .unwrap();
        let lines: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("EXPLAIN EXECUTE asked ({values})")))
                .persistent(false)
                .fetch_all(&mut *transaction)
                .await
                .unwrap();
        transaction.execute("DEALLOCATE asked").await.unwrap();
        transaction.rollback().await.unwrap();
        lines.join("\n")
    }

    #[tokio::test]
    async fn no_plan_reads_another_tenants_rows_and_none_jumps_about_in_the_table() {
        let database = cluster::testing::database("figures").await;
        let mut db = PgConnection::connect(database.url()).await.unwrap();
        migrations::migrate(&mut db, database.url(), Level::Before, &mut |_| {}).await.unwrap();
        for statement in TENANTS.split(';') {
            sqlx::raw_sql(statement).execute(&mut db).await.unwrap();
        }
        for level in [Level::Before, Level::Indexed] {
            migrations::migrate(&mut db, database.url(), level, &mut |_| {}).await.unwrap();
            sqlx::raw_sql("VACUUM ANALYZE customer").execute(&mut db).await.unwrap();
            for mode in ["force_generic_plan", "force_custom_plan"] {
                for sql in [EVERYTHING, EVERYTHING_OF_EMPLOYEE] {
                    let plan = plan(&mut db, BITMAPS_ONLY, sql, mode).await;
                    assert!(plan.contains("Bitmap Heap Scan on customer"), "{level} {mode}\n{plan}");
                    assert!(!plan.contains("Seq Scan on customer"), "{level} {mode}\n{plan}");
                }
                for sql in [COUNT, COUNT_OF_EMPLOYEE] {
                    let plan = plan(&mut db, NO_SEQUENTIAL_SCAN, sql, mode).await;
                    assert!(!plan.contains("Seq Scan"), "{level} {mode}\n{plan}");
                    let from_the_index = plan.contains("Index Only Scan");
                    assert!(from_the_index || level == Level::Before, "{level} {mode}\n{plan}");
                }
            }
        }
        // What it is for: left alone, the planner does read them.
        let alone = plan(&mut db, "SELECT 1", EVERYTHING, "force_custom_plan").await;
        assert!(alone.contains("Seq Scan on customer"), "{alone}");
    }
}
