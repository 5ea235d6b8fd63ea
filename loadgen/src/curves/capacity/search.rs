//! Which rate is tried next, given how those before it went. Pure: it has no clock and sends nothing.
//!
//! ```text
//! ladder      from ─ x2 ─ x2 ─ x2 ✗        until something breaks (or, if the first one does, / 2 until something holds)
//! narrowing             │ ✓ ─ ✗ ─ ✓ │      the geometric middle of the bounds, until they are close
//! confirming                    ✓✓         the lower bound again, longer; if it breaks, the search goes on below
//! ```
//!
//! A single window is noisy, so no rate is the answer because it held once; and every rate that breaks takes all above it
//! along, so that the answer is a rate below which nothing is known to break. A step that can't be judged is taken once more,
//! and then the search ends with what it knows, since a guess would be no bound. (The two stages, a search and then a test of
//! its answer, are those of Nighthawk's adaptive load; the bounds as a result are those of RFC draft bmwg-mlrsearch.)

use reports::curves::{End, Stage, Verdict};

/// The limits of a search, in requests per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seeking {
    /// The first rate.
    pub from: f64,
    /// The lowest rate that a step can judge: below it, it has too few requests.
    pub lowest: f64,
    /// The highest rate to try.
    pub max: f64,
    /// The bounds are narrowed until `upper / lower <= 1 + precision`.
    pub precision: f64,
}

/// After so many steps a target that still gives no answer is taken for unsteady. A search between 1/s and 1,000,000/s with a
/// precision of 1 % takes 20 + 7 + 1.
const MOST_STEPS: usize = 60;

/// A rate to try.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// Requests per second.
    pub rate: f64,
    /// What for.
    pub stage: Stage,
}

/// A search under way.
#[derive(Debug, Clone)]
pub struct Search {
    seeking: Seeking,
    /// Rates that held and below which nothing broke, ascending.
    held: Vec<f64>,
    /// The lowest rate that broke.
    broken: Option<f64>,
    steps: usize,
    /// Whether the last step could not be judged.
    unjudged: bool,
    end: Option<End>,
}

impl Search {
    /// Begins at `seeking.from`, or at the nearest rate that may be tried.
    #[must_use]
    pub fn new(seeking: Seeking) -> Self {
        Self { seeking, held: Vec::new(), broken: None, steps: 0, unjudged: false, end: None }
    }

    /// What to try next, or why there is nothing to try any more.
    pub fn next(&self) -> Result<Trial, End> {
        let Seeking { from, lowest, max, precision } = self.seeking;
        if let Some(end) = self.end {
            return Err(end);
        }
        if self.steps >= MOST_STEPS {
            return Err(End::Unsteady);
        }
        let trial = |rate, stage| Ok(Trial { rate, stage });
        match (self.lower(), self.broken) {
            (None, None) => trial(from.max(lowest).min(max), Stage::Ladder),
            (Some(held), None) if held >= max => trial(held, Stage::Confirming),
            (Some(held), None) => trial((held * 2.0).min(max), Stage::Ladder),
            (None, Some(broken)) if broken <= lowest => Err(End::NothingHeld),
            (None, Some(broken)) => trial((broken / 2.0).max(lowest), Stage::Ladder),
            (Some(held), Some(broken)) if broken / held <= 1.0 + precision => trial(held, Stage::Confirming),
            (Some(held), Some(broken)) => trial((held * broken).sqrt(), Stage::Narrowing),
        }
    }

    /// Takes note of how a trial went, which has to be the one that [`Self::next`] gave.
    pub fn tell(&mut self, trial: Trial, verdict: Verdict) {
        self.steps += 1;
        match verdict {
            Verdict::Holds if trial.stage == Stage::Confirming => self.end = Some(End::Confirmed),
            Verdict::Holds => self.held.push(trial.rate),
            Verdict::Breaks => {
                self.broken = Some(trial.rate);
                self.held.retain(|held| *held < trial.rate);
            }
            Verdict::ClientLate if self.unjudged => self.end = Some(End::ClientLate),
            Verdict::TooFewRequests if self.unjudged => self.end = Some(End::TooFewRequests),
            Verdict::ClientLate | Verdict::TooFewRequests => {}
        }
        self.unjudged = matches!(verdict, Verdict::ClientLate | Verdict::TooFewRequests);
    }

    /// The highest rate that held and below which nothing broke.
    #[must_use]
    pub fn lower(&self) -> Option<f64> {
        self.held.last().copied()
    }

    /// The lowest rate that broke.
    #[must_use]
    pub fn upper(&self) -> Option<f64> {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEEKING: Seeking = Seeking { from: 10.0, lowest: 1.0, max: 100_000.0, precision: 0.1 };

    /// Searches a target of which a function knows how each step goes; the steps, the end, and the search.
    fn search(
        seeking: Seeking,
        mut judge: impl FnMut(Trial) -> Verdict,
    ) -> (Vec<(Trial, Verdict)>, End, Search) {
        let mut search = Search::new(seeking);
        let mut steps = Vec::new();
        loop {
            match search.next() {
                Err(end) => return (steps, end, search),
                Ok(trial) => {
                    let verdict = judge(trial);
                    search.tell(trial, verdict);
                    steps.push((trial, verdict));
                }
            }
        }
    }

    fn steady(capacity: f64) -> impl FnMut(Trial) -> Verdict {
        move |trial| if trial.rate <= capacity { Verdict::Holds } else { Verdict::Breaks }
    }

    #[test]
    fn a_ladder_then_a_narrowing_then_a_confirmation() {
        let (steps, end, search) = search(SEEKING, steady(130.0));
        let stages: Vec<_> = steps.iter().map(|(trial, _)| (trial.rate.round(), trial.stage)).collect();
        let ladder = [10.0, 20.0, 40.0, 80.0, 160.0].map(|rate| (rate, Stage::Ladder));
        let narrowing = [113.0, 135.0, 123.0].map(|rate| (rate, Stage::Narrowing));
        assert_eq!(stages, [&ladder[..], &narrowing, &[(123.0, Stage::Confirming)]].concat());
        assert_eq!(end, End::Confirmed);
        assert_eq!((search.lower().unwrap().round(), search.upper().unwrap().round()), (123.0, 135.0));
    }

    #[test]
    fn a_first_rate_that_breaks_is_halved_until_one_holds() {
        let (steps, end, search) = search(SEEKING, steady(2.0));
        assert_eq!(steps[..3].iter().map(|(trial, _)| trial.rate).collect::<Vec<_>>(), [10.0, 5.0, 2.5]);
        assert_eq!(end, End::Confirmed);
        assert!(search.lower().unwrap() <= 2.0 && search.upper().unwrap() > 2.0);
    }

    #[test]
    fn a_target_that_holds_nothing_is_given_up_at_the_lowest_rate() {
        let (steps, end, search) = search(SEEKING, steady(0.0));
        assert_eq!((end, search.lower(), search.upper()), (End::NothingHeld, None, Some(1.0)));
        assert_eq!(steps.len(), 5, "10, 5, 2.5, 1.25, 1");
    }

    #[test]
    fn the_highest_rate_that_may_be_tried_is_confirmed_without_an_upper_bound() {
        let (steps, end, search) = search(Seeking { max: 35.0, ..SEEKING }, steady(1e9));
        assert_eq!((end, search.lower(), search.upper()), (End::Confirmed, Some(35.0), None));
        assert!(steps.iter().all(|(trial, _)| trial.rate <= 35.0));
        let (_, _, search) = super::tests::search(Seeking { max: 4.0, ..SEEKING }, steady(1e9));
        assert_eq!(search.lower(), Some(4.0), "also if it lies below the first");
    }

    #[test]
    fn a_confirmation_that_breaks_makes_the_search_go_on_below() {
        // In a long step only 100/s hold.
        let (steps, end, search) = search(SEEKING, |trial| {
            let capacity = if trial.stage == Stage::Confirming { 100.0 } else { 130.0 };
            steady(capacity)(trial)
        });
        assert_eq!(end, End::Confirmed);
        let confirmed = steps.last().unwrap().0;
        assert!(confirmed.rate <= 100.0 && search.lower() == Some(confirmed.rate), "{confirmed:?}");
        let failed: Vec<_> = steps
            .iter()
            .filter(|(trial, verdict)| trial.stage == Stage::Confirming && *verdict == Verdict::Breaks)
            .collect();
        assert!(!failed.is_empty() && failed.iter().all(|(trial, _)| trial.rate >= search.upper().unwrap()));
    }

    #[test]
    fn what_can_not_be_judged_is_tried_once_more_and_then_ends_the_search() {
        for (verdict, why) in
            [(Verdict::ClientLate, End::ClientLate), (Verdict::TooFewRequests, End::TooFewRequests)]
        {
            let (steps, end, search) =
                search(SEEKING, |trial| if trial.rate > 60.0 { verdict } else { Verdict::Holds });
            assert_eq!((end, search.lower(), search.upper()), (why, Some(40.0), None));
            let last: Vec<_> = steps.iter().rev().take(2).map(|(trial, _)| trial.rate).collect();
            assert_eq!(last, [80.0, 80.0]);
        }
    }

    #[test]
    fn one_step_that_can_not_be_judged_does_no_harm() {
        let mut unlucky = true;
        let (_, end, search) = search(SEEKING, |trial| {
            if trial.rate > 60.0 && std::mem::take(&mut unlucky) {
                return Verdict::ClientLate;
            }
            steady(130.0)(trial)
        });
        assert_eq!(end, End::Confirmed);
        assert!(search.upper().unwrap() > 130.0 && search.lower().unwrap() <= 130.0);
    }

    proptest! {
        #[test]
        fn the_bounds_of_a_steady_target_enclose_its_capacity_as_closely_as_was_asked(
            capacity in 1.5..90_000.0_f64, from in 0.1..5_000.0_f64, precision in 0.01..0.5_f64,
        ) {
            let (steps, end, search) = search(Seeking { from, precision, ..SEEKING }, steady(capacity));
            let (lower, upper) = (search.lower().unwrap(), search.upper().unwrap());
            prop_assert_eq!(end, End::Confirmed);
            prop_assert!(lower <= capacity && capacity < upper && upper / lower <= 1.0 + precision);
            prop_assert!(steps.len() <= 40, "{}", steps.len());
        }

        #[test]
        fn whatever_happens_the_search_ends_with_bounds_that_agree_with_its_steps(
            verdicts in proptest::collection::vec(0..4_u8, 80), from in 0.1..5_000.0_f64,
        ) {
            let mut verdicts = verdicts.into_iter().cycle();
            let (steps, end, search) = search(Seeking { from, ..SEEKING }, |_| match verdicts.next() {
                Some(0) => Verdict::Breaks,
                Some(1) => Verdict::ClientLate,
                Some(2) => Verdict::TooFewRequests,
                _ => Verdict::Holds,
            });
            prop_assert!(steps.len() <= MOST_STEPS);
            let broke = |rate: f64| steps.iter().any(|(t, v)| *v == Verdict::Breaks && t.rate <= rate);
            if let Some(lower) = search.lower() {
                prop_assert!(!broke(lower), "nothing at or below the lower bound broke");
                prop_assert!(steps.iter().any(|(t, v)| *v == Verdict::Holds && t.rate.to_bits() == lower.to_bits()));
                prop_assert!(search.upper().is_none_or(|upper| upper > lower));
            }
            if end == End::Confirmed {
                let (trial, verdict) = steps[steps.len() - 1];
                prop_assert_eq!((trial.stage, verdict), (Stage::Confirming, Verdict::Holds));
            }
        }
    }
}
