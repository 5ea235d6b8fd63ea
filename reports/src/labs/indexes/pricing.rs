//! From samples to the price of an index.
//!
//! Each round measures the full set twice and the set without each index once, in a drawn order. What an index changes is the
//! difference of the medians over rounds.

use std::collections::BTreeSet;

use super::{Change, FEWEST_ROWS, Index, Log, Operation, Price, ReadPrice, Sample, Verdict, WritePrice};
use crate::stats::median_interval;

/// The price of an index from all samples; an operation without samples on both sides is left out, and so are writes to other
/// tables.
#[must_use]
pub fn price(index: &Index, operations: &[Operation], samples: &[Sample]) -> Price {
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    for operation in operations {
        let of: Vec<&Sample> = samples.iter().filter(|sample| sample.operation == operation.name).collect();
        if operation.writes {
            // What does not change its table costs it nothing, whatever the noise says.
            if !operation.tables.contains(&index.table) {
                continue;
            }
            writes.extend(write_price(&index.name, operation, &of));
        } else {
            reads.extend(read_price(&index.name, operation, &of));
        }
    }
    let (verdict, why) = verdict(index, operations, &reads);
    Price { index: index.name.clone(), bytes: index.bytes, verdict, why, reads, writes }
}

fn verdict(index: &Index, operations: &[Operation], reads: &[ReadPrice]) -> (Verdict, String) {
    let reaches = |operation: &Operation| !operation.writes && operation.tables.contains(&index.table);
    let using = reads.iter().find(|read| read.in_plan);
    let is_small = index.table_rows.is_some_and(|rows| rows < FEWEST_ROWS);
    let dispensable = !index.redundant.is_empty();
    if is_small && !dispensable {
        return (Verdict::CannotTell, "its table has too few rows here".to_owned());
    }
    if reads.iter().any(ReadPrice::is_worse) {
        return (Verdict::Pays, String::new());
    }
    if !operations.iter().any(reaches) {
        return (Verdict::CannotTell, "no read here reaches its table".to_owned());
    }
    match using {
        Some(read) => {
            let verdict = if dispensable { Verdict::CostsOnly } else { Verdict::CannotTell };
            let instead = &read.instead;
            let by =
                if instead.is_empty() { String::new() } else { format!(" by {}", instead.join(" and ")) };
            (verdict, format!("{} uses it, and is seen to do as well{by} without it", read.operation))
        }
        None => (Verdict::CostsOnly, "nothing measured here needs it".to_owned()),
    }
}

fn read_price(index: &str, operation: &Operation, samples: &[&Sample]) -> Option<ReadPrice> {
    let plans = |without: Option<&str>| -> BTreeSet<&str> {
        let of = samples.iter().filter(|sample| sample.without.as_deref() == without);
        of.flat_map(|sample| sample.plan.iter().map(String::as_str)).collect()
    };
    // A busy machine may stop any read once: what was stopped is not counted, unless it was each time.
    let ended: Vec<&Sample> = samples.iter().filter(|sample| !sample.stopped).copied().collect();
    let ends = |without: Option<&str>| ended.iter().any(|sample| sample.without.as_deref() == without);
    let stopped = ends(None) && !ends(Some(index));
    let counted = if stopped { samples } else { &ended };
    let (full, left) = (plans(None), plans(Some(index)));
    Some(ReadPrice {
        operation: operation.name.clone(),
        buffers: change(counted, index, &|sample| Some(sample.buffers))?,
        time_us: change(counted, index, &|sample| Some(sample.time_us))?,
        stopped,
        in_plan: full.contains(index),
        instead: left.difference(&full).map(|name| (*name).to_owned()).collect(),
    })
}

fn write_price(index: &str, operation: &Operation, samples: &[&Sample]) -> Option<WritePrice> {
    let change = |value: &dyn Fn(&Sample) -> Option<f64>| change(samples, index, value);
    let log = |value: fn(&Log) -> f64| change(&move |sample| sample.log.as_ref().map(value));
    let all_log_bytes = log(|log| log.bytes)?;
    Some(WritePrice {
        operation: operation.name.clone(),
        rows: operation.rows,
        log_bytes: change(&|sample| sample.log?.record_bytes).unwrap_or(all_log_bytes),
        all_log_bytes,
        records: log(|log| log.records)?,
        images: log(|log| log.images)?,
        hot: change(&|sample| sample.hot),
        buffers: change(&|sample| Some(sample.buffers))?,
        time_us: change(&|sample| Some(sample.time_us))?,
    })
}

fn change(samples: &[&Sample], index: &str, value: &dyn Fn(&Sample) -> Option<f64>) -> Option<Change> {
    let values = |without: Option<&str>| -> Vec<f64> {
        let of = samples.iter().filter(|sample| sample.without.as_deref() == without);
        of.filter_map(|sample| value(sample)).collect()
    };
    let look = |without: Option<&str>, round: u32, pass: u32| {
        let is_it = |sample: &&&Sample| {
            sample.without.as_deref() == without && sample.round == round && sample.pass == pass
        };
        samples.iter().find(is_it).and_then(|sample| value(sample))
    };
    let rounds = || samples.iter().filter(|sample| sample.pass == 2).map(|sample| sample.round);
    let gaps = rounds().filter_map(|round| Some((look(None, round, 1)? - look(None, round, 2)?).abs()));
    let sides = rounds().filter_map(|round| {
        let left_out = look(Some(index), round, 1)?;
        let (first, second) = (look(None, round, 1)?, look(None, round, 2)?);
        Some((left_out > first.max(second), left_out < first.min(second)))
    });
    let sides: Vec<(bool, bool)> = sides.collect();
    Some(Change {
        with: median_interval(&values(None), 0.95)?.value,
        without: median_interval(&values(Some(index)), 0.95)?.value,
        noise: gaps.fold(0.0, f64::max),
        steady: sides.iter().all(|(above, _)| *above) || sides.iter().all(|(_, below)| *below),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_price_is_made_of_medians_over_rounds_and_of_the_widest_gap_between_equal_looks() {
        let list = sample::list();
        let price = list.price_of("idx_order").unwrap();
        assert_eq!(price.reads[0].buffers, Change { with: 54.0, without: 812.0, noise: 2.0, steady: true });
        assert!(price.reads[0].in_plan);
        assert_eq!(price.reads[0].instead, ["idx_other"]);
        assert_eq!(
            price.writes[0].log_bytes,
            Change { with: 900.0, without: 700.0, noise: 4.0, steady: true }
        );
        assert!((price.log_bytes_per_row() - 200.0).abs() < 1e-9, "a batch is counted by its rows");
        assert!((price.hot_lost() - 0.75).abs() < 1e-9);
        assert_eq!(price.needed_by().len(), 1);
    }

    #[test]
    fn a_verdict_says_what_was_seen_and_no_more() {
        let list = sample::list();
        let ablation = list.ablation.as_ref().unwrap();
        let verdict = |index: &Index, samples: &[Sample]| price(index, &ablation.operations, samples).verdict;
        let named = |name: &str| list.indexes.iter().find(|index| index.name == name).unwrap().clone();
        assert_eq!(verdict(&named("idx_order"), &ablation.samples), Verdict::Pays);
        assert_eq!(verdict(&named("idx_idle"), &ablation.samples), Verdict::CostsOnly);
        let elsewhere = Index { table: "call".to_owned(), ..named("idx_idle") };
        assert_eq!(verdict(&elsewhere, &ablation.samples), Verdict::CannotTell, "no read was asked");
        let small = Index { table_rows: Some(80.0), redundant: Vec::new(), ..named("idx_idle") };
        assert_eq!(verdict(&small, &ablation.samples), Verdict::CannotTell, "a page more or less");
        // One that a plan has: whether it is needed can't be told, unless another is known to be as good.
        let mut used = ablation.samples.clone();
        for sample in used.iter_mut().filter(|sample| sample.without.is_none()) {
            sample.plan.push("idx_idle".to_owned());
        }
        assert_eq!(verdict(&named("idx_idle"), &used), Verdict::CostsOnly);
        let alone = Index { redundant: Vec::new(), ..named("idx_idle") };
        assert_eq!(verdict(&alone, &used), Verdict::CannotTell);
        // What never ends without it needs it, whatever blocks were counted; what was stopped once may have had bad luck.
        let mut without: Vec<&mut Sample> =
            used.iter_mut().filter(|sample| sample.without.as_deref() == Some("idx_idle")).collect();
        without.iter_mut().filter(|sample| sample.round == 1).for_each(|sample| sample.stopped = true);
        assert_eq!(verdict(&alone, &used), Verdict::CannotTell, "stopped in one round of two");
        for sample in used.iter_mut().filter(|sample| sample.without.as_deref() == Some("idx_idle")) {
            sample.stopped = true;
        }
        assert_eq!(verdict(&alone, &used), Verdict::Pays);
    }
}
