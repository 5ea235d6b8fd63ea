//! The address at which metrics are served, on a thread and a runtime of its own: a scrape stands in no request's way.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;

/// The media type of what is served.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Metrics being served. They are until this value is dropped.
pub(crate) struct Endpoint {
    address: SocketAddr,
    end: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Serves at an address that nobody else uses; port 0 is any that is free.
    pub(crate) fn open(address: SocketAddr, metrics: Arc<Metrics>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let end = CancellationToken::new();
        let ended = end.clone();
        let thread = thread::Builder::new().name("metrics".to_owned()).spawn(move || {
            // Scrapes that are under way at the end are dropped, since a slow scraper must not keep the command alive.
            if let Some(Err(error)) = runtime.block_on(ended.run_until_cancelled(serve(listener, metrics))) {
                eprintln!("callbench: the metrics are not served any more: {error}");
            }
        })?;
        Ok(Self { address, end, thread: Some(thread) })
    }

    /// Where they are.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.end.cancel();
        if let Some(thread) = self.thread.take() {
            // It waits for nothing but the token; a panic in it has been told.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, metrics: Arc<Metrics>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    axum::serve(listener, Router::new().route("/metrics", get(answer)).with_state(metrics)).await
}

async fn answer(State(metrics): State<Arc<Metrics>>) -> Response {
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
