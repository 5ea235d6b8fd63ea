//! The proxy before the reference server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use reqwest::Url;

use super::{Answered, Asked, Break};

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
        body: String::from_utf8(body.into()).expect("UTF-8"),
    };
    let as_it_came = asked.clone();
    (broken.request)(&mut asked);
    if asked.body != as_it_came.body {
        asked.headers.remove("content-length");
    }
    let mut url = Url::parse(&format!("{}{}", proxy.upstream, asked.path)).expect("a URL");
    if came.query().is_some() && !asked.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&asked.query);
    }
    let sent = proxy.client.request(asked.method, url).headers(asked.headers).body(asked.body);
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
