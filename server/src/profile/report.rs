//! A profile as it is answered and kept: all names that the old API's tools had for the same thing, and what else there
//! is to know.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Variant;
use crate::customers::row::microseconds;
use crate::profile::advice;
use crate::profile::evidence::{plan_of, recommendations};
use crate::profile::groups::{Group, grouped, on_one_line};
use crate::profile::plans::{Explained, Plans};
use crate::profile::recorder::Notes;
use crate::profile::{Layer, Statement};

/// How many groups of statements are told of.
const TOLD_GROUPS: usize = 20;

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
pub(crate) struct Report {
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
    queries: Queries,
    permission: Permission,
    serializer: Serializer,
    /// Null in a program that doesn't count.
    #[schema(required)]
    memory: Option<Memory>,
    /// What to change, in sentences, each with the figure behind it.
    recommendations: Vec<String>,
    /// Every statement, in the order in which they were sent.
    statements: Vec<Sent>,
    /// Only with `_profile=explain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    plans: Option<Vec<Explained>>,
}

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

/// Time in each layer.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the contract")]
struct Breakdown {
    middleware_time_ms: f64,
    permission_time_ms: f64,
    queryset_time_ms: f64,
    serializer_time_ms: f64,
}

/// What was asked of the database.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the contract")]
struct Queries {
    total_queries: usize,
    total_time_ms: f64,
    /// Statements of the same text, those that took longest in all first.
    slowest_queries: Vec<Similar>,
    n_plus_one_detected: bool,
    /// Those that were sent one by one for the records of the answer.
    n_plus_one: Vec<Similar>,
    /// How many statements have the text of another.
    similar: usize,
    /// How many ask, with the same values, what was asked before.
    duplicates: usize,
    /// What was brought and not read.
    unused_columns: Vec<Unused>,
}

/// Columns that have values, which nobody read.
#[derive(Debug, Serialize, ToSchema)]
struct Unused {
    sql: String,
    columns: Vec<String>,
}

/// Statements of one text.
#[derive(Debug, Clone, Serialize, ToSchema)]
struct Similar {
    sql: String,
    /// Of all of them.
    time_ms: f64,
    count: usize,
    /// How many ask, with the same values, what was asked before.
    duplicates: usize,
    rows: u64,
    layer: &'static str,
}

/// What it took to let the request in.
#[derive(Debug, Serialize, ToSchema)]
struct Permission {
    statements: usize,
    time_ms: f64,
    /// Those that count rows.
    count_statements: Vec<String>,
    /// Tables that were read from end to end; known only with the plans.
    full_scans: Vec<String>,
    /// Checks that ask again what was asked before.
    repeated_checks: usize,
}

/// What it took to make the answer out of rows.
#[derive(Debug, Serialize, ToSchema)]
struct Serializer {
    /// Records of the answer; null where it is no list.
    #[schema(required)]
    records: Option<usize>,
    /// Null without records.
    #[schema(required)]
    us_per_record: Option<f64>,
    /// Of the total, from 0 to 1.
    share: f64,
    /// What was loaded for each record by itself.
    loaded_one_by_one: Vec<Loaded>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Loaded {
    sql: String,
    count: usize,
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

/// A statement that was sent.
#[derive(Debug, Serialize, ToSchema)]
struct Sent {
    sql: String,
    layer: &'static str,
    /// Whose connection it was.
    pool: &'static str,
    /// When it was sent, since the request began.
    start_ms: f64,
    /// Until its last row was read.
    time_ms: f64,
    rows: u64,
    /// A fingerprint of the values; null without values.
    #[schema(required)]
    values: Option<String>,
}

impl Report {
    /// Makes a report of what was noted until `total`.
    pub(crate) fn of(about: &About<'_>, notes: &Notes, total: Duration, plans: Option<Plans>) -> Self {
        let groups = grouped(&notes.statements);
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
        let checks = || groups.iter().filter(|group| group.layer() == Layer::Permission);
        let recommendations = recommendations(notes, &groups, total, plans.as_ref());
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
            breakdown: Breakdown {
                middleware_time_ms: ms(layer(Layer::Middleware)),
                permission_time_ms: ms(layer(Layer::Permission)),
                queryset_time_ms: ms(layer(Layer::Queryset)),
                serializer_time_ms: ms(layer(Layer::Serializer)),
            },
            bottleneck_type: if is_io { "io" } else { "cpu" },
            bottleneck_layer: slowest_layer.name(),
            cpu_time_ms: notes.cpu.map(ms),
            pool_wait_ms: ms(notes.pool_wait()),
            permission: Permission {
                statements: checks().map(Group::count).sum(),
                time_ms: ms(layer(Layer::Permission)),
                count_statements: checks()
                    .filter(|group| advice::counts(&group.sql))
                    .map(|group| group.sql.clone())
                    .collect(),
                full_scans: checks()
                    .filter_map(|group| plan_of(plans.as_ref(), &group.sql))
                    .flat_map(|plan| advice::scans_whole(&plan))
                    .collect(),
                repeated_checks: checks().map(Group::duplicates).sum(),
            },
            serializer: Serializer {
                records: notes.records,
                us_per_record: notes
                    .records
                    .filter(|records| *records > 0)
                    .map(|records| layer(Layer::Serializer).as_nanos() as f64 / 1e3 / records as f64),
                share: if total.is_zero() { 0.0 } else { layer(Layer::Serializer).div_duration_f64(total) },
                loaded_one_by_one: n_plus_one
                    .iter()
                    .filter(|group| group.layer() == Layer::Serializer)
                    .map(|group| Loaded { sql: group.sql.clone(), count: group.count() })
                    .collect(),
            },
            memory: notes.heap.map(|heap| Memory {
                allocated_bytes: heap.bytes,
                peak_bytes: heap.peak,
                allocations: heap.calls,
            }),
            queries: Queries {
                total_queries: notes.statements.len(),
                total_time_ms: ms(in_database),
                slowest_queries: groups.iter().take(TOLD_GROUPS).map(Similar::of).collect(),
                n_plus_one_detected: !n_plus_one.is_empty(),
                n_plus_one: n_plus_one.iter().map(|group| Similar::of(group)).collect(),
                similar: groups.iter().map(Group::count).filter(|count| *count > 1).sum(),
                duplicates: groups.iter().map(Group::duplicates).sum(),
                unused_columns: groups.iter().filter_map(Unused::of).collect(),
            },
            recommendations,
            statements: notes.statements.iter().map(Sent::of).collect(),
            plans: plans.map(|plans| plans.explained),
        }
    }

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
            n_plus_one_detected: self.queries.n_plus_one_detected,
            bottleneck_type: self.bottleneck_type,
            bottleneck_layer: self.bottleneck_layer,
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

impl Unused {
    fn of(group: &Group<'_>) -> Option<Self> {
        let columns: Vec<String> = group.unused_columns().into_iter().map(str::to_owned).collect();
        (!columns.is_empty()).then(|| Self { sql: group.sql.clone(), columns })
    }
}

impl Similar {
    fn of(group: &Group<'_>) -> Self {
        Self {
            sql: group.sql.clone(),
            time_ms: ms(group.time()),
            count: group.count(),
            duplicates: group.duplicates(),
            rows: group.rows(),
            layer: group.layer().name(),
        }
    }
}

impl Sent {
    fn of(statement: &Statement) -> Self {
        Self {
            sql: on_one_line(&statement.sql),
            layer: statement.layer.name(),
            pool: statement.pool,
            start_ms: ms(statement.start),
            time_ms: ms(statement.time),
            rows: statement.rows,
            values: statement.fingerprint.map(|fingerprint| format!("{fingerprint:016x}")),
        }
    }
}

/// Milliseconds with three digits.
fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}
