//! The price list of indexes: what each one buys, and what it costs.
//!
//! [`Index`] is one of them as the catalogue has it; [`Sample`] is what one operation took while one of them was left out,
//! or none; [`price()`] makes a [`Price`] of all samples. Everything is plain data, kept as JSON with a page beside it
//! ([`store`]) and printed as a table ([`terminal`]).

mod extrapolation;
mod html;
mod index;
mod price;
mod pricing;
#[cfg(test)]
mod sample;
pub mod store;
pub mod terminal;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use extrapolation::{CALLS, CUSTOMERS, Extrapolation, FEWEST_ROWS};
pub use index::{Density, Index, Redundancy, Rule};
pub use price::{Change, Price, ReadPrice, Verdict, WritePrice};
pub use pricing::price;

use crate::quantity;
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
    /// The worst bargain first, as [`PriceList::sort`] has it.
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
    /// The workspace that was read and written.
    pub workspace: String,
    /// Rounds: each measures without every index once, and with all of them twice.
    pub rounds: u32,
    /// Seconds after which a statement was stopped.
    pub timeout_s: f64,
    /// What was done, reads first.
    pub operations: Vec<Operation>,
    /// Every look, in the order in which it was taken.
    pub samples: Vec<Sample>,
    /// Those that stayed in place, and why.
    pub kept: Vec<Kept>,
    /// One for each index that was left out, in the order of [`PriceList::indexes`].
    pub prices: Vec<Price>,
}

/// A statement that is carried out with the full set and without each index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// Whether it writes.
    pub writes: bool,
    /// Rows that it writes, or 0.
    pub rows: u64,
    /// With how many different values it was carried out for a sample.
    pub times: u64,
    /// The statement, with the names of its values.
    pub sql: String,
    /// Of a read the tables in its plans, of a write those that it changes; sorted.
    pub tables: Vec<String>,
}

/// An index that was not left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its name.
    pub index: String,
    /// For example `keeps a rule (primary key)`.
    pub why: String,
}

/// What one operation took, per time that it was done: of a read the mean over its values, each read twice, the second time
/// counted and the quicker one timed; of a write the lower quartile, and the median of the times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Round, from 1.
    pub round: u32,
    /// The index that was left out; `None` for the full set.
    pub without: Option<String>,
    /// 1, or 2 for the second look at the full set, which gives the noise.
    pub pass: u32,
    /// [`Operation::name`].
    pub operation: String,
    /// Shared buffers touched.
    pub buffers: f64,
    /// Time in the executor in microseconds.
    pub time_us: f64,
    /// Whether the time limit stopped it; buffers and time are those of what ended, or the limit.
    pub stopped: bool,
    /// What a write left in the log; `None` for a read.
    pub log: Option<Log>,
    /// Share of updated rows whose new version no index had to be told of (HOT); `None` where none was updated.
    pub hot: Option<f64>,
    /// Indexes in the plans, sorted.
    pub plan: Vec<String>,
}

/// What one write left in the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// By how many bytes the log grew: images of whole pages, triggers, and whoever else wrote are included.
    pub bytes: f64,
    /// Records of the statement.
    pub records: f64,
    /// Bytes of the statement's records, of those statements that left no image of a whole page; `None` where all did.
    pub record_bytes: Option<f64>,
    /// Images of whole pages.
    pub images: f64,
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

    /// Sorts the worst bargains first: what only costs, then what can't be told, then what pays; among these, those with
    /// the most bytes in the log for each block that they save. What was not left out comes last, by size. Prices follow.
    pub fn sort(&mut self) {
        let rank = |index: &Index| self.price_of(&index.name).map(|price| (price.verdict, price.bargain()));
        let ranks: Vec<_> = self.indexes.iter().map(rank).collect();
        let mut ranked: Vec<_> = ranks.into_iter().zip(std::mem::take(&mut self.indexes)).collect();
        ranked.sort_by(|(a, one), (b, other)| {
            let by_price = match (a, b) {
                (Some((a, a_bargain)), Some((b, b_bargain))) => a.cmp(b).then(b_bargain.total_cmp(a_bargain)),
                _ => b.is_some().cmp(&a.is_some()),
            };
            by_price.then(other.bytes.cmp(&one.bytes))
        });
        self.indexes = ranked.into_iter().map(|(_, index)| index).collect();
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
            Some(price) => {
                parts.push(format!("{}: {}", price.verdict.words(), price.buys()));
                parts.push(price.costs());
            }
            None => parts.extend(kept().map(|kept| format!("not left out: {}", kept.why))),
        }
        // Scans of a copy's original say nothing that the measurement does not.
        let since = if self.ablation.is_some() { None } else { Some(self.counted_since) };
        let remarks = index.remarks(since).into_iter();
        parts.extend(
            remarks.filter(|remark| !parts.iter().any(|part| part.ends_with(remark))).collect::<Vec<_>>(),
        );
        parts.extend(self.stands_in_for(index));
        parts.join("; ")
    }

    /// That this one is needed if those go for which it stands in.
    fn stands_in_for(&self, index: &Index) -> Option<String> {
        let others = self
            .indexes
            .iter()
            .filter(|other| other.redundant.iter().any(|redundancy| redundancy.by() == index.name));
        let names: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("does what {} does, so keep one of them", names.join(" or ")))
    }

    /// How far two looks at the full set differ, which is the noise of this measurement; `None` where nothing was left out.
    #[must_use]
    pub fn noise(&self) -> Option<String> {
        let prices = &self.ablation.as_ref()?.prices;
        let widest = |changes: Vec<(&str, &Change)>, what: &str| {
            let share = |change: &Change| if change.with > 0.0 { change.noise / change.with } else { 0.0 };
            let shares = changes.into_iter().map(|(operation, change)| (share(change), operation));
            let (share, operation) = shares.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
            Some(format!("{what} by at most {} ({operation})", quantity::share(share)))
        };
        let reads = || prices.iter().flat_map(|price| &price.reads);
        let writes = || prices.iter().flat_map(|price| &price.writes);
        let parts = [
            widest(reads().map(|read| (read.operation.as_str(), &read.buffers)).collect(), "blocks of reads"),
            widest(
                writes().map(|write| (write.operation.as_str(), &write.log_bytes)).collect(),
                "log of writes",
            ),
            widest(
                reads()
                    .map(|read| (read.operation.as_str(), &read.time_us))
                    .chain(writes().map(|write| (write.operation.as_str(), &write.time_us)))
                    .collect(),
                "times",
            ),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        (!told.is_empty())
            .then(|| format!("Two looks at the full set in one round differed: {}.", told.join(", ")))
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
            "Only what was measured counts here: the reads {}; the writes {}; in {}, on these rows, one after another. Reports, \
             jobs, other tenants and other sizes were not asked. Each index was left out alone: of two that stand in for each \
             other, neither is missed. Look at the scans of the database in use, and of its replicas, before dropping one.",
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
    fn the_worst_bargain_comes_first_and_what_was_not_left_out_last() {
        let list = sample::list();
        let names: Vec<&str> = list.indexes.iter().map(|index| index.name.as_str()).collect();
        assert_eq!(names, ["idx_idle", "idx_order", "customer_pkey"]);
        let prices = &list.ablation.as_ref().unwrap().prices;
        assert_eq!(prices.iter().map(|price| price.index.as_str()).collect::<Vec<_>>(), names[..2]);
    }

    #[test]
    fn every_index_has_its_sentence_and_none_is_told_to_be_dropped() {
        let list = sample::list();
        let sentences = list.sentences();
        assert_eq!(
            sentences[0].1,
            "costs only: nothing measured here needs it; costs 10.0 MiB, and nothing that stands out in the log of what was \
             written; its keys are the first ones of idx_order"
        );
        assert_eq!(
            sentences[1].1,
            "pays: without it first_page reads 812 instead of 54 blocks (15x; 4x the time, by idx_other); costs 70.0 MiB, and in \
             the log 200 B per single_insert, 20,000 B per batch_insert, and keeps 75 % of single_insert from being HOT; does \
             what idx_idle does, so keep one of them"
        );
        assert_eq!(sentences[2].1, "not left out: keeps a rule (primary key)");
        assert_eq!(
            list.noise().unwrap(),
            "Two looks at the full set in one round differed: blocks of reads by at most 3.7 % (first_page), log of writes by at \
             most 0.444 % (batch_insert), times by at most 0 % (batch_insert)."
        );
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
