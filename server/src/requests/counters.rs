//! What is counted of requests, for `/metrics`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::database::tally::Tally;

/// Upper bounds of the classes of durations, in seconds: from a health check to the request's own limit.
const DURATIONS_S: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of the classes of statements per request. A page takes two; one statement per row of a page lands in
/// the hundreds.
const STATEMENTS: [f64; 11] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0];

/// Labels of the requests that were answered. None has more values than the program has routes, methods and statuses:
/// whatever a client sends can't make the metrics grow.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// Counts of all requests of this process.
#[derive(Debug, Clone)]
pub(crate) struct Counters {
    answered: Family<Answered, Counter>,
    abandoned: Family<Route, Counter>,
    durations_s: Family<Route, Histogram>,
    in_flight: Gauge,
    statements: Counter,
    statements_per_request: Histogram,
    retries: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            answered: Family::default(),
            abandoned: Family::default(),
            durations_s: Family::new_with_constructor(|| Histogram::new(DURATIONS_S)),
            in_flight: Gauge::default(),
            statements: Counter::default(),
            statements_per_request: Histogram::new(STATEMENTS),
            retries: Counter::default(),
        }
    }
}

impl Counters {
    /// Shows the counts under their names.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("http_requests", "Requests that were answered", self.answered.clone());
        registry.register(
            "http_requests_abandoned",
            "Requests whose client went away before the answer",
            self.abandoned.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            self.durations_s.clone(),
        );
        registry.register("http_requests_in_flight", "Requests that run now", self.in_flight.clone());
        registry.register("db_statements", "Statements sent to the database", self.statements.clone());
        registry.register(
            "http_request_statements",
            "Statements per request",
            self.statements_per_request.clone(),
        );
        registry.register(
            "db_retries",
            "Transactions begun again after a deadlock or a serialization failure",
            self.retries.clone(),
        );
    }

    /// A request begins.
    pub(super) fn begin(&self, method: &'static str, route: &str) -> Watch {
        self.in_flight.inc();
        Watch {
            counters: self.clone(),
            method,
            route: route.to_owned(),
            tally: Arc::default(),
            started: Instant::now(),
            is_answered: false,
        }
    }
}

/// The method as a label: what a client makes up is one value.
pub(super) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A request that runs. It is counted when this is dropped, also when that happens because the client went away.
#[derive(Debug)]
pub(super) struct Watch {
    counters: Counters,
    method: &'static str,
    route: String,
    tally: Arc<Tally>,
    started: Instant,
    is_answered: bool,
}

impl Watch {
    pub(super) fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The request has its answer.
    pub(super) fn answered(mut self, status: StatusCode) {
        self.is_answered = true;
        let (method, route, status) = (self.method, self.route.clone(), status.as_u16());
        self.counters.answered.get_or_create(&Answered { method, route, status }).inc();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let counters = &self.counters;
        let route = Route { route: std::mem::take(&mut self.route) };
        counters.in_flight.dec();
        counters.statements.inc_by(self.tally.statements());
        counters.statements_per_request.observe(self.tally.statements() as f64);
        counters.retries.inc_by(self.tally.retries());
        counters.durations_s.get_or_create(&route).observe(self.started.elapsed().as_secs_f64());
        if !self.is_answered {
            counters.abandoned.get_or_create(&route).inc();
            tracing::info!(
                statements = self.tally.statements(),
                retries = self.tally.retries(),
                ms = super::milliseconds(self.started.elapsed()),
                "abandoned by the client"
            );
        }
    }
}
