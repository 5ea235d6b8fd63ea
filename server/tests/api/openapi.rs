//! The document of the API is valid, complete and true: what the server really answers is held against it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::{Config, Variant};
use sqlx::Executor as _;
use std::time::Duration;
use uuid::Uuid;

use crate::service::{Answer, FILTERS, Service, list};
use crate::tenants::Tenants;
use crate::world::{self, Customer, at};

const LIST: &str = "/api/v1/customers/";

/// The document, and the means to hold answers against it.
struct Document(Value);

impl Document {
    async fn of(service: &Service, origin: &str) -> Self {
        let answer = service.send(Method::GET, &format!("{origin}/openapi.json"), None, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        Self(answer.json())
    }

    fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    /// The schema at this place of the document, with everything that it refers to.
    fn schema(&self, pointer: &str) -> Validator {
        assert!(self.0.pointer(pointer).is_some(), "the document has nothing at {pointer}");
        // A fragment of a URI has no braces.
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let schema = json!({ "$ref": format!("#{fragment}"), "paths": self.0["paths"],
                             "components": self.0["components"] });
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
    }

    /// The schema of the answer of an operation with this status.
    fn answer(&self, path: &str, method: &str, status: u16) -> Validator {
        let path = path.replace('~', "~0").replace('/', "~1");
        self.schema(&format!("/paths/{path}/{method}/responses/{status}/content/application~1json/schema"))
    }

    /// The schema of the body of an operation.
    fn body(&self, path: &str, method: &str) -> Validator {
        let path = path.replace('~', "~0").replace('/', "~1");
        self.schema(&format!("/paths/{path}/{method}/requestBody/content/application~1json/schema"))
    }

    /// The names of the schemas that answers lead to.
    fn answered(&self) -> BTreeSet<String> {
        fn follow(document: &Value, thing: &Value, reached: &mut BTreeSet<String>) {
            let mut found = Vec::new();
            visit(thing, "", &mut |_, fields| {
                found.extend(fields.get("$ref").map(|target| target.as_str().unwrap().to_owned()));
            });
            for target in found {
                if reached.insert(target.rsplit('/').next().unwrap().to_owned()) {
                    follow(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap(), reached);
                }
            }
        }
        let mut reached = BTreeSet::new();
        for (_, _, operation) in self.operations() {
            follow(&self.0, &operation["responses"], &mut reached);
        }
        reached
    }

    /// Asserts that this is what the document says that the operation answers: the body and the headers.
    #[track_caller]
    fn holds(&self, path: &str, method: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let described = &self.0["paths"][path][method]["responses"][status.to_string()];
        assert!(described.is_object(), "{method} {path} says nothing of {status}: {}", answer.text);
        if described.get("content").is_none() {
            assert_eq!(answer.text, "", "{method} {path} {status} has no body");
            return self.has_headers(path, method, answer);
        }
        let faults: Vec<_> = self
            .answer(path, method, status)
            .iter_errors(&answer.json())
            .map(|fault| format!("{fault} at {}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{method} {path} {status}: {faults:#?}\n{}", answer.text);
        self.has_headers(path, method, answer);
    }

    /// Asserts that the headers of an answer are described.
    #[track_caller]
    fn has_headers(&self, path: &str, method: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let described = &self.0["paths"][path][method]["responses"][status.to_string()]["headers"];
        for name in answer.headers.keys().map(reqwest::header::HeaderName::as_str) {
            let is_http = [
                "content-type",
                "content-length",
                "date",
                "vary",
                "access-control-allow-origin",
                "access-control-expose-headers",
            ]
            .contains(&name);
            let is_described =
                described.as_object().unwrap().keys().any(|known| known.eq_ignore_ascii_case(name));
            assert!(is_http || is_described, "{method} {path} {status}: the header {name} is not described");
        }
    }
}

/// Calls `visit` with every object of a document, and where it is.
fn visit(value: &Value, place: &str, seen: &mut impl FnMut(&str, &serde_json::Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            seen(place, fields);
            for (name, field) in fields {
                visit(field, &format!("{place}/{name}"), seen);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{place}/{index}"), seen);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    assert_eq!(document.0["openapi"], "3.1.0");
    assert!(document.0["info"]["title"].is_string() && document.0["info"]["version"].is_string());

    let mut names = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        assert!(["get", "post", "put", "patch", "delete"].contains(&method), "{method} {path}");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        let tags = document.0["tags"].as_array().unwrap();
        for tag in operation["tags"].as_array().unwrap() {
            assert!(tags.iter().any(|known| known["name"] == *tag), "{name}: the tag {tag} is not explained");
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let keys: BTreeSet<_> = parameters
            .iter()
            .map(|parameter| (parameter["in"].to_string(), parameter["name"].to_string()))
            .collect();
        assert_eq!(keys.len(), parameters.len(), "{name}: a parameter is there twice");
        for parameter in &parameters {
            assert!(parameter["schema"].is_object() && parameter["description"].is_string(), "{parameter}");
            if let Some(example) = parameter.get("example") {
                let schema = jsonschema::draft202012::new(&parameter["schema"]).unwrap();
                assert!(schema.is_valid(example), "{name}: {parameter}");
            }
        }
        let in_path: Vec<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for variable in &in_path {
            let described = parameters.iter().find(|parameter| parameter["name"] == *variable).unwrap();
            assert_eq!((&described["in"], &described["required"]), (&json!("path"), &json!(true)), "{name}");
        }
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(described, in_path.len(), "{name}: parameters of the path");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)),
                "{name} {status}"
            );
            assert!(!response["description"].as_str().unwrap().is_empty(), "{name} {status}");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
        }
        if path.starts_with("/api/") {
            assert_eq!(operation["security"], json!([{ "bearer": [] }]), "{name}");
            let has_body = operation.get("requestBody").is_some();
            // What is asked for by nothing but a path can't be asked for badly.
            let is_asked = has_body || parameters.iter().any(|parameter| parameter["in"] != "path");
            for (status, is_there) in [
                ("400", is_asked),
                ("401", true),
                ("403", true),
                ("413", has_body),
                ("415", has_body),
                ("500", true),
                ("503", true),
            ] {
                assert_eq!(operation["responses"][status].is_object(), is_there, "{name}: {status}");
            }
            let workspace = keys.contains(&(json!("query").to_string(), json!("workspace_id").to_string()));
            let is_named_by_path = path.starts_with("/api/v1/workspaces/") || path == PROFILE;
            assert_eq!(workspace, !is_named_by_path, "{name}: workspace_id");
        } else {
            assert!(operation.get("security").is_none(), "{name}");
        }
    }
    assert_eq!(document.0["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");

    let mut used = BTreeSet::new();
    visit(&document.0, "", &mut |place, fields| {
        if let Some(target) = fields.get("$ref") {
            let target = target.as_str().unwrap().strip_prefix('#').expect("references stay in the document");
            assert!(document.0.pointer(target).is_some(), "{place} refers to {target}, which is not there");
            used.insert(target.rsplit('/').next().unwrap().to_owned());
        }
    });
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name} is no JSON Schema");
        assert!(used.contains(name), "nothing refers to the schema {name}");
    }
}

#[tokio::test]
async fn answers_have_all_their_fields_described_and_no_others() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    let mut answers = Vec::new();
    for (path, method, operation) in document.operations() {
        for status in operation["responses"].as_object().unwrap().keys() {
            answers.push(format!("{path} {method} {status}"));
        }
    }
    assert!(answers.len() > 10);
    // Which parts of an answer may be absent.
    let optional = ["Profile.plans"];
    let answered = document.answered();
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        // Of a body, what is not described is ignored.
        if !answered.contains(name) {
            continue;
        }
        visit(schema, name, &mut |place, fields| {
            let Some(properties) =
                fields.get("properties").filter(|_| fields.get("type") == Some(&json!("object")))
            else {
                return;
            };
            assert_eq!(
                fields.get("additionalProperties"),
                Some(&json!(false)),
                "{place} allows other fields"
            );
            let required = fields.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            for property in properties.as_object().unwrap().keys() {
                let place = format!("{place}.{property}");
                assert!(
                    required.contains(&json!(property)) || optional.contains(&place.as_str()),
                    "{place} may be absent"
                );
            }
        });
    }
}

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

const DETAIL: &str = "/api/v1/customers/{id}/";
const BULK: &str = "/api/v1/customers/bulk/";
const BULK_DELETE: &str = "/api/v1/customers/bulk-delete/";
const CALLS: &str = "/api/v1/calls/";
const CALLS_BULK: &str = "/api/v1/calls/bulk/";
const WORKSPACE: &str = "/api/v1/workspaces/{workspace}/";
const PROFILES: &str = "/api/v1/profiles/";
const PROFILE: &str = "/api/v1/profiles/{request_id}/";

/// The endpoints that are held against the document: their users, and what is sent and answered.
struct Held {
    tenants: Tenants,
    document: Document,
    /// Operations and statuses that were seen.
    seen: BTreeSet<(String, String, u16)>,
}

impl Held {
    async fn new() -> Self {
        let tenants = Tenants::new().await;
        let document = Document::of(&tenants.service, &tenants.origin).await;
        Self { tenants, document, seen: BTreeSet::new() }
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
        let url =
            format!("{}{}?workspace_id=one", self.tenants.origin, path.replace("{id}", &id.to_string()));
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
        let admin = self.tenants.admin.clone();
        self.send(path, method, &admin, id, body.to_string().as_bytes(), status).await
    }

    /// Sends what the document forbids, which must be refused; `told` are the places of messages in the answer.
    async fn refuses(&mut self, path: &str, method: &str, body: &Value, told: &[&str]) {
        assert!(!self.document.body(path, method).is_valid(body), "{method} {path}: {body}");
        let (admin, id) = (self.tenants.admin.clone(), self.tenants.one.customers[0]);
        let answer = self.send(path, method, &admin, id, body.to_string().as_bytes(), 400).await.json();
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
    let mut held = Held::new().await;
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
        let url = format!("{}{}", held.tenants.origin, WORKSPACE.replace("{workspace}", "one"));
        let answer = held.tenants.service.get(&url, &admin).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-cache")), (200, caching));
        held.holds(WORKSPACE, "get", &answer);
    }
    for wanted in ["true", "explain"] {
        let url = format!("{}{LIST}?workspace_id=one&_profile={wanted}", held.tenants.origin);
        let profiled = held.tenants.service.get(&url, &admin).await;
        let one = PROFILE.replace("{request_id}", profiled.header("x-request-id"));
        for (path, asked) in [(PROFILE, one), (PROFILES, format!("{PROFILES}?workspace_id=one"))] {
            let answer = held.tenants.service.get(&format!("{}{asked}", held.tenants.origin), &admin).await;
            assert_eq!(answer.status.as_u16(), 200, "{asked}");
            held.holds(path, "get", &answer);
        }
    }
    // Every success of the API that there is, but for the list, which has a test of its own.
    for (path, method, operation) in held.document.operations().filter(|(path, ..)| path.starts_with("/api/"))
    {
        for status in
            operation["responses"].as_object().unwrap().keys().filter(|status| status.starts_with('2'))
        {
            let success = (path.to_owned(), method.to_owned(), status.parse().unwrap());
            assert!(held.seen.contains(&success) || (path, method) == (LIST, "get"), "{success:?}");
        }
    }
}

#[tokio::test]
async fn what_the_document_forbids_is_refused_as_described() {
    let mut held = Held::new().await;
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
        let url = format!("{}{path_of_two}?workspace_id=two", held.tenants.origin);
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
    ]) {
        assert!(parameters.iter().any(|parameter| parameter["name"] == filter), "{filter} is not described");
    }
}

#[tokio::test]
async fn the_pages_to_browse_need_nothing_from_elsewhere() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let get = async |path: &str| service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await;
    let moved = get("/docs").await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (308, "/docs/"));
    let page = get("/docs/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html"));
    let mut files = 0;
    for part in page.text.split(['"', '\'']).filter(|part| part.starts_with("./") || part.contains("//")) {
        let file = part.strip_prefix("./").unwrap_or_else(|| panic!("{part} is elsewhere"));
        let answer = get(&format!("/docs/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        files += 1;
    }
    assert!(files >= 5, "{}", page.text);
    let start = get("/docs/swagger-initializer.js").await.text;
    assert!(start.contains("../openapi.json") && !start.contains("//petstore"), "{start}");
    assert!(start.contains("\"validatorUrl\": \"none\""), "{start}");
    get("/docs/nothing.js").await.refuses(404, "Not found.");
}
