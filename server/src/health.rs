//! For the one who watches over the process: does it live, can it serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;

/// How long the database may take to say that it is there. Probes give up after a second or a few, and one that hears
/// nothing learns nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the server was told to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// From now on the server is not ready.
    pub(crate) fn begin(&self) {
        self.0.store(true, Relaxed);
    }

    fn has_begun(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// The process runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Life {
    /// Always `ok`.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
}

/// Whether requests should be sent here, and why not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    status: ReadyStatus,
    /// How pages are computed.
    #[schema(example = "live")]
    variant: String,
    database: DatabaseStatus,
}

/// The whole in a word.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReadyStatus {
    /// Requests can be served.
    Ok,
    /// The server was told to stop, and takes no new connections soon.
    Stopping,
    /// Requests would fail.
    Unavailable,
}

/// The database in a word.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DatabaseStatus {
    /// It answers and has the tables.
    Ok,
    /// It answers, but tables are not there.
    NoTables,
    /// It can't be reached, or no connection to it is free.
    Unreachable,
    /// It takes too long to answer.
    Slow,
}

/// The process runs and answers. Asks nobody else, so that a database that is down doesn't get the server killed.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    operation_id = "alive",
    summary = "Does the process run?",
    description = "Asks nobody else: for whoever restarts a process that hangs.",
    responses((status = 200, description = "It does.", body = Life)),
)]
pub(crate) async fn alive() -> Response {
    Json(Life { status: "ok" }).into_response()
}

/// Whether a page can be served now: the database answers and has the tables, and nobody told the server to stop.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    operation_id = "ready",
    summary = "Can requests be served?",
    description = "For whoever sends requests to several servers. Answers within two seconds.",
    responses(
        (status = 200, description = "They can.", body = Readiness),
        (status = 503, description = "They would fail, or the server is about to stop.", body = Readiness),
    ),
)]
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let database = match tokio::time::timeout(PATIENCE, app.database.has_tables()).await {
        Ok(Ok(true)) => DatabaseStatus::Ok,
        Ok(Ok(false)) => DatabaseStatus::NoTables,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database is not ready");
            DatabaseStatus::Unreachable
        }
        Err(_) => DatabaseStatus::Slow,
    };
    let (code, status) = match (database, app.stopping.has_begun()) {
        (_, true) => (StatusCode::SERVICE_UNAVAILABLE, ReadyStatus::Stopping),
        (DatabaseStatus::Ok, false) => (StatusCode::OK, ReadyStatus::Ok),
        _ => (StatusCode::SERVICE_UNAVAILABLE, ReadyStatus::Unavailable),
    };
    (code, Json(Readiness { status, variant: app.variant.to_string(), database })).into_response()
}
