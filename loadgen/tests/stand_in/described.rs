//! Described scenarios against a server that is no customer list, and that notes what it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use loadgen::operations::{Draw, Prepared};
use loadgen::scenarios::Scenario;
use loadgen::{Error, Identity, Measured, Plan, Target};
use proptest::prelude::{ProptestConfig, any as arbitrary};
use proptest::test_runner::TestRunner;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use crate::server::{measure, open};

/// What the server was asked.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: String,
}

#[derive(Debug, Clone)]
struct Api {
    base_url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Api {
    /// Serves at `/app` until the test's runtime ends.
    async fn serve() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self {
            base_url: format!("http://{}/app", listener.local_addr().unwrap()),
            asked: Arc::default(),
        };
        let app = Router::new()
            .route("/app/products/{page}", get(products))
            .route("/app/elsewhere", get(async || Redirect::temporary("http://localhost:9/stolen")))
            .route("/app/moved", get(async || Redirect::temporary("/app/echo/here")))
            .route("/app/circle", get(async || r#"{"ids": [1, 2], "next": "/app/circle"}"#))
            .route("/app/nothing", get(async || r#"{"ids": [null]}"#))
            .route("/app/nested", get(async || r#"{"ids": [{"id": 1}]}"#))
            .route("/app/foreign", get(async || r#"{"ids": [1], "next": "http://localhost:9/"}"#))
            .route("/app/html", get(async || "<html>"))
            .route("/app/dots", get(async || r#"{"ids": ["a", "..", "b\nc"]}"#))
            .route("/app/refused", get(async || (StatusCode::UNAUTHORIZED, "no such key")))
            .route("/app/echo/{*rest}", any(echo))
            .layer(axum::middleware::from_fn_with_state(api.clone(), note))
            .with_state(api.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        api
    }

    fn target(&self) -> Target {
        Target::new("api", &self.base_url, "secret", "a b")
    }

    /// What was asked since the last call.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn note(
    State(api): State<Api>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    api.asked.lock().unwrap().push(Asked {
        method: head.method.clone(),
        uri: head.uri.to_string(),
        headers: head.headers.clone(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    next.run(axum::http::Request::from_parts(head, body.into())).await
}

/// Three pages of four products.
async fn products(UrlPath(page): UrlPath<u64>) -> String {
    let next = if page < 3 { json!(format!("{}?shop=kept", page + 1)) } else { Value::Null };
    let items: Vec<_> = (0..4).map(|item| json!({ "id": page * 10 + item })).collect();
    json!({ "items": items, "links": { "next": next } }).to_string()
}

async fn echo(uri: Uri, UrlPath(rest): UrlPath<String>, body: Bytes) -> Response {
    let query: BTreeMap<String, String> = Url::parse(&format!("http://x{uri}"))
        .unwrap()
        .query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let body = String::from_utf8(body.to_vec()).unwrap();
    axum::Json(json!({ "path": rest, "query": query, "body": body })).into_response()
}

fn scenarios(text: &str) -> Vec<Scenario> {
    loadgen::described::parse("api.toml", text, Path::new(""), &[]).unwrap()
}

async fn prepare(text: &str, target: &Target) -> Result<Arc<dyn Prepared>, Error> {
    scenarios(text)[0].parts[0].operation.prepare(&Client::new(), target).await
}

async fn refusal(text: &str, target: &Target) -> String {
    prepare(text, target).await.unwrap_err().to_string()
}

fn plan(text: &str) -> Plan {
    Plan {
        scenarios: scenarios(text),
        rounds: 1,
        window: Duration::from_millis(300),
        warm_up: Duration::from_millis(50),
        load: open(100.0, 4),
        ..Plan::default()
    }
}

fn errors(measured: &Measured) -> Vec<(&str, u64)> {
    measured.windows[0].errors.iter().map(|(kind, count)| (kind.as_str(), *count)).collect()
}

#[tokio::test]
async fn data_are_gathered_over_the_links_up_to_the_most_that_is_wanted() {
    let api = Api::serve().await;
    for (at_most, pages, expected) in
        [("", 3, 12), (", at_most = 6", 2, 6), (", at_most = 4", 1, 4), (", at_most = 12", 3, 12)]
    {
        let text = format!(
            "[data.product]\nfrom = {{ path = \"/products/1?shop={{workspace}}\", each = \"/items/*/id\", \
             next = \"/links/next\"{at_most} }}\n[scenario.s]\npath = \"/echo/{{product}}\"\nwrites = true"
        );
        let prepared = prepare(&text, &api.target()).await.unwrap();
        let asked = api.asked();
        assert_eq!(asked.len(), pages, "{at_most}");
        assert_eq!(asked[0].uri, "/app/products/1?shop=a%20b");
        assert!(asked.iter().all(|asked| asked.headers["authorization"] == "Bearer secret"));
        let mut turns = prepared.turns();
        let drawn: BTreeSet<String> = (0..1000)
            .map(|number| turns.request(&mut Draw::new(1, number)).url().path().to_owned())
            .collect();
        assert_eq!(drawn.len(), expected, "{at_most}");
    }
}

#[tokio::test]
async fn a_server_that_gives_no_data_is_quoted() {
    let api = Api::serve().await;
    for (path, says) in [
        (
            "/nothing",
            "/app/nothing gives no values for the data `d`: there is nothing at /ids/*: {\"ids\": [null]}",
        ),
        ("/nested", "what stands at /ids/* has parts of its own"),
        ("/html", "it is not JSON: <html>"),
        ("/refused", "it was answered with 401: no such key"),
        ("/foreign", "leads to another server, http://localhost:9/"),
        ("/dots", "the value `..` of {d} can't be sent: in a path it means a folder"),
    ] {
        let text = format!(
            "[data.d]\nfrom = {{ path = \"{path}\", each = \"/ids/*\", next = \"/next\" }}\n\
             [scenario.s]\npath = \"/echo/{{d}}\""
        );
        let said = refusal(&text, &api.target()).await;
        assert!(said.contains(says), "{path}: {said}");
    }
    let text = "[data.d]\nfrom = { path = \"/dots\", each = \"/ids/*\" }\n\
                [scenario.s]\npath = \"/echo/\"\nheaders = { X-D = \"{d}\" }";
    let said = refusal(text, &api.target()).await;
    assert!(said.contains("the header x-d can't carry it"), "{said}");
}

#[tokio::test]
async fn links_in_a_circle_end() {
    let api = Api::serve().await;
    let text = "[data.d]\nfrom = { path = \"/circle\", each = \"/ids/*\", next = \"/next\" }\n\
                [scenario.s]\npath = \"/echo/{d}\"\nwrites = true";
    prepare(text, &api.target()).await.unwrap();
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_before_anything_is_measured() {
    let target = Target { base_url: "http://127.0.0.1:1".into(), ..Api::serve().await.target() };
    let said = refusal("[scenario.s]\npath = \"/echo/{workspace}\"", &target).await;
    assert!(said.contains("no answer from http://127.0.0.1:1/echo/a%20b: "), "{said}");
}

#[tokio::test]
async fn a_request_is_as_it_is_described_and_the_same_whoever_sends_it() {
    let api = Api::serve().await;
    let text = r#"
[auth]
header = "X-Api-Key"
value = "{token} of {workspace}"
[data.amount]
range = [10, 1000000]
[data.word]
values = ["é&=", "{x}"]
skew = 0.5
[scenario.s]
method = "PUT"
path = "/echo/{word}/x"
query = { q = "{word}", n = ["{number}", 7] }
headers = { X-Source = "nr {number}", accept = "text/plain" }
body = { amount = "{amount}", same = "{amount}", text = "{amount} {{}}", id = "{uuid}", again = "{uuid}", list = [1.5, true] }
expect = { json = { "/query/q" = "{word}", "/path" = "{word}/x" } }
"#;
    let target = api.target();
    let (one, two) = (prepare(text, &target).await.unwrap(), prepare(text, &target).await.unwrap());
    let client = Client::new();
    // The second one has sent others before.
    let (mut first, mut second) = (one.turns(), two.turns());
    let _ = second.request(&mut Draw::new(3, 3));
    for number in [5, 6, 7] {
        for turns in [&mut first, &mut second] {
            let request = turns.request(&mut Draw::new(3, number));
            let exchange = loadgen::operations::send(&client, request).await;
            assert_eq!(turns.check(&exchange.outcome.unwrap()), Ok(()));
        }
        let [one, two] = &api.asked()[..] else { panic!("two requests") };
        assert_eq!(one, two);
        assert_eq!(one.method, "PUT");
        assert!(one.uri.ends_with(&format!("&n={number}&n=7")), "{}", one.uri);
        assert_eq!(one.headers["x-api-key"], "secret of a b");
        assert_eq!(one.headers["x-source"], format!("nr {number}"));
        assert_eq!(one.headers["accept"], "text/plain");
        assert_eq!(one.headers["content-type"], "application/json");
        assert!(!one.headers.contains_key("authorization"));
        let body: Value = serde_json::from_str(&one.body).unwrap();
        let amount = body["amount"].as_i64().unwrap();
        assert!((10..=1_000_000).contains(&amount));
        assert_eq!(body["same"], amount);
        assert_eq!(body["text"], format!("{amount} {{}}"));
        assert_eq!(body["id"], body["again"]);
        assert_eq!(uuid::Uuid::parse_str(body["id"].as_str().unwrap()).unwrap().get_version_num(), 4);
        assert_eq!(body["list"], json!([1.5, true]));
    }
    let bodies: BTreeSet<Vec<u8>> = (0..50)
        .map(|number| first.request(&mut Draw::new(3, number)).body().unwrap().as_bytes().unwrap().to_vec())
        .collect();
    assert_eq!(bodies.len(), 50);
}

#[tokio::test]
async fn a_text_is_sent_as_it_is() {
    let api = Api::serve().await;
    let text = "[scenario.s]\nmethod = \"POST\"\npath = \"/echo/\"\nbody = '{{\"w\": \"{workspace}\"}}'";
    let request = prepare(text, &api.target()).await.unwrap().turns().request(&mut Draw::new(1, 1));
    assert_eq!(request.body().unwrap().as_bytes(), Some(&b"{\"w\": \"a b\"}"[..]));
    assert_eq!(request.headers()["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn everybody_asks_with_their_own_token_and_workspace_as_often_as_they_should() {
    let api = Api::serve().await;
    let other = Identity { token: "other".into(), workspace: "o".into(), weight: 3.0 };
    let target = Target { crowd: vec![other], ..api.target() };
    let mut turns = prepare("[scenario.s]\npath = \"/echo/{workspace}\"", &target).await.unwrap().turns();
    let mut counts = BTreeMap::new();
    for number in 0..1000 {
        let request = turns.request(&mut Draw::new(1, number));
        let token = request.headers()["authorization"].to_str().unwrap().to_owned();
        *counts.entry((token, request.url().path().to_owned())).or_insert(0) += 1;
    }
    let own = counts[&("Bearer secret".to_owned(), "/app/echo/a%20b".to_owned())];
    let others = counts[&("Bearer other".to_owned(), "/app/echo/o".to_owned())];
    assert_eq!((counts.len(), own + others), (2, 1000));
    // Five standard deviations of a binomial with n = 1000 and p = 1/4 are 68.
    assert!((182..=318).contains(&own), "{own}");
}

#[test]
fn any_text_arrives_in_path_and_query_as_it_was() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let api = runtime.block_on(Api::serve());
    let client = Client::new();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
    let outcome = runner.run(&arbitrary::<String>(), |text| {
        let word = if matches!(text.as_str(), "." | "..") { "a".to_owned() } else { text };
        // JSON texts are basic strings of TOML, but for the one control character that JSON does not escape.
        let literal = Value::from(word.clone()).to_string().replace('\u{7f}', "\\u007f");
        let described = format!(
            "[data.word]\nvalues = [{literal}]\n[scenario.s]\npath = \"/echo/-{{word}}/{{word}}-\"\n\
             query = {{ \"a&b\" = \"{{word}}\" }}\nwrites = true\n\
             expect = {{ json = {{ \"/path\" = \"-{{word}}/{{word}}-\", \"/query/a&b\" = \"{{word}}\" }} }}"
        );
        let checked = runtime.block_on(async {
            let mut turns = prepare(&described, &api.target()).await.unwrap().turns();
            let request = turns.request(&mut Draw::new(1, 1));
            let exchange = loadgen::operations::send(&client, request).await;
            turns.check(&exchange.outcome.unwrap())
        });
        proptest::prop_assert_eq!(checked, Ok(()), "{:?}", word);
        Ok(())
    });
    outcome.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_replies_are_counted_and_right_ones_are_not() {
    let api = Api::serve().await;
    let right = "[scenario.s]\npath = \"/products/2\"\n\
                 expect = { status = 200, json = { \"/items\" = { type = \"array\", at_most = 4 } } }";
    let measured = measure(&plan(right), &[api.target()]).await;
    assert_eq!((measured.windows[0].requests, errors(&measured)), (30, vec![]));
    let wrong = right.replace("at_most = 4", "at_most = 3");
    let measured = measure(&plan(&wrong), &[api.target()]).await;
    assert_eq!(errors(&measured), [("wrong reply: /items has another length", 30)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirection_is_followed_within_the_server_and_is_the_reply_where_it_leads_elsewhere() {
    let api = Api::serve().await;
    let auth = "[auth]\nheader = \"X-Api-Key\"\n";
    let moved =
        format!("{auth}[scenario.s]\npath = \"/moved\"\nexpect = {{ json = {{ \"/path\" = \"here\" }} }}");
    assert_eq!(errors(&measure(&plan(&moved), &[api.target()]).await), []);
    let elsewhere = format!("{auth}[scenario.s]\npath = \"/elsewhere\"");
    assert_eq!(errors(&measure(&plan(&elsewhere), &[api.target()]).await), [("status 307", 30)]);
}
