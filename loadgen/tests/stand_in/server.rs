//! A customer list over HTTP whose delays, freezes and faults are known, so that what the load generator reports can
//! be held against the truth.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use loadgen::{Event, Load, Measured, Observer, Open, Plan, Target};
use reports::run::OnOverload;
use tokio_util::sync::CancellationToken;

pub(crate) const WORKSPACE: &str = "11111111-1111-1111-1111-111111111111";
pub(crate) const TOKEN: &str = "token123";

/// How links name pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Cursors,
    Numbers,
}

/// What is wrong with the replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    Status(u16),
    Html,
    MissingRow,
    OtherTenant,
    /// Links to pages 98 and 100 on page 100.
    ShiftedNumbers,
    /// A field of the third row.
    OtherValue,
    /// No profile where one is asked for.
    Unprofiled,
    /// A profile whose count of statements is a word.
    BadProfile,
}

#[derive(Debug, Default)]
struct Behaviour {
    delay: Duration,
    /// So much more for each page up to the one that is asked for.
    delay_per_page: Duration,
    fault: Fault,
    /// Freeze for so long at the request after so many more.
    freeze: Option<(u64, Duration)>,
    frozen_until: Option<Instant>,
    /// When each place at the counter is free again, and how long it is taken by a request; without, everybody is served at
    /// once.
    counter: Option<(Vec<Instant>, Duration)>,
    /// Answers with a profile so far.
    profiles: u64,
    queries: Vec<String>,
}

impl Behaviour {
    /// When a request that comes now has been served. Computed, so that a timer that is late slows nobody else down.
    fn served(&mut self) -> Option<Instant> {
        let (places, service) = self.counter.as_mut()?;
        let place = places.iter_mut().min()?;
        *place = (*place).max(Instant::now()) + *service;
        Some(*place)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    base_url: String,
    shop: Shop,
}

#[derive(Debug, Clone)]
struct Shop {
    customers: u32,
    links: Links,
    behaviour: Arc<Mutex<Behaviour>>,
}

impl StandIn {
    /// Serves a workspace of `customers` until the test's runtime ends.
    pub(crate) async fn serve(customers: u32, links: Links) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let shop = Shop { customers, links, behaviour: Arc::default() };
        let app = Router::new().route("/api/v1/customers/", get(list)).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { base_url, shop }
    }

    pub(crate) fn target(&self, name: &str) -> Target {
        Target { page_size: 5, ..Target::new(name, &self.base_url, TOKEN, "shop") }
    }

    fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut self.shop.behaviour.lock().unwrap());
    }

    /// Answers everything this much later from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        self.behave(|behaviour| behaviour.delay = delay);
    }

    /// Answers each page so many times this much later from now on.
    pub(crate) fn delay_per_page(&self, delay: Duration) {
        self.behave(|behaviour| behaviour.delay_per_page = delay);
    }

    /// Serves so many requests at a time from now on, each for so long: `places / service` a second, and not one more. The others
    /// wait in line.
    pub(crate) fn places(&self, places: usize, service: Duration) {
        self.behave(|behaviour| behaviour.counter = Some((vec![Instant::now(); places], service)));
    }

    /// Answers wrongly from now on.
    pub(crate) fn fault(&self, fault: Fault) {
        self.behave(|behaviour| behaviour.fault = fault);
    }

    /// Lets `after` more requests pass, then answers nothing for `length`.
    pub(crate) fn freeze(&self, after: u64, length: Duration) {
        self.behave(|behaviour| behaviour.freeze = Some((after, length)));
    }

    /// The queries of all requests since the last call.
    pub(crate) fn queries(&self) -> Vec<String> {
        std::mem::take(&mut self.shop.behaviour.lock().unwrap().queries)
    }
}

async fn list(
    State(shop): State<Shop>,
    Query(query): Query<HashMap<String, String>>,
    axum::extract::RawQuery(raw): axum::extract::RawQuery,
    headers: HeaderMap,
) -> Response {
    let (delay, frozen_until, fault, served) = {
        let mut behaviour = shop.behaviour.lock().unwrap();
        behaviour.queries.push(raw.unwrap_or_default());
        behaviour.freeze = match behaviour.freeze {
            Some((0, length)) => {
                behaviour.frozen_until = Some(Instant::now() + length);
                None
            }
            Some((after, length)) => Some((after - 1, length)),
            None => None,
        };
        (
            behaviour.delay + behaviour.delay_per_page * shop.number(&query).unwrap_or(1),
            behaviour.frozen_until,
            behaviour.fault,
            behaviour.served(),
        )
    };
    if let Some(at) = served {
        tokio::time::sleep_until(at.into()).await;
    }
    if let Some(until) = frozen_until {
        tokio::time::sleep_until(until.into()).await;
    }
    tokio::time::sleep(delay).await;
    if headers.get("authorization").is_none_or(|value| value != &format!("Bearer {TOKEN}")) {
        return (StatusCode::UNAUTHORIZED, r#"{"detail": "Invalid token."}"#).into_response();
    }
    match fault {
        Fault::Status(status) => return StatusCode::from_u16(status).unwrap().into_response(),
        Fault::Html => return "<html>".into_response(),
        _ => {}
    }
    let host = headers["host"].to_str().unwrap();
    let profiling = query.contains_key("_profile").then(|| shop.profiling(fault)).flatten();
    match shop.page(&query, host, fault) {
        // The profile stands first in the body, as a field of the page.
        Some(body) => body.replacen('{', &format!("{{{}", profiling.unwrap_or_default()), 1).into_response(),
        None => (StatusCode::NOT_FOUND, r#"{"detail": "Invalid page."}"#).into_response(),
    }
}

impl Shop {
    /// The profile of an answer, which counts as many statements as there were profiles.
    fn profiling(&self, fault: Fault) -> Option<String> {
        let mut behaviour = self.behaviour.lock().unwrap();
        behaviour.profiles += 1;
        match fault {
            Fault::Unprofiled => None,
            Fault::BadProfile => Some(r#""_profiling": {"query_count": "many"}, "#.to_owned()),
            _ => Some(format!(
                r#""_profiling": {{"query_count": {}, "total_time_ms": 1.5}}, "#,
                behaviour.profiles
            )),
        }
    }

    fn parameter(&self) -> &'static str {
        match self.links {
            Links::Cursors => "cursor",
            Links::Numbers => "page",
        }
    }

    /// The number of the page that is asked for.
    fn number(&self, query: &HashMap<String, String>) -> Option<u32> {
        match (query.get(self.parameter()), self.links) {
            (None, _) => Some(1),
            (Some(cursor), Links::Cursors) => cursor.strip_prefix("after")?.parse().ok(),
            (Some(page), Links::Numbers) => page.parse().ok(),
        }
    }

    fn page(&self, query: &HashMap<String, String>, host: &str, fault: Fault) -> Option<String> {
        let size: u32 = query["page_size"].parse().unwrap();
        let (name, number) = (self.parameter(), self.number(query)?);
        let first = (number - 1) * size;
        let last = (first + size).min(self.customers);
        if first >= self.customers && number > 1 {
            return None;
        }
        let rows: Vec<String> = (first..last.saturating_sub(u32::from(fault == Fault::MissingRow)))
            .map(|id| {
                let tenant = if fault == Fault::OtherTenant { "other" } else { WORKSPACE };
                let cost = if fault == Fault::OtherValue && id % size == 2 { "1.5" } else { "1.50" };
                format!(r#"{{"id": {id}, "workspace_id": "{tenant}", "cost": {cost}}}"#)
            })
            .collect();
        let shift = u32::from(fault == Fault::ShiftedNumbers && number > 1);
        let link = |page: u32| {
            let value = match self.links {
                Links::Cursors => format!("after{page}"),
                Links::Numbers => (page - shift).to_string(),
            };
            format!(r#""http://{host}/api/v1/customers/?{name}={value}&page_size={size}&workspace_id=shop""#)
        };
        let next = if last < self.customers { link(number + 1) } else { "null".into() };
        let previous = if number > 1 { link(number - 1) } else { "null".into() };
        Some(format!(
            r#"{{"results": [{}], "next": {next}, "previous": {previous}, "count": null}}"#,
            rows.join(", ")
        ))
    }
}

/// A short plan for one operation.
pub(crate) fn plan(operation: &str, load: Load) -> Plan {
    Plan {
        scenarios: vec![loadgen::scenarios::find(operation).unwrap()],
        rounds: 1,
        window: Duration::from_millis(300),
        warm_up: Duration::from_millis(100),
        load,
        page_size: 5,
        workspace: "shop".into(),
        ..Plan::default()
    }
}

pub(crate) fn open(rate_per_second: f64, max_in_flight: usize) -> Load {
    Load::Open(Open { on_overload: OnOverload::Offer, ..Open::constant(rate_per_second, max_in_flight) })
}

/// The same, of which a target is offered half of what it gets through at most. How much that is hangs on the machine.
pub(crate) fn reduced(rate_per_second: f64, max_in_flight: usize) -> Load {
    Load::Open(Open::constant(rate_per_second, max_in_flight))
}

/// Calls a closure when a measured window opens.
pub(crate) struct OnWindow<F>(pub(crate) F);

impl<F: Fn() + Send + Sync> Observer for OnWindow<F> {
    fn on(&self, event: &Event<'_>) {
        if matches!(event, Event::WindowStarted { .. }) {
            self.0();
        }
    }
}

pub(crate) async fn measure(plan: &Plan, targets: &[Target]) -> Measured {
    measure_and(plan, targets, || {}).await
}

/// Measures, and does something each time a window opens.
pub(crate) async fn measure_and(
    plan: &Plan,
    targets: &[Target],
    on_window: impl Fn() + Send + Sync,
) -> Measured {
    loadgen::measure(plan, targets, &OnWindow(on_window), CancellationToken::new()).await.unwrap()
}
