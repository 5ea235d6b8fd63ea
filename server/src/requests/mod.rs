//! What surrounds every request, from the outside in: its name, its line in the log and its counts; CORS; compression;
//! one time limit; its profile, if it asked for one; and the end of a panic.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Response as HttpResponse, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::refusal::Refusal;

mod cors;
mod counters;
mod id;
mod profiled;

pub(crate) use counters::Counters;
pub(crate) use id::{REQUEST_ID, RequestId};
pub(crate) use profiled::Profiler;

/// Answers of fewer bytes are sent as they are: they fit into one packet anyway.
const COMPRESSED_FROM_BYTES: u16 = 1024;

/// The route of requests for paths that the server doesn't have.
const NO_ROUTE: &str = "unmatched";

/// Puts everything that surrounds a request around a router.
pub(crate) fn surround(
    router: Router,
    counters: Counters,
    profiler: Option<Profiler>,
    limit: Duration,
) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(profiler, profiled::profiled))
        // The plans of a profile are within the time of its request.
        .layer(from_fn_with_state(limit, limited))
        .layer(compression())
        .layer(from_fn(cors::cors))
        .layer(from_fn_with_state(counters, observe))
}

/// Gzip, for those who ask for it.
///
/// At level 1 a page of 50 customers (76,652 bytes) becomes 19,724 in 0.09 ms; level 2 gives 15,080 in 0.16 ms, level 6
/// 12,468 in 0.43 ms. The page itself takes about two, on the same cores, so the cheapest level it is.
fn compression() -> CompressionLayer<impl tower_http::compression::predicate::Predicate> {
    let is_text = |_: StatusCode, _, headers: &HeaderMap, _: &_| {
        let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        kind.starts_with(b"text/")
            || kind.starts_with(b"application/json")
            || kind.starts_with(b"application/openmetrics-text")
            || kind.starts_with(b"application/javascript")
    };
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(COMPRESSED_FROM_BYTES).and(is_text))
}

/// Gives a request up when its time is over. Its connection goes back to the pool; the statement on it ends by the
/// shorter timeout of the database.
async fn limited(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::TooSlow.into_response(),
    }
}

/// A handler that panics has a bug, which the log names and the client doesn't.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands over what the panic carried")]
fn panicked(payload: Box<dyn Any + Send + 'static>) -> HttpResponse<Body> {
    let said = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a text");
    tracing::error!(panic = said, "a handler panicked");
    Refusal::Internal.into_response()
}

/// Names a request, counts it, and writes its line in the log. Handlers may fill in the span's `workspace`.
///
/// The route is the template of the path, so that neither the log nor the counts hold what a client made up; the query
/// and the token stand nowhere. The span is of the level of errors, so that the line of a failure has the request's name
/// however little is logged.
async fn observe(State(counters): State<Counters>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let route = matched.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let method = counters::method_label(request.method());
    let span = tracing::error_span!("request", request_id = id.as_str(), method, route, workspace = Empty);
    let watch = counters.begin(method, route);
    request.extensions_mut().insert(id.clone());
    async move {
        let tally = watch.tally();
        let mut response = watch.tally().count(next.run(request)).await;
        response.headers_mut().extend(id.header().map(|id| (REQUEST_ID, id)));
        let status = response.status();
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    status = status.as_u16(),
                    statements = tally.statements(),
                    retries = tally.retries(),
                    ms = milliseconds(watch.elapsed()),
                    bytes = response.body().size_hint().exact(),
                    "answered"
                )
            };
        }
        match status {
            StatusCode::INTERNAL_SERVER_ERROR => line!(error),
            status if status.is_server_error() => line!(warn),
            _ => line!(info),
        }
        watch.answered(status);
        response
    }
    .instrument(span)
    .await
}

/// With microseconds, and no digits that mean nothing.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(router: Router, limit: Duration) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().uri("/").header(REQUEST_ID, "seven").body(Body::empty()).unwrap();
        let answer = surround(router, Counters::default(), None, limit).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (parts.status, parts.headers, text)
    }

    #[tokio::test]
    async fn a_handler_that_panics_answers_500_without_a_word_of_why() {
        #[expect(clippy::panic, reason = "what is tested")]
        async fn broken() -> StatusCode {
            panic!("the secret of the house");
        }
        let router = Router::new().route("/", get(broken));
        let (status, headers, text) = ask(router, Duration::from_mins(1)).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::INTERNAL_SERVER_ERROR, r#"{"detail":"Internal server error."}"#)
        );
        assert_eq!(headers[REQUEST_ID], "seven");
        assert_eq!(headers["access-control-allow-origin"], "*");
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_answered_503() {
        let router = Router::new().route("/", get(std::future::pending::<StatusCode>));
        let (status, headers, text) = ask(router, Duration::ZERO).await;
        let detail = r#"{"detail":"The request took too long and was given up."}"#;
        assert_eq!((status, text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, detail));
        assert_eq!(headers[REQUEST_ID], "seven");
        assert_eq!(headers["access-control-allow-origin"], "*");
    }
}
