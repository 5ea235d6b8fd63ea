//! Zipf weights for the sizes of workspaces.
//!
//! Tenant sizes follow Zipf's law (Citus documents it for multi-tenant data). Two exponents, not one: calls grow
//! faster with the size of a workspace than customers do, so that larger workspaces also call each customer more
//! often. One half and three quarters lie near the fit to the production figures (70M customers of which 1M in the
//! largest workspace, 1B calls of which 50M), and their roots can be taken in integers.

/// `rank^(-1/2)`, scaled; `rank` counts from 1.
#[must_use]
pub fn zipf_half(rank: u64) -> u64 {
    (1 << 52) / (rank << 32).isqrt()
}

/// `rank^(-3/4)`, scaled; `rank` counts from 1.
#[must_use]
pub fn zipf_three_quarters(rank: u64) -> u64 {
    let half = (rank << 32).isqrt(); // rank^(1/2) * 2^16
    let three_quarters = ((u128::from(rank) * u128::from(half)) << 16).isqrt(); // rank^(3/4) * 2^16
    u64::try_from((1_u128 << 52) / three_quarters).expect("the divisor is at least 2^16")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_with_the_powers_one_half_and_three_quarters() {
        for rank in [1_u32, 2, 3, 10, 100, 1_000, 100_000] {
            let of = |exponent: f64| f64::from(rank).powf(-exponent) * 2_f64.powi(36);
            let half = zipf_half(u64::from(rank)) as f64 / of(0.5);
            let three_quarters = zipf_three_quarters(u64::from(rank)) as f64 / of(0.75);
            assert!((half - 1.0).abs() < 1e-4 && (three_quarters - 1.0).abs() < 1e-4, "{rank}");
        }
    }
}
