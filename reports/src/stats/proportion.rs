//! The interval of a share, such as that of failed requests.

use super::{Estimate, binomial};

/// The share `hits / n` with the bounds of Clopper and Pearson (Biometrika 26, 1934) at `confidence` for each end;
/// `None` when `n` is 0. With no hit at all the upper end is the rule of three: about `3 / n` at 95 %.
#[must_use]
pub fn proportion(hits: u64, n: u64, confidence: f64) -> Option<Estimate> {
    if n == 0 {
        return None;
    }
    let hits = hits.min(n);
    let tail = 1.0 - confidence;
    let low = match hits {
        0 => 0.0,
        _ => solve(|p| 1.0 - binomial::at_most(hits - 1, n, p) >= tail),
    };
    let high = if hits == n { 1.0 } else { solve(|p| binomial::at_most(hits, n, p) <= tail) };
    Some(Estimate { value: hits as f64 / n as f64, low: Some(low), high: Some(high) })
}

/// The smallest `p` in 0..=1 for which a condition holds that stays true once it is.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    // 50 halvings leave an error far below what any count of requests resolves.
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hit_gives_the_rule_of_three() {
        let none = proportion(0, 40_000, 0.95).unwrap();
        assert_eq!((none.value, none.low), (0.0, Some(0.0)));
        let bound = none.high.unwrap() * 40_000.0;
        assert!((bound - 3.0).abs() < 0.01, "{bound}");
    }

    /// 95 % two-sided for 5 of 10: 0.187 to 0.813 (Clopper and Pearson's chart, and any table since).
    #[test]
    fn the_interval_is_the_published_one() {
        let half = proportion(5, 10, 0.975).unwrap();
        assert!(
            (half.low.unwrap() - 0.187).abs() < 0.001 && (half.high.unwrap() - 0.813).abs() < 0.001,
            "{half:?}"
        );
    }

    #[test]
    fn no_trial_has_no_share() {
        assert_eq!(proportion(0, 0, 0.95), None);
    }
}
