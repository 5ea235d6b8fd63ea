//! Rows that know which of their columns were read, for a request that is profiled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Column as _, ColumnIndex, Decode, Error, Row as _, Type, ValueRef as _};

/// The columns of a statement, and which of them somebody has read.
#[derive(Debug, Clone)]
pub(crate) struct Reads(Arc<[Column]>);

#[derive(Debug)]
struct Column {
    name: String,
    /// Whether it has a value in some row: what is null everywhere cost nothing to bring.
    has_value: bool,
    is_read: AtomicBool,
}

impl Reads {
    pub(super) fn of(rows: &[PgRow]) -> Self {
        let columns = rows.first().map_or(&[][..], |row| row.columns());
        let has_value =
            |at: usize| rows.iter().any(|row| row.try_get_raw(at).is_ok_and(|value| !value.is_null()));
        let columns = columns.iter().map(|column| Column {
            name: column.name().to_owned(),
            has_value: has_value(column.ordinal()),
            is_read: AtomicBool::new(false),
        });
        Self(columns.collect())
    }

    /// Columns that had a value and were read.
    pub(crate) fn read(&self) -> impl Iterator<Item = &str> {
        self.with_values(true)
    }

    /// Columns that had a value, which nobody has read.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &str> {
        self.with_values(false)
    }

    fn with_values(&self, is_read: bool) -> impl Iterator<Item = &str> {
        let columns = self.0.iter().filter(|column| column.has_value);
        columns
            .filter(move |column| column.is_read.load(Relaxed) == is_read)
            .map(|column| column.name.as_str())
    }
}

/// A row.
#[derive(Debug)]
pub(crate) struct Found {
    row: PgRow,
    reads: Option<Reads>,
}

impl Found {
    pub(crate) fn new(row: PgRow, reads: Option<Reads>) -> Self {
        Self { row, reads }
    }

    /// The value of a column.
    pub(crate) fn get<'r, T>(&'r self, column: &'static str) -> Result<T, Error>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        let Some(Reads(columns)) = &self.reads else { return self.row.try_get(column) };
        let at = column.index(&self.row)?;
        columns[at].is_read.store(true, Relaxed);
        self.row.try_get(at)
    }
}
