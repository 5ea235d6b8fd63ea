//! The cumulative binomial distribution, summed.
//!
//! `statrs` computes it through the incomplete beta function, whose continued fraction stops after 140 steps; near
//! the mean it needs about the square root of `n` steps, so that it loses its digits from some ten thousand requests
//! on. Summing the probability mass within twelve standard deviations takes as many steps and stays exact.

use statrs::distribution::{Binomial, Discrete as _};

/// Yields `(k, P(B <= k))` for growing `k`, starting where the probability below is negligible.
pub(super) fn cumulative(n: u64, p: f64) -> impl Iterator<Item = (u64, f64)> {
    let p = p.clamp(0.0, 1.0);
    let mean = n as f64 * p;
    let reach = 12.0 * (mean * (1.0 - p)).sqrt() + 12.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=n")]
    let first = (mean - reach).clamp(0.0, n as f64) as u64;
    let distribution = Binomial::new(p, n).ok();
    (first..=n).scan(0.0_f64, move |sum, k| {
        *sum = (*sum + distribution.as_ref()?.pmf(k)).min(1.0);
        Some((k, if k == n { 1.0 } else { *sum }))
    })
}

/// `P(B <= k)` for a binomial variable of `n` trials with probability `p`.
pub(super) fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let beyond = n as f64 * p + 12.0 * (n as f64 * p * (1.0 - p)).sqrt() + 12.0;
    if k as f64 > beyond {
        return 1.0;
    }
    cumulative(n, p).take_while(|(at, _)| *at <= k).last().map_or(0.0, |(_, sum)| sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::DiscreteCDF as _;

    #[test]
    fn small_distributions_agree_with_statrs() {
        for (n, p) in [(5, 0.5), (59, 0.95), (1_000, 0.99)] {
            for k in 0..=n {
                let expected = Binomial::new(p, n).unwrap().cdf(k);
                assert!((at_most(k, n, p) - expected).abs() < 1e-9, "n={n} p={p} k={k}");
            }
        }
    }

    #[test]
    fn a_large_distribution_is_symmetric_about_its_mean() {
        // P(B <= n/2 - 1) + P(B <= n/2) = 1 for p = 1/2 and even n.
        let n = 4_000_000;
        let sum = at_most(n / 2 - 1, n, 0.5) + at_most(n / 2, n, 0.5);
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
    }
}
