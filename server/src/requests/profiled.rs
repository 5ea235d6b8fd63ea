//! A request that asked for a profile of itself gets one: in its answer, in the head of it, and kept for an hour.
//!
//! It is for admins and managers. Everybody else gets the answer that they would have got.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::BytesMut;
use http_body_util::BodyExt as _;

use crate::Variant;
use crate::cache::Cache;
use crate::cache::profiles::Kept;
use crate::database::{Database, tally};
use crate::profile::{About, Metered, Recorder, Report, SERVER_TIMING, Wanted, explain, grouped};
use crate::requests::RequestId;

/// What profiles are made with.
#[derive(Debug, Clone)]
pub(crate) struct Profiler {
    pub(crate) variant: Variant,
    pub(crate) cache: Cache,
    pub(crate) database: Database,
}

/// Serves a request, which may ask for a profile unless there is no profiler.
pub(super) async fn profiled(
    State(profiler): State<Option<Profiler>>,
    request: Request,
    next: Next,
) -> Response {
    let wanted = Wanted::by(request.uri().query().unwrap_or_default());
    let Some(profiler) = profiler.filter(|_| wanted != Wanted::Nothing) else {
        return next.run(request).await;
    };
    let recorder = Arc::new(Recorder::begin());
    tally::record(Arc::clone(&recorder));
    let id = request.extensions().get::<RequestId>().cloned();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let response = Metered::new(Arc::clone(&recorder), next.run(request)).await;
    let (notes, total) = recorder.finish();
    let Some(admission) = notes.admission.filter(|admission| admission.require_manager().is_ok()) else {
        return response;
    };
    let about = About {
        request_id: id.as_ref().map_or("", RequestId::as_str),
        method: &method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        variant: profiler.variant,
        status: response.status().as_u16(),
    };
    let plans = match wanted {
        Wanted::Plans => match explain(&profiler.database, &notes).await {
            Ok(plans) => Some(plans),
            Err(error) => {
                tracing::warn!(%error, "the plans of a request can't be had");
                None
            }
        },
        Wanted::Profile | Wanted::Nothing => None,
    };
    let groups = grouped(&notes.statements);
    let report = Report::of(&about, &notes, &groups, total, plans);
    let (whole, line) = match (serde_json::to_vec(&report), serde_json::to_vec(&report.line())) {
        (Ok(whole), Ok(line)) => (whole, line),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "a profile can't be written");
            return response;
        }
    };
    let response = extended(response, &report, &whole).await;
    profiler
        .cache
        .keep_profile(about.request_id, Kept { workspace_id: admission.workspace_id, line, whole })
        .await;
    response
}

/// The answer with its profile.
async fn extended(response: Response, report: &Report<'_>, profile: &[u8]) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers.extend(report.server_timing().map(|timing| (SERVER_TIMING, timing)));
    head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if !is_json(&head.headers) {
        return Response::from_parts(head, body);
    }
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            tracing::error!(%error, "an answer can't be read again");
            Bytes::new()
        }
    };
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(with_member(body, profile)))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// A JSON object with `_profiling` as its last member; anything else as it is.
fn with_member(body: Bytes, profile: &[u8]) -> Bytes {
    if !(body.starts_with(b"{") && body.ends_with(b"}")) {
        return body;
    }
    // In place: nobody else holds the body, and the buffer that it was written to is mostly larger.
    let mut body = BytesMut::from(body);
    body.truncate(body.len() - 1);
    if body.len() > 1 {
        body.extend_from_slice(b",");
    }
    for part in [b"\"_profiling\":".as_slice(), profile, b"}"] {
        body.extend_from_slice(part);
    }
    body.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_the_last_member_of_an_object() {
        for (body, extended) in [
            (r#"{"a":[{}]}"#, r#"{"a":[{}],"_profiling":{"x":1}}"#),
            ("{}", r#"{"_profiling":{"x":1}}"#),
            ("[1]", "[1]"),
            ("", ""),
        ] {
            assert_eq!(with_member(Bytes::from_static(body.as_bytes()), br#"{"x":1}"#), extended.as_bytes());
        }
    }
}
