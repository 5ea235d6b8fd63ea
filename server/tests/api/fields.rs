//! Every field of a customer, with values worked out by hand.

use migrations::Level;
use serde_json::{Value, json};
use server::Variant;

use crate::service::{Answer, Service, list};
use crate::world::{self, Customer, at};

/// A customer with everything, and one with nothing.
const ROWS: &str = "
    UPDATE customer SET email = 'an@example.com', carrier = 'viettel', duration = 180.5, is_test = true, checked = true,
           updated_at = '2024-02-01T00:00:00.000001Z',
           other_attributes = '{\"n\": 12345678901234567890, \"d\": 1.10, \"đ\": [null, {\"a\": \"\\\"\\u0001\"}]}'
     WHERE name = 'An';
    INSERT INTO label (id, workspace_id, name)
    SELECT gen_random_uuid(), workspace_id, unnest(ARRAY['zulu', 'Zulu', 'ánh', 'alpha', '~', '😀'])
      FROM customer WHERE name = 'An';
    INSERT INTO customer_label SELECT c.id, l.id FROM customer c, label l WHERE c.name = 'An';
    INSERT INTO call_campaign (id, workspace_id, name, status)
    SELECT g.id::uuid, workspace_id, g.title, g.status FROM customer, (VALUES
        ('00000000-0000-0000-0000-0000000000a1', 'older', 'active'),
        ('00000000-0000-0000-0000-0000000000a2', 'newer', 'active'),
        ('00000000-0000-0000-0000-0000000000a3', 'newest, paused', 'paused'),
        ('00000000-0000-0000-0000-0000000000a4', 'newest, left', 'active')) AS g (id, title, status)
     WHERE customer.name = 'An';
    INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status, created_at)
    SELECT c.workspace_id, n.campaign::uuid, c.id, n.status, n.created_at::timestamptz FROM customer c, (VALUES
        ('00000000-0000-0000-0000-0000000000a1', 'pending', '2024-01-01T00:00:00Z'),
        ('00000000-0000-0000-0000-0000000000a2', 'in_progress', '2024-01-02T00:00:00Z'),
        ('00000000-0000-0000-0000-0000000000a3', 'pending', '2024-01-03T00:00:00Z'),
        ('00000000-0000-0000-0000-0000000000a4', 'completed', '2024-01-04T00:00:00Z'),
        ('00000000-0000-0000-0000-0000000000a4', 'completed', '2024-01-05T00:00:00Z'),
        ('00000000-0000-0000-0000-0000000000a4', 'failed', '2024-01-06T00:00:00Z')) AS n (campaign, status, created_at)
     WHERE c.name = 'An';
    -- cost: 0.0125 (half of a ten-thousandth, away from zero: 0.00125 -> 0.0013), 11.8642, 0, 100.00, 0.3333
    INSERT INTO call (id, workspace_id, customer_id, direction, status, duration, duration_seconds, sentiment_score,
                      call_type, billing_rate, created_at)
    SELECT k.id::uuid, c.workspace_id, c.id, 'outbound', k.status, k.seconds + 0.25, k.seconds, k.sentiment,
           k.call_type, k.rate, k.created_at
      FROM customer c, (VALUES
        ('00000000-0000-0000-0000-0000000000c1', 'completed', 30, 0.5, 'campaign', 0.0025, now() - interval '40 days'),
        ('00000000-0000-0000-0000-0000000000c2', 'completed', 60, NULL, 'campaign', 11.8642, now() - interval '40 days'),
        ('00000000-0000-0000-0000-0000000000c3', 'missed', 7, NULL, 'direct', NULL, now() - interval '29 days'),
        ('00000000-0000-0000-0000-0000000000c4', 'busy', 6000, -1, 'direct', 1, date_trunc('month', now(), 'UTC')),
        ('00000000-0000-0000-0000-0000000000c5', 'completed', 20, 0.75, 'callback', 1, now() + interval '1 hour'),
        ('00000000-0000-0000-0000-0000000000c6', 'busy', 0, 0, 'callback', 1, now() + interval '1 hour'))
        AS k (id, status, seconds, sentiment, call_type, rate, created_at)
     WHERE c.name = 'An';";

/// The page with both customers, in each variant, and the first of them as it must be.
async fn pages() -> (Vec<(Variant, Answer)>, Value) {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let employee = world::employee(&mut db, workspace, "Binh").await;
    let an = Customer {
        id: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
        employee: Some(employee),
        ..Customer::of(workspace, "An", at("2024-01-01T10:00:00Z"))
    };
    an.insert(&mut db).await;
    Customer::of(workspace, "Nobody", at("2023-12-31T23:59:59.999999Z")).insert(&mut db).await;
    sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
    let mut pages = Vec::new();
    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        pages.push((variant, service.get(&list(&origin, "workspace_id=one"), &token).await));
    }

    let (latest_call_at, is_early_in_the_month): (String, bool) = sqlx::query_as(
        r#"SELECT to_char(max(created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  date_trunc('month', now(), 'UTC') >= now() - interval '720 hours'
             FROM call"#,
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    let an = json!({
        "id": "00000000-0000-0000-0000-000000000001", "workspace_id": workspace, "name": "An",
        "email": "an@example.com", "phone": "090", "carrier": "viettel", "status": "active", "quality": "hot",
        "call_status": "pending", "duration": 180.5, "is_test": true, "checked": true,
        "tags": ["Zulu", "alpha", "zulu", "~", "ánh", "😀"],
        // Its numbers are compared as text below; a float would not hold them.
        "other_attributes": pages[0].1.json()["results"][0]["other_attributes"],
        "is_deleted": false,
        "created_at": "2024-01-01T10:00:00.000000Z", "updated_at": "2024-02-01T00:00:00.000001Z",
        "employee": { "id": employee, "name": "Binh", "email": "Binh@example.com" },
        "latest_call": {
            "id": "00000000-0000-0000-0000-0000000000c6", "direction": "outbound", "status": "busy", "duration": 0.25,
            "duration_seconds": 0, "call_type": "callback", "sentiment_score": 0.0, "created_at": latest_call_at,
        },
        "total_calls": 6, "total_duration_seconds": 6117,
        // On the last day of a long month, the call at the month's first instant is older than 30 days.
        "calls_last_30_days": if is_early_in_the_month { 4 } else { 3 },
        "successful_calls": 3, "missed_calls": 1,
        "campaign_stats": {
            "total_campaign_calls": 2, "completed_campaigns": 2,
            "active_campaign": { "id": "00000000-0000-0000-0000-0000000000a2", "name": "newer" },
        },
        "billing_summary": {
            "total_cost": 112.1988,
            "cost_this_month": 100.3333,
            "billing_breakdown": { "campaign": 11.8655, "direct": 100.0, "callback": 0.3333 },
        },
    });
    (pages, an)
}

#[tokio::test]
async fn every_field_is_as_worked_out_by_hand() {
    let (pages, an) = pages().await;
    for (variant, page) in &pages {
        assert_eq!(page.results()[0], an, "{variant}");
    }
    assert_eq!((&pages[0].1.json()["count"], &pages[1].1.json()["count"]), (&json!(null), &json!(2)));
    assert!(pages[0].1.text.contains("\"count\":null"), "the key is always there");
}

#[tokio::test]
async fn numbers_come_back_digit_for_digit_and_money_has_two_to_four_decimals() {
    for (variant, page) in pages().await.0 {
        for digits in [
            r#""n": 12345678901234567890"#,
            r#""d": 1.10"#,
            r#""đ": [null, {"a": "\"\u0001"}]"#,
            r#""total_cost":112.1988"#,
            r#""cost_this_month":100.3333"#,
            r#""billing_breakdown":{"campaign":11.8655,"direct":100.00,"callback":0.3333}"#,
        ] {
            assert!(page.text.contains(digits), "{variant}: {digits} is not in {}", page.text);
        }
    }
}

#[tokio::test]
async fn a_customer_without_anything_has_nulls_zeros_and_an_empty_list() {
    for (variant, page) in pages().await.0 {
        let nobody = &page.results()[1];
        for (field, value) in [
            ("email", json!(null)),
            ("carrier", json!(null)),
            ("duration", json!(0.0)),
            ("tags", json!([])),
            ("other_attributes", json!({})),
            ("created_at", json!("2023-12-31T23:59:59.999999Z")),
            ("employee", json!(null)),
            ("latest_call", json!(null)),
            ("total_calls", json!(0)),
            ("total_duration_seconds", json!(0)),
            ("calls_last_30_days", json!(0)),
            ("successful_calls", json!(0)),
            ("missed_calls", json!(0)),
            (
                "campaign_stats",
                json!({ "total_campaign_calls": 0, "completed_campaigns": 0, "active_campaign": null }),
            ),
        ] {
            assert_eq!(nobody[field], value, "{variant}: {field}");
        }
        let nothing = r#""billing_summary":{"total_cost":0.00,"cost_this_month":0.00,"billing_breakdown":{"campaign":0.00,"direct":0.00,"callback":0.00}}"#;
        assert!(page.text.contains(nothing), "{variant}: {}", page.text);
    }
}
