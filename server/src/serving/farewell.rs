//! Answers to requests whose body nobody has read.
//!
//! Whoever is refused for their token, or for the size of what they send, is answered before all of it has come. A socket
//! that is closed with bytes unread in it resets the connection, and a client that still sends then sees a broken pipe in
//! the place of its answer. So little is read to its end, and the connection goes on. Otherwise the answer says that the
//! connection ends with it; then our side of it is closed, and what still comes is thrown away, until the client has
//! closed its side, or has sent too much or for too long (a lingering close, RFC 9112, section 9.6).

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tower::ServiceExt as _;

/// The most bytes of a body that are read for the sake of the connection. As many come with the head anyway.
const LITTLE: u64 = 8 * 1024;

/// The most bytes that are thrown away at the end of a connection: a client that has sent six times what is allowed does
/// not listen.
const MOST: usize = 64 * 1024 * 1024;

/// What a connection and its requests know of each other: whether something was left unread, so that it has to linger.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread(Arc<AtomicBool>);

/// Answers a request. The answer may come before the body was read.
pub(super) async fn answer(
    router: Router,
    request: Request<Incoming>,
    unread: Unread,
    limit: Duration,
) -> Result<Response, Infallible> {
    // Who asks first must not be told to go on.
    let is_asked = request.headers().contains_key(header::EXPECT);
    let rest = Rest::default();
    let mut response = router.oneshot(request.map(|body| rest.of(body))).await?;
    let Some(body) = rest.take() else { return Ok(response) };
    let is_little = body.size_hint().exact().is_some_and(|bytes| bytes <= LITTLE);
    if is_asked || !is_little || !is_read(body, limit).await {
        unread.0.store(true, Relaxed);
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// Reads a body to its end; whether that has come.
async fn is_read(mut body: Incoming, limit: Duration) -> bool {
    let reading = async {
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok::<_, hyper::Error>(())
    };
    tokio::time::timeout(limit, reading).await.is_ok_and(|read| read.is_ok())
}

/// Where the body of a request is put by whoever has not read it to its end.
#[derive(Debug, Clone, Default)]
struct Rest(Arc<Mutex<Option<Incoming>>>);

impl Rest {
    fn of(&self, body: Incoming) -> Watched {
        Watched { body: Some(body), rest: self.clone() }
    }

    fn take(&self) -> Option<Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A body that outlives its reader, unless it was read.
#[derive(Debug)]
struct Watched {
    /// None at its end.
    body: Option<Incoming>,
    rest: Rest,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(body).poll_frame(cx));
        if frame.is_none() {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.is_end_stream() {
            *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
        }
    }
}

/// The end of a connection.
#[derive(Debug)]
pub(super) struct Farewell {
    unread: Unread,
    limit: Duration,
    /// Set once our side is closed.
    until: Option<Pin<Box<Sleep>>>,
    heard: usize,
}

impl Farewell {
    pub(super) fn new(unread: Unread, limit: Duration) -> Self {
        Self { unread, limit, until: None, heard: 0 }
    }

    /// Closes our side of a connection, and listens to the other one where something of it was left unread.
    pub(super) fn poll(&mut self, tcp: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.until.is_none() {
            ready!(Pin::new(&mut *tcp).poll_shutdown(cx))?;
            if !self.unread.0.load(Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        let limit = self.limit;
        let until = self.until.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        let mut bytes = [0; 16 * 1024];
        while self.heard < MOST && until.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut bytes);
            match ready!(Pin::new(&mut *tcp).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => self.heard += buffer.filled().len(),
                // Its end, one way or the other.
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
