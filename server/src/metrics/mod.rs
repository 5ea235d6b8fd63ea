//! `/metrics`: counts and gauges for Prometheus.
//!
//! Whoever has something to count owns its counters and has a function `register(&self, &mut Registry)`, which
//! `Server::open` calls; this module knows only how they are shown, and what is true of the process as a
//! whole.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::Variant;
use crate::app::App;
use crate::refusal::Refusal;

mod process;

/// What each name begins with, but for those of the process, which have names everywhere the same.
const PREFIX: &str = "callbench";

/// The media type of what `encode` writes.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted in this process.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Registry>);

impl Metrics {
    /// The metrics of a server. `register` adds those of its parts.
    pub(crate) fn new(variant: Variant, register: impl FnOnce(&mut Registry)) -> Self {
        let mut registry = Registry::default();
        process::register(&mut registry);
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("variant", variant.to_string())];
        ours.register("build", "What runs here", Info::new(build));
        register(ours);
        Self(Arc::new(registry))
    }
}

/// Answers with all metrics as they are now.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    operation_id = "metrics",
    summary = "Counts and gauges, for Prometheus",
    description = "In the text format of OpenMetrics 1.0. Not for the public: keep it behind the proxy.",
    responses((status = 200, description = "All metrics.", body = String,
               content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8")),
)]
pub(crate) async fn answer(State(app): State<App>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &app.metrics.0) {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics can't be written");
            Refusal::Internal.into_response()
        }
    }
}
