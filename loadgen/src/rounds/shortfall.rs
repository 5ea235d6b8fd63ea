//! Whether what was offered was also answered.
//!
//! A rate that a target can't hold leaves a queue that grows until the window ends: the longer the window, the longer the
//! responses, so that they say more about the window than about the target. That, and arrivals that were skipped, is
//! no fault of the measurement, but a reader has to know it.
//!
//! A single slow answer at the end of a window is no queue. So what counts is the median response of the last second in
//! which something was due: in a queue that grows, everybody in it has waited.

use std::collections::BTreeMap;

use reports::run::Window;

/// A rate is held if the last requests wait for less than this share of the window: 5 % of `T` is what a target that
/// answers 95 % of the rate is behind by after `T`.
const BEHIND: f64 = 0.05;

/// Nobody is behind by less, in seconds: a slow moment in a short window.
const LEAST_S: f64 = 0.1;

/// An answer to a request that nobody stands before may take long too. The fastest one of the window is taken for it;
/// so many times as long is still no queue.
const TIMES_FASTEST: f64 = 3.0;

/// A sentence for each subject and operation that was behind the schedule or had arrivals skipped.
#[must_use]
pub fn shortfalls(windows: &[Window]) -> Vec<String> {
    let mut cases: BTreeMap<(&str, &str), Vec<&Window>> = BTreeMap::new();
    for window in windows {
        cases.entry((&window.subject, &window.operation)).or_default().push(window);
    }
    cases.into_values().flat_map(|windows| [not_held(&windows), skipped(&windows)]).flatten().collect()
}

fn not_held(windows: &[&Window]) -> Option<String> {
    let behind = windows.iter().filter_map(|window| Some((behind_s(window)?, *window)));
    let (behind_s, worst) = behind.clone().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let Window { subject, operation, offered_s, drained_s, requests, .. } = worst;
    let offered = worst.offered_per_second?;
    let answered = *requests as f64 / drained_s.max(*offered_s);
    Some(format!(
        "`{subject}` could not hold {operation} at {offered:.1} requests/s ({} of {} windows): it answered \
         {answered:.1}/s, and what was due at the end waited for {behind_s:.1} s; its times grow with the length of the \
         window",
        behind.count(),
        windows.len(),
    ))
}

/// How long the requests at the end of a window took, in seconds; `None` if there was no queue.
fn behind_s(window: &Window) -> Option<f64> {
    window.offered_per_second?;
    let last = window.series.iter().rev().find(|second| second.requests > 0)?;
    let fastest_s = window.timings.service.quantile_us(0.0)? as f64 / 1e6;
    let behind_s = last.p50_us? as f64 / 1e6;
    let limit_s = (window.offered_s * BEHIND).max(LEAST_S).max(fastest_s * TIMES_FASTEST);
    (behind_s > limit_s).then_some(behind_s)
}

fn skipped(windows: &[&Window]) -> Option<String> {
    let skipped: u64 = windows.iter().map(|window| window.skipped).sum();
    let sent: u64 = windows.iter().map(|window| window.requests).sum();
    let Window { subject, operation, .. } = windows.first()?;
    (skipped > 0).then(|| {
        format!(
            "{skipped} of {} arrivals of {operation} on `{subject}` were skipped, since every worker was waiting for an \
             answer: its times are those of the others, which flatters it",
            skipped + sent
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reports::run::{CpuCost, Second, Timings};

    use super::*;

    /// A window of 10 s at 100/s, of which a request takes 20 ms at best, and `last_ms` at its end.
    fn window(last_ms: u64) -> Window {
        let mut timings = Timings::default();
        timings.service.record(Duration::from_millis(20));
        let second =
            |ms: u64| Second { requests: 100, errors: 0, p50_us: Some(ms * 1000), max_us: 9_000_000 };
        Window {
            subject: "live".into(),
            operation: "first_page".into(),
            round: 1,
            pass: 1,
            opened_s: 0.0,
            offered_s: 10.0,
            drained_s: 12.5,
            offered_per_second: Some(100.0),
            requests: 1000,
            skipped: 0,
            errors: BTreeMap::new(),
            timings,
            // Nothing was due in the last one.
            series: vec![second(20), second(last_ms), Second::default()],
            cpu: CpuCost::default(),
            invalid: vec![],
        }
    }

    #[test]
    fn a_queue_that_grows_to_the_end_is_told_with_the_rate_that_was_reached() {
        let said = shortfalls(&[window(25), window(2500)]);
        assert_eq!(
            said,
            [
                "`live` could not hold first_page at 100.0 requests/s (1 of 2 windows): it answered 80.0/s, and what was due \
              at the end waited for 2.5 s; its times grow with the length of the window"
            ]
        );
    }

    #[test]
    fn one_slow_answer_at_the_end_is_no_queue() {
        // Each second has one of 9 s.
        assert_eq!(shortfalls(&[window(25), window(499)]), Vec::<String>::new());
    }

    #[test]
    fn answers_that_are_always_slow_are_no_queue() {
        let mut slow = window(2500);
        slow.timings = Timings::default();
        slow.timings.service.record(Duration::from_secs(1));
        assert_eq!(shortfalls(&[slow]), Vec::<String>::new());
    }

    #[test]
    fn the_closed_loop_has_no_rate_to_hold() {
        assert_eq!(shortfalls(&[Window { offered_per_second: None, ..window(2500) }]), Vec::<String>::new());
    }

    #[test]
    fn skipped_arrivals_are_added_up_by_subject_and_operation() {
        let other = Window { subject: "naive".into(), ..window(25) };
        let said =
            shortfalls(&[Window { skipped: 30, ..window(25) }, Window { skipped: 12, ..window(25) }, other]);
        assert_eq!(said.len(), 1);
        assert!(
            said[0].starts_with("42 of 2042 arrivals of first_page on `live` were skipped"),
            "{}",
            said[0]
        );
    }
}
