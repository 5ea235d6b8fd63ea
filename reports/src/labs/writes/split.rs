//! The log of one operation, relation by relation and level beside level: the same table for the terminal and for the page.

use super::{Measurement, Through, Writes};
use crate::labs::wal::{Kind, LogSpan, Totals};
use crate::quantity;

/// The log of one operation, in one way, at all levels.
pub(super) struct Split {
    /// Levels that have it.
    pub(super) levels: Vec<String>,
    /// Name of the part, and what it has at each level.
    pub(super) rows: Vec<(String, Vec<Option<Cell>>)>,
}

/// What one operation left of one part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Bytes without full-page images.
    bytes: f64,
    /// Bytes of full-page images.
    image_bytes: f64,
    /// Records; `None` for what is none.
    records: Option<f64>,
}

impl Cell {
    fn of(one: &Measurement, totals: Totals) -> Self {
        Self {
            bytes: one.each(totals.bytes),
            image_bytes: one.each(totals.image_bytes),
            records: Some(one.each(totals.records)),
        }
    }

    /// Bytes that belong to no record.
    fn bytes(bytes: f64) -> Self {
        Self { bytes, image_bytes: 0.0, records: None }
    }
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
            // Relations of the same name, such as catalogs of several tables, are one line.
            let mut parts = log.parts.iter().filter(is_meant).map(|part| part.totals).peekable();
            parts.peek().is_some().then(|| parts.sum::<Totals>())
        };
        // Tables before their indexes, and the dearest first.
        let dearest =
            |line: &Line| measured.iter().filter_map(|(_, log)| bytes(log, line)).map(|t| t.bytes).max();
        lines.sort_by_key(|line| (line.0, std::cmp::Reverse(dearest(line)), line.1.clone()));
        let mut rows: Vec<(String, Vec<Option<Cell>>)> = lines
            .iter()
            .map(|line| {
                let cells = measured.iter().map(|(one, log)| Some(Cell::of(one, bytes(log, line)?)));
                (label(line), cells.collect())
            })
            .collect();
        let mut add = |name: &str, cell: &dyn Fn(&Measurement, &LogSpan) -> Option<Cell>| {
            rows.push((name.to_owned(), measured.iter().map(|(one, log)| cell(one, log)).collect()));
        };
        add("between records: padding, page headers", &|one, log| {
            Some(Cell::bytes(one.each(log.padding_bytes + log.page_header_bytes)))
        });
        if measured.iter().any(|(_, log)| log.unexplained_bytes() != 0) {
            add("unexplained", &|one, log| {
                Some(Cell::bytes(log.unexplained_bytes() as f64 / one.operations.max(1) as f64))
            });
        }
        add("all of the log", &|one, log| {
            let records = Cell::of(one, log.sum());
            Some(Cell { bytes: one.each(log.span_bytes) - records.image_bytes, ..records })
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
                Some(Cell::bytes(one.each(put_off.log_bytes?)))
            });
        }
        Some(Self { levels: measured.iter().map(|(one, _)| one.level.clone()).collect(), rows })
    }

    /// The cells of a row, with records or without: `–` for what a level does not have.
    pub(super) fn cells(row: &(String, Vec<Option<Cell>>), with_records: bool) -> Vec<String> {
        let words = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), quantity::number);
        let levels = row.1.iter().flat_map(|cell| {
            let bytes = [words(cell.map(|cell| cell.bytes)), words(cell.map(|cell| cell.image_bytes))];
            let records = with_records.then(|| words(cell.and_then(|cell| cell.records)));
            bytes.into_iter().chain(records)
        });
        [row.0.clone()].into_iter().chain(levels).collect()
    }

    /// The headings of these cells without that of the first column.
    pub(super) fn headings(&self, with_records: bool) -> Vec<String> {
        let records = with_records.then(|| "records".to_owned());
        let of = |level: &String| [level.clone(), "FPI".to_owned()].into_iter().chain(records.clone());
        self.levels.iter().flat_map(of).collect()
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

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn relations_of_one_name_are_one_line_with_all_that_they_have() {
        let mut writes = sample::writes();
        let one = &mut writes.measurements[0];
        let (operation, through, operations) = (one.operation.clone(), one.through, one.operations);
        let log = one.log.as_mut().expect("a log");
        let mut catalog = log.parts[0].clone();
        (catalog.kind, catalog.relation) = (Kind::Catalog, "pg_class".to_owned());
        let of_index = crate::labs::wal::Part { table: Some("pg_class".to_owned()), ..catalog.clone() };
        let both = (catalog.totals.bytes + of_index.totals.bytes) as f64 / operations as f64;
        log.parts.extend([catalog, of_index]);
        writes.measurements.truncate(1);
        let split = Split::of(&writes, &operation, through).expect("a split");
        let line = split.rows.iter().filter(|(name, _)| name == "pg_class (catalog)").collect::<Vec<_>>();
        assert_eq!(line.len(), 1);
        assert!((line[0].1[0].expect("a cell").bytes - both).abs() < 1e-9);
    }
}
