//! What a span of the write-ahead log holds, by relation and kind of record, down to the last byte.
//!
//! A record belongs to the relation of its first block. What belongs to no relation (commits, snapshots of running
//! transactions) is a part of its own, and so is what belongs to another database: nothing is left out, so that the parts
//! add up to what the server itself counts over the same span. What lies between records is known as well: each record
//! begins at a multiple of 8 bytes, and each page of the log has a header.

use std::iter::Sum;

use serde::{Deserialize, Serialize};

/// A span of the log, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSpan {
    /// Where the split comes from.
    pub source: Source,
    /// The difference of its two positions in bytes: all that was written in between, by everybody.
    pub span_bytes: u64,
    /// Bytes that fill records up to a multiple of 8.
    pub padding_bytes: u64,
    /// Bytes of the headers of the log's pages.
    pub page_header_bytes: u64,
    /// What the server counts over the same span (`pg_get_wal_stats`).
    pub totals: Totals,
    /// The records, most bytes first.
    pub parts: Vec<Part>,
}

/// Where a split comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The text `block_ref` of `pg_get_wal_records_info` (PostgreSQL 15).
    BlockRef,
    /// The rows of `pg_get_wal_block_info` (PostgreSQL 16 and newer).
    BlockInfo,
}

/// Records and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Their bytes, without full-page images.
    pub bytes: u64,
    /// Bytes of full-page images in them.
    pub image_bytes: u64,
}

/// The records of one relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Name of the relation, with its schema where that is not `public`; a word where there is no relation.
    pub relation: String,
    /// The table that an index or a TOAST table belongs to.
    pub table: Option<String>,
    /// All of its records.
    pub totals: Totals,
    /// Of these, records that touch a block of another relation as well.
    pub shared_records: u64,
    /// The same by kind of record, most bytes first.
    pub types: Vec<RecordType>,
}

/// What a part of the log belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The rows of a table.
    Heap,
    /// The values of a table that were too long for its rows, and their index.
    Toast,
    /// An index of a table.
    Index,
    /// A sequence.
    Sequence,
    /// Tables and indexes of the system.
    Catalog,
    /// A relation of this database that is not there any more, or not yet for others.
    Unknown,
    /// Relations of other databases, and those that all databases share.
    Elsewhere,
    /// No relation at all: commits, running transactions, checkpoints.
    NoRelation,
}

/// Records of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordType {
    /// Resource manager and type: `Heap/HOT_UPDATE`.
    pub name: String,
    /// Its records.
    pub totals: Totals,
}

/// Updates of rows, and how many of them were heap-only: those touch no index.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// All updates.
    pub all: u64,
    /// Of these, heap-only ones.
    pub hot: u64,
}

impl Updates {
    /// The share of heap-only updates, 0 to 1; `None` without updates.
    #[must_use]
    pub fn hot_share(self) -> Option<f64> {
        (self.all > 0).then(|| self.hot as f64 / self.all as f64)
    }
}

impl Totals {
    /// Adds others.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.image_bytes += other.image_bytes;
    }

    /// Bytes with full-page images.
    #[must_use]
    pub fn all_bytes(self) -> u64 {
        self.bytes + self.image_bytes
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum.add(one);
            sum
        })
    }
}

impl LogSpan {
    /// The sum of the parts.
    #[must_use]
    pub fn sum(&self) -> Totals {
        self.sum_of(|_| true)
    }

    /// The sum of some parts.
    #[must_use]
    pub fn sum_of(&self, is_meant: impl Fn(&Part) -> bool) -> Totals {
        self.parts.iter().filter(|part| is_meant(part)).map(|part| part.totals).sum()
    }

    /// What tables and indexes of users got: the part of the log that the writes themselves are the reason of.
    #[must_use]
    pub fn of_tables(&self) -> Totals {
        self.sum_of(|part| part.kind.is_of_a_table())
    }

    /// Bytes between the two positions that are neither records nor what lies between them: the rest of a segment that was
    /// left early, for instance. Below zero where the parts hold too much, which would be a mistake.
    #[must_use]
    pub fn unexplained_bytes(&self) -> i64 {
        let known = self.sum().all_bytes() + self.padding_bytes + self.page_header_bytes;
        i64::try_from(self.span_bytes).unwrap_or(i64::MAX) - i64::try_from(known).unwrap_or(i64::MAX)
    }

    /// Whether the parts are what the server counts, and fill the span.
    #[must_use]
    pub fn is_reconciled(&self) -> bool {
        self.sum() == self.totals && self.unexplained_bytes() == 0
    }

    /// Records of a kind in all parts, such as `XLOG/CHECKPOINT_ONLINE`.
    #[must_use]
    pub fn records_of(&self, name: &str) -> u64 {
        let types = self.parts.iter().flat_map(|part| &part.types);
        types.filter(|kind| kind.name == name).map(|kind| kind.totals.records).sum()
    }

    /// Updates of the rows of tables, by the records that they left.
    #[must_use]
    pub fn updates(&self) -> Updates {
        let heaps = self.parts.iter().filter(|part| part.kind == Kind::Heap);
        let mut updates = Updates::default();
        for kind in heaps.flat_map(|part| &part.types) {
            // `+INIT` marks the first record of a page.
            let name = kind.name.trim_end_matches("+INIT");
            if matches!(name, "Heap/UPDATE" | "Heap/HOT_UPDATE") {
                updates.all += kind.totals.records;
            }
            if name == "Heap/HOT_UPDATE" {
                updates.hot += kind.totals.records;
            }
        }
        updates
    }
}

impl Kind {
    /// Whether it is a table of users, or a part of one.
    #[must_use]
    pub fn is_of_a_table(self) -> bool {
        matches!(self, Self::Heap | Self::Toast | Self::Index | Self::Sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(kind: Kind, name: &str, types: &[(&str, u64, u64, u64)]) -> Part {
        let types: Vec<RecordType> = types
            .iter()
            .map(|&(name, records, bytes, image_bytes)| RecordType {
                name: name.to_owned(),
                totals: Totals { records, bytes, image_bytes },
            })
            .collect();
        let totals = types.iter().map(|kind| kind.totals).sum();
        Part { kind, relation: name.to_owned(), table: None, totals, shared_records: 0, types }
    }

    fn span() -> LogSpan {
        LogSpan {
            source: Source::BlockRef,
            span_bytes: 9_000,
            padding_bytes: 20,
            page_header_bytes: 24,
            totals: Totals { records: 12, bytes: 956, image_bytes: 8_000 },
            parts: vec![
                part(
                    Kind::Heap,
                    "customer",
                    &[
                        ("Heap/UPDATE", 3, 300, 8_000),
                        ("Heap/UPDATE+INIT", 1, 100, 0),
                        ("Heap/HOT_UPDATE", 4, 280, 0),
                        ("Heap/LOCK", 3, 200, 0),
                    ],
                ),
                part(Kind::NoRelation, "no relation", &[("Transaction/COMMIT", 1, 76, 0)]),
            ],
        }
    }

    #[test]
    fn a_span_is_reconciled_when_its_parts_fill_it_and_are_what_the_server_counts() {
        assert!(span().is_reconciled());
        let mut gap = span();
        gap.span_bytes += 8;
        assert_eq!((gap.unexplained_bytes(), gap.is_reconciled()), (8, false));
        let mut lost = span();
        lost.totals.records += 1;
        assert!(!lost.is_reconciled());
    }

    #[test]
    fn the_share_of_heap_only_updates_counts_every_update_and_no_lock() {
        let updates = span().updates();
        assert_eq!(updates, Updates { all: 8, hot: 4 });
        assert_eq!(updates.hot_share(), Some(0.5));
        assert_eq!(Updates::default().hot_share(), None);
    }

    #[test]
    fn what_belongs_to_no_table_is_not_counted_as_the_cost_of_one() {
        assert_eq!(span().of_tables(), Totals { records: 11, bytes: 880, image_bytes: 8_000 });
        assert_eq!(span().records_of("Transaction/COMMIT"), 1);
    }
}
