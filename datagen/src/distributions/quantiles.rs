//! A continuous distribution as a table of its quantiles.

use crate::kernel::below;

/// 65 quantiles; between two neighbours values are spread evenly. A table instead of `exp` and `ln`, because those
/// differ in their last bits between platforms.
#[derive(Debug, Clone, Copy)]
pub struct Quantiles([u32; 65]);

impl Quantiles {
    /// The value at the quantile that `draw` is, as a fraction of 2^64.
    #[must_use]
    pub const fn at(&self, draw: u64) -> u64 {
        let bucket = (draw >> 58) as usize;
        let from = self.0[bucket] as u64;
        let to = self.0[bucket + 1] as u64;
        from + below(draw << 6, to - from)
    }

    /// The same shape with `of / from` times the values, rounded down.
    ///
    /// # Panics
    /// If a value does not fit 32 bits.
    #[must_use]
    pub fn scaled(&self, of: u64, from: u64) -> Self {
        Self(self.0.map(|value| u32::try_from(u64::from(value) * of / from).expect("a value of 32 bits")))
    }
}

/// How long people talk, in milliseconds: log-normal (Brown et al., *Statistical Analysis of a Telephone Call Center*,
/// JASA 2005) with a median of 72 s and sigma 0.95; the quantiles 1/64 to 63/64, and 1/1024 and 1023/1024 at the ends.
pub const TALK_TIME_MS: Quantiles = Quantiles([
    3_797, 9_304, 12_269, 14_651, 16_764, 18_723, 20_585, 22_383, 24_139, 25_869, 27_582, 29_289, 30_997,
    32_710, 34_435, 36_175, 37_936, 39_721, 41_533, 43_377, 45_256, 47_173, 49_133, 51_139, 53_195, 55_305,
    57_474, 59_705, 62_005, 64_379, 66_831, 69_370, 72_000, 74_730, 77_568, 80_523, 83_606, 86_826, 90_198,
    93_735, 97_453, 101_371, 105_510, 109_893, 114_549, 119_511, 124_816, 130_511, 136_651, 143_302, 150_546,
    158_484, 167_244, 176_993, 187_946, 200_398, 214_755, 231_605, 251_836, 276_877, 309_229, 353_827,
    422_530, 557_157, 1_365_221,
]);

#[cfg(test)]
mod tests {
    use rand_distr::Distribution;

    use super::*;
    use crate::kernel::{Scope, Stream};

    #[test]
    fn talk_times_agree_with_a_log_normal_distribution() {
        let reference = rand_distr::LogNormal::new(72_000_f64.ln(), 0.95).unwrap();
        let mut stream = Stream::new(Scope::new(1, "reference").entity(0));
        let mut expected: Vec<f64> = (0..100_000).map(|_| reference.sample(&mut stream)).collect();
        let mut ours: Vec<f64> =
            (0..100_000).map(|at| TALK_TIME_MS.at(Scope::new(1, "ours").entity(at).draw(0)) as f64).collect();
        expected.sort_by(f64::total_cmp);
        ours.sort_by(f64::total_cmp);
        for at in [2_000, 10_000, 25_000, 50_000, 75_000, 90_000, 98_000] {
            let ratio = ours[at] / expected[at];
            assert!((0.95..1.05).contains(&ratio), "quantile {at}: {} to {}", ours[at], expected[at]);
        }
    }

    #[test]
    fn a_scaled_table_has_the_same_shape() {
        let minutes = TALK_TIME_MS.scaled(60, 72);
        for at in 0..1_000 {
            let draw = Scope::new(1, "x").entity(at).draw(0);
            assert!((minutes.at(draw) * 72 / 60).abs_diff(TALK_TIME_MS.at(draw)) <= 2);
            assert_eq!(TALK_TIME_MS.scaled(72, 72).at(draw), TALK_TIME_MS.at(draw));
        }
        assert!(TALK_TIME_MS.scaled(3_600, 72).at(u64::MAX) > 60_000_000);
    }

    #[test]
    fn both_ends_are_inside_the_table() {
        assert_eq!(TALK_TIME_MS.at(0), 3_797);
        assert_eq!(TALK_TIME_MS.at(u64::MAX), 1_365_220);
    }
}
