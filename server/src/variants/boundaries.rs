//! Calls at the very edges of the recent windows, under a clock that stands still.

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use super::{live, naive};
use crate::customers::filters::Filters;
use crate::customers::paging::{Page, Start};
use crate::customers::row::Customer;
use crate::permission::Admission;

/// Each call costs 1, and has a bound of a window or the microsecond before it.
const ROWS: &str = "
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status)
    VALUES ('00000000-0000-0000-0000-000000000001', 'c', '090', 'active', 'hot', 'pending');
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate,
                      created_at)
    SELECT c.workspace_id, c.id, 'inbound', 'busy', 60, 60, 'direct', 1, k.created_at::timestamptz
      FROM customer c, (VALUES
        ('2024-02-29T23:59:59.999999Z'), ('2024-03-01T00:00:00Z'),
        ('2024-02-14T12:34:56.789011Z'), ('2024-02-14T12:34:56.789012Z'),
        ('2024-03-15T12:34:56.789012Z'), ('2024-03-15T12:34:56.789013Z')) AS k (created_at);";

#[tokio::test]
async fn windows_hold_to_the_microsecond_in_every_variant_and_time_zone() {
    let database = cluster::testing::database("server_windows").await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    migrations::migrate(&mut db, migrations::Level::Indexed, &mut |_| {}).await.unwrap();
    db.execute(sqlx::raw_sql(ROWS)).await.unwrap();

    let now: DateTime<Utc> = "2024-03-15T12:34:56.789012Z".parse().unwrap();
    let admission = Admission { workspace_id: Uuid::from_u128(1), employee_id: None, now };
    let filters = Filters::default();
    for zone in
        ["SET timezone = 'UTC'", "SET timezone = 'Asia/Ho_Chi_Minh'", "SET timezone = 'America/New_York'"]
    {
        db.execute(zone).await.unwrap();
        let page = Page { start: Start::Top, size: 1 };
        let live = live::page(&mut db, &admission, &filters, &page).await.unwrap();
        let naive = naive::page(&mut db, &admission, &filters, 1, 1).await.unwrap().unwrap();
        let seen = |customers: &[Customer]| {
            let customer = &customers[0];
            (
                customer.totals.total_calls,
                customer.totals.calls_last_30_days,
                customer.billing_summary.cost_this_month.to_string(),
            )
        };
        for customers in [&live.customers, &naive.customers] {
            assert_eq!(seen(customers), (6, 5, "3.00".to_owned()), "{zone}");
        }
    }
}
