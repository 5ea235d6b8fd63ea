//! What surrounds a request: its name, its line in the log, its length and its encoding.

use std::io::{self, Read as _, Write};
use std::sync::{Mutex, Once};

use flate2::read::GzDecoder;
use migrations::Level;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use server::Variant;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::service::{Service, client, list};
use crate::world;

/// What all servers of this process have logged.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .with_max_level(tracing::Level::INFO)
            .with_writer(|| Log)
            .init();
    });
}

/// The lines of the request with this name.
fn lines(id: &str) -> Vec<Value> {
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["span"]["request_id"] == id).collect()
}

#[tokio::test]
async fn a_request_keeps_the_name_that_it_has_and_gets_one_if_it_has_none() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let name = async |path: &str, headers: &[(&str, &str)]| {
        let answer = service.send(Method::GET, &format!("{origin}{path}"), None, headers).await;
        answer.header("x-request-id").to_owned()
    };
    for path in ["/healthz", "/api/v1/customers/", "/nothing"] {
        assert_eq!(name(path, &[("x-request-id", "Edge-7.a_b")]).await, "Edge-7.a_b");
        let made = name(path, &[("x-request-id", "not <sane>")]).await;
        assert!(made.parse::<Uuid>().is_ok(), "{made}");
        assert_ne!(name(path, &[]).await, made);
    }
}

#[tokio::test]
async fn a_request_is_one_line_of_the_log_without_token_and_query() {
    listen();
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    let id = Uuid::new_v4().to_string();
    let url = list(&origin, "workspace_id=one&status=secret-value&cursor=");
    let answer = service.send(Method::GET, &url, Some(&token), &[("x-request-id", &id)]).await;
    assert_eq!(answer.status, 200);
    let lines = self::lines(&id);
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(
        line["span"],
        json!({ "name": "request", "request_id": id, "method": "GET", "route": "/api/v1/customers/",
                "workspace": workspace })
    );
    assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("answered")));
    assert_eq!((&line["status"], &line["statements"], &line["retries"]), (&json!(200), &json!(2), &json!(0)));
    assert_eq!(line["bytes"], json!(answer.text.len()));
    assert!(line["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{line}");

    let id = Uuid::new_v4().to_string();
    let url = format!("{origin}/made/up/path?token=secret-value");
    service.send(Method::GET, &url, Some("secret-value"), &[("x-request-id", &id)]).await;
    let lines = self::lines(&id);
    assert_eq!((lines.len(), &lines[0]["span"]["route"]), (1, &json!("unmatched")));
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("secret-value") && !log.contains("made/up") && !log.contains(&token));
}

#[tokio::test]
async fn a_failure_is_in_the_log_with_its_cause_and_in_the_answer_without() {
    listen();
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    db.execute("ALTER TABLE call RENAME TO gone").await.unwrap();
    let id = Uuid::new_v4().to_string();
    let url = list(&origin, "workspace_id=one");
    let answer = service.send(Method::GET, &url, Some(&token), &[("x-request-id", &id)]).await;
    answer.refuses(500, "Internal server error.");
    assert_eq!(answer.header("x-request-id"), id);
    let lines = lines(&id);
    let [cause, line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert!(cause["error"].as_str().unwrap().contains("\"call\" does not exist"), "{cause}");
    for line in [cause, line] {
        assert_eq!((&line["level"], &line["span"]["workspace"]), (&json!("ERROR"), &json!(workspace)));
    }
    assert_eq!(line["status"], 500);
}

/// A page of some kilobytes, and the means to ask for it.
async fn a_page() -> (Service, String, String) {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    world::fill(
        &mut db,
        workspace,
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
         SELECT $1, 'c', '090', 'active', 'hot', 'pending', now() - g * interval '1 minute'
           FROM generate_series(1, 60) g",
    )
    .await;
    let origin = service.serve(Variant::Live).await;
    (service, list(&origin, "workspace_id=one"), token)
}

async fn ask(method: Method, url: &str, token: &str, encodings: Option<&str>) -> Response {
    let request = client().request(method, url).bearer_auth(token);
    match encodings {
        Some(encodings) => request.header("accept-encoding", encodings),
        None => request,
    }
    .send()
    .await
    .unwrap()
}

/// What the answer depends on beside the URL.
fn varies(answer: &Response) -> Vec<&str> {
    answer.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_large_answer_is_compressed_for_those_who_ask_and_says_that_it_varies() {
    let (_service, url, token) = a_page().await;
    let plain = ask(Method::GET, &url, &token, None).await;
    assert_eq!(plain.headers().get("content-encoding"), None);
    assert_eq!(varies(&plain), ["prefer", "accept-encoding"]);
    let plain = plain.bytes().await.unwrap();
    for encodings in ["gzip", "br, gzip;q=0.5, deflate"] {
        let packed = ask(Method::GET, &url, &token, Some(encodings)).await;
        assert_eq!(
            (packed.headers()["content-encoding"].as_bytes(), varies(&packed)),
            (b"gzip".as_slice(), vec!["prefer", "accept-encoding"]),
            "{encodings}"
        );
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
        let mut unpacked = Vec::new();
        GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked == plain);
    }
    for encodings in ["identity", "br", "gzip;q=0"] {
        let answer = ask(Method::GET, &url, &token, Some(encodings)).await;
        assert_eq!(answer.headers().get("content-encoding"), None, "{encodings}");
        assert!(answer.bytes().await.unwrap() == plain);
    }
}

#[tokio::test]
async fn a_small_answer_is_sent_as_it_is() {
    let (_service, url, token) = a_page().await;
    for url in [format!("{url}&status=none"), format!("{url}&cursor=x")] {
        let answer = ask(Method::GET, &url, &token, Some("gzip")).await;
        assert_eq!(answer.headers().get("content-encoding"), None, "{url}");
        assert!(answer.content_length().is_some_and(|bytes| bytes < 1024));
    }
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let (_service, url, token) = a_page().await;
    let healthz = format!("{}/healthz", url.split("/api").next().unwrap());
    for url in [url.clone(), format!("{url}&cursor=x"), healthz] {
        for encodings in [None, Some("gzip")] {
            let get = ask(Method::GET, &url, &token, encodings).await;
            let head = ask(Method::HEAD, &url, &token, encodings).await;
            assert_eq!(head.status(), get.status());
            for name in ["content-length", "content-type", "content-encoding", "vary", "link"] {
                assert_eq!(
                    head.headers().get(name),
                    get.headers().get(name),
                    "{name} of {url}, {encodings:?}"
                );
            }
            if encodings.is_none() {
                assert!(get.headers().contains_key("content-length"));
            }
            assert_eq!(head.bytes().await.unwrap().len(), 0);
        }
    }
}
