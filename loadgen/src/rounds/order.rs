//! The order of the windows in a round.

use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom as _;

/// One window of a round: indices into the plan's operations and the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// Index of the target.
    pub target: usize,
    /// Index of the operation in the plan.
    pub operation: usize,
    /// 1, or 2 for the second look at the control target.
    pub pass: u32,
}

/// All windows of `round`, shuffled: each target and operation once, those of a control target twice. A fixed order
/// would give one target the caches that another one has filled, round after round.
#[must_use]
pub fn order(seed: u64, round: u32, operations: usize, controls: &[bool]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = controls
        .iter()
        .enumerate()
        .flat_map(|(target, control)| (0..operations).map(move |operation| (target, operation, *control)))
        .flat_map(|(target, operation, control)| {
            (1..=if control { 2 } else { 1 }).map(move |pass| Slot { target, operation, pass })
        })
        .collect();
    slots.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(mix(seed, u64::from(round))));
    slots
}

/// The seed of the arrivals of an operation in a round: the same for all targets, so that they are compared under
/// the same bursts, and another one for the second pass, which has to be an independent look.
#[must_use]
pub fn arrival_seed(seed: u64, round: u32, operation: usize, pass: u32) -> u64 {
    mix(mix(mix(seed, u64::from(round)), operation as u64), u64::from(pass))
}

/// Spreads `(seed, number)` over all 64 bits, so that neighbours share nothing: the finalizer of `SplitMix64`
/// (Steele, Lea, Flood 2014).
pub(crate) fn mix(seed: u64, number: u64) -> u64 {
    let mut z = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_holds_every_target_and_operation_once_and_the_control_twice() {
        let mut slots = order(1, 1, 2, &[false, true]);
        slots.sort_unstable();
        let slot = |target, operation, pass| Slot { target, operation, pass };
        assert_eq!(
            slots,
            [slot(0, 0, 1), slot(0, 1, 1), slot(1, 0, 1), slot(1, 0, 2), slot(1, 1, 1), slot(1, 1, 2)]
        );
    }

    #[test]
    fn the_order_depends_on_the_seed_and_the_round_alone() {
        let controls = [true; 6];
        assert_eq!(order(7, 3, 4, &controls), order(7, 3, 4, &controls));
        assert_ne!(order(7, 3, 4, &controls), order(7, 4, 4, &controls));
        assert_ne!(order(7, 3, 4, &controls), order(8, 3, 4, &controls));
    }

    #[test]
    fn no_target_is_first_in_every_round() {
        let first: std::collections::BTreeSet<_> =
            (1..=40).map(|round| order(1, round, 1, &[false, false])[0].target).collect();
        assert_eq!(first.len(), 2);
    }

    #[test]
    fn arrivals_differ_between_rounds_operations_and_passes() {
        let mut seeds: Vec<_> = (1..5)
            .flat_map(|round| {
                (0..3).flat_map(move |operation| (1..3).map(move |pass| (round, operation, pass)))
            })
            .map(|(round, operation, pass)| arrival_seed(1, round, operation, pass))
            .collect();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 4 * 3 * 2);
    }
}
