//! What a folder holds: the specification, and every part with its rows, bytes and checksum.
//!
//! It says nothing of when or how long, so that the same export is the same manifest, however often it was interrupted
//! and by how many threads it was written.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Format;
use crate::checksum::Checksum;
use crate::encode::Written;
use crate::entities::Table;
use crate::ledger::LoadedTable;
use crate::spec::{DATASET_VERSION, Spec};

/// The export of a data set; `manifest.json` in its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The specification.
    pub spec: Spec,
    /// The version of the rows, see [`DATASET_VERSION`].
    pub version: u32,
    /// The format of the parts.
    pub format: Format,
    /// The level of the schema that the scripts make.
    pub level: migrations::Level,
    /// Whether these are all tables of the level; only then do the scripts make all that the level has.
    pub whole: bool,
    /// About how many bytes of rows, as COPY's binary format has them, make a part.
    pub part_bytes: u64,
    /// The tables in the order in which they were written.
    pub tables: Vec<ExportedTable>,
}

/// The files of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedTable {
    /// Its name.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Sum over the rows as the ledger of a load has it, in hexadecimal, see [`crate::checksum`]. It is taken of the
    /// rows in binary form, whatever the format of the files.
    pub checksum: String,
    /// The files, in order.
    pub parts: Vec<Part>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub file: String,
    /// The chunks of rows that it holds: the first, and the first after them.
    pub chunks: [u64; 2],
    /// Rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Sum over its rows.
    pub checksum: String,
}

impl ExportedTable {
    /// The table as the ledger has it, once its files are loaded. The bytes of rows in another format are not kept.
    pub(super) fn as_loaded(&self) -> LoadedTable {
        LoadedTable {
            table: self.table.clone(),
            rows: self.rows,
            bytes: self.bytes,
            checksum: self.checksum.clone(),
        }
    }
}

impl Manifest {
    /// The manifest of an export of which nothing is written yet.
    pub(super) fn new(
        spec: &Spec,
        format: Format,
        level: migrations::Level,
        part_bytes: u64,
        tables: &[Table],
        whole: bool,
    ) -> Self {
        let tables = tables.iter().map(|table| ExportedTable {
            table: table.name().to_owned(),
            rows: 0,
            bytes: 0,
            checksum: hexadecimal(Checksum::default()),
            parts: Vec::new(),
        });
        let tables = tables.collect();
        Self { spec: spec.clone(), version: DATASET_VERSION, format, level, whole, part_bytes, tables }
    }

    /// Whether the other is an export of the same rows into the same files; the dates are compared only if `dates_too`.
    pub(super) fn is_same(&self, other: &Self, dates_too: bool) -> bool {
        let names = |manifest: &Self| -> BTreeSet<String> {
            manifest.tables.iter().map(|table| table.table.clone()).collect()
        };
        self.spec.is_same(&other.spec, dates_too)
            && self.version == other.version
            && self.format == other.format
            && self.level == other.level
            && self.part_bytes == other.part_bytes
            && names(self) == names(other)
    }

    /// Notes a part of the table with the number `table`, at its place.
    pub(super) fn add(&mut self, table: usize, part: Part) {
        let table = &mut self.tables[table];
        table.rows += part.rows;
        table.bytes += part.bytes;
        let sum =
            [&table.checksum, &part.checksum].map(|sum| u64::from_str_radix(sum, 16).unwrap_or_default());
        table.checksum = hexadecimal(Checksum(sum[0].wrapping_add(sum[1])));
        let at = table.parts.partition_point(|before| before.chunks < part.chunks);
        table.parts.insert(at, part);
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// Bytes of all parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }
}

impl Part {
    pub(super) fn new(file: String, chunks: [u64; 2], written: Written, file_bytes: u64) -> Self {
        Self { file, chunks, rows: written.rows, bytes: file_bytes, checksum: hexadecimal(written.checksum) }
    }
}

fn hexadecimal(checksum: Checksum) -> String {
    format!("{:016x}", checksum.0)
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, as of {}, as {} at level {}", self.spec, self.spec.as_of, self.format, self.level)?;
        if !self.whole {
            let names: Vec<&str> = self.tables.iter().map(|table| table.table.as_str()).collect();
            write!(f, ", only {}", names.join(", "))?;
        }
        if self.version != DATASET_VERSION {
            write!(f, ", rows of version {}", self.version)?;
        }
        Ok(())
    }
}
