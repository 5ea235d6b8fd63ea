//! The plans of the page statement, as PostgreSQL keeps them for all requests, on a tenant among others.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use super::statement;
use crate::Variant;
use crate::customers::cursor::{Cursor, Direction, Place};
use crate::customers::filters::{Choice, Filters};
use crate::customers::paging::{Page, Start};
use crate::permission::Admission;

/// Three tenants of 4,000 customers with 24,000 calls; `blocked` are only the oldest of each tenant.
const ROWS: &str = "
    INSERT INTO workspace (id, slug, name)
    SELECT ('00000000-0000-0000-0000-00000000000' || g)::uuid, g::text, 'w' FROM generate_series(1, 3) g;
    INSERT INTO employee (id, workspace_id, name, email)
    SELECT md5(w.slug || '-' || g)::uuid, w.id, 'e', 'e' FROM workspace w, generate_series(1, 20) g;
    INSERT INTO label (workspace_id, name) SELECT w.id, g::text FROM workspace w, generate_series(1, 20) g;
    INSERT INTO call_campaign (workspace_id, name, status)
    SELECT w.id, g::text, 'active' FROM workspace w, generate_series(1, 20) g;
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, employee_id, is_deleted, created_at)
    SELECT w.id, 'c' || g, '090', CASE WHEN g < 20 THEN 'blocked' ELSE (ARRAY['active', 'inactive'])[1 + g % 2] END,
           (ARRAY['hot', 'warm', 'cold'])[1 + g % 3], 'pending', md5(w.slug || '-' || 1 + g % 20)::uuid, g % 17 = 0,
           timestamptz '2024-01-01Z' + g * interval '1 minute'
      FROM generate_series(1, 4000) g, workspace w;
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer c JOIN label l ON l.workspace_id = c.workspace_id
     WHERE hashtext(c.name || l.name) % 7 = 0;
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status)
    SELECT c.workspace_id, g.id, c.id, 'pending' FROM customer c JOIN call_campaign g ON g.workspace_id = c.workspace_id
     WHERE hashtext(c.name || g.name) % 11 = 0;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate)
    SELECT c.workspace_id, c.id, 'inbound', 'completed', 1, 1, 'direct', 1 FROM generate_series(1, 6) g, customer c;";

/// A scan of the plan, with all of its loops.
#[derive(Debug)]
struct Scan {
    node: String,
    relation: String,
    index: String,
    rows_read: f64,
}

fn scans(plan: &Value, found: &mut Vec<Scan>) {
    let text = |key: &str| plan[key].as_str().unwrap_or_default().to_owned();
    let number = |key: &str| plan[key].as_f64().unwrap_or(0.0);
    if plan["Relation Name"].is_string() || plan["Index Name"].is_string() {
        let rows_per_loop = number("Actual Rows")
            + number("Rows Removed by Filter")
            + number("Rows Removed by Index Recheck");
        found.push(Scan {
            node: text("Node Type"),
            relation: text("Relation Name"),
            index: text("Index Name"),
            rows_read: rows_per_loop * number("Actual Loops"),
        });
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        scans(child, found);
    }
}

/// The values of the statement as literals, in the order in which [`statement`] numbers them.
fn literals(admission: &Admission, filters: &Filters, page: &Page) -> String {
    let mut literals = vec![format!("'{}'", admission.workspace_id), page.size.to_string()];
    match page.start {
        Start::Top => {}
        Start::Cursor(cursor) => {
            literals.extend([format!("'{}'", cursor.place.created_at), format!("'{}'", cursor.place.id)]);
        }
        Start::Offset { rows, .. } => literals.push(rows.to_string()),
    }
    literals.extend(admission.employee_id.map(|id| format!("'{id}'")));
    for wanted in [&filters.status.any_of, &filters.quality.any_of].into_iter().flatten() {
        literals.push(format!("'{{{}}}'", wanted.join(",")));
    }
    literals.join(", ")
}

async fn explain(db: &mut PgConnection, admission: &Admission, filters: &Filters, page: &Page) -> Vec<Scan> {
    let (sql, _) = statement(Variant::Live, admission, filters, page).unwrap();
    db.execute(sqlx::raw_sql(AssertSqlSafe(format!("PREPARE page AS {sql}")))).await.unwrap();
    let literals = literals(admission, filters, page);
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({literals})");
    let row = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_one(&mut *db).await.unwrap();
    db.execute("DEALLOCATE page").await.unwrap();
    let plan: Value = row.get(0);
    let mut found = Vec::new();
    scans(&plan[0]["Plan"], &mut found);
    found
}

#[tokio::test]
async fn a_page_is_found_and_filled_by_index_wherever_it_is_and_whatever_the_filter() {
    let database = cluster::testing::database("server_plans").await;
    let mut db = PgConnection::connect(database.url()).await.unwrap();
    migrations::migrate(&mut db, migrations::Level::Indexed, &mut |_| {}).await.unwrap();
    db.execute(sqlx::raw_sql(ROWS)).await.unwrap();
    db.execute("VACUUM ANALYZE").await.unwrap();
    db.execute(sqlx::raw_sql("SET plan_cache_mode = force_generic_plan; SET jit = off")).await.unwrap();

    let workspace_id = Uuid::from_u128(1);
    let manager = Admission { workspace_id, employee_id: None };
    let employee_id = sqlx::query_scalar("SELECT md5('1-7')::uuid").fetch_one(&mut db).await.unwrap();
    let employee = Admission { workspace_id, employee_id: Some(employee_id) };
    let place = Place { created_at: "2024-01-02T00:00:00Z".parse().unwrap(), id: Uuid::nil() };
    let down = Cursor::beyond(place, Direction::Next);
    let up = Cursor::beyond(place, Direction::Previous);
    let of = |values: &[&str]| Choice {
        any_of: Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>()),
        none_of: Vec::new(),
    };
    let nothing = Filters::default();
    let oldest = Filters { status: of(&["blocked"]), ..Filters::default() };
    let several = Filters { status: of(&["absent", "active", "blocked"]), ..Filters::default() };
    let hot = Filters { quality: of(&["hot"]), ..Filters::default() };
    let by_order = "idx_customer_workspace_created";

    for start in [
        Start::Top,
        Start::Cursor(down),
        Start::Cursor(up),
        Start::Cursor(down.turned()),
        Start::Cursor(up.turned()),
        Start::Offset { rows: 60, is_page: true },
    ] {
        for (admission, filters, index) in [
            (&manager, &nothing, by_order),
            (&manager, &oldest, "idx_customer_workspace_status"),
            (&manager, &several, "idx_customer_workspace_status"),
            (&manager, &hot, "idx_customer_workspace_quality"),
            (&employee, &nothing, "idx_customer_workspace_employee"),
            (&employee, &several, "idx_customer_workspace_employee"),
        ] {
            let page = Page { start, size: 20 };
            let found = explain(&mut db, admission, filters, &page).await;
            let case = format!("{start:?} {filters:?} {:?}: {found:#?}", admission.employee_id);
            let uses = |index: &str| found.iter().any(|scan| scan.index == index);
            assert!(uses(index), "{case}");
            // Labels and campaigns are few; reading all of them may well be the shorter way.
            let few = |scan: &Scan| ["label", "call_campaign"].contains(&scan.relation.as_str());
            assert!(found.iter().all(|scan| scan.node != "Seq Scan" || few(scan)), "{case}");
            let calls: Vec<&Scan> = found.iter().filter(|scan| scan.relation == "call").collect();
            assert_eq!(calls.len(), 2, "the latest call and one pass over all: {case}");
            assert!(calls.iter().all(|scan| scan.index == "idx_call_customer_created"), "{case}");
            assert!(calls.iter().any(|scan| scan.node == "Index Only Scan"), "{case}");

            // The seek reads a page and one row for each branch, and a row on the other side; then the page's rows are
            // looked up once more. An employee's own customers may all be read.
            let read: f64 =
                found.iter().filter(|scan| scan.relation == "customer").map(|scan| scan.rows_read).sum();
            let skipped = if matches!(start, Start::Offset { .. }) { 60.0 } else { 0.0 };
            let branches = filters.status.any_of.as_ref().map_or(1, Vec::len) as f64;
            let own = if admission.employee_id.is_some() { 200.0 } else { 0.0 };
            assert!(read <= branches * (skipped + 21.0 + 1.0) + 20.0 + own, "{read} rows: {case}");
        }
    }
}
