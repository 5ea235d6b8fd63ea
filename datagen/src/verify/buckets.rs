//! Sums of rows in buckets by the hash of their key: where two sets of rows differ, without keeping either.
//!
//! Rows of the database add their hash to the bucket of their key, rows of the generator subtract theirs. A bucket
//! that ends at zero held the same rows on both sides; that it does by chance has a probability of 2^-64. What is left
//! names the few buckets whose rows have to be looked at. All threads add to the same buckets, so they take 12 MB,
//! whatever the number of rows and threads.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::checksum;

/// 2^20 buckets: at 60,000,000 rows, one changed row makes 57 rows worth a look.
const BITS: u32 = 20;

pub(super) struct Buckets {
    sums: Vec<AtomicU64>,
    /// Rows of the generator.
    expected_rows: Vec<AtomicU32>,
}

impl Buckets {
    pub(super) fn new() -> Self {
        Self {
            sums: std::iter::repeat_with(AtomicU64::default).take(1 << BITS).collect(),
            expected_rows: std::iter::repeat_with(AtomicU32::default).take(1 << BITS).collect(),
        }
    }

    /// Adds a row of the database.
    pub(super) fn add_held(&self, key: &[u8], row_hash: u64) {
        self.sums[bucket(key)].fetch_add(row_hash, Ordering::Relaxed);
    }

    /// Adds a row of the generator.
    pub(super) fn add_generated(&self, key: &[u8], row_hash: u64) {
        let bucket = bucket(key);
        self.sums[bucket].fetch_sub(row_hash, Ordering::Relaxed);
        self.expected_rows[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// The buckets whose rows are not the same on both sides.
    pub(super) fn differing(&self) -> Vec<usize> {
        self.sums
            .iter()
            .enumerate()
            .filter_map(|(bucket, sum)| (sum.load(Ordering::Relaxed) != 0).then_some(bucket))
            .collect()
    }

    /// As many of `differing` as hold at most `rows` rows of the generator, but at least one. Which rows share a bucket
    /// is as good as random, so the first buckets are a fair sample of all.
    pub(super) fn select(&self, differing: &[usize], rows: u64) -> Selected {
        let mut selected =
            Selected { within: vec![false; 1 << BITS], buckets: 0, expected_rows: 0, differing_rows: 0 };
        for &bucket in differing {
            let of_bucket = u64::from(self.expected_rows[bucket].load(Ordering::Relaxed));
            selected.differing_rows += of_bucket;
            // Once one was left out all are, so that small ones are not preferred.
            if selected.buckets == 0 || selected.differing_rows <= rows {
                selected.within[bucket] = true;
                selected.buckets += 1;
                selected.expected_rows += of_bucket;
            }
        }
        selected
    }
}

/// Some of the buckets.
pub(super) struct Selected {
    within: Vec<bool>,
    /// How many they are.
    pub(super) buckets: usize,
    /// Rows of the generator in them.
    pub(super) expected_rows: u64,
    /// Rows of the generator in all buckets that differ.
    pub(super) differing_rows: u64,
}

impl Selected {
    /// Whether the rows of `key` are in one of them.
    pub(super) fn holds(&self, key: &[u8]) -> bool {
        self.within[bucket(key)]
    }
}

fn bucket(key: &[u8]) -> usize {
    (checksum::of_row(key) >> (u64::BITS - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> [u8; 8] {
        number.to_be_bytes()
    }

    #[test]
    fn the_same_rows_leave_nothing_whatever_their_order() {
        let buckets = Buckets::new();
        for row in 0..10_000 {
            buckets.add_held(&key(row), row * 7 + 1);
            buckets.add_generated(&key(9_999 - row), (9_999 - row) * 7 + 1);
        }
        assert_eq!(buckets.differing(), Vec::<usize>::new());
    }

    #[test]
    fn a_row_that_is_missing_added_or_changed_is_in_a_bucket_that_differs() {
        let buckets = Buckets::new();
        for row in 0..10_000 {
            buckets.add_generated(&key(row), row + 1);
        }
        for row in (0..10_001).filter(|&row| row != 17) {
            buckets.add_held(&key(row), if row == 4_000 { 77 } else { row + 1 });
        }
        let differing = buckets.differing();
        let all = buckets.select(&differing, u64::MAX);
        assert_eq!((differing.len(), all.buckets), (3, 3));
        assert!([17, 4_000, 10_000].iter().all(|&row| all.holds(&key(row))));
    }

    #[test]
    fn no_more_rows_are_selected_than_wanted_but_one_bucket_always_is() {
        let buckets = Buckets::new();
        for row in 0..1_000_000 {
            buckets.add_generated(&key(row), row + 1);
        }
        let differing = buckets.differing();
        let held = |selected: &Selected| (0..1_000_000).filter(|&row| selected.holds(&key(row))).count();
        let some = held(&buckets.select(&differing, 5_000));
        assert!((4_900..=5_000).contains(&some), "{some}");
        assert_eq!(buckets.select(&differing, 0).buckets, 1);
    }
}
