//! The rows as `PostgreSQL` has them: complete, connected, in order, and true to their causes.

use crate::support::{connect, connections, load, number, read_back, spec};
use cluster::testing::{self, TestDatabase};
use datagen::{Grain, Loading, Present, Table};
use migrations::Level;
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::sync::OnceCell;

static LOADED: OnceCell<(TestDatabase, Present)> = OnceCell::const_new();

/// One database for all tests of this program, which only read it.
async fn loaded() -> (PgConnection, &'static Present) {
    let (database, present) = LOADED
        .get_or_init(|| async {
            let database = testing::database("rows").await;
            // One connection, so that the order on disk is the order of the chunks.
            let present = load(database.url(), &spec(), Level::Before, &connections(1)).await;
            (database, present)
        })
        .await;
    (connect(database.url()).await, present)
}

async fn none(sql: &str) {
    let (mut conn, _) = loaded().await;
    let count = number(&mut conn, &format!("SELECT count(*) FROM ({sql}) AS found")).await;
    assert_eq!(count, 0, "{sql}");
}

#[tokio::test]
async fn postgresql_gives_back_the_bytes_that_it_was_sent() {
    let (mut conn, present) = loaded().await;
    for (table, loaded) in Table::ALL.into_iter().zip(&present.tables) {
        let (rows, checksum) = read_back(&mut conn, table).await;
        assert_eq!(loaded.table, table.name());
        assert_eq!((rows, format!("{:016x}", checksum.0)), (loaded.rows, loaded.checksum.clone()), "{table}");
    }
}

#[tokio::test]
async fn sizes_are_exactly_those_of_the_specification() {
    let (mut conn, _) = loaded().await;
    let spec = spec();
    let of = |table: &str, sign: &str| {
        format!(
            "SELECT count(*) FROM {table} WHERE workspace_id {sign}
             (SELECT id FROM workspace WHERE slug = 'enterprise-workspace-1')"
        )
    };
    assert_eq!(number(&mut conn, "SELECT count(*) FROM workspace").await, 12);
    assert_eq!(number(&mut conn, &of("customer", "=")).await, spec.customers.cast_signed());
    assert_eq!(number(&mut conn, &of("call", "=")).await, spec.calls.cast_signed());
    assert_eq!(number(&mut conn, &of("customer", "<>")).await, spec.other_customers.cast_signed());
    assert_eq!(number(&mut conn, &of("call", "<>")).await, spec.other_calls.cast_signed());
    assert_eq!(number(&mut conn, "SELECT count(DISTINCT workspace_id) FROM customer").await, 12);
}

#[tokio::test]
async fn the_plan_comes_true() {
    let (mut conn, present) = loaded().await;
    let plan =
        datagen::plan(&spec(), Level::Before, &Loading { connections: 1, grain: Grain::Chunk }).unwrap();
    assert!(plan.tables.iter().all(|planned| planned.table != Table::CallStats));
    for (planned, loaded) in plan.tables.iter().zip(&present.tables) {
        let table = planned.table;
        let close = |planned: u64, real: u64, percent: u64| planned.abs_diff(real) * 100 <= real * percent;
        if matches!(table, Table::CustomerLabel | Table::Enrolment) {
            assert!(close(planned.rows, loaded.rows, 5), "{planned:?} {loaded:?}");
        } else {
            assert_eq!(planned.rows, loaded.rows, "{table}");
        }
        if loaded.rows >= 10_000 {
            assert!(close(planned.copy_bytes, loaded.bytes, 5), "{planned:?} {loaded:?}");
            let bytes = number(&mut conn, &format!("SELECT pg_table_size('{table}')")).await;
            assert!(close(planned.table_bytes, bytes.cast_unsigned(), 10), "{planned:?} {bytes}");
            let bytes = number(&mut conn, &format!("SELECT pg_indexes_size('{table}')")).await;
            assert!(close(planned.index_bytes(), bytes.cast_unsigned(), 30), "{planned:?} {bytes}");
        }
    }
}

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
async fn six_percent_are_deleted_and_some_values_follow_age() {
    let (mut conn, _) = loaded().await;
    let deleted =
        number(&mut conn, "SELECT 1000 * count(*) FILTER (WHERE is_deleted) / count(*) FROM customer").await;
    assert!((54..66).contains(&deleted), "{deleted} per mille");
    let blocked_among = |order: &str| {
        format!(
            "SELECT count(*) FILTER (WHERE status = 'blocked')
             FROM (SELECT status FROM customer ORDER BY created_at {order} LIMIT 1000) AS found"
        )
    };
    assert!(number(&mut conn, &blocked_among("ASC")).await > 400);
    assert_eq!(number(&mut conn, &blocked_among("DESC")).await, 0);
}

#[tokio::test]
async fn employees_have_no_few_and_very_many_customers() {
    let (mut conn, _) = loaded().await;
    let customers_of = |order: &str| {
        format!(
            "SELECT (SELECT count(*) FROM customer c WHERE c.employee_id = e.id) AS customers
             FROM employee e JOIN workspace w ON w.id = e.workspace_id
             WHERE w.slug = 'enterprise-workspace-1' ORDER BY customers {order} LIMIT 1"
        )
    };
    assert_eq!(number(&mut conn, &customers_of("ASC")).await, 0);
    assert!(number(&mut conn, &customers_of("DESC")).await > 3_000);
}

#[tokio::test]
async fn order_on_disk_is_order_of_time_with_tenants_interleaved() {
    let (mut conn, _) = loaded().await;
    for table in ["customer", "call"] {
        let correlation: f32 = sqlx::query_scalar(
            "SELECT correlation FROM pg_stats WHERE tablename = $1 AND attname = 'created_at'",
        )
        .bind(table)
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert!(correlation > 0.999, "{table}: {correlation}");
        let changes = number(
            &mut conn,
            &format!(
                "SELECT 100 * count(*) FILTER (WHERE workspace_id <> before) / count(*)
                 FROM (SELECT workspace_id, lag(workspace_id) OVER (ORDER BY ctid) AS before FROM {table}) AS rows"
            ),
        )
        .await;
        assert!(changes > 40, "{table}: the tenant changes after {changes} % of the rows");
    }
}

#[tokio::test]
async fn many_customers_share_a_moment() {
    let (mut conn, _) = loaded().await;
    let largest = number(
        &mut conn,
        "SELECT count(*) FROM customer WHERE workspace_id = (SELECT id FROM workspace WHERE slug = 'enterprise-workspace-1')
         GROUP BY created_at ORDER BY 1 DESC LIMIT 1",
    )
    .await;
    assert!(largest >= 200, "{largest}");
}

#[tokio::test]
async fn attributes_have_their_sizes_as_jsonb() {
    let (mut conn, _) = loaded().await;
    none("SELECT FROM customer WHERE length(other_attributes::text) < 200").await;
    none("SELECT FROM customer WHERE length(other_attributes::text) > 600 AND octet_length(other_attributes::text) < 2048").await;
    assert!(
        number(&mut conn, "SELECT count(*) FROM customer WHERE octet_length(other_attributes::text) > 2048")
            .await
            > 50
    );
    assert!(
        number(&mut conn, "SELECT count(*) FROM customer WHERE other_attributes @> '{\"city\": \"Hanoi\"}'")
            .await
            > 4_000
    );
    assert!(
        number(&mut conn, "SELECT count(*) FROM customer WHERE other_attributes ? 'referral_code'").await
            > 100
    );
}

#[tokio::test]
async fn totals_are_those_that_the_calls_add_up_to() {
    let database = testing::database("stats").await;
    load(database.url(), &spec(), Level::Optimized, &connections(2)).await;
    let mut conn = connect(database.url()).await;
    let from_calls = "SELECT workspace_id, customer_id, count(*), sum(duration_seconds)::bigint,
            count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'missed'),
            count(*) FILTER (WHERE call_type = 'campaign'),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'campaign'), 0),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'direct'), 0),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'callback'), 0)
        FROM call GROUP BY workspace_id, customer_id";
    let loaded = "SELECT workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls,
            missed_calls, campaign_calls, cost_campaign, cost_direct, cost_callback
        FROM customer_call_stats";
    for (these, those) in [(from_calls, loaded), (loaded, from_calls)] {
        let differing = format!("SELECT count(*) FROM ({these} EXCEPT {those}) AS differing");
        assert_eq!(number(&mut conn, &differing).await, 0, "{differing}");
    }
    assert!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await > 15_000);
    assert!(
        number(&mut conn, "SELECT count(*) FROM customer_call_stats WHERE cost_campaign > 1000").await > 0
    );
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

#[tokio::test]
async fn tables_are_vacuumed_and_have_statistics() {
    let (mut conn, _) = loaded().await;
    none(
        "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND (relallvisible < relpages OR reltuples < 0)",
    )
    .await;
    assert_eq!(
        number(&mut conn, "SELECT reltuples::bigint FROM pg_class WHERE relname = 'call'").await,
        120_000
    );
}
