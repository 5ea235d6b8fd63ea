//! The noise floor: how much two measurements of the same thing differ.

/// From the control subject, which each round measures twice (A/A).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseFloor {
    /// The greatest factor by which two equal measurements of one round differed, minus 1: 0.04 for ±4 %.
    pub spread: f64,
    /// Rounds in which both were made.
    pub rounds: u64,
}

impl NoiseFloor {
    /// From `(first, second)` values, one pair a round; `None` when no round has both.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)]) -> Option<Self> {
        let distances = pairs.iter().filter(|(a, b)| *a > 0.0 && *b > 0.0).map(|(a, b)| (a / b).ln().abs());
        let rounds = distances.clone().count() as u64;
        (rounds > 0).then(|| Self { spread: distances.fold(0.0, f64::max).exp() - 1.0, rounds })
    }

    /// Whether a ratio is no farther from 1 than equal things were from each other.
    #[must_use]
    pub fn covers(&self, ratio: f64) -> bool {
        ratio.ln().abs() <= (1.0 + self.spread).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_widest_gap_in_either_direction() {
        let floor = NoiseFloor::of(&[(100.0, 102.0), (110.0, 100.0), (99.0, 100.0)]).unwrap();
        assert!((floor.spread - 0.10).abs() < 1e-9);
        assert_eq!(floor.rounds, 3);
        assert!(floor.covers(0.95) && floor.covers(1.09) && !floor.covers(0.5));
    }

    #[test]
    fn without_a_second_look_there_is_no_floor() {
        assert_eq!(NoiseFloor::of(&[]), None);
    }
}
