//! What Prometheus is told: counters that grow over all windows of the command, and gauges of the window that is open.
//!
//! Everything comes from the same looks that a terminal shows, so it is at most a second old. A gauge exists only while a
//! window is open and its figure is known: one that kept its last value would go on telling of a load that is over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use loadgen::{Event, Position, Tick};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// What each name begins with. The reference server's own begin with `callbench_` alone.
const PREFIX: &str = "callbench_load";

/// Upper bounds of the classes of the response time, in seconds: three to each power of ten up to 10 s, then 30 s, one minute and
/// two. Where a request is given up is for `--timeout` to say; it may have been due long before it was sent, so there is more
/// beyond.
const CLASSES: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// Kinds of failure that are told apart. What a server answers must not make this endless.
const KINDS: usize = 50;

/// What further kinds are called together.
const OTHER: &str = "other";

/// Labels of what is counted request by request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    subject: String,
    scenario: String,
    operation: String,
}

/// The same, by kind of failure.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    subject: String,
    scenario: String,
    operation: String,
    kind: String,
}

/// Labels of what is true of a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfScenario {
    subject: String,
    scenario: String,
}

/// Labels of what is seen of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfParty {
    subject: String,
    party: &'static str,
}

/// Labels of what is seen of a database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSubject {
    subject: String,
}

type Level = Gauge<f64, AtomicU64>;

/// Everything that is told.
pub(crate) struct Metrics {
    registry: Registry,
    figures: Figures,
    known: Mutex<Known>,
}

struct Figures {
    requests: Family<OfOperation, Counter>,
    errors: Family<OfKind, Counter>,
    response: Family<OfOperation, Histogram, fn() -> Histogram>,
    due: Family<OfScenario, Counter>,
    skipped: Family<OfScenario, Counter>,
    windows: Family<OfScenario, Counter>,
    asked: Family<OfScenario, Level>,
    reached: Family<OfScenario, Level>,
    in_flight: Family<OfScenario, Level>,
    queued: Family<OfScenario, Level>,
    lateness: Family<OfScenario, Level>,
    cores: Family<OfParty, Level>,
    lock_waits: Family<OfSubject, Level>,
    deadlocks: Family<OfSubject, Counter>,
}

/// What has to be remembered from one look to the next.
#[derive(Default)]
struct Known {
    kinds: BTreeSet<String>,
    /// By subject, how many deadlocks of the measurement under way are counted already.
    deadlocks: BTreeMap<String, u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        ours.register("build", "What runs here", Info::new(build));
        let figures = Figures::new();
        figures.register(ours);
        Self { registry, figures, known: Mutex::default() }
    }

    /// All of it, in the text format of `OpenMetrics` 1.0.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Another measurement begins, which counts deadlocks from zero.
    pub(crate) fn begin(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).deadlocks.clear();
    }

    pub(crate) fn on(&self, event: &Event<'_>) {
        match event {
            Event::Second { window, tick } => self.look(window, tick),
            Event::WindowFinished { window, .. } => {
                self.figures.windows.get_or_create(&of_scenario(window)).inc();
                self.nothing_runs();
            }
            _ => {}
        }
    }

    fn look(&self, window: &Position<'_>, tick: &Tick) {
        let figures = &self.figures;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for part in &tick.parts {
            let labels = OfOperation {
                subject: window.subject.to_owned(),
                scenario: window.operation.to_owned(),
                operation: part.operation.clone(),
            };
            figures.requests.get_or_create(&labels).inc_by(part.response_us.len() as u64);
            let response = figures.response.get_or_create(&labels);
            for us in &part.response_us {
                response.observe(f64::from(*us) / 1e6);
            }
            for (kind, count) in &part.errors {
                let is_known = known.kinds.contains(kind)
                    || (known.kinds.len() < KINDS && known.kinds.insert(kind.clone()));
                let OfOperation { subject, scenario, operation } = labels.clone();
                let kind = if is_known { kind.clone() } else { OTHER.to_owned() };
                figures.errors.get_or_create(&OfKind { subject, scenario, operation, kind }).inc_by(*count);
            }
        }
        let scenario = of_scenario(window);
        figures.skipped.get_or_create(&scenario).inc_by(tick.lately.skipped);
        if let Some(due) = tick.lately.due {
            figures.due.get_or_create(&scenario).inc_by(due);
        }
        set(&figures.asked, &scenario, tick.asked_per_second());
        set(&figures.reached, &scenario, tick.reached_per_second());
        set(&figures.in_flight, &scenario, Some(tick.in_flight as f64));
        set(&figures.queued, &scenario, tick.queued.map(|queued| queued as f64));
        let lateness_us = tick.so_far.lateness_p99_us;
        set(&figures.lateness, &scenario, lateness_us.map(|us| us as f64 / 1e6));

        let OfScenario { subject, .. } = scenario;
        let parties = [
            ("client", tick.seen.client_cores),
            ("server", tick.seen.server_cores),
            ("database", tick.seen.database_cores),
        ];
        for (party, cores) in parties {
            set(&figures.cores, &OfParty { subject: subject.clone(), party }, cores);
        }
        let subject = OfSubject { subject };
        set(&figures.lock_waits, &subject, tick.seen.waiting_for_lock.map(|waiting| waiting as f64));
        if let Some(deadlocks) = tick.seen.deadlocks {
            let counted = known.deadlocks.entry(subject.subject.clone()).or_default();
            figures.deadlocks.get_or_create(&subject).inc_by(deadlocks.saturating_sub(*counted));
            *counted = deadlocks.max(*counted);
        }
    }

    /// Between windows no figure of a moment is true.
    fn nothing_runs(&self) {
        let figures = &self.figures;
        for family in
            [&figures.asked, &figures.reached, &figures.in_flight, &figures.queued, &figures.lateness]
        {
            family.clear();
        }
        figures.cores.clear();
        figures.lock_waits.clear();
    }
}

impl Figures {
    fn new() -> Self {
        Self {
            requests: Family::default(),
            errors: Family::default(),
            response: Family::new_with_constructor(|| Histogram::new(CLASSES)),
            due: Family::default(),
            skipped: Family::default(),
            windows: Family::default(),
            asked: Family::default(),
            reached: Family::default(),
            in_flight: Family::default(),
            queued: Family::default(),
            lateness: Family::default(),
            cores: Family::default(),
            lock_waits: Family::default(),
            deadlocks: Family::default(),
        }
    }

    fn register(&self, to: &mut Registry) {
        to.register("requests", "Requests answered or failed in measured windows", self.requests.clone());
        to.register("errors", "Of these, failed ones by kind", self.errors.clone());
        let response = "From when a request was due until its answer had come whole";
        to.register_with_unit("response", response, Unit::Seconds, self.response.clone());
        to.register("due", "Arrivals that the schedule held so far", self.due.clone());
        to.register("skipped", "Arrivals that were dropped with all workers busy", self.skipped.clone());
        to.register("windows", "Measured windows that are over", self.windows.clone());
        let asked = "Arrivals per second that the schedule held during the last second";
        to.register("asked_requests_per_second", asked, self.asked.clone());
        let reached = "Requests per second answered or failed during the last second";
        to.register("reached_requests_per_second", reached, self.reached.clone());
        to.register("requests_in_flight", "Requests sent and not answered yet", self.in_flight.clone());
        to.register("requests_queued", "Requests due and not sent yet", self.queued.clone());
        let lateness = "What the client itself was late by since the window opened, 99th percentile";
        to.register_with_unit("lateness_p99", lateness, Unit::Seconds, self.lateness.clone());
        to.register("cpu_cores", "Cores in use during the last second sampled", self.cores.clone());
        to.register("lock_waits", "Sessions of the database that wait for a lock", self.lock_waits.clone());
        to.register("deadlocks", "Deadlocks that the database counted", self.deadlocks.clone());
    }
}

fn of_scenario(window: &Position<'_>) -> OfScenario {
    OfScenario { subject: window.subject.to_owned(), scenario: window.operation.to_owned() }
}

/// Sets a gauge, or takes it away if its figure is not known.
fn set<S>(family: &Family<S, Level>, labels: &S, value: Option<f64>)
where
    S: Clone + std::hash::Hash + Eq,
{
    match value {
        Some(value) => {
            family.get_or_create(labels).set(value);
        }
        None => {
            family.remove(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::sample;

    const MIX: &str = "subject=\"live\",scenario=\"mix\"";

    /// The value of a sample; `None` if it is not there.
    fn value(text: &str, sample: &str) -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
        Some(line.parse().expect("a number"))
    }

    fn finished() -> Event<'static> {
        Event::WindowFinished {
            window: sample::window(),
            requests: 360,
            errors: 4,
            p50_us: None,
            p99_us: None,
        }
    }

    #[test]
    fn counters_add_up_what_was_seen_and_classes_are_cumulative() {
        let metrics = Metrics::new();
        for _ in 0..2 {
            metrics.on(&Event::Second { window: sample::window(), tick: &sample::tick() });
        }
        metrics.on(&finished());
        let text = metrics.text().unwrap();
        let of = |name: &str, labels: &str| value(&text, &format!("callbench_load_{name}{{{MIX}{labels}}}"));
        let (pages, details) = (",operation=\"mix/first_page\"", ",operation=\"mix/detail\"");
        assert_eq!(of("requests_total", pages), Some(300.0));
        assert_eq!(of("requests_total", details), Some(60.0));
        assert_eq!(of("errors_total", &format!("{details},kind=\"connect\"")), Some(2.0));
        assert_eq!(of("errors_total", &format!("{details},kind=\"timeout\"")), None);
        assert_eq!((of("due_total", ""), of("skipped_total", "")), (Some(400.0), Some(4.0)));
        assert_eq!(of("windows_total", ""), Some(1.0));
        let class = |bound: &str, labels: &str| {
            value(&text, &format!("callbench_load_response_seconds_bucket{{le=\"{bound}\",{MIX}{labels}}}"))
        };
        // 30 ms lie above the class of 25 ms, and 2 ms below that of 2.5.
        assert_eq!((class("0.001", pages), class("0.0025", pages)), (Some(0.0), Some(300.0)));
        assert_eq!((class("0.025", details), class("0.05", details)), (Some(0.0), Some(60.0)));
        assert_eq!((class("+Inf", details), of("response_seconds_count", details)), (Some(60.0), Some(60.0)));
        assert!((of("response_seconds_sum", details).unwrap() - 1.8).abs() < 1e-9);
    }

    #[test]
    fn gauges_are_there_while_a_window_is_open_and_known_and_gone_after_it() {
        let metrics = Metrics::new();
        metrics.on(&Event::Second { window: sample::window(), tick: &sample::tick() });
        let text = metrics.text().unwrap();
        let of = |text: &str, name: &str| value(text, &format!("callbench_load_{name}{{{MIX}}}"));
        let cores = "callbench_load_cpu_cores{subject=\"live\",party=\"database\"}";
        let waits = "callbench_load_lock_waits{subject=\"live\"}";
        assert_eq!(of(&text, "asked_requests_per_second"), Some(200.0));
        assert_eq!(of(&text, "reached_requests_per_second"), Some(180.0));
        assert_eq!((of(&text, "requests_in_flight"), of(&text, "requests_queued")), (Some(7.0), Some(13.0)));
        assert_eq!(of(&text, "lateness_p99_seconds"), Some(0.000_09));
        assert_eq!((value(&text, cores), value(&text, waits)), (Some(1.25), Some(4.0)));

        let unseen = Tick { seen: loadgen::probes::Seen::default(), queued: None, ..sample::tick() };
        metrics.on(&Event::Second { window: sample::window(), tick: &unseen });
        let text = metrics.text().unwrap();
        assert_eq!(
            (value(&text, cores), value(&text, waits), of(&text, "requests_queued")),
            (None, None, None)
        );
        assert_eq!(of(&text, "requests_in_flight"), Some(7.0));

        metrics.on(&finished());
        let text = metrics.text().unwrap();
        for gone in ["asked_requests_per_second", "requests_in_flight", "lateness_p99_seconds"] {
            assert_eq!(of(&text, gone), None, "{gone}");
        }
    }

    #[test]
    fn deadlocks_grow_over_measurements_that_each_count_from_zero() {
        let metrics = Metrics::new();
        let with = |deadlocks| {
            let mut tick = sample::tick();
            tick.seen.deadlocks = deadlocks;
            metrics.on(&Event::Second { window: sample::window(), tick: &tick });
            value(&metrics.text().unwrap(), "callbench_load_deadlocks_total{subject=\"live\"}")
        };
        assert_eq!(with(None), None);
        assert_eq!([with(Some(0)), with(Some(2)), with(Some(2))], [Some(0.0), Some(2.0), Some(2.0)]);
        metrics.begin();
        assert_eq!([with(Some(1)), with(Some(3))], [Some(3.0), Some(5.0)]);
    }

    #[test]
    fn kinds_of_failure_without_end_are_counted_together() {
        let metrics = Metrics::new();
        let mut tick = sample::tick();
        tick.parts.truncate(1);
        tick.parts[0].errors = (0..KINDS as u64 + 3).map(|number| (format!("kind {number:03}"), 1)).collect();
        metrics.on(&Event::Second { window: sample::window(), tick: &tick });
        metrics.on(&Event::Second { window: sample::window(), tick: &tick });
        let text = metrics.text().unwrap();
        let of = |kind: &str| {
            let labels = format!("{MIX},operation=\"mix/first_page\",kind=\"{kind}\"");
            value(&text, &format!("callbench_load_errors_total{{{labels}}}"))
        };
        assert_eq!((of("kind 000"), of("other")), (Some(2.0), Some(6.0)));
        assert_eq!(text.matches("callbench_load_errors_total{").count(), KINDS + 1);
    }
}
