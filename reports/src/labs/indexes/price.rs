//! What an index buys and costs, and whether it is worth that.
//!
//! A difference is believed when it is greater than any between the two looks at the full set in one round (A/A), greater than
//! [`LEAST_SHARE`] of the value, and of the same sign against both looks in every round: counted work decides, times are shown
//! beside it.

use serde::{Deserialize, Serialize};

use crate::quantity;

/// Differences of less than this share of the value are not told, however steady they are.
const LEAST_SHARE: f64 = 0.02;

/// Reads that touch less than this many blocks more are not told of: one descent of a tree may be that much longer.
const LEAST_BLOCKS: f64 = 1.0;

/// Updates of which a smaller share is kept from being HOT are not told of.
const LEAST_HOT: f64 = 0.02;

/// Reads that a sentence names.
const NAMED: usize = 3;

/// A value with all indexes and without one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Median over rounds with all of them.
    pub with: f64,
    /// Median over rounds without the one.
    pub without: f64,
    /// The greatest difference between two looks at the full set in one round.
    pub noise: f64,
    /// Whether in every round the value without it lay on the same side of both looks at the full set.
    pub steady: bool,
}

impl Change {
    /// By how much it is more without the index.
    #[must_use]
    pub fn more(&self) -> f64 {
        self.without - self.with
    }

    /// How many times as much it is without the index; `None` from zero.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        (self.with > 0.0).then(|| self.without / self.with)
    }

    /// Whether equal things never differed as much, and no round contradicts.
    #[must_use]
    pub fn is_beyond_noise(&self) -> bool {
        self.steady && self.more().abs() > self.noise && self.more().abs() > LEAST_SHARE * self.with
    }
}

/// What a read takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadPrice {
    /// [`Operation::name`](super::Operation::name).
    pub operation: String,
    /// Shared buffers per read.
    pub buffers: Change,
    /// Time in microseconds.
    pub time_us: Change,
    /// Whether it never ended in time without the index, but did with it.
    pub stopped: bool,
    /// Whether a plan with the full set has the index.
    pub in_plan: bool,
    /// Indexes that only plans without it have.
    pub instead: Vec<String>,
}

/// What a write takes, per time that it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WritePrice {
    /// [`Operation::name`](super::Operation::name).
    pub operation: String,
    /// Rows that it writes.
    pub rows: u64,
    /// Bytes in the log without images of whole pages, or all bytes where every statement left one.
    pub log_bytes: Change,
    /// Bytes by which the log grew.
    pub all_log_bytes: Change,
    /// Records in the log.
    pub records: Change,
    /// Images of whole pages in the log.
    pub images: Change,
    /// Share of updates that were HOT; `None` where none was made.
    pub hot: Option<Change>,
    /// Shared buffers.
    pub buffers: Change,
    /// Time in microseconds.
    pub time_us: Change,
}

/// Whether an index is worth its price, as far as was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Reads reach its table, and none uses it; or another one is the same, or begins with it, and none is worse without it.
    CostsOnly,
    /// Its table has too few rows, or no read reaches it, or a read uses it and is not seen to be worse without it.
    CannotTell,
    /// A read is worse without it.
    Pays,
}

/// What an index buys and costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Name of the index.
    pub index: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether it is worth that.
    pub verdict: Verdict,
    /// Why that is the verdict; empty for one that pays.
    pub why: String,
    /// One for each read.
    pub reads: Vec<ReadPrice>,
    /// One for each write.
    pub writes: Vec<WritePrice>,
}

impl Verdict {
    /// In words: `costs only`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::CostsOnly => "costs only",
            Self::CannotTell => "cannot tell",
            Self::Pays => "pays",
        }
    }
}

impl ReadPrice {
    /// Whether it touches more blocks without the index, or does not end.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.stopped || (self.buffers.is_beyond_noise() && self.buffers.more() >= LEAST_BLOCKS)
    }

    /// Whether it touches fewer: the planner takes the index where another way is better.
    #[must_use]
    pub fn is_better(&self) -> bool {
        !self.stopped && self.buffers.is_beyond_noise() && self.buffers.more() <= -LEAST_BLOCKS
    }

    /// `first_page 15x`: how many times as many blocks it touches without the index.
    #[must_use]
    pub fn short(&self) -> String {
        if self.stopped {
            return format!("{} no end", self.operation);
        }
        let ratio = self.buffers.ratio().map_or_else(|| "from none".to_owned(), quantity::times);
        format!("{} {ratio}", self.operation)
    }

    fn sentence(&self) -> String {
        if self.stopped {
            return format!("{} does not end in time", self.operation);
        }
        let times = |change: &Change| change.ratio().map_or_else(|| "–".to_owned(), quantity::times);
        let by = if self.instead.is_empty() {
            String::new()
        } else {
            format!(", by {}", self.instead.join(" and "))
        };
        format!(
            "{} reads {} instead of {} blocks ({}; {} the time{by})",
            self.operation,
            quantity::number(self.buffers.without),
            quantity::number(self.buffers.with),
            times(&self.buffers),
            times(&self.time_us),
        )
    }
}

impl WritePrice {
    /// Bytes in the log that the index adds, where they stand out.
    #[must_use]
    pub fn log_cost(&self) -> Option<f64> {
        (self.log_bytes.is_beyond_noise() && self.log_bytes.more() < 0.0).then(|| -self.log_bytes.more())
    }

    /// Share of updates that would be HOT without the index and are not with it, where it stands out.
    #[must_use]
    pub fn hot_lost(&self) -> Option<f64> {
        let hot = self.hot.filter(|hot| hot.is_beyond_noise() && hot.more() >= LEAST_HOT)?;
        Some(hot.more())
    }
}

impl Price {
    /// The most bytes in the log that it adds to a row that is written; 0 where nothing stands out.
    #[must_use]
    pub fn log_bytes_per_row(&self) -> f64 {
        let costs = self.writes.iter().filter_map(|write| Some(write.log_cost()? / write.rows.max(1) as f64));
        costs.fold(0.0, f64::max)
    }

    /// The largest share of updates of one kind that it keeps from being HOT; 0 where nothing stands out.
    #[must_use]
    pub fn hot_lost(&self) -> f64 {
        self.writes.iter().filter_map(WritePrice::hot_lost).fold(0.0, f64::max)
    }

    /// How bad a bargain it is: bytes in the log for each row written, per block that its reads are spared, of which at
    /// least one is taken; 0 where a read does not end without it.
    #[must_use]
    pub fn bargain(&self) -> f64 {
        let spared = |read: &&ReadPrice| if read.stopped { f64::INFINITY } else { read.buffers.more() };
        let spared: f64 = self.needed_by().iter().map(spared).sum();
        self.log_bytes_per_row() / spared.max(1.0)
    }

    /// The reads that touch more blocks without it, the worst first.
    #[must_use]
    pub fn needed_by(&self) -> Vec<&ReadPrice> {
        let mut worse: Vec<&ReadPrice> = self.reads.iter().filter(|read| read.is_worse()).collect();
        worse.sort_by(|a, b| b.stopped.cmp(&a.stopped).then(b.buffers.more().total_cmp(&a.buffers.more())));
        worse
    }

    /// `without it worst_filters reads 812 instead of 54 blocks (15x; 4x the time)`, or that nothing needs it.
    #[must_use]
    pub fn buys(&self) -> String {
        let worse = self.needed_by();
        let mut text = if worse.is_empty() {
            self.why.clone()
        } else {
            let named: Vec<String> = worse.iter().take(NAMED).map(|read| read.sentence()).collect();
            let more = worse.len().saturating_sub(NAMED);
            let rest = if more > 0 { format!(", and {more} more get worse") } else { String::new() };
            let why = if self.why.is_empty() { String::new() } else { format!("{}; ", self.why) };
            format!("{why}without it {}{rest}", named.join(", "))
        };
        let better: Vec<String> =
            self.reads.iter().filter(|read| read.is_better()).map(ReadPrice::sentence).collect();
        if !better.is_empty() {
            text.push_str("; better without it: ");
            text.push_str(&better.join(", "));
        }
        text
    }

    /// `costs 70.0 MiB, and in the log 200 B per single_insert`.
    #[must_use]
    pub fn costs(&self) -> String {
        let writes = self.writes.iter().filter_map(|write| {
            Some(format!("{} B per {}", quantity::number(write.log_cost()?.round()), write.operation))
        });
        let writes: Vec<String> = writes.collect();
        let log = if writes.is_empty() {
            "nothing that stands out in the log of what was written".to_owned()
        } else {
            format!("in the log {}", writes.join(", "))
        };
        let hot = self.writes.iter().filter_map(|write| {
            Some(format!("{} of {}", quantity::share(write.hot_lost()?), write.operation))
        });
        let hot: Vec<String> = hot.collect();
        let hot = if hot.is_empty() {
            String::new()
        } else {
            format!(", and keeps {} from being HOT", hot.join(", "))
        };
        format!("costs {}, and {log}{hot}", quantity::bytes(self.bytes as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_difference_no_greater_than_that_of_equal_things_is_noise() {
        let of = |with, without, noise| Change { with, without, noise, steady: true }.is_beyond_noise();
        assert!(of(54.0, 812.0, 3.0));
        assert!(!of(54.0, 57.0, 3.0), "as far as two equal looks");
        assert!(!of(1000.0, 1019.0, 3.0), "less than 2 % of it");
        assert!(of(0.0, 4.0, 0.0));
        let torn = Change { with: 54.0, without: 812.0, noise: 3.0, steady: false };
        assert!(!torn.is_beyond_noise(), "one round says otherwise");
    }

    #[test]
    fn a_read_that_is_better_without_it_is_told() {
        let list = sample::list();
        let mut price = list.ablation.unwrap().prices.remove(0);
        price.reads[0].buffers = Change { with: 54.0, without: 20.0, noise: 2.0, steady: true };
        assert_eq!(
            price.buys(),
            "nothing measured here needs it; better without it: first_page reads 20 instead of 54 blocks (0.37x; 1x the time)"
        );
    }
}
