//! What surrounds every request: one time limit, and one line in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::database::tally::Tally;
use crate::refusal::Refusal;

/// Runs a request within its time and logs how it went. Handlers may fill in the span's `workspace`.
pub(crate) async fn observe(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        workspace = Empty,
    );
    let tally = Arc::new(Tally::default());
    let counted = Arc::clone(&tally);
    async move {
        let started = Instant::now();
        // A request that is given up drops its connection back into the pool; its statement ends by the shorter
        // timeout of the database.
        let response = match tokio::time::timeout(limit, counted.count(next.run(request))).await {
            Ok(response) => response,
            Err(_) => Refusal::TooSlow.into_response(),
        };
        tracing::info!(
            statements = tally.statements(),
            retries = tally.retries(),
            status = response.status().as_u16(),
            handler_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}
