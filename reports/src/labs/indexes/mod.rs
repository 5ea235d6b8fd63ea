//! The price list of indexes: what each one buys, and what it costs.
//!
//! [`Index`] is one of them as the catalogue has it; [`Sample`] is what one operation took while one of them was left out,
//! or none; [`price()`] makes a [`Price`] of all samples. Everything is plain data, kept as JSON with a page beside it
//! ([`store`]) and printed as a table ([`terminal`]).

mod extrapolation;
mod html;
mod index;
mod price;
#[cfg(test)]
mod sample;
pub mod store;
pub mod terminal;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use extrapolation::{CALLS, CUSTOMERS, Extrapolation, FEWEST_ROWS};
pub use index::{Density, Index, Redundancy, Rule};
pub use price::{Change, Price, ReadPrice, WritePrice, price};

use crate::run::{Check, Environment};

/// The version of the layout of `indexes.json`. It grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// The indexes of a database, and what was measured without each of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PriceList {
    /// [`SCHEMA`] at the time of writing.
    pub schema: u32,
    /// The name of the measurement, which is also the name of its folder.
    pub name: String,
    /// When it began, UTC.
    pub started_at: DateTime<Utc>,
    /// When it ended, UTC.
    pub finished_at: DateTime<Utc>,
    /// The command line that measures again.
    pub command: String,
    /// Where it ran.
    pub environment: Environment,
    /// Level of the schema; `None` for a database that was given.
    pub level: Option<String>,
    /// Since when scans are counted; `None` where they never were reset, so since the database is there.
    pub counted_since: Option<DateTime<Utc>>,
    /// How sizes at scale were computed.
    pub rule: String,
    /// The dearest first.
    pub indexes: Vec<Index>,
    /// What was measured without each; `None` where nothing was left out.
    pub ablation: Option<Ablation>,
    /// Whether everything is as it was before.
    pub checks: Vec<Check>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// Indexes left out in turn, each measured beside the full set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ablation {
    /// What answered the reads.
    pub server: String,
    /// The workspace that was read and written.
    pub workspace: String,
    /// Rounds: each measures without every index once, and with all of them twice.
    pub rounds: u32,
    /// What was done, reads first.
    pub operations: Vec<Operation>,
    /// Every look, in the order in which it was taken.
    pub samples: Vec<Sample>,
    /// Those that stayed in place, and why.
    pub kept: Vec<Kept>,
    /// One for each index that was left out, in the order of [`PriceList::indexes`].
    pub prices: Vec<Price>,
}

/// Something that is done with the full set and without each index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Whether it writes.
    pub writes: bool,
    /// Rows that it writes, or 0.
    pub rows: u64,
    /// How often it was done for a sample.
    pub times: u64,
    /// What it does, in words.
    pub description: String,
}

/// An index that was not left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub index: String,
    /// For example `it keeps a rule (primary key)`.
    pub why: String,
}

/// What one operation took, per time that it was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Round, from 1.
    pub round: u32,
    /// The index that was left out; `None` for the full set.
    pub without: Option<String>,
    /// 1, or 2 for the second look at the full set, which gives the noise floor.
    pub pass: u32,
    /// [`Operation::name`].
    pub operation: String,
    /// Shared buffers touched.
    pub buffers: f64,
    /// Median time in microseconds.
    pub p50_us: f64,
    /// What a write left in the log; `None` for a read.
    pub log: Option<Log>,
    /// Indexes in the plans of a read, sorted; `None` where no plan was asked for.
    pub plan: Option<Vec<String>>,
}

/// What one write left in the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// By how many bytes the log grew, images of whole pages included.
    pub bytes: f64,
    /// Records; `None` where the log could not be looked into.
    pub records: Option<f64>,
    /// Bytes of records without images of whole pages; `None` where the log could not be looked into.
    pub record_bytes: Option<f64>,
}

impl Log {
    /// Bytes that do not depend on when the last checkpoint was, where they are known.
    #[must_use]
    pub fn steady_bytes(&self) -> f64 {
        self.record_bytes.unwrap_or(self.bytes)
    }
}

impl PriceList {
    /// 0 when it was measured, 1 when something is not as it was before.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(self.checks.iter().any(|check| !check.passed))
    }

    /// The price of an index, where it was left out.
    #[must_use]
    pub fn price_of(&self, index: &str) -> Option<&Price> {
        self.ablation.as_ref()?.prices.iter().find(|price| price.index == index)
    }

    /// Sorts by cost: bytes that an index adds to the log for a row that is written, and size among equals; those that were
    /// not left out come after the others. Prices follow the same order.
    pub fn sort(&mut self) {
        let cost = |index: &Index| self.price_of(&index.name).map(Price::log_bytes_per_row);
        let mut order: Vec<(Option<f64>, u64, usize)> =
            self.indexes.iter().enumerate().map(|(at, index)| (cost(index), index.bytes, at)).collect();
        order.sort_by(|a, b| {
            let (left, right) = (a.0.unwrap_or(-1.0), b.0.unwrap_or(-1.0));
            right.total_cmp(&left).then(b.1.cmp(&a.1))
        });
        self.indexes = order.into_iter().map(|(.., at)| self.indexes[at].clone()).collect();
        if let Some(ablation) = &mut self.ablation {
            let place = |name: &str| self.indexes.iter().position(|index| index.name == name);
            ablation.prices.sort_by_key(|price| place(&price.index));
        }
    }

    /// A sentence for each index: what it buys, what it costs, and what else is to be known of it.
    #[must_use]
    pub fn sentences(&self) -> Vec<(&str, String)> {
        self.indexes.iter().map(|index| (index.name.as_str(), self.sentence(index))).collect()
    }

    fn sentence(&self, index: &Index) -> String {
        let kept = || self.ablation.as_ref()?.kept.iter().find(|kept| kept.index == index.name);
        let mut parts = Vec::new();
        match self.price_of(&index.name) {
            Some(price) => parts.extend([price.buys(), price.costs()]),
            None => parts.extend(kept().map(|kept| format!("not left out: {}", kept.why))),
        }
        let remarks = index.remarks(self.counted_since).into_iter();
        parts.extend(remarks.filter(|remark| !parts.iter().any(|part| part.ends_with(remark))).collect::<Vec<_>>());
        parts.join("; ")
    }

    /// What the list does not say; `None` where nothing was left out.
    #[must_use]
    pub fn limits(&self) -> Option<String> {
        let ablation = self.ablation.as_ref()?;
        let names = |writes: bool| -> String {
            let of = ablation.operations.iter().filter(|operation| operation.writes == writes);
            of.map(|operation| operation.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        Some(format!(
            "Only what was measured counts here: the reads {}; the writes {}; in {}, in memory, on these rows, one after \
             another. Reports, jobs, other tenants and other sizes were not asked. An index that nothing here needs may be \
             needed by them: look at the scans of the database in use before dropping one.",
            names(false),
            names(true),
            ablation.workspace,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearest_to_write_comes_first_and_what_was_not_left_out_last() {
        let list = sample::list();
        let names: Vec<&str> = list.indexes.iter().map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["idx_order", "idx_idle", "customer_pkey"]);
        let prices = &list.ablation.as_ref().unwrap().prices;
        assert_eq!(prices.iter().map(|price| price.index.as_str()).collect::<Vec<_>>(), names[..2]);
    }

    #[test]
    fn every_index_has_its_sentence_and_none_is_told_to_be_dropped() {
        let list = sample::list();
        let sentences = list.sentences();
        assert_eq!(
            sentences[0].1,
            "without it first_page reads 812 instead of 54 blocks (15x; 4x the time); costs 70.0 MiB, and in the log 200 B \
             per single_insert, 20,000 B per batch_insert"
        );
        assert!(
            sentences[1]
                .1
                .starts_with("nothing measured here needs it; costs 10.0 MiB, and nothing that stands out"),
            "{}",
            sentences[1].1
        );
        assert!(sentences[1].1.contains("its keys are the first ones of idx_order"), "{}", sentences[1].1);
        assert!(sentences[1].1.contains("never used since 1 July 2026, 09:05 UTC"), "{}", sentences[1].1);
        assert_eq!(sentences[2].1, "not left out: it keeps a rule (primary key)");
        let limits = list.limits().unwrap();
        assert!(limits.contains("the reads first_page; the writes single_insert, batch_insert"), "{limits}");
    }

    #[test]
    fn something_that_is_not_as_before_is_a_failure() {
        let mut list = sample::list();
        assert_eq!(list.exit_code(), 0);
        list.checks[0].passed = false;
        assert_eq!(list.exit_code(), 1);
    }
}
