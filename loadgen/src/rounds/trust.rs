//! Whether the client got in the way.
//!
//! A response contains the time by which the client itself was late. A window is *invalid*, not slow, when that part
//! is too great to be ignored. The limit is a tenth of the response, compared like with like:
//!
//! 1. the 99th percentiles of all windows of a subject and an operation together: then all of them are invalid;
//! 2. the 99th percentiles of one window, if it has [`ENOUGH_FOR_P99`] requests. In a smaller window the 99th
//!    percentile is its greatest value, and one unlucky wake-up would condemn it;
//! 3. the medians of one window, whatever its size: then even the typical request was disturbed.
//!
//! Queueing (all workers busy) is no reason: it is the result.

use std::collections::BTreeMap;

use reports::latency::Latency;
use reports::run::{Timings, Window};

/// The greatest share of the response that may be the client's own fault.
pub const CLIENT_SHARE: f64 = 0.1;

/// Requests from which on the 99th percentile of a single window is more than its greatest value.
pub const ENOUGH_FOR_P99: u64 = 100;

/// Adds a sentence to [`Window::invalid`] of each window that can't be trusted.
pub fn mark_untrustworthy(windows: &mut [Window]) {
    let mut pools: BTreeMap<(String, String), Timings> = BTreeMap::new();
    for window in &*windows {
        pools.entry((window.subject.clone(), window.operation.clone())).or_default().add(&window.timings);
    }
    let pools: BTreeMap<_, _> =
        pools.into_iter().filter_map(|(key, timings)| Some((key, late(&timings, 0.99)?))).collect();
    for window in windows {
        let pooled = pools.get(&(window.subject.clone(), window.operation.clone()));
        if let Some(late) = pooled {
            window.invalid.push(format!("over all its windows the client was late: {late}"));
            continue;
        }
        let tail = (window.timings.response.count() >= ENOUGH_FOR_P99).then(|| late(&window.timings, 0.99));
        let own = tail.flatten().or_else(|| late(&window.timings, 0.5));
        window.invalid.extend(own.map(|late| format!("the client was late: {late}")));
    }
}

/// What there is to say about a lateness above the limit at `quantile`.
fn late(timings: &Timings, quantile: f64) -> Option<String> {
    let at = |latency: &Latency| latency.quantile_us(quantile);
    let (lateness_us, response_us) = (at(&timings.lateness)?, at(&timings.response)?);
    (lateness_us as f64 > CLIENT_SHARE * response_us as f64).then(|| {
        let percentile = quantile * 100.0;
        format!("p{percentile:.0} {lateness_us} us of a response of {response_us} us")
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reports::run::CpuCost;

    use super::*;

    /// A window with these samples of (lateness, response) in microseconds, each so many times.
    fn window(subject: &str, samples: &[(u64, u64, usize)]) -> Window {
        let mut timings = Timings::default();
        for (lateness_us, response_us, times) in samples {
            for _ in 0..*times {
                timings.lateness.record(Duration::from_micros(*lateness_us));
                timings.response.record(Duration::from_micros(*response_us));
            }
        }
        Window {
            subject: subject.into(),
            operation: "first_page".into(),
            round: 1,
            pass: 1,
            opened_s: 0.0,
            offered_s: 1.0,
            drained_s: 1.0,
            offered_per_second: Some(1.0),
            requests: timings.response.count(),
            skipped: 0,
            errors: BTreeMap::new(),
            timings,
            series: vec![],
            cpu: CpuCost::default(),
            invalid: vec![],
        }
    }

    fn reasons(mut windows: Vec<Window>) -> Vec<usize> {
        mark_untrustworthy(&mut windows);
        windows.iter().map(|window| window.invalid.len()).collect()
    }

    #[test]
    fn a_punctual_client_leaves_every_window_valid() {
        assert_eq!(reasons(vec![window("a", &[(90, 1000, 200)]), window("a", &[])]), [0, 0]);
    }

    #[test]
    fn one_late_wake_up_does_not_condemn_a_small_window() {
        let small = window("a", &[(10, 1000, 20), (5000, 6000, 1)]);
        let others = window("a", &[(10, 1000, 2500)]);
        assert_eq!(reasons(vec![small, others]), [0, 0]);
    }

    #[test]
    fn a_late_tail_condemns_a_window_with_enough_requests_and_not_its_neighbours() {
        let late = window("a", &[(10, 1000, 97), (5000, 6000, 3)]);
        let others = window("a", &[(10, 1000, 2500)]);
        assert_eq!(reasons(vec![late, others]), [1, 0]);
    }

    #[test]
    fn small_windows_that_are_late_together_are_invalid_together_and_no_others() {
        let late = || window("a", &[(10, 1000, 18), (5000, 6000, 2)]);
        assert_eq!(reasons(vec![late(), late(), window("b", &[(10, 1000, 50)])]), [1, 1, 0]);
    }

    #[test]
    fn a_small_window_whose_typical_request_was_late_is_invalid() {
        let late = window("a", &[(300, 1000, 3)]);
        let others = window("a", &[(10, 1000, 2500)]);
        assert_eq!(reasons(vec![late, others]), [1, 0]);
    }

    #[test]
    fn the_closed_loop_has_no_lateness_and_is_never_late() {
        let mut closed = window("a", &[(1, 10, 100)]);
        closed.timings.lateness = Latency::new();
        assert_eq!(reasons(vec![closed]), [0]);
    }
}
