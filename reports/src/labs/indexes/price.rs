//! From samples to what an index buys and costs.
//!
//! Each round measures the full set twice and the set without each index once, in a drawn order. What an index changes is
//! the difference of the medians over rounds. It is believed when it is greater than any difference between the two looks
//! at the full set in one round (A/A), and greater than [`LEAST_SHARE`] of the value: counted work decides, times are shown
//! beside it.

use serde::{Deserialize, Serialize};

use super::{Operation, Sample};
use crate::quantity;
use crate::stats::median_interval;

/// Differences of less than this share of the value are not told, however steady they are.
const LEAST_SHARE: f64 = 0.02;

/// Reads that touch less than this many blocks more are not told of: one descent of a tree may be that much longer.
const LEAST_BLOCKS: f64 = 1.0;

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

    /// Whether equal things never differed as much.
    #[must_use]
    pub fn is_beyond_noise(&self) -> bool {
        self.more().abs() > self.noise && self.more().abs() > LEAST_SHARE * self.with
    }
}

/// What a read takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadPrice {
    /// [`Operation::name`].
    pub operation: String,
    /// Shared buffers per request.
    pub buffers: Change,
    /// Median time in microseconds.
    pub p50_us: Change,
    /// Whether a plan with the full set has the index; `None` where no plan was asked for.
    pub in_plan: Option<bool>,
}

/// What a write takes, per time that it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WritePrice {
    /// [`Operation::name`].
    pub operation: String,
    /// Rows that it writes.
    pub rows: u64,
    /// Bytes in the log without images of whole pages, or all bytes where the log could not be looked into.
    pub log_bytes: Change,
    /// Bytes by which the log grew.
    pub all_log_bytes: Change,
    /// Records in the log.
    pub records: Option<Change>,
    /// Shared buffers.
    pub buffers: Change,
    /// Median time in microseconds.
    pub p50_us: Change,
}

/// What an index buys and costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// Name of the index.
    pub index: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether a read that was measured gets worse without it.
    pub needed: bool,
    /// One for each read.
    pub reads: Vec<ReadPrice>,
    /// One for each write.
    pub writes: Vec<WritePrice>,
}

impl ReadPrice {
    /// Whether it touches more blocks without the index.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.buffers.is_beyond_noise() && self.buffers.more() >= LEAST_BLOCKS
    }

    /// Whether it touches fewer: the planner takes the index where another way is better.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.buffers.is_beyond_noise() && self.buffers.more() <= -LEAST_BLOCKS
    }

    fn sentence(&self) -> String {
        let times = |change: &Change| change.ratio().map_or_else(|| "–".to_owned(), quantity::times);
        format!(
            "{} reads {} instead of {} blocks ({}; {} the time)",
            self.operation,
            quantity::number(self.buffers.without),
            quantity::number(self.buffers.with),
            times(&self.buffers),
            times(&self.p50_us),
        )
    }
}

impl WritePrice {
    /// Bytes in the log that the index adds, where they stand out.
    #[must_use]
    pub fn log_cost(&self) -> Option<f64> {
        (self.log_bytes.is_beyond_noise() && self.log_bytes.more() < 0.0).then(|| -self.log_bytes.more())
    }
}

impl Price {
    /// The most bytes in the log that it adds to a row that is written; 0 where nothing stands out.
    #[must_use]
    pub fn log_bytes_per_row(&self) -> f64 {
        let costs = self.writes.iter().filter_map(|write| Some(write.log_cost()? / write.rows.max(1) as f64));
        costs.fold(0.0, f64::max)
    }

    /// The reads that touch more blocks without it, the worst first.
    #[must_use]
    pub fn needed_by(&self) -> Vec<&ReadPrice> {
        let mut worse: Vec<&ReadPrice> = self.reads.iter().filter(|read| read.is_worse()).collect();
        worse.sort_by(|a, b| b.buffers.more().total_cmp(&a.buffers.more()));
        worse
    }

    /// `without it worst_filters reads 812 instead of 54 blocks (15x; 4x the time)`, or that nothing needs it.
    #[must_use]
    pub fn buys(&self) -> String {
        let worse = self.needed_by();
        let mut text = if worse.is_empty() {
            "nothing measured here needs it".to_owned()
        } else {
            let named: Vec<String> = worse.iter().take(NAMED).map(|read| read.sentence()).collect();
            let more = worse.len().saturating_sub(NAMED);
            let rest = if more > 0 { format!(", and {more} more get worse") } else { String::new() };
            format!("without it {}{rest}", named.join(", "))
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
        format!("costs {}, and {log}", quantity::bytes(self.bytes as f64))
    }
}

/// The price of an index from all samples; an operation without samples on both sides is left out.
#[must_use]
pub fn price(index: &str, bytes: u64, operations: &[Operation], samples: &[Sample]) -> Price {
    let mut price =
        Price { index: index.to_owned(), bytes, needed: false, reads: Vec::new(), writes: Vec::new() };
    for operation in operations {
        let of: Vec<&Sample> = samples.iter().filter(|sample| sample.operation == operation.name).collect();
        let change = |value: &dyn Fn(&Sample) -> Option<f64>| change(&of, index, value);
        let (Some(buffers), Some(p50_us)) =
            (change(&|sample| Some(sample.buffers)), change(&|sample| Some(sample.p50_us)))
        else {
            continue;
        };
        let operation_name = operation.name.clone();
        if operation.writes {
            let log = |value: fn(&super::Log) -> f64| change(&move |sample| sample.log.as_ref().map(value));
            let (Some(log_bytes), Some(all_log_bytes)) =
                (log(super::Log::steady_bytes), log(|log| log.bytes))
            else {
                continue;
            };
            let records = change(&|sample| sample.log?.records);
            let rows = operation.rows;
            let operation = operation_name;
            price.writes.push(WritePrice {
                operation,
                rows,
                log_bytes,
                all_log_bytes,
                records,
                buffers,
                p50_us,
            });
        } else {
            let plans =
                of.iter().filter(|sample| sample.without.is_none()).filter_map(|sample| sample.plan.as_ref());
            let has: Vec<bool> = plans.map(|plan| plan.iter().any(|name| name == index)).collect();
            let in_plan = (!has.is_empty()).then(|| has.contains(&true));
            price.reads.push(ReadPrice { operation: operation_name, buffers, p50_us, in_plan });
        }
    }
    price.needed = price.reads.iter().any(ReadPrice::is_worse);
    price
}

fn change(samples: &[&Sample], index: &str, value: &dyn Fn(&Sample) -> Option<f64>) -> Option<Change> {
    let values = |without: Option<&str>| -> Vec<f64> {
        let of = samples.iter().filter(|sample| sample.without.as_deref() == without);
        of.filter_map(|sample| value(sample)).collect()
    };
    let full = |round: u32, pass: u32| {
        let look =
            |sample: &&&Sample| sample.without.is_none() && sample.round == round && sample.pass == pass;
        samples.iter().find(look).and_then(|sample| value(sample))
    };
    let rounds = samples.iter().filter(|sample| sample.pass == 2).map(|sample| sample.round);
    let gaps = rounds.filter_map(|round| Some((full(round, 1)? - full(round, 2)?).abs()));
    Some(Change {
        with: median_interval(&values(None), 0.95)?.value,
        without: median_interval(&values(Some(index)), 0.95)?.value,
        noise: gaps.fold(0.0, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_difference_no_greater_than_that_of_equal_things_is_noise() {
        let of = |with, without, noise| Change { with, without, noise }.is_beyond_noise();
        assert!(of(54.0, 812.0, 3.0));
        assert!(!of(54.0, 57.0, 3.0), "as far as two equal looks");
        assert!(!of(1000.0, 1019.0, 3.0), "less than 2 % of it");
        assert!(of(0.0, 4.0, 0.0));
    }

    #[test]
    fn a_price_is_made_of_medians_over_rounds_and_of_the_widest_gap_between_equal_looks() {
        let list = sample::list();
        let ablation = list.ablation.as_ref().unwrap();
        let price = price("idx_order", 1, &ablation.operations, &ablation.samples);
        assert_eq!(price.reads[0].buffers, Change { with: 54.0, without: 812.0, noise: 2.0 });
        assert_eq!(price.reads[0].in_plan, Some(true));
        assert_eq!(price.writes[0].log_bytes, Change { with: 900.0, without: 700.0, noise: 4.0 });
        assert!((price.log_bytes_per_row() - 200.0).abs() < 1e-9, "a batch is counted by its rows");
        assert!(price.needed && price.needed_by().len() == 1);
    }

    #[test]
    fn a_read_that_is_better_without_it_is_told() {
        let list = sample::list();
        let mut price = list.ablation.unwrap().prices.remove(1);
        price.reads[0].buffers = Change { with: 54.0, without: 20.0, noise: 2.0 };
        assert_eq!(
            price.buys(),
            "nothing measured here needs it; better without it: first_page reads 20 instead of 54 blocks (0.37x; 1x the time)"
        );
    }
}
