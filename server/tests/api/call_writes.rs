//! Adding calls: what they become, who may add them to whom, and what they do to the totals.

use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::Variant;
use uuid::Uuid;

use crate::tenants::Tenants;

fn call(customer: Uuid) -> Value {
    json!({ "customer_id": customer, "direction": "outbound", "status": "completed", "call_type": "campaign" })
}

fn with(mut call: Value, fields: &Value) -> Value {
    call.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    call
}

#[tokio::test]
async fn a_call_is_answered_as_it_is_stored() {
    let mut tenants = Tenants::new().await;
    let [customer, ..] = tenants.one.customers;
    let answer = tenants.send(Method::POST, "calls/", &tenants.employee, &call(customer)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let plain = answer.json();
    assert_eq!(
        plain,
        json!({
            "id": plain["id"], "workspace_id": tenants.one.id, "customer_id": customer, "campaign_customer_id": null,
            "direction": "outbound", "status": "completed", "duration": 0.0, "duration_seconds": 0,
            "recording_url": null, "transcript": null, "sentiment_score": null, "call_type": "campaign",
            "billing_rate": null, "created_at": plain["created_at"],
        })
    );
    let full = json!({
        "campaign_customer_id": tenants.one.enrolments[0], "direction": "inbound", "status": "missed",
        "duration": 59.5, "recording_url": "https://cdn.example.com/1.mp3", "transcript": "Xin chào.\nHết.",
        "sentiment_score": -0.25, "call_type": "callback", "billing_rate": "0.1250",
    });
    let sent = with(call(customer), &full);
    let answer = tenants.post("calls", &sent).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let body = answer.json();
    for field in
        ["customer_id", "campaign_customer_id", "direction", "status", "duration", "transcript", "call_type"]
    {
        assert_eq!(body[field], sent[field], "{field}");
    }
    // Rounded, halves upwards; and the rate with its own digits.
    assert_eq!(body["duration_seconds"], json!(60));
    assert!(answer.text.contains("\"billing_rate\":0.125,"), "{}", answer.text);
    let rates: Vec<Option<String>> =
        sqlx::query_scalar("SELECT billing_rate::text FROM call ORDER BY billing_rate NULLS FIRST")
            .fetch_all(&mut tenants.db)
            .await
            .unwrap();
    assert_eq!(rates, [None, Some("0.1250".to_owned())]);
    // It is the customer's latest one now.
    let read =
        tenants.service.get(&tenants.url(&format!("customers/{customer}/")), &tenants.employee).await.json();
    assert_eq!(read["latest_call"]["id"], body["id"]);
    assert_eq!((&read["total_calls"], &read["missed_calls"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn rates_that_no_float_can_hold_stay_exact() {
    let tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    let customer = tenants.one.customers[0];
    for rate in ["999999.9999", "0.0001", "123456.7891"] {
        let body = with(call(customer), &json!({ "duration_seconds": 60 })).to_string();
        let body = body.replace("\"direction\"", &format!("\"billing_rate\": {rate}, \"direction\""));
        let answer = tenants.service.write(Method::POST, &tenants.url("calls/"), &tenants.admin, body).await;
        assert!(answer.text.contains(&format!("\"billing_rate\":{rate},")), "{}", answer.text);
    }
    let read = tenants.service.get(&tenants.url(&format!("customers/{customer}/")), &tenants.admin).await;
    assert!(read.text.contains("\"total_cost\":1123456.7891"), "{}", read.text);
}

#[tokio::test]
async fn calls_go_only_to_customers_that_are_there_for_the_member() {
    let mut tenants = Tenants::new().await;
    let [own, colleagues, nobodys, deleted] = tenants.one.customers;
    let foreign = tenants.two.customers[0];
    let no_such = |id: Uuid| json!([format!("Invalid pk \"{id}\" - object does not exist.")]);
    for id in [deleted, foreign, Uuid::nil()] {
        tenants.post("calls/", &call(id)).await.is(400, &json!({ "customer_id": no_such(id) }));
    }
    for id in [colleagues, nobodys, deleted, foreign] {
        let answer = tenants.send(Method::POST, "calls/", &tenants.employee, &call(id)).await;
        answer.is(400, &json!({ "customer_id": no_such(id) }));
    }
    let many = json!([call(own), call(colleagues), { "customer_id": foreign }]);
    let answer = tenants.send(Method::POST, "calls/bulk/", &tenants.employee, &many).await;
    answer.is(
        400,
        &json!([{}, { "customer_id": no_such(colleagues) }, {
            "customer_id": no_such(foreign),
            "direction": ["This field is required."],
            "status": ["This field is required."],
            "call_type": ["This field is required."],
        }]),
    );
    // An enrolment must be of the same customer.
    for enrolment in [tenants.one.enrolments[1], tenants.two.enrolments[0], Uuid::nil()] {
        let body = with(call(own), &json!({ "campaign_customer_id": enrolment }));
        tenants.post("calls/", &body).await.is(400, &json!({ "campaign_customer_id": no_such(enrolment) }));
    }
    assert_eq!(tenants.rows("call").await, [] as [Value; 0]);
    for token in [&tenants.employee, &tenants.manager, &tenants.admin] {
        assert_eq!(tenants.send(Method::POST, "calls/", token, &call(own)).await.status, 201);
    }
    assert_eq!(tenants.rows("call").await.len(), 3);
}

#[tokio::test]
async fn a_bulk_of_calls_has_its_limits() {
    let mut tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    let customers = &tenants.one.customers[..3];
    let calls: Vec<Value> = (0..1_001).map(|n| call(customers[n % 3])).collect();
    let empty = json!({ "non_field_errors": ["This list may not be empty."] });
    tenants.post("calls/bulk/", &json!([])).await.is(400, &empty);
    let many = json!({ "non_field_errors": ["Ensure this field has no more than 1000 elements."] });
    tenants.post("calls/bulk/", &json!(calls)).await.is(400, &many);
    let answer = tenants.post("calls/bulk/", &json!(calls[..1_000])).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["created"]), (201, &json!(1_000)));
    let ids: Vec<Uuid> = serde_json::from_value(answer.json()["ids"].clone()).unwrap();
    let whose: Vec<Uuid> = sqlx::query_scalar(
        "SELECT k.customer_id FROM unnest($1) WITH ORDINALITY AS i (id, position) JOIN call k USING (id) ORDER BY position",
    )
    .bind(ids)
    .fetch_all(&mut tenants.db)
    .await
    .unwrap();
    let expected: Vec<Uuid> = (0..1_000).map(|n| tenants.one.customers[n % 3]).collect();
    assert_eq!(whose, expected);
}

#[tokio::test]
async fn the_totals_agree_with_the_calls_that_were_added() {
    let mut tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    let live = tenants.service.serve(Variant::Live).await;
    let naive = tenants.service.serve(Variant::Naive).await;
    for round in 0..5_u64 {
        let calls: Vec<Value> = (0..60)
            .map(|n| {
                let seconds = (n * 37 + round * 11) % 500;
                let fields = json!({
                    "status": (["completed", "missed", "busy"][usize::try_from(n % 3).unwrap()]),
                    "call_type": (["campaign", "direct", "callback"][usize::try_from(n / 3 % 3).unwrap()]),
                    "billing_rate": (n % 4 != 0).then(|| format!("0.{:04}", n * 97 + round)),
                    "duration": seconds as f64 + 0.25,
                });
                with(call(tenants.one.customers[usize::try_from(n % 2).unwrap()]), &fields)
            })
            .collect();
        assert_eq!(tenants.post("calls/bulk/", &json!(calls)).await.status, 201);
        assert_eq!(tenants.post("calls/", &calls[3]).await.status, 201);
        let differing: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM customer_call_stats AS t FULL JOIN (
                 SELECT workspace_id, customer_id, count(*) AS total_calls, sum(duration_seconds) AS seconds,
                        count(*) FILTER (WHERE status = 'completed') AS successful,
                        count(*) FILTER (WHERE status = 'missed') AS missed,
                        count(*) FILTER (WHERE call_type = 'campaign') AS campaign,
                        sum(coalesce(round(billing_rate * duration_seconds / 60, 4), 0)) AS cost
                   FROM call GROUP BY workspace_id, customer_id) AS k USING (workspace_id, customer_id)
              WHERE (t.total_calls, t.total_duration_seconds, t.successful_calls, t.missed_calls, t.campaign_calls,
                     t.cost_campaign + t.cost_direct + t.cost_callback)
                    IS DISTINCT FROM (k.total_calls, k.seconds, k.successful, k.missed, k.campaign, k.cost)",
        )
        .fetch_one(&mut tenants.db)
        .await
        .unwrap();
        assert_eq!(differing, 0);
    }
    for customer in tenants.one.customers.iter().take(3) {
        let path = format!("/api/v1/customers/{customer}/?workspace_id=one");
        let mut bodies = Vec::new();
        for origin in [&tenants.origin, &live, &naive] {
            bodies.push(tenants.service.get(&format!("{origin}{path}"), &tenants.admin).await.text);
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:#?}");
    }
}

#[tokio::test]
async fn a_customer_whose_calls_cost_more_than_totals_can_hold_gets_no_more() {
    let mut tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    let dear = with(
        call(tenants.one.customers[0]),
        &json!({ "billing_rate": "999999.9999", "duration_seconds": i32::MAX }),
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(tenants.post("calls/", &dear).await.status.as_u16());
    }
    assert_eq!(statuses, [201, 201, 400]);
    let answer = tenants.post("calls/bulk/", &json!([dear])).await;
    assert_eq!(answer.status, 400);
    assert!(
        answer.json()["non_field_errors"][0].as_str().unwrap().contains("billing_rate"),
        "{}",
        answer.text
    );
    assert_eq!(tenants.rows("call").await.len(), 2);
}
