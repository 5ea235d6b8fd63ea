//! How much load a window offers, given how fast the target turned out to be.
//!
//! An open loop above a server's capacity measures the length of its queue, which grows with the length of the
//! window and says nothing about the server. Where targets are compared, one that could not hold the rate of the plan is
//! therefore offered half of what it could do one after another. That flatters it, and the result says so. Where a
//! rate is put on one target, just that rate is offered, and the result says if it was not held (see
//! [`super::shortfalls`]).

use std::time::Duration;

use reports::run::OnOverload;

use crate::arrivals::Pattern;
use crate::load::{Load, Open};
use crate::scenarios::Scenario;

/// Requests that a window is extended to hold.
const FEWEST_REQUESTS: f64 = 3.0;

/// The share of its time in which a target with one worker would be busy at the offered rate.
const UTILISATION: f64 = 0.5;

/// What a window offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// When requests are due; `None` in the closed loop.
    pub pattern: Option<Pattern>,
    /// How long requests are offered.
    pub window: Duration,
    /// Whether the rate is below the plan's.
    pub reduced: bool,
}

impl Offer {
    /// Arrivals per second, on average; `None` in the closed loop.
    #[must_use]
    pub fn rate_per_second(&self) -> Option<f64> {
        self.pattern.as_ref().map(|pattern| pattern.mean_per_second(self.window))
    }
}

/// The load of a scenario for a target whose requests, one after another, take `mean_service`, in a window that may
/// be extended to `longest` if the rate may be reduced.
#[must_use]
pub fn offer(
    load: &Load,
    scenario: &Scenario,
    window: Duration,
    longest: Duration,
    mean_service: Duration,
) -> Offer {
    let service_s = mean_service.as_secs_f64().max(1e-6);
    match load {
        Load::Open(Open {
            pattern: Pattern::Drawn { rate, process },
            on_overload: OnOverload::Reduce,
            ..
        }) => {
            let factor = (UTILISATION / service_s / rate.peak()).min(1.0);
            let rate = rate.times(factor);
            Offer {
                pattern: Some(Pattern::Drawn { rate, process: *process }),
                window: extended(window, longest, FEWEST_REQUESTS / rate.mean()),
                reduced: factor < 1.0,
            }
        }
        Load::Open(open) => {
            // The arrivals of a mix may name any of its parts.
            let pattern =
                if scenario.is_mix() { open.pattern.clone() } else { open.pattern.only(&scenario.name) };
            Offer { pattern: Some(pattern), window, reduced: false }
        }
        // Users share the target, so `users` requests end in `service` at best.
        Load::Closed { users } => Offer {
            pattern: None,
            window: extended(window, longest, FEWEST_REQUESTS * service_s / (*users).max(1) as f64),
            reduced: false,
        },
    }
}

fn extended(window: Duration, longest: Duration, needed_s: f64) -> Duration {
    window.max(Duration::from_secs_f64(needed_s.min(longest.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::arrivals::{Process, Rate, Replay};
    use crate::operations::FirstPage;
    use crate::scenarios;

    const WINDOW: Duration = Duration::from_millis(1250);
    const LONGEST: Duration = Duration::from_secs(6);

    fn first_page() -> Scenario {
        Scenario::of(Arc::new(FirstPage))
    }

    fn load(rate: Rate, on_overload: OnOverload) -> Load {
        let pattern = Pattern::Drawn { rate, process: Process::Constant };
        Load::Open(Open { pattern, on_overload, ..Open::constant(1.0, 64) })
    }

    fn open(rate_per_second: f64, service: Duration) -> Offer {
        let load = load(Rate::constant(rate_per_second), OnOverload::Reduce);
        offer(&load, &first_page(), WINDOW, LONGEST, service)
    }

    #[test]
    fn a_fast_target_gets_the_rate_and_the_window_of_the_plan() {
        let offer = open(50.0, Duration::from_millis(3));
        assert_eq!((offer.rate_per_second(), offer.window, offer.reduced), (Some(50.0), WINDOW, false));
    }

    #[test]
    fn a_slow_target_is_offered_half_of_what_it_can_do_in_a_longer_window() {
        let offer = open(50.0, Duration::from_millis(250));
        assert_eq!((offer.rate_per_second(), offer.reduced), (Some(2.0), true));
        assert_eq!(offer.window, Duration::from_millis(1500));
    }

    #[test]
    fn a_ramp_is_reduced_as_a_whole_until_its_peak_can_be_held() {
        let load = load(Rate::ramp(10.0, 40.0), OnOverload::Reduce);
        let offer = offer(&load, &first_page(), WINDOW, LONGEST, Duration::from_millis(25));
        let expected = Pattern::Drawn { rate: Rate::ramp(5.0, 20.0), process: Process::Constant };
        assert_eq!((offer.pattern, offer.reduced), (Some(expected), true));
    }

    #[test]
    fn a_rate_that_is_not_to_be_reduced_is_offered_as_it_is_however_slow_the_target() {
        for rate in [Rate::constant(50.0), Rate::constant(0.01), Rate::ramp(0.0, 500.0)] {
            let load = load(rate, OnOverload::Offer);
            let offer = offer(&load, &first_page(), WINDOW, LONGEST, Duration::from_secs(2));
            let expected = Pattern::Drawn { rate, process: Process::Constant };
            assert_eq!((offer.pattern, offer.window, offer.reduced), (Some(expected), WINDOW, false));
        }
    }

    #[test]
    fn a_replay_is_not_reduced_and_each_scenario_gets_its_part_but_a_mix_all_of_it() {
        let replay = Arc::new(
            Replay::read("a.log".to_owned(), &b"0 first_page\n1 detail\n2 first_page\n3\n"[..]).unwrap(),
        );
        let pattern = Pattern::Replayed { replay, speed: 1.0 };
        let load = Load::Open(Open { pattern, ..Open::constant(1.0, 64) });
        let window = Duration::from_secs(4);
        let rate = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let scenario = &scenarios::read(&words).unwrap()[0];
            offer(&load, scenario, window, LONGEST, Duration::from_secs(9)).rate_per_second()
        };
        assert_eq!((rate(&["first_page"]), rate(&["detail"])), (Some(0.75), Some(0.5)));
        assert_eq!(rate(&["first_page=1", "detail=9"]), Some(1.0));
    }

    #[test]
    fn a_window_is_not_extended_for_ever_but_never_cut() {
        assert_eq!(open(50.0, Duration::from_secs(30)).window, LONGEST);
        let long = Duration::from_mins(1);
        let load = load(Rate::constant(1.0), OnOverload::Reduce);
        assert_eq!(offer(&load, &first_page(), long, LONGEST, Duration::from_millis(1)).window, long);
    }

    #[test]
    fn a_low_rate_is_extended_too_but_is_not_reduced() {
        let offer = open(1.0, Duration::from_millis(1));
        assert_eq!((offer.window, offer.reduced), (Duration::from_secs(3), false));
    }

    #[test]
    fn users_make_a_closed_window_shorter_by_working_side_by_side() {
        let window = |users| {
            let load = Load::Closed { users };
            offer(&load, &first_page(), WINDOW, LONGEST, Duration::from_secs(1)).window
        };
        assert_eq!(window(1), Duration::from_secs(3));
        assert_eq!(window(2), Duration::from_millis(1500));
    }
}
