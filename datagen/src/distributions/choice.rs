//! Picking one of a few values by weight.

use crate::distributions::apportion;
use crate::kernel::below;

/// Picks one of `choices`, whose weights must sum to 1,000, by an even draw.
///
/// # Panics
/// If the weights sum to less than 1,000.
#[must_use]
pub fn choose<T: Copy, const N: usize>(draw: u64, choices: &[(T, u64); N]) -> T {
    let mut at = below(draw, 1_000);
    for &(value, per_mille) in choices {
        if at < per_mille {
            return value;
        }
        at -= per_mille;
    }
    panic!("weights in per mille sum to 1,000")
}

/// A few values with shares in per mille, picked in one step.
#[derive(Debug, Clone)]
pub struct Shares {
    /// The value of each thousandth.
    slots: Box<[u8; 1_000]>,
}

impl Shares {
    /// A table over `0..shares.len()`.
    ///
    /// # Panics
    /// If the shares do not sum to 1,000, or are more than 256.
    #[must_use]
    pub fn new(shares: &[u64]) -> Self {
        let mut slots = Vec::with_capacity(1_000);
        for (value, &share) in shares.iter().enumerate() {
            let value = u8::try_from(value).expect("at most 256 values");
            slots.extend(std::iter::repeat_n(value, usize::try_from(share).expect("at most 1,000")));
        }
        Self { slots: slots.try_into().expect("shares in per mille sum to 1,000") }
    }

    /// The value that an even draw picks.
    #[must_use]
    pub fn pick(&self, draw: u64) -> usize {
        self.at(below(draw, 1_000))
    }

    /// The value at a number of 0 to 999.
    ///
    /// # Panics
    /// If it is more than that.
    #[must_use]
    pub fn at(&self, thousandth: u64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 1,000")]
        let at = thousandth as usize;
        usize::from(self.slots[at])
    }
}

/// Many values with weights, picked in one step: the weights are apportioned over 1,024 slots, so a weight below
/// half a slot may vanish.
#[derive(Debug, Clone)]
pub struct Weighted {
    slots: Vec<u16>,
}

impl Weighted {
    /// A table over `0..weights.len()`.
    ///
    /// # Panics
    /// If there are no weights, or more than 65,536.
    #[must_use]
    pub fn new(weights: &[u64]) -> Self {
        assert!(!weights.is_empty(), "a choice needs something to choose from");
        let mut slots = Vec::with_capacity(1 << 10);
        for (value, share) in apportion(1 << 10, weights).into_iter().enumerate() {
            let value = u16::try_from(value).expect("at most 65,536 values");
            slots.extend(std::iter::repeat_n(value, usize::try_from(share).expect("at most 1,024 slots")));
        }
        Self { slots }
    }

    /// The value that an even draw picks.
    #[must_use]
    pub fn pick(&self, draw: u64) -> usize {
        usize::from(self.slots[(draw >> 54) as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Scope;

    #[test]
    fn values_come_as_often_as_their_weights_say() {
        let table = Weighted::new(&[600, 300, 100]);
        let shares = Shares::new(&[600, 300, 100]);
        let mut seen = [[0_u32; 3]; 3];
        for ordinal in 0..100_000 {
            let draw = Scope::new(1, "x").entity(ordinal).draw(0);
            seen[0][table.pick(draw)] += 1;
            let chosen = choose(draw, &[(0_usize, 600), (1, 300), (2, 100)]);
            seen[1][chosen] += 1;
            seen[2][shares.pick(draw)] += 1;
            assert_eq!(shares.pick(draw), chosen);
        }
        for counts in seen {
            for (count, expected) in counts.into_iter().zip([60_000_u32, 30_000, 10_000]) {
                assert!(count.abs_diff(expected) < 600, "{seen:?}");
            }
        }
    }
}
