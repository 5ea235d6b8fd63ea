//! The plans of the page statement on a tenant among others, at each level: which index is used, that no table of the
//! tenant's size is read from its start, and how many rows are read.

use migrations::Level;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};
use uuid::Uuid;

use super::statement;
use crate::Variant;
use crate::customers::cursor::{Cursor, Direction, Place};
use crate::customers::filters::{Choice, Comparison, Filters};
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
    INSERT INTO customer (workspace_id, name, phone, carrier, duration, is_test, checked, other_attributes, status,
                          quality, call_status, employee_id, is_deleted, created_at)
    SELECT w.id, 'c' || g, '090', CASE WHEN g = 9 THEN 'rare' WHEN g % 3 > 0 THEN 'viettel' END, g % 1000, g % 400 = 3,
           g % 2 = 0, jsonb_build_object('city', CASE WHEN g = 11 THEN 'rare' ELSE 'c' || g % 10 END, 'n', g % 7), CASE WHEN g < 20 THEN 'blocked' ELSE (ARRAY['active', 'inactive'])[1 + g % 2] END,
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

/// Rows that a statement read of a relation, or by an index.
fn rows_read(found: &[Scan], matches: impl Fn(&Scan) -> bool) -> f64 {
    found.iter().filter(|scan| matches(scan)).map(|scan| scan.rows_read).sum()
}

/// A tenant, one of its employees, and a database at a level.
struct Tenant {
    db: PgConnection,
    level: Level,
    workspace_id: Uuid,
    employee_id: Uuid,
    label_id: Uuid,
}

const WORKSPACE: Uuid = Uuid::from_u128(1);

/// The page size of all cases.
const SIZE: u32 = 20;

impl Tenant {
    async fn at(level: Level, database: &cluster::testing::TestDatabase) -> Self {
        let mut db = PgConnection::connect(database.url()).await.unwrap();
        migrations::migrate(&mut db, database.url(), level, &mut |_| {}).await.unwrap();
        db.execute(sqlx::raw_sql(ROWS)).await.unwrap();
        db.execute("VACUUM ANALYZE").await.unwrap();
        db.execute(sqlx::raw_sql("SET jit = off; SET max_parallel_workers_per_gather = 0")).await.unwrap();
        let employee_id = sqlx::query_scalar("SELECT md5('1-7')::uuid").fetch_one(&mut db).await.unwrap();
        let label_id = sqlx::query_scalar("SELECT id FROM label WHERE workspace_id = $1 AND name = '7'")
            .bind(WORKSPACE)
            .fetch_one(&mut db)
            .await
            .unwrap();
        Self { db, level, workspace_id: WORKSPACE, employee_id, label_id }
    }

    fn variant(&self) -> Variant {
        if self.level == Level::Optimized { Variant::Rollup } else { Variant::Live }
    }

    fn manager(&self) -> Admission {
        Admission { workspace_id: self.workspace_id, employee_id: None }
    }

    fn employee(&self) -> Admission {
        Admission { workspace_id: self.workspace_id, employee_id: Some(self.employee_id) }
    }

    /// The scans of a page that is planned with its values, as searches are.
    async fn search(&mut self, admission: &Admission, filters: &Filters, start: Start) -> Vec<Scan> {
        let page = Page { start, size: SIZE };
        let (sql, arguments) = statement(self.variant(), admission, filters, &page).unwrap();
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}");
        let row = sqlx::query_with(AssertSqlSafe(explain), arguments).fetch_one(&mut self.db).await.unwrap();
        read(&row.get(0))
    }

    /// The scans of a page without filters under the plan that is kept for all tenants and places.
    async fn kept(&mut self, admission: &Admission, start: Start) -> Vec<Scan> {
        let page = Page { start, size: SIZE };
        let (sql, _) = statement(self.variant(), admission, &Filters::default(), &page).unwrap();
        // The values in the order in which the statement numbers them.
        let mut literals = vec![format!("'{}'", admission.workspace_id), SIZE.to_string()];
        literals.extend(admission.employee_id.map(|id| format!("'{id}'")));
        match start {
            Start::Top => {}
            Start::Cursor(cursor) => {
                literals.extend([format!("'{}'", cursor.place.created_at), format!("'{}'", cursor.place.id)]);
            }
            Start::Offset { rows, .. } => literals.push(rows.to_string()),
        }
        let run = async |db: &mut PgConnection, sql: String| {
            sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(db).await.unwrap()
        };
        run(&mut self.db, format!("SET plan_cache_mode = force_generic_plan; PREPARE page AS {sql}")).await;
        let rows = run(
            &mut self.db,
            format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ({})", literals.join(", ")),
        )
        .await;
        run(&mut self.db, "DEALLOCATE page; RESET plan_cache_mode".to_owned()).await;
        read(&rows[0].get(0))
    }

    /// What holds for every page: the tables that grow are read by index alone, and calls by those of the customer.
    #[track_caller]
    fn reads_by_index(found: &[Scan], case: &str) {
        let few = |scan: &Scan| ["label", "call_campaign", "employee"].contains(&scan.relation.as_str());
        assert!(found.iter().all(|scan| scan.node != "Seq Scan" || few(scan)), "{case}: {found:#?}");
        let calls: Vec<&Scan> = found.iter().filter(|scan| scan.relation == "call").collect();
        assert_eq!(calls.len(), 2, "the latest call and one pass: {case}: {found:#?}");
        assert!(calls.iter().all(|scan| scan.index == "idx_call_customer_created"), "{case}: {found:#?}");
        assert!(calls.iter().any(|scan| scan.node == "Index Only Scan"), "{case}: {found:#?}");
    }
}

fn read(plan: &Value) -> Vec<Scan> {
    let mut found = Vec::new();
    scans(&plan[0]["Plan"], &mut found);
    found
}

fn cursors() -> [Start; 4] {
    let place = Place { created_at: "2024-01-02T00:00:00Z".parse().unwrap(), id: Uuid::nil() };
    let down = Cursor::beyond(place, Direction::Next);
    let up = Cursor::beyond(place, Direction::Previous);
    [down, up, down.turned(), up.turned()].map(Start::Cursor)
}

const LEVELS: [Level; 2] = [Level::Indexed, Level::Optimized];

#[tokio::test]
async fn a_page_is_found_by_the_index_of_the_order_wherever_it_is() {
    for level in LEVELS {
        let database = cluster::testing::database("server_plans").await;
        let mut tenant = Tenant::at(level, &database).await;
        let mut starts = vec![Start::Top, Start::Offset { rows: 60, is_page: true }];
        starts.extend(cursors());
        for start in starts {
            for (admission, index) in [
                (tenant.manager(), "idx_customer_workspace_created"),
                (tenant.employee(), "idx_customer_workspace_employee"),
            ] {
                let found = tenant.kept(&admission, start).await;
                let case = format!("{level} {start:?} {:?}", admission.employee_id);
                Tenant::reads_by_index(&found, &case);
                assert!(found.iter().any(|scan| scan.index == index), "{case}: {found:#?}");
                // A page and one row more, what is skipped, a row on the other side; then the page's rows once more.
                let skipped = if matches!(start, Start::Offset { .. }) { 60.0 } else { 0.0 };
                let read = rows_read(&found, |scan| scan.relation == "customer");
                assert!(read <= skipped + 21.0 + 1.0 + 20.0, "{read} rows: {case}: {found:#?}");
            }
        }
    }
}

fn of(values: &[&str]) -> Choice {
    Choice { any_of: Some(values.iter().map(|value| (*value).to_owned()).collect()), none_of: Vec::new() }
}

#[tokio::test]
async fn a_filter_by_values_reads_a_page_for_each_value_however_rare_or_old() {
    for level in LEVELS {
        let database = cluster::testing::database("server_plans").await;
        let mut tenant = Tenant::at(level, &database).await;
        let nothing = Filters::default;
        let mut cases = vec![
            (1, "status", Filters { status: of(&["active"]), ..nothing() }),
            (1, "status", Filters { status: of(&["blocked"]), ..nothing() }),
            (1, "status", Filters { status: of(&["absent"]), ..nothing() }),
            (3, "status", Filters { status: of(&["absent", "active", "blocked"]), ..nothing() }),
            (2, "quality", Filters { quality: of(&["hot", "warm"]), ..nothing() }),
            (1, "call_status", Filters { call_status: of(&["failed"]), ..nothing() }),
        ];
        let none_of = vec!["active".to_owned(), "inactive".to_owned()];
        // Two values are left out, one remains, and one step finds that there is no other.
        cases.push((5, "status", Filters { status: Choice { any_of: None, none_of }, ..nothing() }));
        if level == Level::Optimized {
            let carriers = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
            cases.extend([
                (1, "carrier", Filters { carrier: carriers(&["rare"]), ..nothing() }),
                (2, "carrier", Filters { carrier: carriers(&["absent", "viettel"]), ..nothing() }),
                (2, "flags", Filters { is_test: Some(true), ..nothing() }),
                (2, "flags", Filters { checked: Some(false), ..nothing() }),
                (1, "flags", Filters { is_test: Some(true), checked: Some(true), ..nothing() }),
                (1, "duration", Filters { duration: vec![(Comparison::Equal, 7.0)], ..nothing() }),
                (1, "duration", Filters { duration: vec![(Comparison::Equal, -1.0)], ..nothing() }),
            ]);
        }
        for (branches, column, filters) in cases {
            let mut starts = vec![Start::Top, Start::Offset { rows: 60, is_page: true }];
            starts.extend(cursors());
            for start in starts {
                let manager = tenant.manager();
                let found = tenant.search(&manager, &filters, start).await;
                let case = format!("{level} {start:?} {filters:?}");
                Tenant::reads_by_index(&found, &case);
                let index = format!("idx_customer_workspace_{column}");
                assert!(found.iter().any(|scan| scan.index == index), "{case}: {found:#?}");
                let skipped = if matches!(start, Start::Offset { .. }) { 60.0 } else { 0.0 };
                let read = rows_read(&found, |scan| scan.relation == "customer");
                let bound = f64::from(branches) * (skipped + 21.0 + 1.0) + 20.0;
                assert!(read <= bound, "{read} rows and not {bound}: {case}: {found:#?}");
            }
        }
    }
}

#[tokio::test]
async fn a_search_walks_a_bounded_way_and_then_reads_only_what_matches_or_an_index_from_end_to_end() {
    for level in LEVELS {
        let database = cluster::testing::database("server_plans").await;
        let mut tenant = Tenant::at(level, &database).await;
        let nothing = Filters::default;
        let attribute = |key: &str, value: &str| Some((key.to_owned(), value.to_owned()));
        let (label, absent) = (vec![tenant.label_id], vec![Uuid::nil()]);
        let pair = Filters { status: of(&["blocked"]), quality: of(&["hot"]), ..nothing() };
        let range = vec![(Comparison::Greater, 1e9)];
        for filters in [
            Filters { labels: vec![label.clone()], ..nothing() },
            Filters { labels: vec![absent], ..nothing() },
            Filters { without_labels: label.clone(), ..nothing() },
            Filters { attribute: attribute("city", "rare"), ..nothing() },
            Filters { attribute: attribute("city", "nowhere"), ..nothing() },
            Filters { attribute: attribute("n", "1"), status: of(&["blocked"]), ..nothing() },
            Filters { duration: range.clone(), ..nothing() },
            Filters { duration: range, quality: of(&["hot"]), ..nothing() },
            Filters { labels: vec![label], ..pair.clone() },
            pair,
        ] {
            let mut starts = vec![Start::Top];
            starts.extend(cursors());
            for start in starts {
                for admission in [tenant.manager(), tenant.employee()] {
                    let found = tenant.search(&admission, &filters, start).await;
                    let case = format!("{level} {start:?} {filters:?} {:?}", admission.employee_id);
                    Tenant::reads_by_index(&found, &case);
                    // Near and far of both sides, and the page's rows: the tenant's own customers twice at most. Those
                    // of its neighbours would show.
                    let read = rows_read(&found, |scan| scan.relation == "customer");
                    assert!(read <= 2.0 * 3_765.0 + 20.0, "{read} rows: {case}: {found:#?}");
                }
            }
        }
    }
}
