//! A profile as it is answered and kept: all names that the old API's tools had for the same thing, and what else there
//! is to know.

mod layers;
mod line;
mod queries;

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::layers::{Breakdown, Permission, Serializer};
pub(crate) use self::line::Line;
use self::queries::{Queries, Sent, sent};
use crate::Variant;
use crate::customers::row::microseconds;
use crate::profile::Layer;
use crate::profile::evidence::recommendations;
use crate::profile::groups::Group;
use crate::profile::plans::{Explained, Plans};
use crate::profile::recorder::Notes;

/// Where the layers stand in the head of an answer.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// What is known of the request itself.
#[derive(Debug)]
pub(crate) struct About<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) variant: Variant,
    pub(crate) status: u16,
}

/// A request and what it did. Times are milliseconds with three digits; those of the layers sum to the total.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub(crate) struct Report<'a> {
    /// The name of the request.
    request_id: String,
    /// When it was answered.
    #[serde(serialize_with = "microseconds")]
    at: DateTime<Utc>,
    method: String,
    endpoint: String,
    /// The query string as it was sent.
    query: String,
    variant: String,
    #[schema(required)]
    workspace_id: Option<Uuid>,
    status: u16,
    query_count: usize,
    total_query_time_ms: f64,
    serialization_time_ms: f64,
    total_time_ms: f64,
    /// The same as `total_time_ms`.
    response_time_ms: f64,
    breakdown: Breakdown,
    /// `io` when the database and its pool took more time than the processor, else `cpu`.
    bottleneck_type: &'static str,
    /// The layer that took longest.
    bottleneck_layer: &'static str,
    /// On the processor; null where the operating system doesn't say.
    #[schema(required)]
    cpu_time_ms: Option<f64>,
    /// Waited for connections to the database.
    pool_wait_ms: f64,
    queries: Queries<'a>,
    permission: Permission<'a>,
    serializer: Serializer<'a>,
    /// Null in a program that doesn't count.
    #[schema(required)]
    memory: Option<Memory>,
    /// What to change, in sentences, each with the figure behind it.
    recommendations: Vec<String>,
    /// Every statement, in the order in which they were sent.
    statements: Vec<Sent<'a>>,
    /// Only with `_profile=explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    plans: Option<Vec<Explained>>,
}

/// What the request allocated.
#[derive(Debug, Serialize, ToSchema)]
struct Memory {
    /// Whether it was freed again or not.
    allocated_bytes: u64,
    /// The most at a time.
    peak_bytes: i64,
    allocations: u64,
}

impl<'a> Report<'a> {
    /// Makes a report of what was noted until `total`. The groups are those of the statements.
    pub(crate) fn of(
        about: &About<'_>,
        notes: &Notes,
        groups: &'a [Group<'a>],
        total: Duration,
        plans: Option<Plans>,
    ) -> Self {
        let records = notes.records.unwrap_or(0);
        let layer = |layer: Layer| notes.layers[layer as usize];
        let in_database: Duration = notes.statements.iter().map(|statement| statement.time).sum();
        let slowest_layer = Layer::ALL.into_iter().max_by_key(|one| layer(*one)).unwrap_or(Layer::Middleware);
        let is_io = match notes.cpu {
            Some(cpu) => in_database + notes.pool_wait() > cpu,
            None => (in_database + notes.pool_wait()) * 2 > total,
        };
        let n_plus_one: Vec<&Group<'_>> =
            groups.iter().filter(|group| group.is_n_plus_one(records)).collect();
        Self {
            request_id: about.request_id.to_owned(),
            at: Utc::now(),
            method: about.method.to_string(),
            endpoint: about.path.to_owned(),
            query: about.query.to_owned(),
            variant: about.variant.to_string(),
            workspace_id: notes.admission.map(|admission| admission.workspace_id),
            status: about.status,
            query_count: notes.statements.len(),
            total_query_time_ms: ms(in_database),
            serialization_time_ms: ms(layer(Layer::Serializer)),
            total_time_ms: ms(total),
            response_time_ms: ms(total),
            breakdown: Breakdown::of(notes),
            bottleneck_type: if is_io { "io" } else { "cpu" },
            bottleneck_layer: slowest_layer.name(),
            cpu_time_ms: notes.cpu.map(ms),
            pool_wait_ms: ms(notes.pool_wait()),
            queries: Queries::of(groups, &n_plus_one, in_database),
            permission: Permission::of(notes, groups, plans.as_ref()),
            serializer: Serializer::of(notes, &n_plus_one, total),
            memory: notes.heap.map(|heap| Memory {
                allocated_bytes: heap.bytes,
                peak_bytes: heap.peak,
                allocations: heap.calls,
            }),
            recommendations: recommendations(notes, groups, total, plans.as_ref()),
            statements: sent(&notes.statements, groups),
            plans: plans.map(|plans| plans.explained),
        }
    }

    /// The layers for the developer tools of a browser, as W3C Server Timing writes them.
    pub(crate) fn server_timing(&self) -> Option<HeaderValue> {
        let Breakdown { middleware_time_ms, permission_time_ms, queryset_time_ms, serializer_time_ms } =
            &self.breakdown;
        let text = format!(
            "middleware;dur={middleware_time_ms}, permission;dur={permission_time_ms}, queryset;dur={queryset_time_ms}, \
             serializer;dur={serializer_time_ms}, db;dur={};desc=\"{} statements\", total;dur={}",
            self.total_query_time_ms, self.query_count, self.total_time_ms,
        );
        HeaderValue::try_from(text).ok()
    }
}

/// Milliseconds with three digits.
fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
