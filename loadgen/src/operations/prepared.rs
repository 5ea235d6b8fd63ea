//! A request that is ready to be sent, over and over, and the check of its replies.

use std::time::Instant;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, Method, Request, Url};

use super::page;
use crate::error::Error;
use crate::plan::Target;

/// What an operation sends to one target, and what it expects back.
#[derive(Debug, Clone)]
pub struct Prepared {
    url: Url,
    authorization: HeaderValue,
    expected: Expected,
    seen: Vec<u8>,
}

/// What a right reply looks like, as it was seen while preparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Rows on the page.
    pub rows: usize,
    /// `workspace_id` of every row.
    pub workspace_id: String,
    /// Whether there is a page before this one.
    pub previous: bool,
    /// Whether there is a page after this one.
    pub next: bool,
}

/// A request sent and answered, or not.
#[derive(Debug)]
pub struct Exchange {
    /// When the last byte of the body had come, or when it was clear that it wouldn't.
    pub done: Instant,
    /// The reply, or the kind of failure (`timeout`, `connect`, `connection`, `body`).
    pub outcome: Result<Reply, &'static str>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Prepared {
    /// A request for `url` as the user of `target`, which was answered with the body `seen` while it was prepared.
    pub fn new(target: &Target, url: Url, expected: Expected, seen: Vec<u8>) -> Result<Self, Error> {
        Ok(Self { url, authorization: bearer(&target.token)?, expected, seen })
    }

    /// The body of the reply that was seen while preparing.
    #[must_use]
    pub fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// What is requested.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What a right reply looks like.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// A request to give to [`Prepared::send`]. Building it takes a few microseconds, so a worker does it before the
    /// request is due.
    #[must_use]
    pub fn request(&self) -> Request {
        request(self.url.clone(), self.authorization.clone())
    }

    /// Sends and reads the whole body. The clock of the reply stops in here, before anything else is done with it.
    pub async fn send(&self, client: &Client, request: Request) -> Exchange {
        let outcome = async {
            let response = client.execute(request).await?;
            let status = response.status().as_u16();
            Ok((status, response.bytes().await?))
        }
        .await;
        let done = Instant::now();
        let outcome = outcome
            .map(|(status, body)| Reply { status, body: body.into() })
            .map_err(|error: reqwest::Error| failure(&error));
        Exchange { done, outcome }
    }

    /// The kind of failure of an exchange; `None` if the reply is right. Not timed.
    #[must_use]
    pub fn failure(&self, exchange: &Exchange) -> Option<String> {
        match &exchange.outcome {
            Err(kind) => Some((*kind).to_owned()),
            Ok(reply) if reply.status != 200 => Some(format!("status {}", reply.status)),
            Ok(reply) => {
                page::fault(&reply.body, &self.expected).map(|fault| format!("wrong reply: {fault}"))
            }
        }
    }
}

pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::Plan {
        what: "the token holds characters that no HTTP header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn request(url: Url, authorization: HeaderValue) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(AUTHORIZATION, authorization);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}

fn failure(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else if error.is_body() || error.is_decode() {
        "body"
    } else {
        "connection"
    }
}

/// The innermost reason of a failure, which is the one that says something ("Connection refused").
pub(crate) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() { format!("timed out ({cause})") } else { cause.to_string() }
}
