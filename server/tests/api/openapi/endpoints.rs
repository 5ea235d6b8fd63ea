//! Every endpoint of the API but the list: what the document allows is accepted, what it forbids is refused, and each
//! answer is as described.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{BULK, BULK_DELETE, CALLS, CALLS_BULK, DETAIL, Document, LIST, PROFILE, PROFILES, WORKSPACE};
use crate::service::Answer;
use crate::tenants::Tenants;

/// The endpoints that are held against the document: their users, and what is sent and answered.
struct Held {
    tenants: Tenants,
    document: Document,
    /// With what a profile is asked for, if one is.
    wanted: Option<&'static str>,
    /// Operations and statuses that were seen.
    seen: BTreeSet<(String, String, u16)>,
}

impl Held {
    async fn new(wanted: Option<&'static str>) -> Self {
        let tenants = Tenants::new().await;
        let document = Document::of(&tenants.service, &tenants.origin).await;
        Self { tenants, document, wanted, seen: BTreeSet::new() }
    }

    /// The address of a path, in a workspace.
    fn url(&self, path: &str, workspace: &str) -> String {
        let profile = self.wanted.map(|wanted| format!("&_profile={wanted}")).unwrap_or_default();
        format!("{}{path}?workspace_id={workspace}{profile}", self.tenants.origin)
    }

    /// Sends a body to the path, with the id of a customer in its place, and holds the answer against the document.
    async fn send(
        &mut self,
        path: &str,
        method: &str,
        token: &str,
        id: Uuid,
        body: &[u8],
        status: u16,
    ) -> Answer {
        let url = self.url(&path.replace("{id}", &id.to_string()), "one");
        let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
        let headers: &[_] = if body.is_empty() { &[] } else { &[("content-type", "application/json")] };
        let answer = self.tenants.service.send_body(verb, &url, Some(token), headers, body.to_vec()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text);
        self.holds(path, method, &answer);
        answer
    }

    #[track_caller]
    fn holds(&mut self, path: &str, method: &str, answer: &Answer) {
        self.document.holds(path, method, answer);
        self.seen.insert((path.to_owned(), method.to_owned(), answer.status.as_u16()));
    }

    /// Sends what the document allows, which must be accepted.
    async fn accepts(&mut self, path: &str, method: &str, id: Uuid, body: &Value, status: u16) -> Answer {
        assert!(self.document.body(path, method).is_valid(body), "{method} {path}: {body}");
        self.by_admin(path, method, id, body, status).await
    }

    /// Sends a body as somebody who may have a profile, and has one if one is wanted.
    async fn by_admin(&mut self, path: &str, method: &str, id: Uuid, body: &Value, status: u16) -> Answer {
        let admin = self.tenants.admin.clone();
        let answer = self.send(path, method, &admin, id, body.to_string().as_bytes(), status).await;
        let is_profiled = self.wanted.is_some();
        assert_eq!(answer.headers.contains_key("server-timing"), is_profiled, "{method} {path} {status}");
        if let Ok(Value::Object(body)) = serde_json::from_str(&answer.text) {
            assert_eq!(body.contains_key("_profiling"), is_profiled, "{method} {path} {status}");
        }
        answer
    }

    /// Sends what the document forbids, which must be refused; `told` are the places of messages in the answer.
    async fn refuses(&mut self, path: &str, method: &str, body: &Value, told: &[&str]) {
        assert!(!self.document.body(path, method).is_valid(body), "{method} {path}: {body}");
        let id = self.tenants.one.customers[0];
        let answer = self.by_admin(path, method, id, body, 400).await.json();
        for place in told {
            assert!(answer.pointer(place).is_some(), "{method} {path}: {place} in {answer}");
        }
    }
}

/// The examples of a body, by field.
fn examples(schema: &Value) -> Value {
    let fields = schema["properties"].as_object().unwrap().iter();
    fields
        .map(|(name, field)| {
            let example = field.get("example").or_else(|| field.pointer("/examples/0"));
            (name.clone(), example.unwrap_or_else(|| panic!("{name} has no example")).clone())
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn what_the_document_allows_is_written_and_answered_as_described() {
    allowed(None).await;
}

#[tokio::test]
async fn what_the_document_allows_is_answered_with_a_profile_as_described() {
    allowed(Some("explain")).await;
}

/// Everything that the document allows.
async fn allowed(wanted: Option<&'static str>) {
    let mut held = Held::new(wanted).await;
    let schemas = held.document.0["components"]["schemas"].clone();
    let (one, nobody) = (held.tenants.one.clone(), Uuid::nil());
    let [first, second, third, gone] = one.customers;

    let mut customer = examples(&schemas["NewCustomer"]);
    customer["employee_id"] = json!(one.employees[0]);
    customer["label_ids"] = json!(one.labels);
    let plain = json!({ "name": "An", "phone": "1" });
    held.accepts(LIST, "post", nobody, &customer, 201).await;
    let made = held.accepts(LIST, "post", nobody, &plain, 201).await.json();
    for (name, field) in schemas["NewCustomer"]["properties"].as_object().unwrap() {
        let shown = match name.as_str() {
            "employee_id" => &made["employee"],
            "label_ids" => &made["tags"],
            name => &made[name],
        };
        if let Some(default) = field.get("default") {
            assert_eq!(shown, default, "{name}");
        }
    }
    for attributes in [json!([1, null]), json!("text"), json!(1.5), json!(true), json!({})] {
        let change = json!({ "other_attributes": attributes });
        held.accepts(DETAIL, "patch", first, &change, 200).await;
    }
    held.accepts(DETAIL, "patch", first, &customer, 200).await;
    held.accepts(DETAIL, "patch", first, &json!({ "email": null, "employee_id": null }), 200).await;
    held.accepts(DETAIL, "patch", first, &json!({}), 200).await;
    held.accepts(BULK, "post", nobody, &json!([customer, plain]), 201).await;
    held.accepts(BULK, "post", nobody, &json!(vec![plain; 1_000]), 201).await;
    for set in [json!({ "status": "blocked" }), json!({})] {
        let change = json!({ "ids": [first, gone], "set": set });
        held.accepts(BULK, "patch", nobody, &change, 200).await;
    }

    let mut call = examples(&schemas["NewCall"]);
    call["customer_id"] = json!(first);
    call["campaign_customer_id"] = json!(one.enrolments[0]);
    let mut plain = call.clone();
    let required = schemas["NewCall"]["required"].as_array().unwrap();
    plain.as_object_mut().unwrap().retain(|name, _| required.contains(&json!(name)));
    held.accepts(CALLS, "post", nobody, &call, 201).await;
    let made = held.accepts(CALLS, "post", nobody, &plain, 201).await.json();
    for (name, field) in schemas["NewCall"]["properties"].as_object().unwrap() {
        if let Some(default) = field.get("default") {
            assert_eq!(&made[name], default, "{name}");
        }
    }
    held.accepts(CALLS_BULK, "post", nobody, &json!([call, plain]), 201).await;
    held.accepts(CALLS_BULK, "post", nobody, &json!(vec![plain; 1_000]), 201).await;

    let admin = held.tenants.admin.clone();
    held.send(DETAIL, "get", &admin, first, b"", 200).await;
    held.send(DETAIL, "delete", &admin, second, b"", 204).await;
    let ids = json!({ "ids": [second, third, nobody] });
    held.accepts(BULK_DELETE, "post", nobody, &ids, 200).await;
    for caching in ["miss", "hit"] {
        let url = held.url(&WORKSPACE.replace("{workspace}", "one"), "one");
        let answer = held.tenants.service.get(&url, &admin).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (200, caching));
        held.holds(WORKSPACE, "get", &answer);
    }
    for wanted in ["true", "explain"] {
        let url = format!("{}{LIST}?workspace_id=one&_profile={wanted}", held.tenants.origin);
        let profiled = held.tenants.service.get(&url, &admin).await;
        held.holds(LIST, "get", &profiled);
        let one = PROFILE.replace("{request_id}", profiled.header("x-request-id"));
        for (path, asked) in [(PROFILE, one.as_str()), (PROFILES, PROFILES)] {
            let answer = held.tenants.service.get(&held.url(asked, "one"), &admin).await;
            assert_eq!(answer.status.as_u16(), 200, "{asked}");
            held.holds(path, "get", &answer);
        }
    }
    // Every success of the API that there is.
    for (path, method, operation) in held.document.operations().filter(|(path, ..)| path.starts_with("/api/"))
    {
        for status in
            operation["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2'))
        {
            let success = (path.to_owned(), method.to_owned(), status.parse().unwrap());
            assert!(held.seen.contains(&success), "{success:?}");
        }
    }
}

#[tokio::test]
async fn what_the_document_forbids_is_refused_as_described() {
    forbidden(None).await;
}

#[tokio::test]
async fn what_the_document_forbids_is_refused_with_a_profile_as_described() {
    forbidden(Some("true")).await;
}

/// What the document forbids, and what it can't.
async fn forbidden(wanted: Option<&'static str>) {
    let mut held = Held::new(wanted).await;
    let id = held.tenants.one.customers[0];
    let bad = json!({ "name": "", "email": "x", "phone": "1".repeat(21), "status": "hot", "duration": "a",
                      "is_test": "maybe", "other_attributes": null, "employee_id": 1, "label_ids": ["x"] });
    let fields = [
        "/name",
        "/email",
        "/phone",
        "/status",
        "/duration",
        "/is_test",
        "/other_attributes",
        "/employee_id",
        "/label_ids",
    ];
    let good = json!({ "name": "An", "phone": "1" });
    held.refuses(LIST, "post", &bad, &fields).await;
    held.refuses(LIST, "post", &json!({}), &["/name", "/phone"]).await;
    held.refuses(LIST, "post", &json!([good]), &["/non_field_errors"]).await;
    held.refuses(DETAIL, "patch", &bad, &fields).await;
    held.refuses(BULK, "post", &json!([good, bad, {}]), &["/0", "/1/name", "/2/phone"]).await;
    held.refuses(BULK, "post", &json!([]), &["/non_field_errors"]).await;
    held.refuses(BULK, "post", &json!(vec![good.clone(); 1_001]), &["/non_field_errors"]).await;
    held.refuses(BULK, "patch", &json!({}), &["/ids", "/set"]).await;
    held.refuses(BULK, "patch", &json!({ "ids": ["x", id], "set": bad }), &["/ids/0", "/set/name"]).await;
    held.refuses(BULK, "patch", &json!({ "ids": [], "set": {} }), &["/ids"]).await;
    held.refuses(BULK_DELETE, "post", &json!({ "ids": vec![id; 1_001] }), &["/ids"]).await;
    held.refuses(BULK_DELETE, "post", &json!({ "ids": [id, 1] }), &["/ids/1"]).await;
    let bad = json!({ "customer_id": id, "direction": "up", "status": null, "duration": -1, "sentiment_score": 2,
                      "recording_url": "x", "billing_rate": -1 });
    held.refuses(CALLS, "post", &bad, &["/direction", "/status", "/duration", "/call_type", "/billing_rate"])
        .await;
    held.refuses(CALLS_BULK, "post", &json!([bad, {}]), &["/0/direction", "/1/customer_id"]).await;
    held.refuses(CALLS_BULK, "post", &json!({}), &["/non_field_errors"]).await;

    // What the document can't forbid: what is not there, or not in this workspace.
    let foreign = held.tenants.two.clone();
    let pointing = json!({ "name": "An", "phone": "1", "employee_id": foreign.employees[0],
                           "label_ids": foreign.labels });
    let call = json!({ "customer_id": foreign.customers[0], "direction": "inbound", "status": "busy",
                       "call_type": "direct" });
    held.accepts(LIST, "post", id, &pointing, 400).await;
    held.accepts(BULK, "post", id, &json!([good, pointing]), 400).await;
    held.accepts(BULK, "patch", id, &json!({ "ids": [id], "set": pointing }), 400).await;
    held.accepts(CALLS, "post", id, &call, 400).await;
    held.accepts(CALLS_BULK, "post", id, &json!([call]), 400).await;
    held.accepts(DETAIL, "patch", foreign.customers[0], &good, 404).await;

    let (admin, employee) = (held.tenants.admin.clone(), held.tenants.employee.clone());
    let all: Vec<(String, String, bool)> = held
        .document
        .operations()
        .filter(|(path, ..)| path.starts_with("/api/"))
        .map(|(path, method, operation)| {
            (path.to_owned(), method.to_owned(), operation.get("requestBody").is_some())
        })
        .collect();
    for (path, method, has_body) in all {
        held.send(&path, &method, "unknown", id, b"", 401).await;
        if path == DETAIL && method != "patch" {
            held.send(&path, &method, &admin, foreign.customers[0], b"", 404).await;
        }
        let verb = Method::from_bytes(method.to_ascii_uppercase().as_bytes()).unwrap();
        let path_of_two = path.replace("{id}", &id.to_string()).replace("{workspace}", "two");
        let url = held.url(&path_of_two, "two");
        let answer = held.tenants.service.send(verb.clone(), &url, Some(&admin), &[]).await;
        // Whether there is a profile of another workspace is not for this user to know.
        assert_eq!(answer.status, if path == PROFILE { 404 } else { 403 }, "{method} {path}");
        held.holds(&path, &method, &answer);
        if !has_body {
            continue;
        }
        for body in [&b"{"[..], b"null", b"1"] {
            held.send(&path, &method, &admin, id, body, 400).await;
        }
        let large = vec![b' '; 10 * 1024 * 1024 + 1];
        held.send(&path, &method, &admin, id, &large, 413).await;
        let url = url.replace("workspace_id=two", "workspace_id=one");
        let headers = [("content-type", "text/plain")];
        let answer =
            held.tenants.service.send_body(verb.clone(), &url, Some(&admin), &headers, b"{}".to_vec()).await;
        assert_eq!(answer.status, 415, "{method} {path}");
        held.holds(&path, &method, &answer);
        let answer = held.tenants.service.send(verb, url.split('?').next().unwrap(), Some(&admin), &[]).await;
        assert_eq!(answer.status, 400, "{method} {path}");
        held.holds(&path, &method, &answer);
    }
    held.send(LIST, "post", &employee, id, b"{}", 403).await;
    held.send(DETAIL, "delete", &employee, id, b"", 403).await;
}
