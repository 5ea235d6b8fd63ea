//! Rows as uneven as those of a business: what is common, what is rare, and what follows from what.

use super::{loaded, none};
use crate::support::number;

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
