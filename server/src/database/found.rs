//! Rows that know which of their columns were read, for a request that is profiled.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Column as _, Decode, Error, Row as _, Type, ValueRef as _};

/// Names of columns that were read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads(Arc<Mutex<BTreeSet<&'static str>>>);

impl Reads {
    fn note(&self, column: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(column);
    }

    /// Whether a column of this name was read.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(column)
    }
}

/// A row.
#[derive(Debug)]
pub(crate) struct Found {
    row: PgRow,
    reads: Option<Reads>,
}

impl Found {
    pub(super) fn new(row: PgRow, reads: Option<Reads>) -> Self {
        Self { row, reads }
    }

    /// The value of a column.
    pub(crate) fn get<'r, T>(&'r self, column: &'static str) -> Result<T, Error>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        if let Some(reads) = &self.reads {
            reads.note(column);
        }
        self.row.try_get(column)
    }
}

/// Names of the columns that have a value in at least one of these rows: what is null everywhere cost nothing to bring.
pub(super) fn with_values(rows: &[PgRow]) -> Vec<String> {
    let Some(first) = rows.first() else { return Vec::new() };
    let has_value =
        |column: usize| rows.iter().any(|row| row.try_get_raw(column).is_ok_and(|value| !value.is_null()));
    let columns = first.columns().iter().filter(|column| has_value(column.ordinal()));
    columns.map(|column| column.name().to_owned()).collect()
}
