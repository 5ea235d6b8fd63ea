//! Sharing out a total exactly.

/// Shares `total` in proportion to `weights`, by largest remainder (Hamilton's method): every share is its exact quota
/// rounded down or up, and the shares sum to `total`. Of equal remainders the earlier wins. All zero weights share
/// evenly; without weights there are no shares, whatever the total.
#[must_use]
pub fn apportion(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    if sum == 0 {
        return if weights.is_empty() { Vec::new() } else { apportion(total, &vec![1; weights.len()]) };
    }
    let quota = |weight: u64| u128::from(total) * u128::from(weight);
    let mut shares: Vec<u64> = weights
        .iter()
        .map(|&weight| u64::try_from(quota(weight) / sum).expect("a share is at most the total"))
        .collect();
    let left_over = total - shares.iter().sum::<u64>();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&at| std::cmp::Reverse(quota(weights[at]) % sum));
    for &at in by_remainder.iter().take(usize::try_from(left_over).expect("fewer than there are weights")) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        assert_eq!(apportion(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(apportion(100, &[53, 24, 23]), [53, 24, 23]);
        assert_eq!(apportion(5, &[0, 0]), [3, 2]);
        assert_eq!(apportion(5, &[]), [0_u64; 0]);
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_total_and_lie_within_one_of_their_quota(
            total in 0_u64..1_000_000_000_000,
            weights in prop::collection::vec(0_u64..1 << 40, 1..300),
        ) {
            let shares = apportion(total, &weights);
            prop_assert_eq!(shares.iter().sum::<u64>(), total);
            let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
            prop_assume!(sum > 0);
            for (&share, &weight) in shares.iter().zip(&weights) {
                let floor = u128::from(total) * u128::from(weight) / sum;
                prop_assert!(u128::from(share) == floor || u128::from(share) == floor + 1);
            }
        }
    }
}
