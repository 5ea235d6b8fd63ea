//! Every field of a customer, with values worked out by hand.

use migrations::Level;
use serde_json::json;
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

async fn page(variant: Variant) -> Answer {
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
    let nobody = Customer {
        id: "00000000-0000-0000-0000-000000000002".parse().unwrap(),
        ..Customer::of(workspace, "Nobody", at("2023-12-31T23:59:59.999999Z"))
    };
    nobody.insert(&mut db).await;
    sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
    let origin = service.serve(variant).await;
    let answer = service.get(&list(&origin, "workspace_id=one"), &token).await;

    let expected = json!({
        "id": "00000000-0000-0000-0000-000000000001", "workspace_id": workspace, "name": "An",
        "email": "an@example.com", "phone": "090", "carrier": "viettel", "status": "active", "quality": "hot",
        "call_status": "pending", "duration": 180.5, "is_test": true, "checked": true,
        "tags": ["Zulu", "alpha", "zulu", "~", "ánh", "😀"],
        "other_attributes": answer.json()["results"][0]["other_attributes"],
        "is_deleted": false,
        "created_at": "2024-01-01T10:00:00.000000Z", "updated_at": "2024-02-01T00:00:00.000001Z",
        "employee": { "id": employee, "name": "Binh", "email": "Binh@example.com" },
        "latest_call": {
            "id": "00000000-0000-0000-0000-0000000000c6", "direction": "outbound", "status": "busy", "duration": 0.25,
            "duration_seconds": 0, "call_type": "callback", "sentiment_score": 0.0,
            "created_at": answer.json()["results"][0]["latest_call"]["created_at"],
        },
        "total_calls": 6, "total_duration_seconds": 6117,
        // The call at the first of the month is at most 30 days old, or 31 on the last day of a long month.
        "calls_last_30_days": answer.json()["results"][0]["calls_last_30_days"],
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
    assert_eq!(answer.results()[0], expected);
    answer
}

#[tokio::test]
async fn every_field_is_as_worked_out_by_hand_in_live() {
    let answer = page(Variant::Live).await;
    assert_eq!(answer.json()["count"], json!(null));
    assert!(answer.text.contains("\"count\":null"), "the key is always there");
}

#[tokio::test]
async fn every_field_is_as_worked_out_by_hand_in_naive() {
    assert_eq!(page(Variant::Naive).await.json()["count"], json!(2));
}

#[tokio::test]
async fn numbers_come_back_digit_for_digit_and_money_has_two_to_four_decimals() {
    for variant in [Variant::Live, Variant::Naive] {
        let text = page(variant).await.text;
        for digits in [
            r#""n": 12345678901234567890"#,
            r#""d": 1.10"#,
            r#""đ": [null, {"a": "\"\u0001"}]"#,
            r#""total_cost":112.1988"#,
            r#""cost_this_month":100.3333"#,
            r#""billing_breakdown":{"campaign":11.8655,"direct":100.00,"callback":0.3333}"#,
        ] {
            assert!(text.contains(digits), "{variant}: {digits} is not in {text}");
        }
    }
}

#[tokio::test]
async fn a_customer_without_anything_has_nulls_zeros_and_an_empty_list() {
    for variant in [Variant::Live, Variant::Naive] {
        let answer = page(variant).await;
        let nobody = &answer.results()[1];
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
        assert!(answer.text.contains(nothing), "{variant}: {}", answer.text);
    }
}
