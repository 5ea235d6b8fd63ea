//! Advice about the statements of this server: none where there is nothing better, and for the naive page the index that the
//! next level makes.

use migrations::Level;
use uuid::Uuid;

use super::testing::{Ground, of_kind, seen};
use super::{Evidence, Kind, Layer, Request, advise};
use crate::{Variant, first_page_statement};

/// Two tenants of 4,000 customers, each with six calls.
const ROWS: &str = "
    INSERT INTO workspace (id, slug, name) SELECT md5(w::text)::uuid, w::text, 'w' FROM generate_series(1, 2) AS w;
    INSERT INTO label (workspace_id, name) SELECT w.id, l::text FROM workspace AS w, generate_series(1, 20) AS l;
    INSERT INTO call_campaign (workspace_id, name, status)
    SELECT w.id, g::text, 'active' FROM workspace AS w, generate_series(1, 20) AS g;
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, is_deleted, created_at)
    SELECT w.id, 'c' || n, '1', 'active', 'hot', 'pending', n % 20 = 0, timestamptz '2024-01-01Z' + n * interval '1 minute'
      FROM generate_series(1, 4000) AS n, workspace AS w;
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer AS c JOIN label AS l ON l.workspace_id = c.workspace_id AND hashtext(c.name || l.name) % 7 = 0;
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status)
    SELECT c.workspace_id, g.id, c.id, 'pending'
      FROM customer AS c JOIN call_campaign AS g ON g.workspace_id = c.workspace_id AND hashtext(c.name || g.name) % 11 = 0;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate)
    SELECT c.workspace_id, c.id, 'inbound', 'completed', 1, 1, 'direct', 1 FROM generate_series(1, 6), customer AS c;";

async fn ground(level: Level) -> Ground {
    let mut ground = Ground::empty().await;
    migrations::migrate(&mut ground.db, ground.database.url(), level, &mut |_| {}).await.unwrap();
    ground.run(ROWS).await;
    ground.run("VACUUM (ANALYZE)").await;
    ground
}

fn values(page: &str) -> String {
    // md5('1') as a UUID.
    format!("'{}', {page}", Uuid::from_u128(0xc4ca_4238_a0b9_2382_0dcc_509a_6f75_849b))
}

#[tokio::test]
async fn the_page_of_the_optimised_variants_leaves_nothing_to_be_said() {
    for (level, variant) in [(Level::Indexed, Variant::Live), (Level::Optimized, Variant::Rollup)] {
        let mut ground = ground(level).await;
        let sql = first_page_statement(variant).unwrap();
        let plan = ground.explain("force_generic_plan", &sql, &values("50")).await;
        let custom = ground.explain("force_custom_plan", &sql, &values("50")).await;
        assert!((plan.root.rows - 50.0).abs() < 0.5, "{level}: {plan:#?}");
        // As fast as the other, whatever chance made of it.
        let custom_plan = Some(super::Plan { execution_ms: plan.execution_ms, ..custom });
        let evidence = Evidence { custom_plan, ..seen(Layer::Queryset, &sql, plan) };
        let request = Request { records: 50, total_ms: evidence.time_ms, ..Request::default() };
        assert_eq!(advise(&request, &[evidence]), [], "{level}");
    }
}

#[tokio::test]
async fn what_the_naive_page_wants_is_the_index_that_the_next_level_makes() {
    let page = "SELECT id, name, created_at FROM customer AS c WHERE c.workspace_id = $1 AND NOT c.is_deleted
                 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
    let made = include_str!("../../../../migrations/sql/indexes/indexed/idx_customer_workspace_created.sql");
    let made: Vec<&str> = made.lines().filter(|line| !line.starts_with("--")).map(str::trim).collect();
    let made = made.join(" ").replace(" idx_customer_workspace_created", "");
    for (level, wants) in [(Level::Before, true), (Level::Indexed, false)] {
        let mut ground = ground(level).await;
        let seen = ground.see(Layer::Queryset, page, &values("50, 0")).await;
        let found = of_kind(Kind::MissingIndex, advise(&Request::default(), &[seen]));
        assert_eq!(found.iter().any(|sentence| sentence.contains(&made)), wants, "{found:?} and {made}");
        assert_eq!(!found.is_empty(), wants, "{found:?}");
    }
}
