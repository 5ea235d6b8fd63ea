//! The contract once more, in plain SQL. Written for plainness: no statement of the server is shaped like one of these.

use serde_json::Value;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::service::Service;
use crate::world;

/// What a filter says about a customer, with nothing left of how it was written.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// The column is one of these.
    OneOf(&'static str, Vec<String>),
    /// The column is none of these.
    NoneOf(&'static str, Vec<String>),
    /// The column is null or empty, or is neither.
    Valuable(&'static str, bool),
    /// `duration` compares so with this number, in PostgreSQL's spelling.
    Duration(&'static str, &'static str),
    /// The customer has one of these labels at least.
    AnyLabel(Vec<Uuid>),
    /// The customer has none of these labels.
    NoLabel(Vec<Uuid>),
    /// The value under this top-level key is a scalar with this text.
    Attribute(String, String),
    /// The column is this.
    Flag(&'static str, bool),
}

/// The customers, in order, of which all of this is true.
pub(crate) async fn ids(
    db: &mut PgConnection,
    workspace: Uuid,
    employee: Option<Uuid>,
    meanings: &[Meaning],
) -> Vec<Uuid> {
    let mut sql = QueryBuilder::<Postgres>::new("SELECT c.id FROM customer c WHERE c.workspace_id = ");
    sql.push_bind(workspace).push(" AND c.is_deleted = false");
    if let Some(employee) = employee {
        sql.push(" AND c.employee_id = ").push_bind(employee);
    }
    for meaning in meanings {
        sql.push(" AND (");
        condition(&mut sql, meaning);
        sql.push(")");
    }
    sql.push(" ORDER BY c.created_at DESC, c.id DESC");
    sql.build_query_scalar().fetch_all(db).await.unwrap()
}

fn condition(sql: &mut QueryBuilder<Postgres>, meaning: &Meaning) {
    match meaning.clone() {
        Meaning::OneOf(column, values) => {
            sql.push(column).push(" IN (SELECT unnest(").push_bind(values).push("))");
        }
        Meaning::NoneOf(column, values) => {
            sql.push(column).push(" NOT IN (SELECT unnest(").push_bind(values).push("))");
        }
        Meaning::Valuable(column, true) => {
            sql.push(column).push(" IS NULL OR ").push(column).push(" = ''");
        }
        Meaning::Valuable(column, false) => {
            sql.push(column).push(" IS NOT NULL AND ").push(column).push(" <> ''");
        }
        Meaning::Duration(operator, number) => {
            sql.push("duration ").push(operator).push(" CAST(").push_bind(number).push("::text AS float8)");
        }
        Meaning::AnyLabel(labels) => {
            sql.push("id IN (SELECT customer_id FROM customer_label WHERE label_id IN (SELECT unnest(")
                .push_bind(labels)
                .push(")))");
        }
        Meaning::NoLabel(labels) => {
            sql.push("id NOT IN (SELECT customer_id FROM customer_label WHERE label_id IN (SELECT unnest(")
                .push_bind(labels)
                .push(")))");
        }
        Meaning::Attribute(key, value) => {
            // What is no object has no keys, and asking it for them would be an error.
            sql.push("EXISTS (SELECT FROM (SELECT CASE WHEN jsonb_typeof(other_attributes) = 'object'")
                .push(" THEN other_attributes ELSE '{}' END AS keys) AS o,")
                .push(" jsonb_each_text(o.keys) AS printed, jsonb_each(o.keys) AS typed")
                .push(" WHERE printed.key = typed.key AND printed.key = ")
                .push_bind(key)
                .push(" AND printed.value = ")
                .push_bind(value)
                .push(" AND jsonb_typeof(typed.value) IN ('string', 'number', 'boolean'))");
        }
        Meaning::Flag(column, wanted) => {
            sql.push(column).push(" = ").push_bind(wanted);
        }
    }
}

/// Every customer of the workspace as the API shows one.
const CUSTOMERS: &str = r#"
    WITH costed AS (
        SELECT k.*, coalesce(round((billing_rate * duration_seconds) / 60.0, 4), 0) AS cost FROM call k)
    SELECT c.id, json_build_object(
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
     ORDER BY c.created_at DESC, c.id DESC"#;

/// All customers of the workspace, in order.
pub(crate) async fn customers(db: &mut PgConnection, workspace: Uuid) -> Vec<(Uuid, Value)> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(CUSTOMERS).bind(workspace).fetch_all(db).await.unwrap();
    rows.into_iter().map(|(id, text)| (id, plain(serde_json::from_str(&text).unwrap()))).collect()
}

/// Numbers as floats, since `1` and `1.0` are the same number here. Floats hold these amounts exactly enough to tell
/// any two of them apart.
pub(crate) fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        other => other,
    }
}

/// The oracle itself, on rows where the answer is plain to see.
#[tokio::test]
async fn the_oracle_agrees_with_what_one_finds_by_hand() {
    let service = Service::at(migrations::Level::Before).await;
    let mut db = service.connection().await;
    let (mine, theirs) = (world::workspace(&mut db, "mine").await, world::workspace(&mut db, "theirs").await);
    let (lan, _) =
        (world::employee(&mut db, mine, "Lan").await, world::employee(&mut db, theirs, "Ba").await);
    let label = async |db: &mut PgConnection, name: &str| -> Uuid {
        sqlx::query_scalar("INSERT INTO label (workspace_id, name) VALUES ($1, $2) RETURNING id")
            .bind(mine)
            .bind(name)
            .fetch_one(db)
            .await
            .unwrap()
    };
    let (red, blue, unused) =
        (label(&mut db, "red").await, label(&mut db, "blue").await, label(&mut db, "unused").await);
    // Newest first: a, b, c, d, e. Then one that was deleted, and one of the neighbour.
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
        r#"INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, carrier, duration, checked,
                                 employee_id, other_attributes, is_deleted, created_at)
           VALUES ('{mine}', 'a', '', 'active', 'hot', 'pending', 'viettel', 30, true, '{lan}', '{{"age": 30}}', false, '2024-01-09Z'),
                  ('{mine}', 'b', '', '', 'cold', 'failed', NULL, 30.5, false, NULL, '{{"age": "30"}}', false, '2024-01-08Z'),
                  ('{mine}', 'c', '', 'blocked', '', 'pending', '', 0, true, '{lan}', '{{"age": 30.0, "vip": true}}', false, '2024-01-07Z'),
                  ('{mine}', 'd', '', 'active', 'hot', 'failed', 'viettel', -1, false, NULL, '{{"age": [30], "vip": null}}', false, '2024-01-06Z'),
                  ('{mine}', 'e', '', 'pending', 'hot', 'failed', 'a,b', 1e3, false, NULL, '["age", "30"]', false, '2024-01-05Z'),
                  ('{mine}', 'x', '', 'active', 'hot', 'pending', 'viettel', 30, true, '{lan}', '{{"age": 30}}', true, '2024-01-04Z'),
                  ('{theirs}', 'y', '', 'active', 'hot', 'pending', 'viettel', 30, true, NULL, '{{"age": 30}}', false, '2024-01-03Z');
           INSERT INTO customer_label
           SELECT id, label FROM customer,
                  (VALUES ('a', '{red}'::uuid), ('b', '{red}'), ('b', '{blue}'), ('d', '{blue}'), ('x', '{red}')) AS l (name, label)
            WHERE customer.name = l.name"#
    )))
    .execute(&mut db)
    .await
    .unwrap();
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let attribute = |key: &str, value: &str| Meaning::Attribute(key.to_owned(), value.to_owned());
    for (meanings, expected) in [
        (vec![], "abcde"),
        (vec![Meaning::OneOf("status", texts(&["active", "blocked"]))], "acd"),
        (vec![Meaning::OneOf("status", texts(&["none"]))], ""),
        (vec![Meaning::NoneOf("status", texts(&["active", "none"]))], "bce"),
        (vec![Meaning::Valuable("status", true)], "b"),
        (vec![Meaning::Valuable("quality", false)], "abde"),
        (vec![Meaning::OneOf("carrier", texts(&["viettel"]))], "ad"),
        (vec![Meaning::OneOf("carrier", texts(&["a,b", "none"]))], "e"),
        (vec![Meaning::Duration("=", "30")], "a"),
        (vec![Meaning::Duration("<>", "3e1")], "bcde"),
        (vec![Meaning::Duration(">", "0"), Meaning::Duration("<=", "30.5")], "ab"),
        (vec![Meaning::Duration("<", "Infinity")], "abcde"),
        (vec![Meaning::AnyLabel(vec![red, blue])], "abd"),
        (vec![Meaning::AnyLabel(vec![red]), Meaning::AnyLabel(vec![blue])], "b"),
        (vec![Meaning::AnyLabel(vec![unused])], ""),
        (vec![Meaning::NoLabel(vec![red])], "cde"),
        (vec![Meaning::NoLabel(vec![red, blue, unused])], "ce"),
        (vec![attribute("age", "30")], "ab"),
        (vec![attribute("age", "30.0")], "c"),
        (vec![attribute("age", "[30]")], ""),
        (vec![attribute("vip", "true")], "c"),
        (vec![attribute("vip", "null")], ""),
        (vec![Meaning::Flag("checked", true)], "ac"),
        (vec![Meaning::Flag("checked", false), attribute("age", "30")], "b"),
    ] {
        for (employee, seen) in [(None, "abcde"), (Some(lan), "ac")] {
            let expected: String = expected.chars().filter(|name| seen.contains(*name)).collect();
            let mut names = String::new();
            for id in ids(&mut db, mine, employee, &meanings).await {
                let name: String = sqlx::query_scalar("SELECT name FROM customer WHERE id = $1")
                    .bind(id)
                    .fetch_one(&mut db)
                    .await
                    .unwrap();
                names.push_str(&name);
            }
            assert_eq!(names, expected, "{meanings:?}");
        }
    }
}
