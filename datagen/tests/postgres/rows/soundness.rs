//! Rows that fit together: every reference leads somewhere, nothing comes before its cause, columns agree.

use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;

use super::{loaded, none};
use crate::support::number;

#[tokio::test]
async fn every_reference_exists_and_is_of_the_same_workspace() {
    for (table, column, target) in [
        ("employee", "workspace_id", "workspace"),
        ("label", "workspace_id", "workspace"),
        ("call_campaign", "workspace_id", "workspace"),
        ("customer", "workspace_id", "workspace"),
        ("user_workspace", "workspace_id", "workspace"),
        ("user_workspace", "user_id", "app_user"),
        ("auth_token", "user_id", "app_user"),
        ("app_user", "employee_id", "employee"),
    ] {
        none(&format!(
            "SELECT FROM {table} t WHERE t.{column} IS NOT NULL
             AND NOT EXISTS (SELECT FROM {target} o WHERE o.id = t.{column})"
        ))
        .await;
    }
    for (table, column, target) in [
        ("customer", "employee_id", "employee"),
        ("call_campaign_customer", "customer_id", "customer"),
        ("call_campaign_customer", "campaign_id", "call_campaign"),
        ("call", "customer_id", "customer"),
        ("call", "campaign_customer_id", "call_campaign_customer"),
    ] {
        none(&format!(
            "SELECT FROM {table} t WHERE t.{column} IS NOT NULL
             AND NOT EXISTS (SELECT FROM {target} o WHERE o.id = t.{column} AND o.workspace_id = t.workspace_id)"
        ))
        .await;
    }
    none(
        "SELECT FROM customer_label t WHERE NOT EXISTS (
             SELECT FROM customer c JOIN label l USING (workspace_id)
             WHERE c.id = t.customer_id AND l.id = t.label_id)",
    )
    .await;
    none(
        "SELECT FROM call t JOIN call_campaign_customer e ON e.id = t.campaign_customer_id
         WHERE e.customer_id <> t.customer_id OR t.call_type <> 'campaign'",
    )
    .await;
}

#[tokio::test]
async fn no_effect_comes_before_its_cause_and_nothing_after_the_date_of_the_data() {
    none("SELECT FROM call JOIN customer c ON c.id = customer_id WHERE call.created_at < c.created_at").await;
    none(
        "SELECT FROM call JOIN call_campaign_customer e ON e.id = campaign_customer_id
         WHERE call.created_at < e.created_at",
    )
    .await;
    none(
        "SELECT FROM call_campaign_customer e JOIN customer c ON c.id = customer_id
         JOIN call_campaign g ON g.id = campaign_id
         WHERE e.created_at < c.created_at OR e.created_at < g.started_at OR e.created_at > g.ended_at",
    )
    .await;
    none("SELECT FROM call JOIN customer c ON c.id = customer_id WHERE call.created_at >= c.deleted_at")
        .await;
    none(
        "SELECT FROM call_campaign_customer e JOIN customer c ON c.id = customer_id
         WHERE e.created_at > c.deleted_at",
    )
    .await;
    none("SELECT FROM call_campaign WHERE created_at > started_at OR started_at > ended_at").await;
    none("SELECT FROM customer WHERE updated_at < created_at OR deleted_at < created_at").await;
    for (table, owner) in
        [("customer", "workspace_id"), ("call_campaign", "workspace_id"), ("employee", "workspace_id")]
    {
        none(&format!(
            "SELECT FROM {table} t JOIN workspace w ON w.id = t.{owner} WHERE t.created_at < w.created_at"
        ))
        .await;
    }
    for table in
        ["customer", "call", "call_campaign", "call_campaign_customer", "employee", "app_user", "auth_token"]
    {
        none(&format!("SELECT FROM {table} WHERE created_at >= '2026-03-01T00:00:00Z'")).await;
    }
    none("SELECT FROM customer WHERE updated_at >= '2026-03-01T00:00:00Z' OR deleted_at >= '2026-03-01T00:00:00Z'").await;
}

#[tokio::test]
async fn columns_of_a_row_agree_with_each_other() {
    none("SELECT FROM customer WHERE is_deleted <> (deleted_at IS NOT NULL)").await;
    none(
        "SELECT FROM call WHERE (status = 'completed') <> (duration > 0)
         OR (status <> 'completed' AND (recording_url IS NOT NULL OR sentiment_score IS NOT NULL))",
    )
    .await;
    none("SELECT FROM call WHERE duration_seconds <> round(duration::numeric)").await;
    none("SELECT FROM call WHERE sentiment_score NOT BETWEEN -1 AND 1 OR billing_rate <= 0 OR billing_rate > 20").await;
    none("SELECT FROM call WHERE direction = 'inbound' AND call_type <> 'direct'").await;
    none("SELECT FROM customer WHERE phone !~ '^0[0-9]{9}$' OR name !~ '^\\S+( \\S+){2,3}$'").await;
    none("SELECT FROM customer WHERE (call_status = 'completed') <> (duration >= 3)  AND call_status <> 'failed'").await;
    none("SELECT FROM call_campaign WHERE (status = 'draft') <> (started_at IS NULL)").await;
    none("SELECT FROM call_campaign WHERE (status = 'completed') <> (ended_at IS NOT NULL)").await;
}

#[tokio::test]
async fn all_values_of_the_contract_occur_and_no_others() {
    let (mut conn, _) = loaded().await;
    for (table, column, values) in [
        ("customer", "status", "active blocked inactive pending"),
        ("customer", "quality", "cold dead hot warm"),
        ("customer", "call_status", "calling completed failed pending"),
        ("call", "status", "busy completed missed"),
        ("call", "call_type", "callback campaign direct"),
        ("call", "direction", "inbound outbound"),
        ("call_campaign", "status", "active completed draft paused"),
        ("call_campaign_customer", "status", "completed failed in_progress pending"),
        ("app_user", "role", "admin employee manager"),
    ] {
        let found: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT string_agg(DISTINCT {column}, ' ' ORDER BY {column}) FROM {table}"
        )))
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert_eq!(found, values, "{table}.{column}");
    }
    for null in [
        "customer.email",
        "customer.carrier",
        "customer.employee_id",
        "call.billing_rate",
        "call.recording_url",
    ] {
        let (table, column) = null.split_once('.').unwrap();
        let percent = number(
            &mut conn,
            &format!("SELECT 100 * count(*) FILTER (WHERE {column} IS NULL) / count(*) FROM {table}"),
        )
        .await;
        assert!((1..80).contains(&percent), "{null} is NULL in {percent} %");
    }
}

#[tokio::test]
async fn tokens_are_stored_as_hashes_only_and_the_known_ones_work() {
    let (mut conn, _) = loaded().await;
    for (token, role, workspaces) in
        [("token123", "admin", 12), ("manager123", "manager", 1), ("employee123", "employee", 1)]
    {
        let (found, is_active, memberships): (String, bool, i64) = sqlx::query_as(
            "SELECT u.role, u.is_active, (SELECT count(*) FROM user_workspace m WHERE m.user_id = u.id)
             FROM auth_token t JOIN app_user u ON u.id = t.user_id WHERE t.token_sha256 = $1",
        )
        .bind(Sha256::digest(token).as_slice())
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert_eq!((found.as_str(), is_active, memberships), (role, true, workspaces));
        let as_text = number(
            &mut conn,
            &format!("SELECT count(*) FROM auth_token WHERE position('{token}'::bytea IN token_sha256) > 0"),
        )
        .await;
        assert_eq!(as_text, 0);
    }
    none("SELECT FROM auth_token WHERE octet_length(token_sha256) <> 32").await;
    none("SELECT FROM app_user u WHERE NOT EXISTS (SELECT FROM auth_token t WHERE t.user_id = u.id)").await;
    assert!(number(&mut conn, "SELECT count(*) FROM app_user WHERE NOT is_active").await > 0);
    let customers = number(
        &mut conn,
        "SELECT count(*) FROM customer c JOIN app_user u USING (employee_id)
         WHERE u.email = 'employee@callbench.test' AND NOT c.is_deleted",
    )
    .await;
    assert!(customers > 500, "{customers}");
}
