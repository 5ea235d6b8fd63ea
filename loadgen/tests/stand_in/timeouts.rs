//! A request that never gets an answer is given up, and is part of the result like any other.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::server::{Links, StandIn, measure, measure_and, open, plan};
use loadgen::{Load, Measured, Plan};
use reports::latency::{Latency, MAX_US};

const TIMEOUT: Duration = Duration::from_millis(300);

/// Longer than any test runs.
const NEVER: Duration = Duration::from_hours(10);

/// Measures a server that takes requests, and answers none from the moment on at which the window opens.
async fn unanswered(load: Load) -> (StandIn, Measured) {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { timeout: TIMEOUT, window: Duration::from_millis(500), ..plan("first_page", load) };
    let measured = measure_and(&plan, &[server.target("live")], || {
        drop(server.queries());
        server.delay(NEVER);
    })
    .await;
    (server, measured)
}

/// How many values are no shorter than the timeout. The histogram keeps three digits.
fn as_long_as_the_timeout(latency: &Latency) -> u64 {
    latency.histogram().count_between(299_000, MAX_US)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_an_answer_is_an_error_and_its_wait_is_a_response() {
    let (server, measured) = unanswered(open(20.0, 32)).await;
    let window = &measured.windows[0];
    assert_eq!((window.requests, server.queries().len()), (10, 10));
    assert_eq!(window.errors, BTreeMap::from([("timeout".to_owned(), 10)]));
    for latency in [&window.timings.response, &window.timings.service] {
        assert_eq!((latency.count(), as_long_as_the_timeout(latency)), (10, 10));
    }
    let seconds: Vec<_> = window.series.iter().map(|second| (second.requests, second.errors)).collect();
    assert_eq!(seconds, [(10, 10)]);
    // The time of the plan, and not the minute of those that say nothing.
    assert!(window.timings.service.max_us().unwrap() < 60_000_000);
    assert!(window.drained_s >= 0.45 + TIMEOUT.as_secs_f64(), "{}", window.drained_s);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_behind_such_a_request_has_waited_for_it_too() {
    let (_server, measured) = unanswered(open(20.0, 1)).await;
    let window = &measured.windows[0];
    assert_eq!(window.errors, BTreeMap::from([("timeout".to_owned(), 10)]));
    // The tenth was due after 450 ms and sent after nine timeouts.
    let longest = window.timings.response.max_us().unwrap();
    assert!(longest >= 10 * 299_000 - 450_000, "{longest}");
    assert_eq!(as_long_as_the_timeout(&window.timings.service), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closed_loop_gives_up_as_well() {
    let (server, measured) = unanswered(Load::Closed { users: 2 }).await;
    let window = &measured.windows[0];
    assert_eq!(window.requests, server.queries().len() as u64);
    assert_eq!(window.errors, BTreeMap::from([("timeout".to_owned(), window.requests)]));
    assert_eq!(as_long_as_the_timeout(&window.timings.response), window.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_within_the_time_is_no_timeout_and_the_result_says_what_the_time_was() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.delay(Duration::from_millis(20));
    let patient = plan("first_page", open(20.0, 8));
    let measured = measure(&patient, &[server.target("live")]).await;
    assert!(measured.windows[0].errors.is_empty());
    assert_eq!(patient.kept(&[]).timeout_ms, 60_000);
    assert_eq!(Plan { timeout: TIMEOUT, ..patient }.kept(&[]).timeout_ms, 300);
}
