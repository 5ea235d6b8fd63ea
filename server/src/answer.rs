//! Answers with a body.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::profile::{self, Layer};

/// A value as JSON.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Result<Response, serde_json::Error> {
    profile::enter(Layer::Serializer);
    let mut response = Response::new(Body::from(serde_json::to_vec(value)?));
    profile::enter(Layer::Middleware);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
