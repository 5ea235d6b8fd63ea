//! What is due is what was asked for: ramps, recordings, a pool that is too small, a target that is too slow.

use std::sync::Arc;
use std::time::Duration;

use crate::server::{Links, OnWindow, StandIn, measure, measure_and, open, plan};
use loadgen::arrivals::{Pattern, Process, Rate, Replay};
use loadgen::scenarios;
use loadgen::{Event, Load, Observer, Open, Plan, Silent};
use reports::latency::MAX_US;
use reports::run::{LoadModel, OnOverload, WhenBusy};
use tokio_util::sync::CancellationToken;

/// The open loop as `callbench load` runs it.
fn offered(pattern: Pattern, max_in_flight: usize, when_busy: WhenBusy) -> Load {
    Load::Open(Open { pattern, max_in_flight, when_busy, on_overload: OnOverload::Offer })
}

fn constant(per_second: f64) -> Pattern {
    Pattern::Drawn { rate: Rate::constant(per_second), process: Process::Constant }
}

fn recorded(lines: &'static str, speed: f64) -> Pattern {
    let replay = Replay::read("recorded.txt".to_owned(), lines.as_bytes()).unwrap();
    Pattern::Replayed { replay: Arc::new(replay), speed }
}

fn longer_than(latency: &reports::latency::Latency, ms: u64) -> u64 {
    latency.histogram().count_between(ms * 1000, MAX_US)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ramp_sends_in_each_second_what_it_says() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let ramp = Pattern::Drawn { rate: Rate::ramp(0.0, 100.0), process: Process::Constant };
    let load = offered(ramp, 32, WhenBusy::Queue);
    let measured = measure(
        &Plan { window: Duration::from_secs(2), ..plan("first_page", load) },
        &[server.target("live")],
    )
    .await;
    let window = &measured.windows[0];
    // 25 t² are due by t: 25 in the first second, 75 in the other, and the one at 0.
    let seconds: Vec<_> = window.series.iter().map(|second| second.requests).collect();
    assert_eq!((seconds, window.offered_per_second), (vec![25, 75], Some(50.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_sends_each_line_at_its_time_and_to_its_scenario() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let lines = "0 first_page\n0.4\n0.8 page_100\n2.2 page_100\n2.4 first_page\n";
    let load = offered(recorded(lines, 2.0), 8, WhenBusy::Queue);
    let length = load.length().unwrap();
    let plan = Plan {
        scenarios: ["first_page", "page_100"].map(|name| scenarios::find(name).unwrap()).into(),
        window: length,
        ..plan("first_page", load)
    };
    let measured = measure(&plan, &[server.target("live")]).await;
    // Five lines in 2.4 s have a mean gap of 0.6 s; at twice the speed the whole lasts 1.5 s.
    assert_eq!(length, Duration::from_millis(1500));
    for window in &measured.windows {
        let seconds: Vec<_> = window.series.iter().map(|second| second.requests).collect();
        assert_eq!(seconds, [2, 1], "{}", window.operation);
        assert!(window.errors.is_empty() && (window.offered_per_second.unwrap() - 2.0).abs() < 1e-9);
    }
    let LoadModel::Open(kept) = plan.kept(&[]).load else { panic!("a replay is an open loop") };
    let replay = kept.replay.unwrap();
    assert_eq!((replay.file.as_str(), replay.arrivals, replay.sha256.len()), ("recorded.txt", 5, 64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_mix_sends_each_line_to_the_operation_that_it_names() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let load = offered(
        recorded("0 page_100\n0.1 page_100\n0.2 page_100\n0.3 first_page\n", 1.0),
        8,
        WhenBusy::Queue,
    );
    // By its weights nearly everything would be a first page.
    let mix = scenarios::read(&["first_page=999".to_owned(), "page_100=1".to_owned()]).unwrap();
    let plan = Plan { scenarios: mix, window: load.length().unwrap(), ..plan("first_page", load) };
    let measured = measure(&plan, &[server.target("live")]).await;
    let sent: Vec<_> =
        measured.windows.iter().map(|window| (window.operation.as_str(), window.requests)).collect();
    assert_eq!(sent, [("mix", 4), ("mix/first_page", 1), ("mix/page_100", 3)]);
    assert!(measured.windows.iter().all(|window| window.errors.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_arrival_is_sent_or_counted_as_skipped() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let load = offered(constant(100.0), 2, WhenBusy::Skip);
    let plan = Plan { window: Duration::from_secs(2), ..plan("first_page", load) };
    let measured =
        measure_and(&plan, &[server.target("live")], || server.freeze(10, Duration::from_secs(1))).await;
    let window = &measured.windows[0];
    assert_eq!(window.requests + window.skipped, 200);
    // The second of the freeze holds 100 arrivals, of which the two workers have taken two.
    assert!(window.skipped >= 90, "{}", window.skipped);
    // Nobody stood in a queue behind them, and what was sent is a valid window.
    assert_eq!(longer_than(&window.timings.lag, 500), 0);
    assert!(window.invalid.is_empty(), "{:?}", window.invalid);
    let said = format!("{} of 200 arrivals of first_page on `live` were skipped", window.skipped);
    assert!(measured.warnings.iter().any(|warning| warning.starts_with(&said)), "{:?}", measured.warnings);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_freeze_makes_everybody_wait_where_arrivals_queue() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let load = offered(constant(100.0), 2, WhenBusy::Queue);
    let plan = Plan { window: Duration::from_secs(2), ..plan("first_page", load) };
    let measured =
        measure_and(&plan, &[server.target("live")], || server.freeze(10, Duration::from_secs(1))).await;
    let window = &measured.windows[0];
    assert_eq!((window.requests, window.skipped), (200, 0));
    // Half of the 100 that were due in it were due more than half a second before its end.
    assert!(longer_than(&window.timings.lag, 500) >= 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_is_too_high_is_offered_all_the_same_and_the_result_says_that_it_was_not_held() {
    let server = StandIn::serve(50, Links::Cursors).await;
    server.delay(Duration::from_millis(50));
    // Two workers answer 40 a second at most.
    let load = offered(constant(100.0), 2, WhenBusy::Queue);
    let plan = Plan { window: Duration::from_secs(1), ..plan("first_page", load) };
    let measured = measure(&plan, &[server.target("live")]).await;
    let window = &measured.windows[0];
    assert_eq!((window.offered_per_second, window.requests), (Some(100.0), 100));
    assert!(window.drained_s > 2.0, "{}", window.drained_s);
    let warning = &measured.warnings[0];
    assert!(warning.starts_with("`live` could not hold first_page at 100.0 requests/s"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_backlog_of_a_window_does_not_reach_the_next_one() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let load = offered(constant(50.0), 2, WhenBusy::Queue);
    let plan = Plan { rounds: 2, window: Duration::from_millis(500), ..plan("first_page", load) };
    let first = std::sync::atomic::AtomicBool::new(true);
    let measured = measure_and(&plan, &[server.target("live")], || {
        if first.swap(false, std::sync::atomic::Ordering::Relaxed) {
            server.freeze(5, Duration::from_secs(1));
        }
    })
    .await;
    let [held_up, next] = &measured.windows[..] else { panic!("two rounds, two windows") };
    assert!(held_up.drained_s > 1.0 && longer_than(&held_up.timings.lag, 400) > 0);
    assert!(next.opened_s >= held_up.opened_s + held_up.drained_s, "windows overlap");
    assert_eq!((next.requests, longer_than(&next.timings.lag, 400)), (25, 0));
}

/// Freezes a server while it is warmed up.
struct OnWarmUp<'a>(&'a StandIn);

impl Observer for OnWarmUp<'_> {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Warming { .. } => self.0.freeze(0, Duration::from_secs(1)),
            Event::WindowStarted { .. } => drop(self.0.queries()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_up_in_the_warm_up_does_not_reach_the_first_window() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let load = offered(constant(50.0), 8, WhenBusy::Queue);
    let plan = Plan { window: Duration::from_millis(500), ..plan("first_page", load) };
    let targets = [server.target("live")];
    let measured = loadgen::measure(&plan, &targets, &OnWarmUp(&server), CancellationToken::new()).await;
    let window = &measured.unwrap().windows[0];
    // It opened when the freeze was over, and the server has seen in it what was due in it.
    assert!(window.opened_s > 1.0, "{}", window.opened_s);
    assert_eq!((window.requests, server.queries().len()), (25, 25));
    assert_eq!(longer_than(&window.timings.lag, 400), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_seen_while_the_next_request_is_an_hour_away() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let load = offered(constant(1.0 / 3600.0), 64, WhenBusy::Queue);
    let plan = Plan { window: Duration::from_hours(5), ..plan("first_page", load) };
    let stop = CancellationToken::new();
    let (opened, mut window) = tokio::sync::mpsc::unbounded_channel();
    let observer = OnWindow(|| {
        drop(server.queries());
        opened.send(()).unwrap();
    });
    let targets = [server.target("live")];
    let measurement = loadgen::measure(&plan, &targets, &observer, stop.clone());
    let first = async {
        window.recv().await.unwrap();
        // One is due at once, and the next one in an hour.
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while server.queries().is_empty() {
            assert!(std::time::Instant::now() < deadline, "the first arrival was never sent");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let (measured, ()) = tokio::join!(measurement, first);
    let measured = measured.unwrap();
    assert!(!measured.complete);
    assert!(measured.windows.iter().all(|window| window.requests <= 1 && window.drained_s < 3600.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_draws_the_same_schedule_for_every_target() {
    let (one, two) = (StandIn::serve(50, Links::Cursors).await, StandIn::serve(50, Links::Cursors).await);
    let pattern = Pattern::Drawn { rate: Rate::constant(60.0), process: Process::Poisson };
    let load = offered(pattern.clone(), 32, WhenBusy::Queue);
    let plan = Plan { window: Duration::from_secs(2), ..plan("first_page", load) };
    let measured =
        loadgen::measure(&plan, &[one.target("a"), two.target("b")], &Silent, CancellationToken::new())
            .await
            .unwrap();
    let per_second = |index: usize| {
        measured.windows[index].series.iter().map(|second| second.requests).collect::<Vec<_>>()
    };
    assert_eq!(per_second(0), per_second(1));
    let seed = loadgen::rounds::arrival_seed(plan.seed, 1, 0, 1);
    let due = pattern.arrivals(plan.window, seed).map(|arrival| arrival.due.as_secs());
    let drawn = due.fold(vec![0, 0], |mut seconds, second| {
        seconds[usize::try_from(second).unwrap()] += 1;
        seconds
    });
    assert_eq!(per_second(0), drawn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_an_arrival_is_refused_before_anything_is_sent() {
    let server = StandIn::serve(50, Links::Cursors).await;
    for load in [open(0.0, 4), offered(recorded("0 page_100", 1.0), 4, WhenBusy::Queue)] {
        let plan = plan("first_page", load);
        let refused =
            loadgen::measure(&plan, &[server.target("live")], &Silent, CancellationToken::new()).await;
        assert!(matches!(refused, Err(loadgen::Error::Plan { .. })), "{refused:?}");
    }
    assert!(server.queries().is_empty());
}
