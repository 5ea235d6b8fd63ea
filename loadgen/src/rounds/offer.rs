//! How much load a window offers, given how fast the target turned out to be.
//!
//! An open loop above a server's capacity measures the length of its queue, which grows with the length of the
//! window and says nothing about the server. So a target that could not hold the rate of the plan is offered half of
//! what it could do one after another. That flatters it, and the result says so.

use std::time::Duration;

use reports::run::LoadModel;

/// Requests that a window is extended to hold.
const FEWEST_REQUESTS: f64 = 3.0;

/// The share of its time in which a target with one worker would be busy at the offered rate.
const UTILISATION: f64 = 0.5;

/// What a window offers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offer {
    /// Arrivals per second; `None` in the closed loop.
    pub rate_per_second: Option<f64>,
    /// How long requests are offered.
    pub window: Duration,
    /// Whether the rate is below the plan's.
    pub reduced: bool,
}

/// The load for a target whose requests, one after another, take `mean_service`, in a window that may be extended to
/// `longest`.
#[must_use]
pub fn offer(load: LoadModel, window: Duration, longest: Duration, mean_service: Duration) -> Offer {
    let service_s = mean_service.as_secs_f64().max(1e-6);
    match load {
        LoadModel::Open { rate_per_second: asked, .. } => {
            let rate = asked.min(UTILISATION / service_s);
            Offer {
                rate_per_second: Some(rate),
                window: extended(window, longest, FEWEST_REQUESTS / rate),
                reduced: rate < asked,
            }
        }
        // Users share the target, so `users` requests end in `service` at best.
        LoadModel::Closed { users } => Offer {
            rate_per_second: None,
            window: extended(window, longest, FEWEST_REQUESTS * service_s / users.max(1) as f64),
            reduced: false,
        },
    }
}

fn extended(window: Duration, longest: Duration, needed_s: f64) -> Duration {
    window.max(Duration::from_secs_f64(needed_s.min(longest.as_secs_f64())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(1250);
    const LONGEST: Duration = Duration::from_secs(6);

    fn open(rate_per_second: f64, service: Duration) -> Offer {
        offer(LoadModel::Open { rate_per_second, max_in_flight: 64 }, WINDOW, LONGEST, service)
    }

    #[test]
    fn a_fast_target_gets_the_rate_and_the_window_of_the_plan() {
        let expected = Offer { rate_per_second: Some(50.0), window: WINDOW, reduced: false };
        assert_eq!(open(50.0, Duration::from_millis(3)), expected);
    }

    #[test]
    fn a_slow_target_is_offered_half_of_what_it_can_do_in_a_longer_window() {
        let offer = open(50.0, Duration::from_millis(250));
        assert_eq!((offer.rate_per_second, offer.reduced), (Some(2.0), true));
        assert_eq!(offer.window, Duration::from_millis(1500));
    }

    #[test]
    fn a_window_is_not_extended_for_ever_but_never_cut() {
        assert_eq!(open(50.0, Duration::from_secs(30)).window, LONGEST);
        let long = Duration::from_mins(1);
        let load = LoadModel::Open { rate_per_second: 1.0, max_in_flight: 1 };
        assert_eq!(offer(load, long, LONGEST, Duration::from_millis(1)).window, long);
    }

    #[test]
    fn a_low_rate_is_extended_too_but_is_not_reduced() {
        let offer = open(1.0, Duration::from_millis(1));
        assert_eq!((offer.window, offer.reduced), (Duration::from_secs(3), false));
    }

    #[test]
    fn users_make_a_closed_window_shorter_by_working_side_by_side() {
        let slow = Duration::from_secs(1);
        assert_eq!(
            offer(LoadModel::Closed { users: 1 }, WINDOW, LONGEST, slow).window,
            Duration::from_secs(3)
        );
        assert_eq!(
            offer(LoadModel::Closed { users: 2 }, WINDOW, LONGEST, slow).window,
            Duration::from_millis(1500)
        );
    }
}
