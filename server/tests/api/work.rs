//! How much a request costs, counted where it can't be hidden: in the database.

use migrations::Level;
use server::Variant;
use sqlx::{Executor as _, PgConnection};

use crate::service::{Service, list};
use crate::world;

/// Statements that others ran in this database since the last reset.
pub(crate) async fn statements(db: &mut PgConnection) -> i64 {
    sqlx::query_scalar(
        "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND query NOT LIKE '%pg_stat_statements%'",
    )
    .fetch_one(db)
    .await
    .unwrap()
}

pub(crate) async fn reset(db: &mut PgConnection) {
    db.execute(
        "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)",
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn live_takes_two_statements_wherever_the_page_is_and_naive_fifteen_for_each_customer() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let employee = world::employee(&mut db, workspace, "e").await;
    world::fill(
        &mut db,
        workspace,
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
         SELECT $1, 'c', '090', 'active', 'hot', 'pending', now() - g * interval '1 minute'
           FROM generate_series(1, 120) g",
    )
    .await;
    sqlx::query("UPDATE customer SET employee_id = $1").bind(employee).execute(&mut db).await.unwrap();

    // The first request is answered when the server has looked at its tables, which are statements too.
    let live = service.serve(Variant::Live).await;
    assert_eq!(service.get(&list(&live, "workspace_id=one"), &token).await.status, 200);
    let mut url = Some(list(&live, "workspace_id=one"));
    while let Some(page) = url {
        reset(&mut db).await;
        let answer = service.get(&page, &token).await;
        assert_eq!(statements(&mut db).await, 2);
        url = answer.next();
    }
    for query in ["status=active,blocked&quality=hot", "page=2", "status=none", "limit=5&offset=500"] {
        reset(&mut db).await;
        assert_eq!(service.get(&list(&live, &format!("workspace_id=one&{query}")), &token).await.status, 200);
        assert_eq!(statements(&mut db).await, 2, "{query}");
    }
    for (url, token, expected) in [
        (list(&live, "workspace_id=none"), token.as_str(), 1),
        (list(&live, "workspace_id=one&cursor=x"), token.as_str(), 1),
        (list(&live, "workspace_id=one"), "unknown", 1),
    ] {
        reset(&mut db).await;
        service.get(&url, token).await;
        assert_eq!(statements(&mut db).await, expected, "{url}");
    }

    let naive = service.serve(Variant::Naive).await;
    assert_eq!(service.get(&list(&naive, "workspace_id=one"), &token).await.status, 200);
    reset(&mut db).await;
    assert_eq!(service.get(&list(&naive, "workspace_id=one"), &token).await.ids().len(), 50);
    assert_eq!(statements(&mut db).await, 3 + 50 * 15);
}
