//! Making customers, and changing or deleting many at once.

use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::Variant;
use sqlx::Executor as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::service::{Answer, list};
use crate::tenants::Tenants;

fn ids_of(answer: &Answer) -> Vec<Uuid> {
    answer.json()["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_new_customer_has_what_was_sent_and_defaults_for_the_rest() {
    for (level, variant) in [
        (Level::Before, Variant::Naive),
        (Level::Indexed, Variant::Live),
        (Level::Optimized, Variant::Rollup),
    ] {
        let mut tenants = Tenants::at(level, variant).await;
        let plain = tenants
            .send(Method::POST, "customers/", &tenants.manager, &json!({ "name": "An", "phone": "1" }))
            .await;
        assert_eq!(plain.status, 201, "{}", plain.text);
        let mut body = plain.json();
        let id: Uuid = body["id"].as_str().unwrap().parse().unwrap();
        tenants.service.get(&tenants.url(&format!("customers/{id}/")), &tenants.admin).await.is(200, &body);
        assert_eq!(body["created_at"], body["updated_at"]);
        for computed in ["id", "created_at", "updated_at", "campaign_stats", "billing_summary"] {
            body.as_object_mut().unwrap().remove(computed);
        }
        assert_eq!(
            body,
            json!({
                "workspace_id": tenants.one.id, "name": "An", "email": null, "phone": "1", "carrier": null,
                "status": "active", "quality": "cold", "call_status": "pending", "duration": 0.0, "is_test": false,
                "checked": false, "other_attributes": {}, "is_deleted": false, "tags": [], "employee": null,
                "latest_call": null, "total_calls": 0, "total_duration_seconds": 0, "calls_last_30_days": 0,
                "successful_calls": 0, "missed_calls": 0,
            })
        );

        let [a, b, _] = tenants.one.labels;
        let full = json!({
            "name": "Bình", "email": "b@example.com", "phone": "+84 90", "carrier": "Viettel", "status": "pending",
            "quality": "hot", "call_status": "failed", "duration": 1.5, "is_test": true, "checked": 1,
            "other_attributes": { "k": [1.5] }, "employee_id": tenants.one.employees[1], "label_ids": [b, a, b],
            // What only the server writes is ignored.
            "id": Uuid::nil(), "workspace_id": tenants.two.id, "is_deleted": true, "created_at": "2000-01-01",
        });
        let answer = tenants.post("customers", &full).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let body = answer.json();
        for field in
            ["name", "email", "phone", "carrier", "status", "quality", "call_status", "duration", "is_test"]
        {
            assert_eq!(body[field], full[field], "{field}");
        }
        assert_eq!((&body["checked"], &body["other_attributes"]), (&json!(true), &full["other_attributes"]));
        assert_eq!((&body["tags"], &body["employee"]["name"]), (&json!(["a", "b"]), &json!("second")));
        assert_eq!((&body["workspace_id"], &body["is_deleted"]), (&json!(tenants.one.id), &json!(false)));
        assert_ne!(body["id"], json!(Uuid::nil()));
        assert_eq!(tenants.rows("customer_label").await.len(), 2);
        // The list has it on top.
        let newest =
            tenants.service.get(&list(&tenants.origin, "workspace_id=one&page_size=1"), &tenants.admin).await;
        assert_eq!(newest.results(), [body]);
    }
}

#[tokio::test]
async fn a_bulk_makes_all_in_the_order_of_the_array() {
    let mut tenants = Tenants::new().await;
    let [a, b, c] = tenants.one.labels;
    let many: Vec<Value> = (0..1_000)
        .map(|number| {
            let labels = [json!([]), json!([a]), json!([c, b, c])][number % 3].clone();
            json!({ "name": format!("c{number}"), "phone": number, "label_ids": labels, "quality": "hot" })
        })
        .collect();
    let answer = tenants.post("customers/bulk/", &json!(many)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["created"]), (201, &json!(1_000)));
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT c.name || coalesce(' ' || (SELECT string_agg(l.name, '' ORDER BY l.name) FROM customer_label cl
                                             JOIN label l ON l.id = cl.label_id WHERE cl.customer_id = c.id), '')
           FROM unnest($1::uuid[]) WITH ORDINALITY AS i (id, position) JOIN customer c ON c.id = i.id
          WHERE c.workspace_id = $2 AND c.quality = 'hot' AND c.created_at = c.updated_at ORDER BY position",
    )
    .bind(ids_of(&answer))
    .bind(tenants.one.id)
    .fetch_all(&mut tenants.db)
    .await
    .unwrap();
    let expected: Vec<String> = (0..1_000).map(|n| format!("c{n}{}", ["", " a", " bc"][n % 3])).collect();
    assert_eq!(names, expected);

    let mut too_many = many;
    too_many.push(json!({ "name": "n", "phone": "1" }));
    let before = tenants.rows("customer").await.len();
    tenants
        .post("customers/bulk/", &json!(too_many))
        .await
        .is(400, &json!({ "non_field_errors": ["Ensure this field has no more than 1000 elements."] }));
    assert_eq!(tenants.rows("customer").await.len(), before);
}

#[tokio::test]
async fn a_bulk_with_one_bad_item_makes_none_and_names_it_at_its_place() {
    let mut tenants = Tenants::new().await;
    let before = tenants.rows("customer").await;
    let foreign = (tenants.two.employees[0], tenants.two.labels[0]);
    let answer = tenants
        .post(
            "customers/bulk/",
            &json!([
                { "name": "good", "phone": "1" },
                { "phone": null },
                { "name": "n", "phone": "1", "employee_id": foreign.0, "label_ids": [tenants.one.labels[0], foreign.1] },
                [],
            ]),
        )
        .await;
    answer.is(
        400,
        &json!([
            {},
            { "name": ["This field is required."], "phone": ["This field may not be null."] },
            {
                "employee_id": [format!("Invalid pk \"{}\" - object does not exist.", foreign.0)],
                "label_ids": [format!("Invalid pk \"{}\" - object does not exist.", foreign.1)],
            },
            { "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] },
        ]),
    );
    assert_eq!(tenants.rows("customer").await, before);
}

#[tokio::test]
async fn a_bulk_patch_changes_those_that_are_there_and_names_the_others_in_their_order() {
    for (level, variant) in [(Level::Before, Variant::Naive), (Level::Optimized, Variant::Rollup)] {
        let mut tenants = Tenants::at(level, variant).await;
        let [own, colleagues, nobodys, deleted] = tenants.one.customers;
        let foreign = tenants.two.customers[0];
        let ids = json!([Uuid::max(), own, foreign, own, nobodys, deleted, Uuid::nil(), foreign, colleagues]);
        let set =
            json!({ "status": "blocked", "label_ids": [tenants.one.labels[1]], "carrier": null, "id": 1 });
        let before = tenants.rows("customer").await;

        let body = json!({ "ids": ids, "set": set });
        let answer = tenants.send(Method::PATCH, "customers/bulk/", &tenants.employee, &body).await;
        answer.is(
            200,
            &json!({ "updated": 1, "missing": [Uuid::max(), foreign, nobodys, deleted, Uuid::nil(), colleagues] }),
        );
        let answer = tenants.patch("customers/bulk", &json!({ "ids": ids, "set": set })).await;
        answer.is(200, &json!({ "updated": 3, "missing": [Uuid::max(), foreign, deleted, Uuid::nil()] }));
        for mut row in before {
            let id: Uuid = row["id"].as_str().unwrap().parse().unwrap();
            let now = tenants.customer(id).await;
            if [own, colleagues, nobodys].contains(&id) {
                row["status"] = json!("blocked");
                row["xmin"] = now["xmin"].clone();
                row["updated_at"] = now["updated_at"].clone();
            }
            assert_eq!(now, row);
        }
        assert_eq!(tenants.rows("customer_label").await.len(), 3);

        // Saying nothing changes nothing, and still tells who is there.
        let before = tenants.rows("customer").await;
        let answer =
            tenants.patch("customers/bulk/", &json!({ "ids": [own, foreign], "set": { "tags": [] } })).await;
        answer.is(200, &json!({ "updated": 1, "missing": [foreign] }));
        assert_eq!(tenants.rows("customer").await, before);
    }
}

#[tokio::test]
async fn a_bulk_patch_by_an_employee_may_hand_customers_over() {
    let mut tenants = Tenants::new().await;
    let own = tenants.one.customers[0];
    let body = json!({ "ids": [own], "set": { "employee_id": tenants.one.employees[1] } });
    let answer = tenants.send(Method::PATCH, "customers/bulk/", &tenants.employee, &body).await;
    answer.is(200, &json!({ "updated": 1, "missing": [] }));
    assert_eq!(tenants.customer(own).await["employee_id"], json!(tenants.one.employees[1]));
    // It was their last one: now there is nothing for them in this workspace.
    let again = tenants.send(Method::PATCH, "customers/bulk/", &tenants.employee, &body).await;
    again.refuses(403, "You do not have permission to perform this action.");
}

#[tokio::test]
async fn a_bulk_delete_deletes_each_once_and_names_the_others() {
    for (level, variant) in [(Level::Before, Variant::Naive), (Level::Optimized, Variant::Rollup)] {
        let mut tenants = Tenants::at(level, variant).await;
        let [own, colleagues, nobodys, deleted] = tenants.one.customers;
        let foreign = tenants.two.customers[0];
        let two = tenants.customer(foreign).await;
        let body = json!({ "ids": [nobodys, foreign, own, deleted, own] });
        let answer = tenants.send(Method::POST, "customers/bulk-delete/", &tenants.manager, &body).await;
        answer.is(200, &json!({ "deleted": 2, "missing": [foreign, deleted] }));
        let again = tenants.post("customers/bulk-delete", &body).await;
        again.is(200, &json!({ "deleted": 0, "missing": [nobodys, foreign, own, deleted] }));
        let left =
            tenants.service.get(&list(&tenants.origin, "workspace_id=one"), &tenants.admin).await.ids();
        assert_eq!(left, [colleagues]);
        assert_eq!(tenants.customer(foreign).await, two);
    }
}

#[tokio::test]
async fn a_thousand_ids_pass_and_one_more_does_not() {
    let tenants = Tenants::new().await;
    let ids: Vec<Uuid> = (0..1_001).map(Uuid::from_u128).collect();
    let told = json!({ "ids": ["Ensure this field has no more than 1000 elements."] });
    let set = json!({ "status": "active" });
    tenants.patch("customers/bulk/", &json!({ "ids": ids, "set": set })).await.is(400, &told);
    tenants.post("customers/bulk-delete/", &json!({ "ids": ids })).await.is(400, &told);
    let ids = &ids[..1_000];
    let answer = tenants.patch("customers/bulk/", &json!({ "ids": ids, "set": set })).await;
    answer.is(200, &json!({ "updated": 0, "missing": ids }));
    tenants
        .post("customers/bulk-delete/", &json!({ "ids": ids }))
        .await
        .is(200, &json!({ "deleted": 0, "missing": ids }));
}

#[tokio::test]
async fn a_body_of_ten_megabytes_passes_and_one_byte_more_does_not() {
    const LIMIT: usize = 10 * 1024 * 1024;
    let tenants = Tenants::new().await;
    let body = |length: usize| {
        let frame = r#"{"name": "n", "phone": "1", "other_attributes": ""}"#;
        frame.replace("\"\"", &format!("\"{}\"", "x".repeat(length - frame.len())))
    };
    assert_eq!(body(LIMIT).len(), LIMIT);
    let url = tenants.url("customers/");
    let answer = tenants.service.write(Method::POST, &url, &tenants.admin, body(LIMIT)).await;
    assert_eq!(answer.status, 201, "{:.200}", answer.text);
    assert_eq!(answer.json()["other_attributes"].as_str().unwrap().len(), LIMIT - 51);
    for _ in 0..20 {
        let answer = tenants.service.write(Method::POST, &url, &tenants.admin, body(LIMIT + 1)).await;
        answer.refuses(413, "The request body is larger than 10 MB.");
    }
}

/// Sends a body of this length in pieces, without announcing its length, and gives the first line of the answer.
async fn send_in_pieces(tenants: &Tenants, length: usize) -> String {
    let (reading, mut writing) =
        TcpStream::connect(tenants.origin.strip_prefix("http://").unwrap()).await.unwrap().into_split();
    let head = format!(
        "POST /api/v1/customers/?workspace_id=one HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        tenants.admin
    );
    let frame = r#"{"name": "n", "phone": "1"}"#;
    let body = format!("{frame}{}", " ".repeat(length - frame.len()));
    let sending = async move {
        writing.write_all(head.as_bytes()).await?;
        for piece in body.as_bytes().chunks(1 << 16) {
            writing.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
            writing.write_all(piece).await?;
            writing.write_all(b"\r\n").await?;
        }
        writing.write_all(b"0\r\n\r\n").await?;
        Ok::<_, std::io::Error>(writing)
    };
    let mut lines = BufReader::new(reading).lines();
    // The server may answer, and close, before it was sent everything.
    let (_sent, line) = tokio::join!(sending, lines.next_line());
    line.unwrap().unwrap()
}

#[tokio::test]
async fn the_limit_holds_for_bodies_whose_length_is_not_announced() {
    const LIMIT: usize = 10 * 1024 * 1024;
    let tenants = Tenants::new().await;
    assert_eq!(send_in_pieces(&tenants, LIMIT).await, "HTTP/1.1 201 Created");
    assert_eq!(send_in_pieces(&tenants, LIMIT + 1).await, "HTTP/1.1 413 Payload Too Large");
}

/// How many statements a request ran, as PostgreSQL counts them.
async fn statements(tenants: &mut Tenants, method: Method, path: &str, body: &Value) -> i64 {
    let reset = "SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)";
    tenants.db.execute(reset).await.unwrap();
    let answer = tenants.send(method, path, &tenants.manager, body).await;
    assert!(answer.status.is_success(), "{path}: {}", answer.text);
    sqlx::query_scalar(
        "SELECT sum(calls)::bigint FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel
            AND query NOT LIKE '%pg_stat_statements%'",
    )
    .fetch_one(&mut tenants.db)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_write_of_a_thousand_takes_as_many_statements_as_a_write_of_one() {
    let mut tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    tenants.db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let [label, ..] = tenants.one.labels;
    let customer =
        json!({ "name": "n", "phone": "1", "label_ids": [label], "employee_id": tenants.one.employees[0] });
    // The first request is answered when the connection is made, which takes statements too.
    tenants.post("customers/bulk/", &json!([customer])).await;
    let set = json!({ "status": "blocked", "label_ids": [label] });
    for count in [1, 1_000] {
        let ids = ids_of(&tenants.post("customers/bulk/", &json!(vec![&customer; count])).await);
        let calls: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "customer_id": id, "direction": "inbound", "status": "busy", "call_type": "direct" }))
            .collect();
        // Who is it, what is pointed to, BEGIN, the statements, COMMIT.
        for (method, path, body, expected) in [
            (Method::POST, "customers/bulk/", json!(vec![&customer; count]), 6),
            (Method::PATCH, "customers/bulk/", json!({ "ids": ids, "set": set }), 7),
            (Method::POST, "calls/bulk/", json!(calls), 6),
            (Method::POST, "customers/bulk-delete/", json!({ "ids": ids }), 4),
        ] {
            assert_eq!(statements(&mut tenants, method, path, &body).await, expected, "{path} {count}");
        }
    }
    let id = tenants.one.customers[0];
    let detail = format!("customers/{id}/");
    for (method, path, body, expected) in [
        (Method::POST, "customers/", json!({ "name": "n", "phone": "1" }), 5),
        (Method::POST, "customers/", customer, 7),
        (Method::PATCH, &detail, json!({ "name": "m" }), 5),
        (Method::PATCH, &detail, json!({}), 2),
        (Method::GET, &detail, json!(null), 2),
        (Method::DELETE, &detail, json!(null), 4),
    ] {
        let case = format!("{method} {path}");
        assert_eq!(statements(&mut tenants, method, path, &body).await, expected, "{case}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_with_the_same_customers_in_opposite_orders_all_succeed() {
    let tenants = Tenants::at(Level::Optimized, Variant::Rollup).await;
    let origin = tenants
        .service
        .start(server::Config { pool_size: 16, ..tenants.service.config(Variant::Rollup) })
        .await;
    let many: Vec<Value> = (0..200).map(|n| json!({ "name": n, "phone": n })).collect();
    let mut ids = ids_of(&tenants.post("customers/bulk/", &json!(many)).await);
    let label = tenants.one.labels[0];
    let mut bodies = Vec::new();
    for round in 0..24 {
        ids.reverse();
        ids.rotate_left(round);
        let set =
            [json!({ "status": "blocked" }), json!({ "label_ids": [label] }), json!({ "label_ids": [] })];
        bodies.push((Method::PATCH, "customers/bulk/", json!({ "ids": ids, "set": set[round % 3] })));
        let calls: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "customer_id": id, "direction": "inbound", "status": "busy", "call_type": "direct" }))
            .collect();
        bodies.push((Method::POST, "calls/bulk/", json!(calls)));
    }
    let url = |path: &str| format!("{origin}/api/v1/{path}?workspace_id=one");
    let answers = futures_util::future::join_all(bodies.into_iter().map(|(method, path, body)| {
        let (service, url, token) = (&tenants.service, url(path), &tenants.admin);
        async move { service.write(method, &url, token, body.to_string()).await }
    }))
    .await;
    for answer in answers {
        assert!(answer.status.is_success(), "{} {:.300}", answer.status, answer.text);
        let body = answer.json();
        assert!(body["updated"] == json!(200) || body["created"] == json!(200), "{body:.200}");
    }
}
