//! Many writers at once, by plain SQL and over the API, while others read. Whenever the writers pause, all variants say the
//! same of every customer, and the totals that triggers keep are those of the calls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use migrations::Level;
use server::{Config, Variant};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::{Answer, Service, list};
use crate::world;
use hands::{ByApi, BySql, Ground};

mod hands;

/// 60 customers, of which the first 40 live through everything, with some calls, labels and employees.
const ROWS: &str = "
    INSERT INTO employee (workspace_id, name, email)
    SELECT id, 'e' || g, 'e' FROM workspace, generate_series(1, 2) g;
    INSERT INTO label (workspace_id, name) SELECT id, 'l' || g FROM workspace, generate_series(1, 4) g;
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
    SELECT id, CASE WHEN g <= 40 THEN 'stays' ELSE 'mortal' END, '1', (ARRAY['active', 'blocked'])[1 + g % 2], 'hot',
           'pending', timestamptz '2024-01-01Z' + g / 3 * interval '1 minute'
      FROM workspace, generate_series(1, 60) g;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate,
                      created_at)
    SELECT workspace_id, id, 'inbound', 'completed', 1, g * 61, 'direct', 0.1234,
           now() - interval '30 minutes' - g * interval '100 hours'
      FROM customer, generate_series(1, 10) g;
    ANALYZE;";

/// Totals that are not those of the calls. A customer whose calls are all gone may have a row of zeros, or none.
const WRONG_TOTALS: &str = "
    WITH counted AS (
        SELECT workspace_id, customer_id, count(*) AS calls, sum(duration_seconds) AS seconds,
               count(*) FILTER (WHERE status = 'completed') AS successful,
               count(*) FILTER (WHERE status = 'missed') AS missed,
               count(*) FILTER (WHERE call_type = 'campaign') AS of_campaigns,
               coalesce(sum(cost) FILTER (WHERE call_type = 'campaign'), 0) AS campaign,
               coalesce(sum(cost) FILTER (WHERE call_type = 'direct'), 0) AS direct,
               coalesce(sum(cost) FILTER (WHERE call_type = 'callback'), 0) AS callback
          FROM (SELECT *, coalesce(round(billing_rate * duration_seconds / 60.0, 4), 0) AS cost FROM call) AS k
         GROUP BY 1, 2),
    kept AS (
        SELECT workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls, missed_calls,
               campaign_calls, cost_campaign, cost_direct, cost_callback
          FROM customer_call_stats
         WHERE (total_calls, total_duration_seconds, successful_calls, missed_calls, campaign_calls, cost_campaign,
                cost_direct, cost_callback) <> (0, 0, 0, 0, 0, 0, 0, 0))
    SELECT row_to_json(wrong)::text
      FROM ((TABLE counted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE counted)) AS wrong";

/// The rows of a page, as they stand in the body.
fn rows(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let end = answer.text.rfind("],\"next\":").unwrap();
    answer.text[..end].strip_prefix("{\"results\":[").unwrap()
}

/// The pages of a list, by following `next`.
async fn pages(service: &Service, origin: &str, token: &str, query: &str) -> Vec<Answer> {
    let mut pages = Vec::new();
    let mut url = Some(list(origin, &format!("workspace_id=one&{query}")));
    while let Some(page) = url {
        let answer = service.get(&page, token).await;
        url = answer.next();
        pages.push(answer);
    }
    pages
}

/// Three servers on one database, and what is in it.
struct Scene {
    service: Service,
    /// Of naive, live and rollup.
    origins: Vec<String>,
    token: String,
    ground: Ground,
    stays: Vec<Uuid>,
}

impl Scene {
    async fn new() -> Self {
        let service = Service::at(Level::Optimized).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
        let mut origins = Vec::new();
        for variant in [Variant::Naive, Variant::Live, Variant::Rollup] {
            origins.push(service.start(Config { pool_size: 6, ..service.config(variant) }).await);
        }
        let token = world::user(&mut db, "admin", None, &[workspace]).await;
        let ground = Ground {
            workspace,
            customers: ids(&mut db, "SELECT id FROM customer ORDER BY id").await,
            mortal: ids(&mut db, "SELECT id FROM customer WHERE name = 'mortal'").await,
            labels: ids(&mut db, "SELECT id FROM label").await,
            employees: ids(&mut db, "SELECT id FROM employee").await,
        };
        let stays = ids(&mut db, "SELECT id FROM customer WHERE name = 'stays'").await;
        Self { service, origins, token, ground, stays }
    }

    /// Walks the list until the writers are done, at least once. Who stays is on every walk by cursor, once.
    async fn read(&self, position: usize, are_done: &AtomicBool) -> usize {
        let (origin, is_by_number) = (&self.origins[position], position == 0);
        let mut walks = 0;
        while walks == 0 || !are_done.load(Ordering::Relaxed) {
            walks += 1;
            if is_by_number {
                let number = 1 + walks % 3;
                let query = format!("workspace_id=one&page_size=5&page={number}");
                let answer = self.service.get(&list(origin, &query), &self.token).await;
                assert_eq!(answer.results().len(), 5);
                continue;
            }
            let mut seen = HashMap::<Uuid, usize>::new();
            for page in pages(&self.service, origin, &self.token, "page_size=13").await {
                for id in page.ids() {
                    *seen.entry(id).or_default() += 1;
                }
            }
            assert!(seen.values().all(|times| *times == 1), "{seen:?}");
            for id in &self.stays {
                assert!(seen.contains_key(id), "{id} was not on the walk");
            }
        }
        walks
    }

    /// Everything that is asked of all variants, compared. Gives how many customers were seen.
    async fn agree(&self, db: &mut PgConnection) -> usize {
        let wrong: Vec<String> = sqlx::query_scalar(WRONG_TOTALS).fetch_all(&mut *db).await.unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let mut compared = 0;
        let label = self.ground.labels[0];
        let filters = [
            String::new(),
            "&status=active".to_owned(),
            "&status=blocked,pending&quality=warm".to_owned(),
            format!("&labels__id={label}"),
            format!("&labels__id__neq={label}&checked=true"),
        ];
        for (filter, size) in filters.iter().zip([13, 50, 200, 7, 20]) {
            let query = format!("page_size={size}{filter}");
            let mut answers = Vec::new();
            for origin in &self.origins {
                answers.push(pages(&self.service, origin, &self.token, &query).await);
            }
            let [naive, live, rollup] = &answers[..] else { unreachable!("there are three servers") };
            assert_eq!((naive.len(), naive.len()), (live.len(), rollup.len()), "{query}");
            for ((naive, live), rollup) in naive.iter().zip(live).zip(rollup) {
                assert_eq!(rows(naive), rows(live), "{query}");
                assert_eq!(rows(live), rows(rollup), "{query}");
                compared += live.ids().len();
            }
        }
        for id in self.ground.customers.iter().step_by(2) {
            let path = format!("/api/v1/customers/{id}/?workspace_id=one");
            let mut answers = Vec::new();
            for origin in &self.origins {
                let answer = self.service.get(&format!("{origin}{path}"), &self.token).await;
                assert!(matches!(answer.status.as_u16(), 200 | 404), "{answer:?}");
                answers.push((answer.status, answer.text));
            }
            assert_eq!(answers[0], answers[1]);
            assert_eq!(answers[1], answers[2]);
        }
        compared
    }
}

async fn ids(db: &mut PgConnection, sql: &'static str) -> Vec<Uuid> {
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

#[tokio::test]
async fn whenever_the_writers_pause_all_variants_agree_and_the_totals_are_those_of_the_calls() {
    let scene = Scene::new().await;
    let mut db = scene.service.connection().await;
    assert!(scene.agree(&mut db).await > 60);
    let mut by_sql = Vec::new();
    for seed in 0..4 {
        by_sql.push(BySql::new(scene.service.connection().await, seed, scene.ground.clone()));
    }
    let mut by_api: Vec<ByApi> = (4..7)
        .map(|seed| ByApi::new(&scene.service, &scene.origins, &scene.token, seed, scene.ground.clone()))
        .collect();
    let (mut rolled_back, mut answered) = (0, 0);
    for _ in 0..3 {
        let are_done = AtomicBool::new(false);
        let writing = async {
            let sql = join_all(by_sql.iter_mut().map(|hand| hand.write(60)));
            let api = join_all(by_api.iter_mut().map(|hand| hand.write(25)));
            let counts = futures_util::future::join(sql, api).await;
            are_done.store(true, Ordering::Relaxed);
            counts
        };
        let reading = join_all((0..3).map(|position| scene.read(position, &are_done)));
        let ((sql, api), walks) = futures_util::future::join(writing, reading).await;
        rolled_back += sql.iter().sum::<usize>();
        answered += api.iter().sum::<usize>();
        assert!(walks.iter().all(|walks| *walks > 0));
        assert!(scene.agree(&mut db).await > 60);
    }
    assert!(rolled_back > 50, "{rolled_back} transactions were rolled back");
    assert!(answered > 100, "{answered} writes over the API were answered with success");
}
