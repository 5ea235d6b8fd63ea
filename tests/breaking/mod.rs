//! A server that keeps to the contract but for one thing: the reference server behind a proxy that changes requests on
//! their way there, or answers on their way back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A request on its way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    /// The last value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is for the list.
    pub(crate) fn is_list(&self) -> bool {
        self.path == "/api/v1/customers/" && self.method == Method::GET
    }

    /// Takes parameters away.
    pub(crate) fn drop(&mut self, name: &str) {
        self.query.retain(|(known, _)| known != name);
    }

    /// Puts another value in the place of each of a parameter's.
    pub(crate) fn change(&mut self, name: &str, to: impl Fn(&str) -> String) {
        for (_, value) in self.query.iter_mut().filter(|(known, _)| known == name) {
            *value = to(value);
        }
    }
}

/// An answer on its way back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    /// Writes every number of a good answer as what a float holds of it, as many servers do.
    pub(crate) fn through_floats(&mut self) {
        if let Some(body) = self.is_good().then(|| serde_json::from_str::<Value>(&self.text).ok()).flatten() {
            self.text = body.to_string();
        }
    }

    /// Changes the rows of a page, digits untouched.
    pub(crate) fn change_rows(&mut self, change: impl Fn(&mut Vec<Box<RawValue>>)) {
        let Some(mut page) = self.is_good().then(|| fields(&self.text)).flatten() else { return };
        let Some(results) = page.get("results") else { return };
        let mut rows = serde_json::from_str(results.get()).expect("rows");
        change(&mut rows);
        page.insert("results".to_owned(), to_raw_value(&rows).expect("JSON"));
        self.text = serde_json::to_string(&page).expect("JSON");
    }

    /// Puts another value, which is JSON, in the place of a field of a good answer.
    pub(crate) fn set(&mut self, name: &str, json: &str) {
        let Some(mut body) = self.is_good().then(|| fields(&self.text)).flatten() else { return };
        body.insert(name.to_owned(), RawValue::from_string(json.to_owned()).expect("JSON"));
        self.text = serde_json::to_string(&body).expect("JSON");
    }

    /// Replaces a part of the text.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        self.text = self.text.replace(from, to);
    }

    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Refuses in its place.
    pub(crate) fn refuse(&mut self, status: u16, detail: &str) {
        self.status = status;
        self.text = serde_json::json!({ "detail": detail }).to_string();
    }
}

/// The fields of an object, as they are written.
pub(crate) fn fields(object: &str) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(object).ok()
}

/// What is different about the server.
#[derive(Clone, Copy)]
pub(crate) struct Break {
    pub(crate) name: &'static str,
    pub(crate) request: fn(&mut Asked),
    pub(crate) answer: fn(&Asked, &mut Answered),
    /// The checks that find it, all of them, in the order in which they are made.
    pub(crate) found_by: &'static [&'static str],
    /// The scenarios of the load generator that such a server can't be asked for.
    pub(crate) takes_away: &'static [&'static str],
}

impl Break {
    /// A server that is different in nothing.
    pub(crate) const NOTHING: Self =
        Self { name: "nothing", request: |_| (), answer: |_, _| (), found_by: &[], takes_away: &[] };
}

/// The proxy. What is different can be changed while it runs.
#[derive(Clone)]
pub(crate) struct Proxy {
    upstream: String,
    client: reqwest::Client,
    broken: Arc<Mutex<Break>>,
    pub(crate) base_url: String,
}

impl Proxy {
    /// In front of a server; ends with the test's runtime.
    pub(crate) async fn before(upstream: String) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}", listener.local_addr().expect("bound"));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_gzip();
        let client = client.build().expect("a client");
        let proxy = Self { upstream, client, broken: Arc::new(Mutex::new(Break::NOTHING)), base_url };
        let app = Router::new().fallback(pass).with_state(proxy.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
        proxy
    }

    /// From now on this is different.
    pub(crate) fn breaks(&self, broken: Break) {
        *self.broken.lock().expect("not poisoned") = broken;
    }
}

async fn pass(State(proxy): State<Proxy>, request: Request) -> Response {
    let broken = *proxy.broken.lock().expect("not poisoned");
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let came = Url::parse(&format!("http://x{}", parts.uri)).expect("a URL");
    let mut asked = Asked {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: came.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        headers: parts.headers,
    };
    let as_it_came = asked.clone();
    (broken.request)(&mut asked);
    let mut url = Url::parse(&format!("{}{}", proxy.upstream, asked.path)).expect("a URL");
    if came.query().is_some() && !asked.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&asked.query);
    }
    let sent = proxy.client.request(asked.method.clone(), url).headers(asked.headers.clone()).body(body);
    let reply = sent.send().await.expect("the reference server answers");
    let mut answered =
        Answered { status: reply.status().as_u16(), headers: reply.headers().clone(), text: String::new() };
    answered.text = reply.text().await.expect("a body");
    let length = answered.text.len();
    (broken.answer)(&as_it_came, &mut answered);
    // The length of an answer to HEAD is that of the body that is not there.
    if answered.text.len() != length {
        answered.headers.remove("content-length");
    }
    answered.headers.remove("transfer-encoding");
    let status = axum::http::StatusCode::from_u16(answered.status).expect("a status");
    (status, answered.headers, Body::from(answered.text)).into_response()
}

/// A header without its value.
pub(crate) fn without(answered: &mut Answered, name: &'static str) {
    answered.headers.remove(HeaderName::from_static(name));
}

/// A request as that of another user.
pub(crate) fn as_owner_of(asked: &mut Asked, token: &'static str) {
    let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
    asked.headers.insert("authorization", value);
}
