//! What requests are made of.

use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::Zipf;
use serde_json::Value;

use super::pointer::Pointer;
use super::template::Template;
use crate::operations::Draw;

/// Data as the file describes them.
#[derive(Debug, Clone)]
pub(super) struct Data {
    pub(super) origin: Origin,
    /// The exponent of Zipf's law by which values are chosen, the first one most often; 0: all alike.
    pub(super) skew: f64,
}

/// Where values come from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// They stand in the file, or in one beside it; at least one.
    Given(Arc<[Value]>),
    /// Whole numbers, from the first, so many; at least one.
    Range(i64, u64),
    /// The server is asked.
    Asked(Inquiry),
}

/// How the server is asked for values.
#[derive(Debug, Clone)]
pub(super) struct Inquiry {
    /// Path and query of the first page, made of the workspace alone.
    pub(super) path: Template,
    /// Where the values stand on a page.
    pub(super) each: Pointer,
    /// Where the link to the next page stands; `None`: there is one page.
    pub(super) next: Option<Pointer>,
    /// The most values that are taken.
    pub(super) at_most: usize,
}

/// Values to draw from.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    values: Values,
    zipf: Option<Zipf<f64>>,
}

#[derive(Debug, Clone)]
enum Values {
    Listed(Arc<[Value]>),
    Range(i64, u64),
}

impl Pool {
    /// Values that are listed, at least one.
    pub(super) fn of(values: Arc<[Value]>, skew: f64) -> Self {
        let zipf = zipf(values.len() as u64, skew);
        Self { values: Values::Listed(values), zipf }
    }

    /// So many whole numbers from `first` on, at least one.
    pub(super) fn of_range(first: i64, count: u64, skew: f64) -> Self {
        Self { values: Values::Range(first, count), zipf: zipf(count, skew) }
    }

    /// One of them.
    pub(super) fn draw(&self, draw: &mut Draw) -> Value {
        match &self.values {
            Values::Listed(values) => {
                let place = usize::try_from(self.place(values.len() as u64, draw)).unwrap_or_default();
                values[place].clone()
            }
            Values::Range(first, count) => first.wrapping_add_unsigned(self.place(*count, draw)).into(),
        }
    }

    /// From 0 to `count - 1`.
    fn place(&self, count: u64, draw: &mut Draw) -> u64 {
        match &self.zipf {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rank from 1 to their number"
            )]
            Some(zipf) => (draw.random().sample(zipf) as u64).clamp(1, count) - 1,
            None => draw.random().random_range(0..count),
        }
    }

    /// Those that are texts, for a look whether they fit.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let listed = match &self.values {
            Values::Listed(values) => &values[..],
            Values::Range(..) => &[],
        };
        listed.iter().filter_map(Value::as_str)
    }
}

fn zipf(count: u64, skew: f64) -> Option<Zipf<f64>> {
    if skew > 0.0 { Zipf::new(count as f64, skew).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each of three values is drawn in 11,000 draws.
    fn counts(pool: &Pool) -> Vec<u32> {
        let mut counts = vec![0; 3];
        for number in 0..11_000 {
            let place = pool.draw(&mut Draw::new(5, number)).as_u64().unwrap();
            counts[usize::try_from(place).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn values_are_drawn_alike_or_by_the_law_of_zipf() {
        let listed: Arc<[Value]> = vec![0.into(), 1.into(), 2.into()].into();
        // By 1, 1/2 and 1/3, whose sum is 11/6. Five standard deviations of each count are at most 262.
        for (skew, expected) in [(0.0, [3667, 3667, 3667]), (1.0, [6000, 3000, 2000])] {
            for pool in [Pool::of(Arc::clone(&listed), skew), Pool::of_range(0, 3, skew)] {
                for (count, expected) in counts(&pool).into_iter().zip(expected) {
                    assert!(count.abs_diff(expected) <= 262, "{skew}: {:?}", counts(&pool));
                }
            }
        }
    }

    #[test]
    fn a_range_holds_its_ends_and_nothing_beyond() {
        for (first, count) in [(-1, 2), (i64::MAX, 1), (i64::MIN, 1 << 63), (i64::MAX - 1, 2)] {
            let last = i128::from(first) + i128::from(count) - 1;
            for skew in [0.0, 1.2] {
                let pool = Pool::of_range(first, count, skew);
                let drawn: Vec<i128> = (0..200)
                    .map(|number| pool.draw(&mut Draw::new(5, number)).as_i64().unwrap().into())
                    .collect();
                assert!(drawn.iter().all(|value| (i128::from(first)..=last).contains(value)), "{drawn:?}");
                if count <= 2 {
                    assert!(drawn.contains(&first.into()) && drawn.contains(&last));
                }
            }
        }
    }
}
