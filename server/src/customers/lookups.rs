//! How the statements that write find their rows: by index, and no more rows than they were asked for, under the plan that
//! is kept for all requests. Counted by PostgreSQL within the transaction.

use migrations::Level;
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::bodies::object::Sent;
use crate::customers::draft::Draft;
use crate::customers::store;
use crate::database::{self, Transaction};
use crate::permission::Admission;

/// Two tenants of 10,000 customers, each with one of ten labels.
const ROWS: &str = "
    INSERT INTO label (id, workspace_id, name)
    SELECT md5(w || '-' || g)::uuid, ('00000000-0000-0000-0000-00000000000' || w)::uuid, g::text
      FROM generate_series(1, 2) w, generate_series(0, 9) g;
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, employee_id)
    SELECT ('00000000-0000-0000-0000-00000000000' || w)::uuid, g::text, '1', 'active', 'hot', 'pending',
           '00000000-0000-0000-0000-0000000000ee'
      FROM generate_series(1, 10000) g, generate_series(1, 2) w;
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer c JOIN label l
        ON l.workspace_id = c.workspace_id AND l.name = (c.name::int % 10)::text;";

/// What the session did so far: passes over whole tables, and rows that indexes led to. What PostgreSQL has published
/// already no longer counts, but it publishes nothing within a transaction.
async fn counted(transaction: &mut Transaction) -> (i64, i64) {
    sqlx::query_as(
        "SELECT coalesce(sum(seq_scan), 0)::bigint, coalesce(sum(idx_tup_fetch), 0)::bigint FROM pg_stat_xact_user_tables
          WHERE relname IN ('customer', 'customer_label')",
    )
    .fetch_one(&mut **transaction)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_write_reads_the_rows_that_it_writes_and_no_others() {
    let database = cluster::testing::database("server_lookups").await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    let workspace_id = Uuid::from_u128(1);
    for level in [Level::Before, Level::Indexed, Level::Optimized] {
        migrations::migrate(&mut db, database.url(), level, &mut |_| {}).await.unwrap();
        if level == Level::Before {
            db.execute(sqlx::raw_sql(ROWS)).await.unwrap();
        }
        db.execute("VACUUM ANALYZE").await.unwrap();
        let options = database.url().parse::<sqlx::postgres::PgConnectOptions>().unwrap();
        let options = options.options([("plan_cache_mode", "force_generic_plan")]);
        let pool = database::testing(options, 1);
        let label: Uuid = sqlx::query_scalar("SELECT md5('1-3')::uuid").fetch_one(&mut db).await.unwrap();
        let change = Draft {
            status: Some("blocked"),
            carrier: Sent::Null,
            label_ids: Some(vec![label]),
            ..Draft::default()
        };
        for count in [1_usize, 1_000] {
            let ids: Vec<Uuid> =
                sqlx::query_scalar("SELECT id FROM customer WHERE workspace_id = $1 ORDER BY name LIMIT $2")
                    .bind(workspace_id)
                    .bind(i64::try_from(count).unwrap())
                    .fetch_all(&mut db)
                    .await
                    .unwrap();
            for employee_id in [None, Some(Uuid::from_u128(0xee))] {
                let admission = Admission { workspace_id, employee_id };
                // To lock and to change is twice; the labels are read, and their rows.
                for (what, most) in [("present", 1), ("hold", 1), ("update", 2 + 2), ("delete", 2)] {
                    let mut transaction = pool.transaction().await.unwrap();
                    let before = counted(&mut transaction).await;
                    let found = match what {
                        "present" => store::present(&mut transaction, &admission, &ids).await,
                        "hold" => store::hold(&mut transaction, &admission, &ids).await,
                        "update" => store::update(&mut transaction, &admission, &ids, &change).await,
                        _ => store::delete(&mut transaction, &admission, &ids).await,
                    };
                    assert_eq!(found.unwrap().len(), count, "{what}");
                    let after = counted(&mut transaction).await;
                    let (passes, rows) = (after.0 - before.0, after.1 - before.1);
                    let case =
                        format!("{what} {count} {employee_id:?} at {level:?}: {passes} passes, {rows} rows");
                    assert_eq!(passes, 0, "{case}");
                    assert!(rows <= i64::try_from(most * count).unwrap(), "{case}");
                }
            }
        }
    }
}
