//! What a list of profiles says of each.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Report;
use crate::customers::row::microseconds;

/// What a list of profiles says of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProfileLine)]
pub(crate) struct Line {
    request_id: String,
    #[serde(serialize_with = "microseconds")]
    at: DateTime<Utc>,
    method: String,
    endpoint: String,
    query: String,
    status: u16,
    query_count: usize,
    total_query_time_ms: f64,
    total_time_ms: f64,
    n_plus_one_detected: bool,
    bottleneck_type: &'static str,
    bottleneck_layer: &'static str,
}

impl Report<'_> {
    /// What a list says of it.
    pub(crate) fn line(&self) -> Line {
        Line {
            request_id: self.request_id.clone(),
            at: self.at,
            method: self.method.clone(),
            endpoint: self.endpoint.clone(),
            query: self.query.clone(),
            status: self.status,
            query_count: self.query_count,
            total_query_time_ms: self.total_query_time_ms,
            total_time_ms: self.total_time_ms,
            n_plus_one_detected: self.queries.has_n_plus_one(),
            bottleneck_type: self.bottleneck_type,
            bottleneck_layer: self.bottleneck_layer,
        }
    }
}
