//! The list of customers against the document: its pages, its refusals, and its parameters.

use std::time::Duration;

use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::{Config, Variant};
use sqlx::Executor as _;

use super::{Document, LIST, visit};
use crate::service::{FILTERS, Service, list};
use crate::world::{self, Customer, at};

/// A workspace with a customer who has everything, and one who has nothing.
async fn two_customers(service: &Service) -> String {
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let employee = world::employee(&mut db, workspace, "Mai").await;
    let full =
        Customer { employee: Some(employee), ..Customer::of(workspace, "full", at("2024-01-02T00:00:00Z")) };
    full.insert(&mut db).await;
    Customer::of(workspace, "empty", at("2024-01-01T00:00:00Z")).insert(&mut db).await;
    sqlx::query(
        "UPDATE customer SET email = 'a@example.com', carrier = 'Viettel',
                other_attributes = '{\"age\": 12345678901234567890, \"deep\": {\"list\": [1.10, null]}}'
          WHERE id = $1",
    )
    .bind(full.id)
    .execute(&mut db)
    .await
    .unwrap();
    world::fill(
        &mut db,
        workspace,
        "WITH campaign AS (INSERT INTO call_campaign (workspace_id, name, status) VALUES ($1, 'Spring', 'active')
                           RETURNING id),
              labels AS (INSERT INTO label (workspace_id, name) VALUES ($1, 'vip'), ($1, 'new') RETURNING id),
              labelled AS (INSERT INTO customer_label (customer_id, label_id)
                           SELECT c.id, l.id FROM customer c, labels l WHERE c.name = 'full'),
              enrolled AS (INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status)
                           SELECT $1, p.id, c.id, 'pending' FROM customer c, campaign p WHERE c.name = 'full')
         INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type,
                           sentiment_score, billing_rate)
         SELECT $1, c.id, 'outbound', 'completed', 61.5, 61, kind, 0.25, 1.2345
           FROM customer c, unnest(ARRAY['campaign', 'direct', 'callback']) AS kind WHERE c.name = 'full'",
    )
    .await;
    world::user(&mut db, "admin", None, &[workspace]).await
}

#[tokio::test]
async fn every_page_is_as_described() {
    let service = Service::at(Level::Indexed).await;
    let token = two_customers(&service).await;
    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        let document = Document::of(&service, &origin).await;
        let mut url = Some(list(&origin, "workspace_id=one&page_size=1"));
        let mut pages = 0;
        while let Some(page) = url {
            let answer = service.get(&page, &token).await;
            assert_eq!(answer.results().len(), 1);
            document.holds(LIST, "get", &answer);
            url = answer.next();
            pages += 1;
        }
        assert_eq!(pages, 2);
        for query in ["status=none", "page=1", "page_size=200"] {
            let answer = service.get(&list(&origin, &format!("workspace_id=one&{query}")), &token).await;
            assert_eq!(answer.status, 200);
            document.holds(LIST, "get", &answer);
        }
        for path in ["/healthz", "/readyz"] {
            document.holds(
                path,
                "get",
                &service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await,
            );
        }
    }
}

#[tokio::test]
async fn an_answer_with_a_field_more_less_or_of_another_kind_is_against_the_document() {
    let service = Service::at(Level::Indexed).await;
    let token = two_customers(&service).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    let page = service.get(&list(&origin, "workspace_id=one"), &token).await.json();
    let schema = document.answer(LIST, "get", 200);
    assert!(schema.is_valid(&page));

    let mut places = Vec::new();
    visit(&page, "", &mut |place, fields| {
        if !place.contains("other_attributes") {
            places.push((place.to_owned(), fields.keys().cloned().collect::<Vec<_>>()));
        }
    });
    // The page, two customers with their two or three parts, one of them with employee, call and campaign.
    assert!(places.len() >= 12, "{places:?}");
    for (place, fields) in places {
        let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
            let mut changed = page.clone();
            change(changed.pointer_mut(&place).unwrap().as_object_mut().unwrap());
            changed
        };
        let more = changed(&|object| drop(object.insert("secret".to_owned(), json!(1))));
        assert!(!schema.is_valid(&more), "{place} may have another field");
        for field in fields {
            let less = changed(&|object| drop(object.remove(&field)));
            assert!(!schema.is_valid(&less), "{place}/{field} may be absent");
            // These may be anything but null.
            let other = if field == "other_attributes" { Value::Null } else { json!([[true]]) };
            let other = changed(&|object| drop(object.insert(field.clone(), other.clone())));
            assert!(!schema.is_valid(&other), "{place}/{field} may be anything");
        }
    }
}

#[tokio::test]
async fn every_refusal_is_as_described() {
    let service = Service::at(Level::Indexed).await;
    let token = two_customers(&service).await;
    let mut db = service.connection().await;
    let config = Config { statement_timeout: Duration::from_millis(200), ..service.config(Variant::Live) };
    let origin = service.start(config).await;
    let document = Document::of(&service, &origin).await;
    for (query, token, status) in [
        ("workspace_id=one", None, 401),
        ("workspace_id=one", Some("unknown"), 401),
        ("", Some(token.as_str()), 400),
        ("workspace_id=two", Some(&token), 403),
        ("workspace_id=one&status=%00&quality=%00", Some(&token), 400),
        ("workspace_id=one&page=1000", Some(&token), 400),
        ("workspace_id=one&page=1&cursor=x", Some(&token), 400),
        ("workspace_id=one&cursor=x", Some(&token), 404),
        ("workspace_id=one&page=100", Some(&token), 404),
    ] {
        let answer = service.send(Method::GET, &list(&origin, query), token, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
        document.holds(LIST, "get", &answer);
    }
    let detail = document.schema("/components/schemas/Detail");
    for (method, path) in
        [(Method::DELETE, format!("{LIST}?workspace_id=one")), (Method::GET, "/none".to_owned())]
    {
        let answer = service.send(method, &format!("{origin}{path}"), Some(&token), &[]).await;
        assert!([404, 405].contains(&answer.status.as_u16()), "{path}");
        assert!(detail.is_valid(&answer.json()), "{path}");
    }

    let mut lock = sqlx::Connection::begin(&mut db).await.unwrap();
    lock.execute("LOCK TABLE call IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let slow = service.get(&list(&origin, "workspace_id=one"), &token).await;
    lock.rollback().await.unwrap();
    assert_eq!(slow.status, 503);
    document.holds(LIST, "get", &slow);

    db.execute("ALTER TABLE call RENAME TO gone").await.unwrap();
    let broken = service.get(&list(&origin, "workspace_id=one"), &token).await;
    broken.refuses(500, "Internal server error.");
    document.holds(LIST, "get", &broken);
    let unready = service.send(Method::GET, &format!("{origin}/readyz"), None, &[]).await;
    unready.is(503, &json!({ "status": "unavailable", "variant": "live", "database": "no_tables" }));
    document.holds("/readyz", "get", &unready);
}

#[tokio::test]
async fn every_parameter_of_the_document_is_known_to_the_server_and_takes_its_example() {
    let service = Service::at(Level::Indexed).await;
    let token = two_customers(&service).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    let parameters = document.0["paths"][LIST]["get"]["parameters"].as_array().unwrap();
    for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
        let name = parameter["name"].as_str().unwrap();
        let value = match parameter.get("example") {
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(",")
            }
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let query = if name == "workspace_id" {
            "workspace_id=one".to_owned()
        } else {
            let mut query = form_urlencoded::Serializer::new("workspace_id=one&".to_owned());
            query.append_pair(name, &value).finish()
        };
        let strict = [("prefer", "handling=strict")];
        let answer = service.send(Method::GET, &list(&origin, &query), Some(&token), &strict).await;
        // The page of the example lies past the end of two customers.
        let expected = if name == "page" { 404 } else { 200 };
        assert_eq!(answer.status.as_u16(), expected, "{query}: {}", answer.text);
    }
    for filter in FILTERS.into_iter().chain([
        "page_size",
        "cursor",
        "count",
        "page",
        "limit",
        "offset",
        "Prefer",
        "workspace_id",
        "_profile",
    ]) {
        assert!(parameters.iter().any(|parameter| parameter["name"] == filter), "{filter} is not described");
    }
}
