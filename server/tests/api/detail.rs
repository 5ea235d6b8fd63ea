//! One customer: reading, changing and deleting it.

use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::Variant;
use uuid::Uuid;

use crate::service::list;
use crate::tenants::Tenants;

const VARIANTS: [(Level, Variant); 3] =
    [(Level::Before, Variant::Naive), (Level::Indexed, Variant::Live), (Level::Optimized, Variant::Rollup)];

const FORBIDDEN: &str = "You do not have permission to perform this action.";

fn path(id: Uuid) -> String {
    format!("customers/{id}/")
}

#[tokio::test]
async fn one_customer_is_the_same_as_in_the_list_in_every_variant() {
    for (level, variant) in VARIANTS {
        let tenants = Tenants::at(level, variant).await;
        for customer in
            tenants.service.get(&list(&tenants.origin, "workspace_id=one"), &tenants.admin).await.results()
        {
            let id: Uuid = customer["id"].as_str().unwrap().parse().unwrap();
            for id in [id.to_string(), id.simple().to_string().to_uppercase()] {
                let url = tenants.url(&format!("customers/{id}/"));
                tenants.service.get(&url, &tenants.admin).await.is(200, &customer);
            }
        }
        let url = tenants.url(&path(tenants.one.customers[0]));
        let get = tenants.service.get(&url, &tenants.admin).await;
        let head = tenants.service.send(Method::HEAD, &url, Some(&tenants.admin), &[]).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""));
        assert_eq!(head.header("content-length"), get.text.len().to_string());
    }
}

#[tokio::test]
async fn what_is_not_there_for_the_member_is_not_found_whatever_the_method() {
    for (level, variant) in VARIANTS {
        let mut tenants = Tenants::at(level, variant).await;
        let before = tenants.rows("customer").await;
        let [own, colleagues, nobodys, deleted] = tenants.one.customers;
        let foreign = tenants.two.customers[0];
        let change = json!({ "name": "changed" });
        for id in [deleted, foreign, Uuid::nil(), Uuid::max()] {
            for (method, body) in
                [(Method::GET, json!({})), (Method::PATCH, change.clone()), (Method::DELETE, json!({}))]
            {
                tenants.send(method, &path(id), &tenants.manager, &body).await.refuses(404, "Not found.");
            }
            tenants.patch(&path(id), &json!({})).await.refuses(404, "Not found.");
        }
        for id in [colleagues, nobodys, deleted, foreign] {
            for (method, body) in [(Method::GET, json!({})), (Method::PATCH, change.clone())] {
                tenants.send(method, &path(id), &tenants.employee, &body).await.refuses(404, "Not found.");
            }
        }
        assert_eq!(tenants.send(Method::GET, &path(own), &tenants.employee, &json!({})).await.status, 200);
        assert_eq!(tenants.rows("customer").await, before);
    }
}

#[tokio::test]
async fn the_path_is_judged_before_anything_else() {
    let tenants = Tenants::new().await;
    let id = tenants.one.customers[0];
    let send = async |method: Method, path: &str| {
        tenants.service.send(method, &format!("{}{path}", tenants.origin), None, &[]).await
    };
    for path in [
        "/api/v1/customers/nobody/",
        "/api/v1/customers/1/",
        "/api/v1/customers/%00/",
        "/api/v1/customers/%FF/",
        "/api/v1/customers/%62ulk/",
        &format!("/api/v1/customers/{{{id}}}/"),
        &format!("/api/v1/customers/urn:uuid:{id}/"),
        &format!("/api/v1/customers/{id}/calls/"),
        &format!("/api/v1/customers/{id}///"),
        "/api/v1/calls/1/",
    ] {
        for method in [Method::GET, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            send(method.clone(), path).await.refuses(404, "Not found.");
            send(method, path.strip_suffix('/').unwrap()).await.refuses(404, "Not found.");
        }
    }
    for path in [
        format!("/api/v1/customers/{id}"),
        "/api/v1/customers/bulk".to_owned(),
        "/api/v1/customers/bulk-delete".to_owned(),
        "/api/v1/calls".to_owned(),
        "/api/v1/calls/bulk".to_owned(),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let moved = send(method, &format!("{path}?workspace_id=one&a=%2F")).await;
            assert_eq!(moved.status, 301);
            assert_eq!(moved.header("location"), format!("{path}/?workspace_id=one&a=%2F"));
        }
        send(Method::POST, &path).await.refuses(401, "Authentication credentials were not provided.");
    }
}

#[tokio::test]
async fn each_path_says_what_it_allows_with_and_without_the_slash() {
    let tenants = Tenants::new().await;
    for (path, allowed) in [
        (path(tenants.one.customers[0]), "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("customers/".to_owned(), "GET, HEAD, POST, OPTIONS"),
        ("customers/bulk/".to_owned(), "POST, PATCH, OPTIONS"),
        ("customers/bulk-delete/".to_owned(), "POST, OPTIONS"),
        ("calls/".to_owned(), "POST, OPTIONS"),
        ("calls/bulk/".to_owned(), "POST, OPTIONS"),
    ] {
        for path in [path.as_str(), path.trim_end_matches('/')] {
            let options = tenants.send(Method::OPTIONS, path, &tenants.employee, &json!({})).await;
            assert_eq!((options.status.as_u16(), options.header("allow")), (200, allowed), "{path}");
            let put = tenants.send(Method::PUT, path, &tenants.employee, &json!({})).await;
            put.refuses(405, "Method \"PUT\" not allowed.");
            assert_eq!(put.header("allow"), allowed, "{path}");
        }
    }
    let get = tenants.send(Method::GET, "customers/bulk/", &tenants.admin, &json!({})).await;
    get.refuses(405, "Method \"GET\" not allowed.");
}

#[tokio::test]
async fn a_patch_touches_only_what_is_sent() {
    let mut tenants = Tenants::new().await;
    let id = tenants.one.customers[0];
    let [first, second] = tenants.one.employees;
    for (field, sent, stored) in [
        ("name", json!("  Đỗ  "), json!("Đỗ")),
        ("email", json!("an@example.com"), json!("an@example.com")),
        ("email", json!(""), json!("")),
        ("email", json!(null), json!(null)),
        ("phone", json!(84_901_234_567_u64), json!("84901234567")),
        ("carrier", json!("Viettel"), json!("Viettel")),
        ("carrier", json!(null), json!(null)),
        ("status", json!("blocked"), json!("blocked")),
        ("quality", json!("dead"), json!("dead")),
        ("call_status", json!("calling"), json!("calling")),
        ("duration", json!(12.5), json!(12.5)),
        ("is_test", json!(true), json!(true)),
        ("checked", json!("yes"), json!(true)),
        ("other_attributes", json!({ "city": "Huế" }), json!({ "city": "Huế" })),
        ("other_attributes", json!([1]), json!([1])),
        ("employee_id", json!(null), json!(null)),
        ("employee_id", json!(second), json!(second)),
        ("employee_id", json!(first), json!(first)),
    ] {
        let (mut expected, labels) = (tenants.customer(id).await, tenants.rows("customer_label").await);
        let others: Vec<_> =
            tenants.rows("customer").await.into_iter().filter(|row| row["id"] != expected["id"]).collect();
        let answer = tenants.patch(&path(id), &json!({ field: sent, "unknown": 1 })).await;
        assert_eq!(answer.status, 200, "{field}: {}", answer.text);
        let now = tenants.customer(id).await;
        assert!(now["updated_at"].as_str() > expected["updated_at"].as_str(), "{field}");
        assert_ne!(now["xmin"], expected["xmin"]);
        expected[field] = stored.clone();
        expected["updated_at"] = now["updated_at"].clone();
        expected["xmin"] = now["xmin"].clone();
        assert_eq!(now, expected, "{field}");
        assert_eq!(tenants.rows("customer_label").await, labels);
        assert!(others.iter().all(|other| *other != now));
        let untouched: Vec<_> =
            tenants.rows("customer").await.into_iter().filter(|row| row["id"] != now["id"]).collect();
        assert_eq!(untouched, others);
        // The answer is the customer as it is read.
        let read = tenants.service.get(&tenants.url(&path(id)), &tenants.admin).await;
        assert_eq!(answer.json(), read.json(), "{field}");
        if field != "employee_id" {
            assert_eq!(answer.json()[field], stored, "{field}");
        }
    }
}

#[tokio::test]
async fn a_patch_that_says_nothing_changes_nothing_and_answers_the_customer() {
    for (level, variant) in VARIANTS {
        let mut tenants = Tenants::at(level, variant).await;
        let id = tenants.one.customers[0];
        let before = tenants.rows("customer").await;
        let read = tenants.service.get(&tenants.url(&path(id)), &tenants.admin).await.json();
        let read_only = json!({
            "id": Uuid::nil(), "workspace_id": tenants.two.id, "created_at": "2000-01-01", "updated_at": null,
            "is_deleted": true, "deleted_at": 1, "tags": ["x"], "total_calls": 5, "employee": null, "nonsense": {},
        });
        for body in ["", "{}", &read_only.to_string()] {
            let answer = tenants
                .service
                .write(Method::PATCH, &tenants.url(&path(id)), &tenants.employee, body.to_owned())
                .await;
            answer.is(200, &read);
        }
        // No body at all needs no type either.
        let bare =
            tenants.service.send(Method::PATCH, &tenants.url(&path(id)), Some(&tenants.admin), &[]).await;
        bare.is(200, &read);
        assert_eq!(tenants.rows("customer").await, before);
    }
}

#[tokio::test]
async fn labels_are_replaced_and_those_that_stay_are_not_touched() {
    let mut tenants = Tenants::new().await;
    let id = tenants.one.customers[0];
    let [a, b, c] = tenants.one.labels;
    for (labels, tags) in [
        (json!([b, a]), json!(["a", "b"])),
        (json!([c, b, c, b]), json!(["b", "c"])),
        (json!([]), json!([])),
        (json!([a]), json!(["a"])),
    ] {
        let kept = tenants.rows("customer_label").await;
        let answer = tenants.patch(&path(id), &json!({ "label_ids": labels })).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["tags"]), (200, &tags));
        let now = tenants.rows("customer_label").await;
        assert_eq!(now.len(), tags.as_array().unwrap().len());
        for row in kept.iter().filter(|row| now.iter().any(|new| new["label_id"] == row["label_id"])) {
            assert!(now.contains(row), "{row} was written again");
        }
    }
    // A patch of something else leaves them.
    assert_eq!(tenants.patch(&path(id), &json!({ "name": "n" })).await.json()["tags"], json!(["a"]));
    for bad in
        [json!([tenants.two.labels[0]]), json!([a, Uuid::nil()]), json!(["x"]), json!(null), json!("a")]
    {
        assert_eq!(tenants.patch(&path(id), &json!({ "label_ids": bad })).await.status, 400, "{bad}");
    }
    assert_eq!(tenants.rows("customer_label").await.len(), 1);
}

#[tokio::test]
async fn other_attributes_come_back_digit_for_digit() {
    let tenants = Tenants::new().await;
    let id = tenants.one.customers[0];
    let sent = r#"{"d": 1.10, "i": 12345678901234567890, "n": null, "s": "é\"\\/\u0001😀", "x": [0.1000, -0.0, {"": []}]}"#;
    let body = format!(r#"{{"other_attributes": {sent}}}"#);
    let answer = tenants.service.write(Method::PATCH, &tenants.url(&path(id)), &tenants.admin, body).await;
    let expected = r#"{"d": 1.10, "i": 12345678901234567890, "n": null, "s": "é\"\\/\u0001😀", "x": [0.1000, 0.0, {"": []}]}"#;
    assert!(answer.text.contains(&format!("\"other_attributes\":{expected}")), "{}", answer.text);
}

#[tokio::test]
async fn a_deleted_customer_is_gone_but_kept() {
    for (level, variant) in VARIANTS {
        let mut tenants = Tenants::at(level, variant).await;
        let id = tenants.one.customers[0];
        let before = tenants.customer(id).await;
        let delete = tenants.send(Method::DELETE, &path(id), &tenants.manager, &json!({})).await;
        assert_eq!((delete.status.as_u16(), delete.text.as_str()), (204, ""));
        tenants
            .send(Method::DELETE, &path(id), &tenants.manager, &json!({}))
            .await
            .refuses(404, "Not found.");
        tenants.service.get(&tenants.url(&path(id)), &tenants.admin).await.refuses(404, "Not found.");
        let now = tenants.customer(id).await;
        assert_eq!(now["is_deleted"], json!(true));
        assert_eq!(now["deleted_at"], now["updated_at"]);
        let mut expected = before;
        for field in ["is_deleted", "deleted_at", "updated_at", "xmin"] {
            expected[field] = now[field].clone();
        }
        assert_eq!(now, expected);
    }
}

#[tokio::test]
async fn an_employee_may_patch_and_hand_over_but_not_make_or_delete() {
    let mut tenants = Tenants::new().await;
    let id = tenants.one.customers[0];
    let before = (tenants.rows("customer").await, tenants.rows("customer_label").await);
    for (method, path) in [
        (Method::DELETE, path(id)),
        (Method::DELETE, path(Uuid::nil())),
        (Method::POST, "customers/".to_owned()),
        (Method::POST, "customers/bulk/".to_owned()),
        (Method::POST, "customers/bulk-delete/".to_owned()),
    ] {
        for body in [json!({ "name": "n", "phone": "1", "ids": [id] }), Value::Null] {
            tenants.send(method.clone(), &path, &tenants.employee, &body).await.refuses(403, FORBIDDEN);
        }
    }
    assert_eq!((tenants.rows("customer").await, tenants.rows("customer_label").await), before);

    // The employee has a second one, so that they still have one afterwards.
    sqlx::query("UPDATE customer SET employee_id = $1 WHERE id = $2")
        .bind(tenants.one.employees[0])
        .bind(tenants.one.customers[2])
        .execute(&mut tenants.db)
        .await
        .unwrap();
    let change = json!({ "employee_id": tenants.one.employees[1], "name": "handed over" });
    let answer = tenants.send(Method::PATCH, &path(id), &tenants.employee, &change).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["name"], "handed over");
    assert_eq!(answer.json()["employee"]["name"], "second");
    tenants.send(Method::GET, &path(id), &tenants.employee, &json!({})).await.refuses(404, "Not found.");
    tenants.send(Method::PATCH, &path(id), &tenants.employee, &change).await.refuses(404, "Not found.");
}

#[tokio::test]
async fn a_wrong_body_is_refused_before_the_customer_is_looked_for() {
    let tenants = Tenants::new().await;
    let bad = json!({ "status": "x" });
    tenants
        .patch(&path(Uuid::nil()), &bad)
        .await
        .is(400, &json!({ "status": ["\"x\" is not a valid choice."] }));
}
