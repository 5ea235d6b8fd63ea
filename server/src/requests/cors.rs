//! CORS: pages of any origin may call the API, because a token is needed anyway and none is sent by the browser on its
//! own.
//!
//! By hand, and not by the layer of tower-http: that one answers every `OPTIONS` itself, but without the headers of a
//! preflight `OPTIONS` is a question to the API, which answers with `Allow` to those who are let in.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// What a page may do.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PATCH, DELETE, OPTIONS");

/// What a page may send.
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, prefer, if-none-match, x-request-id");

/// What a page may read, on top of what it always may.
const ANSWER_HEADERS: HeaderValue =
    HeaderValue::from_static("link, x-cache, x-request-id, deprecation, retry-after, server-timing");

/// How long a browser may remember the answer to a preflight, in seconds. Chromium's upper bound.
const MAX_AGE_S: HeaderValue = HeaderValue::from_static("7200");

const ANY: (HeaderName, HeaderValue) = (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// Answers preflights, and lets pages read the answer to anything else.
pub(crate) async fn cors(request: Request, next: Next) -> Response {
    if is_preflight(&request) {
        let headers = [
            ANY,
            (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
            (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S),
        ];
        return (StatusCode::NO_CONTENT, headers).into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().extend([ANY, (header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS)]);
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
