//! A capacity that is known is found.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loadgen::arrivals::Process;
use loadgen::curves::{Found, Progress, Sought, Trial, capacity};
use loadgen::{Event, Observer, scenarios};
use reports::curves::{End, Stage, Step, Verdict};
use tokio_util::sync::CancellationToken;

use crate::server::{Fault, Links, StandIn};

/// Four at a time, each for 50 ms: 80 a second.
const PLACES: usize = 4;
const SERVICE: Duration = Duration::from_millis(50);
const CAPACITY: f64 = 80.0;

pub(crate) fn sought(objective: &str) -> Sought {
    Sought {
        scenario: scenarios::find("first_page").unwrap(),
        objectives: vec![objective.parse().unwrap()],
        from: Some(25.0),
        max: None,
        precision: 0.2,
        step: Duration::from_secs(2),
        confirm: Duration::from_secs(3),
        warm_up: Duration::from_millis(200),
        max_in_flight: 64,
        process: Process::Constant,
        page_size: 5,
        workspace: "shop".into(),
        seed: 1,
    }
}

/// Calls a closure before and another after each step.
struct Watch<B, A>(B, A);

impl<B: Send + Sync, A: Send + Sync> Observer for Watch<B, A> {
    fn on(&self, _: &Event<'_>) {}
}

impl<B: Fn() + Send + Sync, A: Fn(&Step) + Send + Sync> Progress for Watch<B, A> {
    fn trying(&self, _: &Trial, _: Duration) {
        self.0();
    }

    fn tried(&self, step: &Step) {
        self.1(step);
    }
}

async fn search(
    sought: &Sought,
    server: &StandIn,
    stop: CancellationToken,
    before: impl Fn() + Send + Sync,
    after: impl Fn(&Step) + Send + Sync,
) -> Found {
    capacity(sought, &server.target("live"), &Watch(before, after), stop).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bounds_enclose_the_capacity_of_the_server() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.places(PLACES, SERVICE);
    let found =
        search(&sought("p90 < 300ms"), &server, CancellationToken::new(), || drop(server.queries()), |_| {})
            .await;
    let (lower, upper) = (found.lower.unwrap(), found.upper.unwrap());
    // For the two seconds of a step, and the 300 ms of its objective, a little more than the capacity can be held.
    assert!(lower <= CAPACITY * 1.12 && upper >= CAPACITY * 0.95, "{lower} to {upper}: {:?}", found.steps);
    assert!(upper / lower <= 1.2 + 1e-9);
    assert_eq!(found.end, End::Confirmed);
    let last = found.steps.last().unwrap();
    assert_eq!((last.stage, last.verdict), (Stage::Confirming, Verdict::Holds));
    assert!((last.asked_per_second - lower).abs() < 1e-9 && last.offered_s > found.steps[0].offered_s);
    // What the last step says is what the server saw in it, with the warm-up before it.
    let near = |requests: u64, expected: f64| (requests as f64 - expected).abs() < 1.5;
    let seen = server.queries().len() as u64;
    assert!(near(seen - last.requests, last.asked_per_second * 0.2), "{seen} {last:?}");
    for step in &found.steps {
        assert!(near(step.requests + step.unsent, step.asked_per_second * step.offered_s), "{step:?}");
        assert_eq!(step.response.count(), step.requests);
        assert!(step.cpu.client_s.is_some() && step.cpu.database_s.is_none());
        let reached = step.reached_per_second;
        assert!(reached < CAPACITY * 1.05, "{reached}/s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_backlog_leaks_from_a_step_that_broke_into_the_next_one() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.places(PLACES, SERVICE);
    // Ten times the capacity: given up with most of it unsent, and half of it again.
    let sought = Sought { from: Some(800.0), step: Duration::from_millis(500), ..sought("p90 < 300ms") };
    let stop = CancellationToken::new();
    let found = search(
        &sought,
        &server,
        stop.clone(),
        || {},
        |step| {
            if step.verdict == Verdict::Holds {
                stop.cancel();
            }
        },
    )
    .await;
    let first = &found.steps[0];
    assert!(first.unsent > 100 && first.verdict == Verdict::Breaks, "{first:?}");
    let held = found.steps.last().unwrap();
    assert!(held.asked_per_second <= CAPACITY * 1.3 && held.verdict == Verdict::Holds);
    assert!(found.steps.iter().rev().skip(1).all(|step| step.verdict != Verdict::Holds));
    // Interrupted after it, the search knows the bounds that it had by then.
    assert_eq!((found.end, found.lower), (End::Interrupted, Some(held.asked_per_second)));
    assert_eq!(found.upper, Some(held.asked_per_second * 2.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_fast_holds_nothing() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let sought = Sought { step: Duration::from_millis(300), ..sought("errors < 10%") };
    let begun = || server.fault(Fault::Status(503));
    let found = search(&sought, &server, CancellationToken::new(), begun, |_| {}).await;
    assert_eq!((found.end, found.lower), (End::NothingHeld, None));
    assert_eq!(found.upper, Some(found.settings.from_per_second), "the first rate was raised to the lowest");
    let step = &found.steps[0];
    assert_eq!((step.failed, step.errors["status 503"]), (step.requests, step.requests));
    assert!(found.warnings[0].contains("instead of 25/s"), "{:?}", found.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_highest_rate_that_may_be_tried_is_the_answer_if_it_holds() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let tried = AtomicUsize::new(0);
    let sought = Sought {
        from: None,
        max: Some(60.0),
        step: Duration::from_millis(400),
        confirm: Duration::from_millis(800),
        process: Process::Poisson,
        ..sought("p50 < 2s")
    };
    let count = || {
        tried.fetch_add(1, Ordering::Relaxed);
    };
    let found = search(&sought, &server, CancellationToken::new(), count, |_| {}).await;
    assert_eq!((found.end, found.lower, found.upper), (End::Confirmed, Some(60.0), None));
    assert_eq!(tried.into_inner(), found.steps.len());
}

#[tokio::test]
async fn a_search_that_can_not_be_made_is_refused_before_anything_is_sent() {
    let server = StandIn::serve(50, Links::Cursors).await;
    for (sought, says) in [
        (Sought { objectives: vec![], ..sought("p50 < 1s") }, "no objective"),
        (Sought { precision: 0.0, ..sought("p50 < 1s") }, "precision"),
        (Sought { from: Some(0.0), ..sought("p50 < 1s") }, "rate"),
        (Sought { max_in_flight: 0, ..sought("p50 < 1s") }, "0 requests in flight"),
        (Sought { step: Duration::ZERO, ..sought("p50 < 1s") }, "0 s"),
    ] {
        let target = server.target("live");
        let nobody = Watch(|| {}, |_: &Step| {});
        let error =
            capacity(&sought, &target, &nobody, CancellationToken::new()).await.unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
    assert!(server.queries().is_empty());
}
