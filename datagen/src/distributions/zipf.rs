//! Zipf weights for the sizes of workspaces.
//!
//! Tenant sizes follow Zipf's law (Citus documents it for multi-tenant data). Two exponents, not one: calls grow
//! faster with the size of a workspace than customers do, so that larger workspaces also call each customer more
//! often. One half and three quarters lie near the fit to the production figures (70M customers of which 1M in the
//! largest workspace, 1B calls of which 50M). Exponents are multiples of an eighth, because eighth roots can be taken
//! in integers: three square roots.

/// `rank^(-eighths/8)`, scaled by 2^36; `rank` counts from 1. The weight is cut to an integer, so it is coarse where the
/// power is near 2^36.
///
/// # Panics
/// If the power does not fit: for a rank of 32 bits and up to 16 eighths it does.
#[must_use]
pub fn zipf(rank: u64, eighths: u32) -> u64 {
    let rank = u128::from(rank);
    // Times 2^16. The fraction of the exponent comes bit by bit, the eighth first: each step multiplies where the bit is
    // set and takes the root.
    let mut power = 1_u128 << 16;
    for bit in 0..3 {
        if eighths >> bit & 1 == 1 {
            power *= rank;
        }
        power = (power << 16).isqrt();
    }
    for _ in 0..eighths / 8 {
        power *= rank;
    }
    u64::try_from((1_u128 << 52) / power).expect("the divisor is at least 2^16")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_with_the_power_of_their_exponent() {
        for eighths in 0..=16 {
            for rank in [1_u32, 2, 3, 10, 100, 1_000, 100_000] {
                let expected = f64::from(rank).powf(-f64::from(eighths) / 8.0) * 2_f64.powi(36);
                let found = zipf(u64::from(rank), eighths) as f64;
                assert!((found - expected).abs() <= 1.0 + expected * 1e-4, "{rank}^(-{eighths}/8): {found}");
            }
        }
    }

    #[test]
    fn values_stay_what_they_are_for_ever() {
        assert_eq!([4, 6, 0, 8, 11, 16].map(|eighths| zipf(1_000, eighths)), GOLDEN);
    }

    const GOLDEN: [u64; 6] = [2_173_100_962, 386_438_047, 68_719_476_736, 68_719_476, 5_153_237, 68_719];
}
