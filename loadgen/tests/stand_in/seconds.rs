//! What is told of a window while it is open adds up to what the result says of it.

use std::sync::Mutex;
use std::time::Duration;

use crate::capacities::sought;
use crate::server::{Fault, Links, StandIn, open, plan};
use loadgen::curves::{Progress, Sought, Trial};
use loadgen::{Event, Load, Measured, Observer, Plan, Tick, scenarios};
use reports::curves::Step;
use tokio_util::sync::CancellationToken;

/// Keeps every look, and does something when a window opens.
struct Looks<F> {
    on_window: F,
    kept: Mutex<Kept>,
}

/// The looks, each with the number of its window; and how many windows were opened and finished.
#[derive(Default)]
struct Kept {
    looks: Vec<(usize, Tick)>,
    opened: usize,
    finished: usize,
}

impl<F: Fn() + Send + Sync> Looks<F> {
    fn and(on_window: F) -> Self {
        Self { on_window, kept: Mutex::default() }
    }

    async fn measure(&self, plan: &Plan, server: &StandIn) -> Measured {
        loadgen::measure(plan, &[server.target("live")], self, CancellationToken::new()).await.unwrap()
    }

    /// The looks, after as many windows as these were opened and finished.
    fn of_windows(self, windows: usize) -> Vec<(usize, Tick)> {
        let kept = self.kept.into_inner().unwrap();
        assert_eq!((kept.opened, kept.finished), (windows, windows));
        kept.looks
    }
}

impl<F: Fn() + Send + Sync> Observer for Looks<F> {
    fn on(&self, event: &Event<'_>) {
        let mut kept = self.kept.lock().unwrap();
        match event {
            Event::WindowStarted { .. } => {
                (self.on_window)();
                kept.opened += 1;
            }
            Event::Second { window, tick } => kept.looks.push((window.number, (*tick).clone())),
            Event::WindowFinished { .. } => kept.finished += 1,
            _ => {}
        }
    }
}

impl<F: Fn() + Send + Sync> Progress for Looks<F> {
    fn trying(&self, _: &Trial, _: Duration) {}
    fn tried(&self, _: &Step) {}
}

/// The looks at one window, each of which goes on where the one before ended.
fn of(looks: &[(usize, Tick)], number: usize) -> Vec<&Tick> {
    let ticks: Vec<&Tick> =
        looks.iter().filter(|(window, _)| *window == number).map(|(_, tick)| tick).collect();
    for pair in ticks.windows(2) {
        assert_eq!(pair[1].number, pair[0].number + 1);
        assert!((pair[1].at_s - pair[0].at_s - pair[1].seconds).abs() < 1e-9);
        assert_eq!(pair[1].so_far.requests, pair[0].so_far.requests + pair[1].lately.requests);
    }
    ticks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seconds_of_an_open_loop_add_up_to_its_window() {
    let server = StandIn::serve(600, Links::Cursors).await;
    let window = Duration::from_millis(2300);
    let plan = Plan {
        scenarios: scenarios::read(&["first_page=70".to_owned(), "page_100=30".to_owned()]).unwrap(),
        rounds: 2,
        window,
        ..plan("first_page", open(100.0, 8))
    };
    let looks = Looks::and(|| {});
    let measured = looks.measure(&plan, &server).await;
    let looks = looks.of_windows(2);
    for round in 1..=2 {
        let ticks = of(&looks, round);
        assert!(ticks.len() >= 3, "two whole seconds and the rest: {}", ticks.len());
        let windows: Vec<_> = measured.windows.iter().filter(|one| one.round as usize == round).collect();
        let last = ticks.last().unwrap();
        assert_eq!((windows[0].requests, last.so_far.requests), (230, 230));
        assert_eq!((last.so_far.due, last.in_flight, last.queued), (Some(230), 0, Some(0)));
        assert_eq!(last.so_far.p99_us, windows[0].timings.response.quantile_us(0.99));
        assert_eq!(last.so_far.lateness_p99_us, windows[0].timings.lateness.quantile_us(0.99));
        assert_eq!(windows.len(), 3);
        for window in &windows[1..] {
            let parts = ticks.iter().flat_map(|tick| &tick.parts);
            let of_part = parts.filter(|part| part.operation == window.operation);
            assert_eq!(of_part.map(|part| part.response_us.len() as u64).sum::<u64>(), window.requests);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stands_still_shows_while_it_does() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = Plan { window: Duration::from_secs(1), ..plan("first_page", open(50.0, 4)) };
    let looks = Looks::and(|| server.freeze(0, Duration::from_secs(3)));
    looks.measure(&plan, &server).await;
    let looks = looks.of_windows(1);
    let ticks = of(&looks, 1);
    // Four are in flight, and the others are due in line behind them.
    let first = ticks[0];
    assert_eq!((first.lately.requests, first.lately.p50_us, first.in_flight), (0, None, 4));
    assert_eq!(first.queued, Some(first.lately.due.unwrap() - 4));
    let last = ticks.last().unwrap();
    assert_eq!((last.so_far.requests, last.in_flight, last.queued), (50, 0, Some(0)));
    assert!(last.so_far.max_us >= Some(2_900_000) && last.so_far.max_lag_us >= Some(1_900_000), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_by_kind_and_the_closed_loop_has_nothing_due() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let plan = plan("first_page", Load::Closed { users: 2 });
    let looks = Looks::and(|| server.fault(Fault::Status(503)));
    let measured = looks.measure(&plan, &server).await;
    let looks = looks.of_windows(1);
    let last = of(&looks, 1).pop().unwrap();
    let window = &measured.windows[0];
    assert!(window.requests > 0);
    assert_eq!((last.so_far.requests, &last.so_far.errors), (window.requests, &window.errors));
    assert_eq!(last.so_far.errors.keys().collect::<Vec<_>>(), ["status 503"]);
    assert_eq!((last.so_far.due, last.queued, last.so_far.max_lag_us), (None, None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_search_are_told_second_by_second() {
    let server = StandIn::serve(50, Links::Cursors).await;
    let looks = Looks::and(|| {});
    let sought = Sought { max: Some(50.0), ..sought("p50 < 5s") };
    let stop = CancellationToken::new();
    let found = loadgen::curves::capacity(&sought, &server.target("live"), &looks, stop).await.unwrap();
    let looks = looks.of_windows(found.steps.len());
    for (number, step) in (1..).zip(&found.steps) {
        assert_eq!(of(&looks, number).last().unwrap().so_far.requests, step.requests);
    }
}
