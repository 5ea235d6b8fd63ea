//! Calls at the very edges of the recent windows, under a clock that stands still: `now()` does within a transaction.

use migrations::Level;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use super::{fill, naive};
use crate::Variant;
use crate::customers::filters::Filters;
use crate::customers::row::Customer;
use crate::database;
use crate::permission::Admission;

/// Each call costs 1. The bounds of both windows, one microsecond before each, and one after the first.
const ROWS: &str = "
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status)
    VALUES ('00000000-0000-0000-0000-000000000001', 'c', '090', 'active', 'hot', 'pending');
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate,
                      created_at)
    SELECT c.workspace_id, c.id, 'inbound', 'busy', 60, 60, 'direct', 1, k.created_at
      FROM customer c,
           (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS month,
                   now() - 30 * interval '24 hours' AS days) AS bound,
           LATERAL (VALUES (month), (month - interval '1 us'), (days), (days - interval '1 us'),
                           (days + interval '1 us')) AS k (created_at);";

#[tokio::test]
async fn windows_hold_to_the_microsecond_in_every_variant_and_time_zone() {
    let database = cluster::testing::database("server_windows").await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    migrations::migrate(&mut db, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    let pool = database::testing(database.url().parse().unwrap(), 1);
    let admission = Admission { workspace_id: Uuid::from_u128(1), employee_id: None };
    for zone in ["UTC", "Asia/Ho_Chi_Minh", "America/New_York"] {
        let mut frozen = pool.transaction().await.unwrap();
        (&mut *frozen).execute(AssertSqlSafe(format!("SET LOCAL timezone = '{zone}'"))).await.unwrap();
        (&mut *frozen).execute(sqlx::raw_sql(ROWS)).await.unwrap();
        // What each bound is worth depends on the day: the two windows may begin in either order.
        let (days, month): (i64, String) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE extract(epoch FROM now() - created_at) <= 2592000),
                    (count(*) FILTER (WHERE to_char(created_at AT TIME ZONE 'UTC', 'YYYYMM')
                                            = to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')))::text || '.00'
               FROM call",
        )
        .fetch_one(&mut *frozen)
        .await
        .unwrap();
        let seen = |customers: &[Customer]| {
            let customer = &customers[0];
            (
                customer.totals.total_calls,
                customer.totals.calls_last_30_days,
                customer.billing_summary.cost_this_month.to_string(),
            )
        };
        let naive = naive::page(&mut frozen, &admission, &Filters::default(), 1, 1).await.unwrap().unwrap();
        assert_eq!(seen(&naive.customers), (5, days, month.clone()), "naive {zone}");
        let id = naive.customers[0].columns.id;
        for variant in [Variant::Live, Variant::Rollup] {
            let customers = fill::by_ids(&mut frozen, variant, &admission, &[id]).await.unwrap();
            assert_eq!(seen(&customers), (5, days, month.clone()), "{variant} {zone}");
        }
    }
}
