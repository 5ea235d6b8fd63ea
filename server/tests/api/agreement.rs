//! Both variants against a third, plain wording of the contract, on random rows with everything that goes wrong.

use migrations::Level;
use serde_json::Value;
use server::Variant;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::{Service, list};
use crate::world;

/// Rows with equal timestamps, deleted customers, references to other tenants' rows, null rates, ties between calls and
/// between enrolments. Call times lie on half hours before a common instant, so that none comes near the bound of a
/// window while the test runs.
const ROWS: &str = "
    SELECT setseed(0.4711);
    INSERT INTO employee (workspace_id, name, email)
    SELECT w.id, 'e' || g, 'e' || g || '@example.com' FROM workspace w, generate_series(1, 5) g;
    INSERT INTO label (workspace_id, name)
    SELECT w.id, (ARRAY['b', 'B', 'ä', 'a', 'ab', 'Ω'])[g] FROM workspace w, generate_series(1, 6) g;
    INSERT INTO call_campaign (workspace_id, name, status)
    SELECT w.id, 'g' || g, (ARRAY['draft', 'active', 'active', 'paused', 'completed'])[g]
      FROM workspace w, generate_series(1, 5) g;
    INSERT INTO customer (workspace_id, name, email, phone, carrier, status, quality, call_status, duration, is_test,
                          checked, other_attributes, is_deleted, created_at)
    SELECT w.id, 'c' || g, CASE WHEN random() < 0.5 THEN 'c@example.com' END, '09' || g,
           CASE WHEN random() < 0.5 THEN 'viettel' END,
           (ARRAY['active', 'inactive', 'blocked', 'pending'])[1 + floor(random() * 4)],
           (ARRAY['hot', 'warm', 'cold', 'dead'])[1 + floor(random() * 4)], 'pending', random() * 1000,
           random() < 0.5, random() < 0.5, jsonb_build_object('x', random(), 'y', jsonb_build_array(1.10, null)),
           random() < 0.1, timestamptz '2024-01-01 00:00:00.123456Z' + floor(random() * 20) * interval '1 minute'
      FROM workspace w, generate_series(1, 90) g;
    -- One in ten references points to a row of any tenant, which must not be shown.
    UPDATE customer c SET employee_id =
           (SELECT e.id FROM employee e WHERE c.id IS NOT NULL AND (e.workspace_id = c.workspace_id OR random() < 0.1)
             ORDER BY random() LIMIT 1)
     WHERE random() < 0.7;
    INSERT INTO customer_label
    SELECT c.id, l.id FROM customer c, label l
     WHERE random() < CASE WHEN l.workspace_id = c.workspace_id THEN 0.3 ELSE 0.03 END;
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status, created_at)
    SELECT c.workspace_id, g.id, c.id, (ARRAY['pending', 'in_progress', 'completed', 'failed'])[1 + floor(random() * 4)],
           timestamptz '2024-02-01Z' + floor(random() * 3) * interval '1 day'
      FROM customer c, call_campaign g
     WHERE random() < CASE WHEN g.workspace_id = c.workspace_id THEN 0.3 ELSE 0.03 END;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, sentiment_score,
                      call_type, billing_rate, created_at)
    SELECT c.workspace_id, c.id, (ARRAY['inbound', 'outbound'])[1 + floor(random() * 2)],
           (ARRAY['completed', 'missed', 'busy'])[1 + floor(random() * 3)], random() * 100, floor(random() * 5000),
           CASE WHEN random() < 0.8 THEN random() * 2 - 1 END,
           (ARRAY['campaign', 'direct', 'callback'])[1 + floor(random() * 3)],
           CASE WHEN random() < 0.8 THEN round((random() * random() * 20)::numeric, 4) END,
           now() - interval '30 minutes' - floor(random() * 1500) * interval '1 hour'
      FROM customer c, generate_series(1, 40)
     WHERE hashtext(c.name) % 5 <> 0 AND random() < 0.6;
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, created_at)
    SELECT workspace_id, customer_id, 'inbound', 'busy', 1, 1, 'direct', created_at FROM call WHERE random() < 0.3;
    ANALYZE;";

/// The contract once more, as one object per customer, newest first. Written for plainness: no statement of the server
/// is shaped like this one.
const ORACLE: &str = r#"
    WITH costed AS (
        SELECT k.*, coalesce(round((billing_rate * duration_seconds) / 60.0, 4), 0) AS cost FROM call k)
    SELECT json_build_object(
        'id', c.id, 'workspace_id', c.workspace_id, 'name', c.name, 'email', c.email, 'phone', c.phone,
        'carrier', c.carrier, 'status', c.status, 'quality', c.quality, 'call_status', c.call_status,
        'duration', c.duration, 'is_test', c.is_test, 'checked', c.checked,
        'tags', coalesce((SELECT json_agg(l.name ORDER BY convert_to(l.name, 'UTF8')) FROM label l
                           WHERE l.workspace_id = c.workspace_id AND EXISTS (SELECT FROM customer_label x
                                 WHERE x.customer_id = c.id AND x.label_id = l.id)), '[]'),
        'other_attributes', c.other_attributes, 'is_deleted', c.is_deleted,
        'created_at', to_char(c.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'updated_at', to_char(c.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'employee', (SELECT json_build_object('id', e.id, 'name', e.name, 'email', e.email) FROM employee e
                      WHERE e.id = c.employee_id AND e.workspace_id = c.workspace_id),
        'latest_call', (SELECT json_build_object('id', k.id, 'direction', k.direction, 'status', k.status,
                               'duration', k.duration, 'duration_seconds', k.duration_seconds, 'call_type', k.call_type,
                               'sentiment_score', k.sentiment_score,
                               'created_at', to_char(k.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
                          FROM call k WHERE k.customer_id = c.id AND NOT EXISTS (
                               SELECT FROM call later WHERE later.customer_id = c.id
                                  AND (later.created_at > k.created_at
                                       OR later.created_at = k.created_at AND later.id > k.id))),
        'total_calls', (SELECT count(*) FROM call k WHERE k.customer_id = c.id),
        'total_duration_seconds', coalesce((SELECT sum(duration_seconds) FROM call k WHERE k.customer_id = c.id), 0),
        'calls_last_30_days', (SELECT count(*) FROM call k WHERE k.customer_id = c.id
                                AND k.created_at >= now() - interval '720 hours'),
        'successful_calls', (SELECT count(*) FROM call k WHERE k.customer_id = c.id AND k.status = 'completed'),
        'missed_calls', (SELECT count(*) FROM call k WHERE k.customer_id = c.id AND k.status = 'missed'),
        'campaign_stats', json_build_object(
            'total_campaign_calls', (SELECT count(*) FROM call k WHERE k.customer_id = c.id AND call_type = 'campaign'),
            'completed_campaigns', (SELECT count(*) FROM call_campaign_customer n
                                     WHERE n.customer_id = c.id AND n.status = 'completed'),
            'active_campaign', (SELECT (json_agg(json_build_object('id', g.id, 'name', g.name)
                                                 ORDER BY n.created_at DESC, n.id DESC))->0
                                  FROM call_campaign_customer n, call_campaign g
                                 WHERE n.customer_id = c.id AND g.id = n.campaign_id AND g.status = 'active'
                                   AND g.workspace_id = c.workspace_id AND n.status IN ('pending', 'in_progress'))),
        'billing_summary', json_build_object(
            'total_cost', coalesce((SELECT sum(cost) FROM costed k WHERE k.customer_id = c.id), 0),
            'cost_this_month', coalesce((SELECT sum(cost) FROM costed k WHERE k.customer_id = c.id AND
                               k.created_at >= date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'), 0),
            'billing_breakdown', (SELECT json_object_agg(t.name, coalesce((SELECT sum(cost) FROM costed k
                                          WHERE k.customer_id = c.id AND k.call_type = t.name), 0))
                                    FROM (VALUES ('campaign'), ('direct'), ('callback')) AS t (name))))::text
      FROM customer c
     WHERE c.workspace_id = $1 AND c.is_deleted = false
       AND ($2::text[] IS NULL OR c.status = ANY ($2)) AND ($3::text[] IS NULL OR c.quality = ANY ($3))
       AND ($4::uuid IS NULL OR c.employee_id = $4)
     ORDER BY c.created_at DESC, c.id DESC"#;

async fn oracle(
    db: &mut PgConnection,
    workspace: Uuid,
    status: Option<&[&str]>,
    quality: Option<&[&str]>,
    employee: Option<Uuid>,
) -> Vec<Value> {
    let rows: Vec<String> = sqlx::query_scalar(ORACLE)
        .bind(workspace)
        .bind(status)
        .bind(quality)
        .bind(employee)
        .fetch_all(db)
        .await
        .unwrap();
    rows.iter().map(|row| plain(serde_json::from_str(row).unwrap())).collect()
}

/// Numbers as floats, since `1` and `1.0` are the same number here. Floats hold these amounts exactly enough to tell
/// any two of them apart.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        other => other,
    }
}

/// All rows of a list, by following `next`.
async fn walk(service: &Service, token: &str, first: String) -> Vec<Value> {
    let (mut rows, mut url) = (Vec::new(), Some(first));
    while let Some(page) = url {
        let answer = service.get(&page, token).await;
        rows.extend(answer.results().into_iter().map(plain));
        url = answer.next();
    }
    rows
}

#[tokio::test]
async fn both_variants_and_the_oracle_agree_on_random_rows_under_every_filter_and_role() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let mut workspaces = Vec::new();
    for slug in ["one", "two", "three"] {
        workspaces.push(world::workspace(&mut db, slug).await);
    }
    sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
    let manager = world::user(&mut db, "manager", None, &workspaces).await;
    let live = service.serve(Variant::Live).await;
    let naive = service.serve(Variant::Naive).await;

    for workspace in workspaces {
        let employee: Uuid = sqlx::query_scalar(
            "SELECT employee_id FROM customer WHERE workspace_id = $1 AND NOT is_deleted AND employee_id IS NOT NULL
              GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
        )
        .bind(workspace)
        .fetch_one(&mut db)
        .await
        .unwrap();
        let assigned = world::user(&mut db, "employee", Some(employee), &[workspace]).await;
        for (query, status, quality) in [
            ("", None, None),
            ("&status=blocked", Some(&["blocked"][..]), None),
            ("&status=pending,active", Some(&["active", "pending"][..]), None),
            ("&quality__in=hot,none", None, Some(&["hot", "none"][..])),
            (
                "&status=active,pending&quality=cold,warm",
                Some(&["active", "pending"][..]),
                Some(&["cold", "warm"][..]),
            ),
            ("&status=none", Some(&["none"][..]), None),
            ("&status=active&status__in=pending", Some(&[][..]), None),
        ] {
            for (token, employee) in [(&manager, None), (&assigned, Some(employee))] {
                let expected = oracle(&mut db, workspace, status, quality, employee).await;
                for origin in [&live, &naive] {
                    let first = list(origin, &format!("workspace_id={workspace}&page_size=17{query}"));
                    let rows = walk(&service, token, first).await;
                    assert_eq!(rows.len(), expected.len(), "{query}");
                    for (row, expected) in rows.iter().zip(&expected) {
                        assert_eq!(row, expected, "{query}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn the_naive_variant_gives_the_same_rows_on_the_level_that_it_is_measured_on() {
    let service = Service::at(Level::Before).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    world::workspace(&mut db, "two").await;
    sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
    let admin = world::user(&mut db, "admin", None, &[workspace]).await;
    let naive = service.serve(Variant::Naive).await;
    let rows = walk(&service, &admin, list(&naive, "workspace_id=one")).await;
    assert_eq!(rows, oracle(&mut db, workspace, None, None, None).await);
    assert!(rows.len() > 50, "the walk had more than one page");
}
