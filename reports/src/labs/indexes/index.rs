//! An index as the catalogue and the statistics of a database have it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Extrapolation;
use crate::quantity;

/// An index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its name; with the schema before it where that is not `public`.
    pub name: String,
    /// Its table, named alike.
    pub table: String,
    /// Access method, such as `btree` or `gin`.
    pub method: String,
    /// Key columns and expressions, in their order, with ` DESC` behind those that fall.
    pub columns: Vec<String>,
    /// Columns that are stored and not searched by.
    pub include: Vec<String>,
    /// The rows that are in it; `None` for all.
    pub predicate: Option<String>,
    /// Whether it allows each key once.
    pub unique: bool,
    /// The rule that it keeps beside being searched; `None` for none.
    pub rule: Option<Rule>,
    /// Whether reads may use it. A build that failed leaves one that they may not.
    pub valid: bool,
    /// The statement that makes it again.
    pub definition: String,
    /// Bytes on disk.
    pub bytes: u64,
    /// Rows of the table, as its statistics have them; `None` where it was never analysed.
    pub table_rows: Option<f64>,
    /// Share of these rows that is in the index, from 0 to 1; `None` where it is not known.
    pub share: Option<f64>,
    /// Its size with more rows; `None` where it can't be told.
    pub at_scale: Option<Extrapolation>,
    /// How often it was scanned since [`PriceList::counted_since`](super::PriceList::counted_since).
    pub scans: u64,
    /// Entries that these scans returned.
    pub tuples_read: u64,
    /// Live rows that plain scans fetched by it; those of bitmaps are not counted here.
    pub tuples_fetched: u64,
    /// The last scan; `None` before PostgreSQL 16, and where there was none.
    pub last_scan: Option<DateTime<Utc>>,
    /// How full its pages are; `None` for other methods than B-tree, and where `pgstattuple` is not there.
    pub density: Option<Density>,
    /// What makes it dispensable by its definition.
    pub redundant: Vec<Redundancy>,
}

/// A rule that an index keeps, however rarely it is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The primary key.
    PrimaryKey,
    /// A UNIQUE constraint.
    Unique,
    /// An exclusion constraint.
    Exclusion,
    /// A unique index without a constraint.
    UniqueIndex,
}

/// How full the leaf pages of a B-tree are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Density {
    /// Average share of a leaf page that is used, from 0 to 1.
    pub leaf: f64,
    /// Share of leaf pages whose successor lies before them on the disk, from 0 to 1.
    pub fragmentation: f64,
}

/// What makes an index dispensable by its definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Redundancy {
    /// Another one is the same.
    DuplicateOf {
        /// Its name.
        index: String,
    },
    /// Another one begins with the same keys over the same rows, and has all that is included.
    PrefixOf {
        /// Its name.
        index: String,
    },
}

impl Redundancy {
    /// The name of the index that makes it dispensable.
    #[must_use]
    pub fn by(&self) -> &str {
        match self {
            Self::DuplicateOf { index } | Self::PrefixOf { index } => index,
        }
    }
}

impl Rule {
    /// In words: `primary key`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::PrimaryKey => "primary key",
            Self::Unique => "unique constraint",
            Self::Exclusion => "exclusion constraint",
            Self::UniqueIndex => "unique index",
        }
    }
}

impl Index {
    /// Bytes for each row of the table; `None` where the rows are not known.
    #[must_use]
    pub fn bytes_per_row(&self) -> Option<f64> {
        let rows = self.table_rows.filter(|rows| *rows > 0.0)?;
        Some(self.bytes as f64 / rows)
    }

    /// Bytes for each row that is in it; `None` where these are not known.
    #[must_use]
    pub fn bytes_per_entry(&self) -> Option<f64> {
        let share = self.share.filter(|share| *share > 0.0)?;
        Some(self.bytes_per_row()? / share)
    }

    /// Whether no scan was counted.
    #[must_use]
    pub fn is_never_used(&self) -> bool {
        self.scans == 0
    }

    /// `customer (workspace_id, created_at DESC) INCLUDE (status) WHERE NOT is_deleted`.
    #[must_use]
    pub fn shape(&self) -> String {
        let method = if self.method == "btree" { String::new() } else { format!(" {}", self.method) };
        let include = if self.include.is_empty() {
            String::new()
        } else {
            format!(" INCLUDE ({})", self.include.join(", "))
        };
        let predicate = self.predicate.as_ref().map_or_else(String::new, |rows| format!(" WHERE {rows}"));
        format!("{}{method} ({}){include}{predicate}", self.table, self.columns.join(", "))
    }

    /// What is to be known of it, whatever was measured. `counted` is since when scans are counted, if anybody cares about
    /// scans, and if that is known.
    #[must_use]
    pub fn remarks(&self, counted: Option<Option<DateTime<Utc>>>) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(self.rule.map(|rule| format!("keeps a rule ({})", rule.words())));
        if !self.valid {
            remarks.push("is invalid: writes pay for it, and no read may use it".to_owned());
        }
        remarks.extend(self.redundant.iter().map(|redundancy| match redundancy {
            Redundancy::DuplicateOf { index } => format!("is the same as {index}"),
            Redundancy::PrefixOf { index } => format!("its keys are the first ones of {index}"),
        }));
        if let Some(since) = counted
            && self.is_never_used()
            && self.rule.is_none()
        {
            let since = since.map_or_else(|| "the statistics began".to_owned(), quantity::moment);
            remarks.push(format!("never used since {since}"));
        }
        remarks
    }
}
