//! The rows as `PostgreSQL` has them: complete, connected, in order, and true to their causes.

use crate::support::{as_of, connect, connections, load, number, read_back, spec};
use cluster::testing::{self, TestDatabase};
use datagen::{Grain, Loading, Present, Profile, Scale, Spec, Table, Transcripts};
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
async fn some_customers_are_never_called_and_a_few_very_often() {
    let (mut conn, _) = loaded().await;
    let uncalled = number(
        &mut conn,
        "SELECT 1000 * count(*) FILTER (WHERE NOT EXISTS (SELECT FROM call WHERE customer_id = c.id)) / count(*)
         FROM customer c JOIN workspace w ON w.id = workspace_id WHERE w.slug = 'enterprise-workspace-1'",
    )
    .await;
    // 30 per mille may not be called, and with five calls each chance passes over some.
    assert!((30..150).contains(&uncalled), "{uncalled} per mille");
    let most =
        number(&mut conn, "SELECT count(*) FROM call GROUP BY customer_id ORDER BY 1 DESC LIMIT 1").await;
    // The first of 16,000 ranks: 16,000^(-1/3) of 40,000 calls.
    assert!(most > 1_500, "{most}");
}

#[tokio::test]
async fn days_differ_more_than_chance_makes_them() {
    let (mut conn, _) = loaded().await;
    // Calls of working days, Monday to Friday local time, of the last half year, when growth changes little. Counts of
    // a Poisson process have a variance as large as their mean.
    let dispersion = number(
        &mut conn,
        "SELECT (var_samp(calls) / avg(calls))::bigint FROM (
             SELECT count(*) AS calls FROM call
             WHERE created_at >= '2025-09-01T00:00:00+07' AND created_at < '2026-02-28T00:00:00+07'
             GROUP BY (created_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
             HAVING extract(isodow FROM (min(created_at) AT TIME ZONE 'Asia/Ho_Chi_Minh')) <= 5) AS days",
    )
    .await;
    assert!(dispersion > 5, "{dispersion}");
    let sundays = number(
        &mut conn,
        "SELECT 1000 * count(*) FILTER (WHERE extract(isodow FROM created_at AT TIME ZONE 'Asia/Ho_Chi_Minh') = 7)
             / count(*) FROM call",
    )
    .await;
    assert!((5..35).contains(&sundays), "{sundays} per mille");
    let by_night = number(
        &mut conn,
        "SELECT 1000 * count(*) FILTER (WHERE extract(hour FROM created_at AT TIME ZONE 'Asia/Ho_Chi_Minh')
             NOT BETWEEN 7 AND 21) / count(*) FROM call",
    )
    .await;
    assert!((1..30).contains(&by_night), "{by_night} per mille");
}

#[tokio::test]
async fn customers_of_better_quality_answer_more_often() {
    let (mut conn, _) = loaded().await;
    let mut before = 0;
    for quality in ["dead", "cold", "warm", "hot"] {
        let answered = number(
            &mut conn,
            &format!(
                "SELECT 1000 * count(*) FILTER (WHERE call.status = 'completed') / count(*)
                 FROM call JOIN customer c ON c.id = customer_id
                 WHERE c.quality = '{quality}' AND call.direction = 'outbound'"
            ),
        )
        .await;
        assert!(answered > before + 20, "{quality}: {answered} per mille after {before}");
        before = answered;
    }
}

#[tokio::test]
async fn rare_values_are_rare_and_there() {
    let (mut conn, _) = loaded().await;
    for (rare, per_mille) in [
        ("call_status = 'calling'", 1..10),
        ("carrier = 'Gmobile'", 1..10),
        ("is_test", 5..15),
        ("other_attributes ->> 'source' = 'event'", 2..10),
        ("other_attributes ? 'referral_code'", 5..15),
        ("other_attributes ->> 'plan' = 'legacy-gold'", 0..3),
    ] {
        let found = number(&mut conn, &format!("SELECT count(*) FROM customer WHERE {rare}")).await;
        let of = number(&mut conn, "SELECT count(*) FROM customer").await;
        assert!(found > 0 && per_mille.contains(&(1_000 * found / of)), "{rare}: {found} of {of}");
    }
}

#[tokio::test]
async fn transcripts_have_their_width_and_long_ones_go_to_toast() {
    let widths = "SELECT count(*) FILTER (WHERE (transcript IS NOT NULL) <> (status = 'completed')),
            coalesce(min(octet_length(transcript)), 0), coalesce(max(octet_length(transcript)), 0)
        FROM call";
    for (transcripts, narrowest, widest) in
        [(Transcripts::Short, 150..300, 200..301), (Transcripts::Full, 150..700, 10_000..20_000)]
    {
        let database = testing::database("transcripts").await;
        let tiny = Spec { transcripts, ..Spec::of(Scale::Tiny, 1, as_of()) };
        load(database.url(), &tiny, Level::Before, &connections(2)).await;
        let mut conn = connect(database.url()).await;
        let (wrong, least, most): (i64, i32, i32) =
            sqlx::query_as(widths).fetch_one(&mut conn).await.unwrap();
        assert_eq!(wrong, 0, "{transcripts}");
        assert!(narrowest.contains(&least) && widest.contains(&most), "{transcripts}: {least} to {most}");
        let toasted = number(
            &mut conn,
            "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'public.call'::regclass",
        )
        .await;
        assert_eq!(toasted > 100_000, transcripts == Transcripts::Full, "{transcripts}: {toasted} bytes");
    }
    none("SELECT FROM call WHERE transcript IS NOT NULL").await;
}

#[tokio::test]
async fn another_profile_gives_other_shares() {
    let profile = Profile::from_toml(
        "[customers]\ndeleted_per_mille = 200\n[calls]\nkinds = { campaign = 0, direct = 0, callback = 1000 }",
    )
    .unwrap();
    let database = testing::database("profile").await;
    let tiny = Spec { profile, ..Spec::of(Scale::Tiny, 1, as_of()) };
    let present = load(database.url(), &tiny, Level::Before, &connections(2)).await;
    assert_eq!(present.spec, tiny);
    let mut conn = connect(database.url()).await;
    let deleted =
        number(&mut conn, "SELECT 1000 * count(*) FILTER (WHERE is_deleted) / count(*) FROM customer").await;
    assert!((180..220).contains(&deleted), "{deleted} per mille");
    assert_eq!(number(&mut conn, "SELECT count(*) FROM call WHERE call_type <> 'callback'").await, 0);
    let plain = Spec::of(Scale::Tiny, 1, as_of());
    let refused =
        datagen::seed(database.url(), &plain, Level::Before, &connections(2), &()).await.unwrap_err();
    assert!(refused.to_string().contains("custom profile"), "{refused}");
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
    let few = number(
        &mut conn,
        "SELECT count(*) FROM (SELECT FROM customer WHERE employee_id IS NOT NULL GROUP BY employee_id
             HAVING count(*) < 100) AS found",
    )
    .await;
    assert!(few > 0);
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
    let plan =
        datagen::plan(&spec(), Level::Optimized, &Loading { connections: 1, grain: Grain::Chunk }).unwrap();
    let planned = plan.tables.last().unwrap();
    assert_eq!(planned.table, Table::CallStats);
    for (planned, real, percent) in [
        (planned.rows, "SELECT count(*) FROM customer_call_stats", 5),
        (planned.table_bytes, "SELECT pg_table_size('customer_call_stats')", 10),
        (planned.index_bytes(), "SELECT pg_indexes_size('customer_call_stats')", 30),
    ] {
        let found = number(&mut conn, real).await.cast_unsigned();
        assert!(planned.abs_diff(found) * 100 <= found * percent, "{real}: {planned} for {found}");
    }
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
