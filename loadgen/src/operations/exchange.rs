//! A request on its way and what came back.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, Url};

use crate::error::Error;

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
    /// The head, without the status. The client has read it anyhow; here it is moved, which costs a few nanoseconds, and what
    /// it takes to let it go is not timed.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What is wrong with a reply, in words that are the same for the same fault, so that they can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Another status than the one that was expected.
    Status(u16),
    /// The status is right and the rest is not.
    Wrong(Cow<'static, str>),
}

impl Fault {
    /// A reply that is not what it should be.
    #[must_use]
    pub const fn wrong(what: &'static str) -> Self {
        Self::Wrong(Cow::Borrowed(what))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}"),
            Self::Wrong(what) => write!(f, "wrong reply: {what}"),
        }
    }
}

impl Reply {
    /// Refuses any status but this one.
    pub fn must_be(&self, status: u16) -> Result<(), Fault> {
        if self.status == status { Ok(()) } else { Err(Fault::Status(self.status)) }
    }
}

/// Who we are in the logs of a server.
const NAME: &str = concat!("callbench/", env!("CARGO_PKG_VERSION"));

/// The most redirections that one request follows.
const REDIRECTIONS: usize = 10;

/// A client that sends nothing to a server that was not named: a redirection is followed within a server, and is the reply
/// where it leads elsewhere. (By itself the client would take a token along that is not in `Authorization`.)
pub(crate) fn client(timeout: Duration) -> Result<Client, Error> {
    let within_the_server = Policy::custom(|redirection| {
        let before = redirection.previous();
        let stays = before.iter().all(|url| url.origin() == redirection.url().origin());
        if stays && before.len() <= REDIRECTIONS { redirection.follow() } else { redirection.stop() }
    });
    let client = Client::builder().user_agent(NAME).timeout(timeout).no_gzip().redirect(within_the_server);
    client.build().map_err(|error| Error::Engine { what: error.to_string() })
}

/// Sends a request and reads the whole body. The clock of the reply stops in here, before anything else is done with it.
pub async fn send(client: &Client, request: Request) -> Exchange {
    let outcome = async {
        let mut response = client.execute(request).await?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        Ok((status, headers, response.bytes().await?))
    }
    .await;
    let done = Instant::now();
    let outcome = outcome
        .map(|(status, headers, body)| Reply { status, headers, body: body.into() })
        .map_err(|error: reqwest::Error| failure(&error));
    Exchange { done, outcome }
}

/// The header of a token.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::Plan {
        what: "the token holds characters that no HTTP header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A request for JSON.
pub(crate) fn get(url: Url, authorization: HeaderValue) -> Request {
    request(Method::GET, url, authorization)
}

/// A request of any kind, without a body.
pub(crate) fn request(method: Method, url: Url, authorization: HeaderValue) -> Request {
    let mut request = Request::new(method, url);
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
