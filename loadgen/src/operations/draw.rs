//! What a request draws.
//!
//! Each arrival has a number, and what its request asks for is drawn from the seed of the plan and that number alone: all
//! targets, all variants and all shards of a schedule are asked the same, whichever worker takes the arrival.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::rounds::mix;

/// The dice of one arrival.
#[derive(Debug, Clone)]
pub struct Draw {
    number: u64,
    // A named algorithm, so that a seed means the same requests after an update.
    random: Xoshiro256PlusPlus,
}

impl Draw {
    /// The dice of arrival `number` under this seed.
    #[must_use]
    pub fn new(seed: u64, number: u64) -> Self {
        Self { number, random: Xoshiro256PlusPlus::seed_from_u64(mix(seed, number)) }
    }

    /// Number of the arrival in its schedule, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A number from 0 up to and without 1.
    pub fn share(&mut self) -> f64 {
        self.random.random()
    }

    /// One of `count` things, 0 to `count - 1`; 0 if there are none.
    pub fn index(&mut self, count: usize) -> usize {
        if count == 0 { 0 } else { self.random.random_range(0..count) }
    }

    /// The place of one of these weights, as often as its share in their sum says. Weights are positive.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return place;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// The dice, for whatever else is drawn.
    pub fn random(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_draws_the_same_whoever_takes_it() {
        let of = |seed, number| Draw::new(seed, number).share().to_bits();
        assert_eq!(of(1, 7), of(1, 7));
        assert!(of(1, 7) != of(1, 8) && of(1, 7) != of(2, 7));
    }

    #[test]
    fn weights_are_shares_of_the_arrivals() {
        let mut counts = [0_u32; 3];
        for number in 0..10_000 {
            counts[Draw::new(3, number).weighted(&[70.0, 29.9, 0.1])] += 1;
        }
        // Five standard deviations of a binomial with n = 10,000 are at most 250.
        assert!((6750..=7250).contains(&counts[0]), "{counts:?}");
        assert!((2740..=3240).contains(&counts[1]), "{counts:?}");
        assert!(counts[2] <= 30, "{counts:?}");
    }
}
