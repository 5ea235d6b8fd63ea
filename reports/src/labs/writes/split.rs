//! The log of one operation, relation by relation and level beside level: the same table for the terminal and for the page.

use super::{Measurement, Through, Writes};
use crate::labs::wal::{Kind, LogSpan, Totals};
use crate::quantity;

/// The log of one operation, in one way, at all levels.
pub(super) struct Split {
    /// Levels that have it.
    pub(super) levels: Vec<String>,
    /// Name of the part, then for each level the bytes of an operation and those of its full-page images.
    pub(super) rows: Vec<(String, Vec<Option<[f64; 2]>>)>,
}

/// A line of the split: what it is, and what it is called.
type Line = (Kind, String);

impl Split {
    /// The split of `operation`; `None` where no level's log could be read.
    pub(super) fn of(writes: &Writes, operation: &str, through: Through) -> Option<Self> {
        let measured: Vec<(&Measurement, &LogSpan)> =
            writes.of(operation, through).filter_map(|one| Some((one, one.log.as_ref()?))).collect();
        if measured.is_empty() {
            return None;
        }
        let mut lines: Vec<Line> = Vec::new();
        for part in measured.iter().flat_map(|(_, log)| &log.parts) {
            let line = (part.kind, part.relation.clone());
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        let bytes = |log: &LogSpan, (kind, name): &Line| {
            let is_meant = |part: &&crate::labs::wal::Part| part.kind == *kind && part.relation == *name;
            log.parts.iter().find(is_meant).map(|part| part.totals)
        };
        // Tables before their indexes, and the dearest first.
        let dearest =
            |line: &Line| measured.iter().filter_map(|(_, log)| bytes(log, line)).map(|t| t.bytes).max();
        lines.sort_by_key(|line| (line.0, std::cmp::Reverse(dearest(line)), line.1.clone()));
        let each = |one: &Measurement, totals: Totals| [one.each(totals.bytes), one.each(totals.image_bytes)];
        let mut rows: Vec<(String, Vec<Option<[f64; 2]>>)> = lines
            .iter()
            .map(|line| {
                let cells = measured.iter().map(|(one, log)| Some(each(one, bytes(log, line)?)));
                (label(line), cells.collect())
            })
            .collect();
        let mut add = |name: &str, cell: &dyn Fn(&Measurement, &LogSpan) -> Option<[f64; 2]>| {
            rows.push((name.to_owned(), measured.iter().map(|(one, log)| cell(one, log)).collect()));
        };
        add("between records: padding, page headers", &|one, log| {
            Some([one.each(log.padding_bytes + log.page_header_bytes), 0.0])
        });
        if measured.iter().any(|(_, log)| log.unexplained_bytes() != 0) {
            add("unexplained", &|one, log| {
                Some([log.unexplained_bytes() as f64 / one.operations.max(1) as f64, 0.0])
            });
        }
        add("all of the log", &|one, log| {
            let images = one.each(log.sum().image_bytes);
            Some([one.each(log.span_bytes) - images, images])
        });
        // After the sum, because it came after the operations.
        let mut late: Vec<&str> = Vec::new();
        for put_off in measured.iter().flat_map(|(one, _)| &one.postponed) {
            if !late.contains(&put_off.index.as_str()) {
                late.push(&put_off.index);
            }
        }
        for index in late {
            add(&format!("later: {index}"), &|one, _| {
                let put_off = one.postponed.iter().find(|put_off| put_off.index == index)?;
                Some([one.each(put_off.log_bytes?), 0.0])
            });
        }
        Some(Self { levels: measured.iter().map(|(one, _)| one.level.clone()).collect(), rows })
    }

    /// The cells of a row: `–` for what a level does not have.
    pub(super) fn cells(row: &(String, Vec<Option<[f64; 2]>>)) -> Vec<String> {
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
        let pairs = row
            .1
            .iter()
            .flat_map(|pair| [cell(pair.map(|[bytes, _]| bytes)), cell(pair.map(|[_, fpi]| fpi))]);
        [row.0.clone()].into_iter().chain(pairs).collect()
    }
}

fn label((kind, name): &Line) -> String {
    match kind {
        Kind::Heap => format!("{name} (rows)"),
        Kind::Toast => format!("{name} (toast)"),
        Kind::Catalog => format!("{name} (catalog)"),
        Kind::Index | Kind::Sequence | Kind::Unknown | Kind::Elsewhere | Kind::NoRelation => name.clone(),
    }
}
