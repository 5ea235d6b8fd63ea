//! Against a server whose delays are known, the load generator must report the truth.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::server::{Links, OnWindow, StandIn, measure, measure_and, open, plan, reduced};
use loadgen::{Load, Measured, Plan, Silent};
use reports::latency::{Latency, MAX_US};
use tokio_util::sync::CancellationToken;

const FREEZE: Duration = Duration::from_secs(1);

fn longer_than(latency: &Latency, ms: u64) -> u64 {
    latency.histogram().count_between(ms * 1000, MAX_US)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_shows_in_every_request_that_was_due_in_it() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { window: Duration::from_millis(2500), ..plan("first_page", open(100.0, 32)) };
    let measured = measure_and(&plan, &[server.target("live")], || server.freeze(50, FREEZE)).await;

    let window = &measured.windows[0];
    let offered = window.offered_per_second.unwrap();
    // Of the second, 600 ms are more than 400 ms before its end; some room is left for a busy machine.
    let (slow, due) = (longer_than(&window.timings.response, 400), offered * 0.6);
    assert!(slow as f64 >= due * 0.8, "{slow} slow responses, {due} were due");
    // The pool of 32 was exhausted; the wait for it is lag, and it is queueing, not the client's lateness.
    assert!(longer_than(&window.timings.lag, 400) > 0);
    assert!(longer_than(&window.timings.lateness, 400) == 0);
    // What a closed loop would have called the response says less than half of it.
    assert!(longer_than(&window.timings.service, 400) < slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_freeze_shows_once_per_user_in_the_closed_loop() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { window: Duration::from_millis(2500), ..plan("first_page", Load::Closed { users: 2 }) };
    let measured = measure_and(&plan, &[server.target("live")], || server.freeze(50, FREEZE)).await;

    let window = &measured.windows[0];
    assert!(window.requests > 100, "{} requests", window.requests);
    let slow = longer_than(&window.timings.response, 400);
    assert!((1..=10).contains(&slow), "{slow} slow responses of 2 users");
    assert_eq!(window.timings.response, window.timings.service);
    assert_eq!((window.timings.lag.count(), window.timings.lateness.count()), (0, 0));
    assert_eq!(window.offered_per_second, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_arrival_is_sent_and_recorded_once_in_every_histogram() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.delay(Duration::from_millis(4));
    let plan = Plan { rounds: 3, window: Duration::from_millis(500), ..plan("first_page", open(40.0, 8)) };
    let measured = measure_and(&plan, &[server.target("live")], || drop(server.queries())).await;

    assert!(measured.complete);
    assert_eq!(measured.windows.len(), 3);
    for window in &measured.windows {
        let scheduled = (window.offered_per_second.unwrap() * window.offered_s).ceil();
        assert!((window.requests as f64 - scheduled).abs() < 1.5, "{} of {scheduled}", window.requests);
        let timings = &window.timings;
        for latency in [&timings.lag, &timings.service, &timings.response, &timings.lateness] {
            assert_eq!(latency.count(), window.requests);
        }
        assert!(longer_than(&timings.service, 4) == window.requests, "no answer comes before its delay");
        assert_eq!(window.series.iter().map(|second| second.requests).sum::<u64>(), window.requests);
        assert!(window.errors.is_empty());
        assert!(window.drained_s >= timings.response.max_us().unwrap() as f64 / 1e6 - 0.01);
    }
    // What the server has seen since the last window opened is what that window says.
    assert_eq!(server.queries().len() as u64, measured.windows[2].requests);
    // Goose's count agrees with the histograms, or there would be a warning.
    assert!(!measured.warnings.iter().any(|warning| warning.contains("goose")), "{:?}", measured.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mean_of_lag_and_service_is_the_mean_of_the_response() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { window: Duration::from_secs(1), ..plan("first_page", open(100.0, 2)) };
    let measured = measure_and(&plan, &[server.target("live")], || server.freeze(10, FREEZE / 4)).await;
    let timings = &measured.windows[0].timings;
    let mean = |latency: &Latency| latency.mean_us().unwrap();
    let (parts, whole) = (mean(&timings.lag) + mean(&timings.service), mean(&timings.response));
    // Histograms keep three digits; a lag below 1 us counts as 1 us.
    assert!((parts - whole).abs() <= whole * 0.002 + 2.0, "{parts} {whole}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_target_is_offered_less_and_the_result_says_so() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.delay(Duration::from_millis(100));
    let measured = measure(&plan("first_page", reduced(50.0, 4)), &[server.target("naive")]).await;
    let window = &measured.windows[0];
    let offered = window.offered_per_second.unwrap();
    assert!(offered <= 5.0, "{offered}");
    assert!(window.requests >= 3 && window.offered_s > 0.3);
    let warning = &measured.warnings[0];
    assert!(warning.contains("`naive`") && warning.contains("instead of 50"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_measurement_and_keeps_what_was_measured() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { rounds: 50, window: Duration::from_millis(200), ..plan("first_page", open(100.0, 8)) };
    let stop = CancellationToken::new();
    // In the second window the server answers nothing any more, and somebody presses Ctrl-C.
    let second = AtomicBool::new(false);
    let observer = OnWindow(|| {
        if second.swap(true, Ordering::Relaxed) {
            server.delay(Duration::from_mins(5));
            stop.cancel();
        }
    });
    let targets = [server.target("live")];
    let measured = loadgen::measure(&plan, &targets, &observer, stop.clone()).await.unwrap();
    assert!(!measured.complete);
    assert!(measured.windows[0].requests > 0);
    assert!(measured.windows.len() <= 2);
    // A stop that waited for the server would have got here after the timeout of the requests, a minute later, and
    // with failures on record.
    assert!(measured.windows.iter().all(|window| window.errors.is_empty() && window.drained_s < 60.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_before_the_first_window_returns_an_incomplete_nothing() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.delay(Duration::from_mins(5));
    let stop = CancellationToken::new();
    stop.cancel();
    let plan = plan("first_page", open(100.0, 8));
    let measured = loadgen::measure(&plan, &[server.target("live")], &Silent, stop).await.unwrap();
    assert!(!measured.complete && measured.windows.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_in_one_process_do_not_disturb_each_other() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let once = || async {
        let server = server.clone();
        tokio::spawn(
            async move { measure(&plan("first_page", open(50.0, 4)), &[server.target("live")]).await },
        )
        .await
        .unwrap()
    };
    let requests = |measured: &Measured| measured.windows[0].requests;
    let first = once().await;
    let (second, third) = tokio::join!(once(), once());
    for measured in [&first, &second, &third] {
        assert!(measured.complete && requests(measured) >= 3, "{measured:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_measurement_sends_nothing_more() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { rounds: 1000, ..plan("first_page", open(100.0, 8)) };
    let (opened, mut windows) = tokio::sync::mpsc::unbounded_channel();
    let observer = OnWindow(move || opened.send(()).unwrap_or_default());
    let targets = [server.target("live")];
    let measurement = loadgen::measure(&plan, &targets, &observer, CancellationToken::new());
    tokio::select! {
        _ = measurement => panic!("a thousand rounds can't be over"),
        second = async { windows.recv().await; windows.recv().await } => assert!(second.is_some()),
    }
    // Everything that was in flight is gone once a request of our own has been answered after it.
    let answered = async || reqwest::get(server.target("").list_url().unwrap()).await.unwrap().status();
    answered().await;
    drop(server.queries());
    let until = Instant::now() + Duration::from_millis(300);
    let mut own = 0;
    while Instant::now() < until {
        answered().await;
        own += 1;
    }
    assert_eq!(server.queries().len(), own);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_is_measured_twice_a_round() {
    let (one, two) = (StandIn::serve(50, Links::Cursors).await, StandIn::serve(50, Links::Cursors).await);
    let mut control = two.target("control");
    control.control = true;
    let plan = Plan { rounds: 2, window: Duration::from_millis(100), ..plan("first_page", open(50.0, 4)) };
    let measured = measure(&plan, &[one.target("other"), control]).await;
    let passes = |subject: &str| {
        let mut passes: Vec<_> = measured
            .windows
            .iter()
            .filter(|window| window.subject == subject)
            .map(|window| (window.round, window.pass))
            .collect();
        passes.sort_unstable();
        passes
    };
    assert_eq!(passes("other"), [(1, 1), (2, 1)]);
    assert_eq!(passes("control"), [(1, 1), (1, 2), (2, 1), (2, 2)]);
    assert!(measured.windows.is_sorted_by(|a, b| a.opened_s + a.drained_s <= b.opened_s), "windows overlap");
}
