//! Rows that know which of their columns were read, for a request that is profiled.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Column as _, Decode, Error, Row as _, Type, ValueRef as _};

/// The columns of a statement that had a value in some row, and which of them nobody has read yet.
#[derive(Debug, Clone)]
pub(crate) struct Reads(Arc<Unread>);

#[derive(Debug)]
struct Unread {
    brought: Vec<String>,
    names: Mutex<BTreeSet<String>>,
    /// How many names there are. With none left, which is soon so, reading costs a look at this.
    left: AtomicUsize,
}

impl Reads {
    pub(super) fn of(brought: Vec<String>) -> Self {
        let names: BTreeSet<String> = brought.iter().cloned().collect();
        let left = AtomicUsize::new(names.len());
        Self(Arc::new(Unread { brought, names: Mutex::new(names), left }))
    }

    fn note(&self, column: &str) {
        let Unread { names, left, .. } = &*self.0;
        if left.load(Relaxed) > 0 && names.lock().unwrap_or_else(PoisonError::into_inner).remove(column) {
            left.fetch_sub(1, Relaxed);
        }
    }

    /// Columns that had a value.
    pub(crate) fn brought(&self) -> &[String] {
        &self.0.brought
    }

    /// Whether nobody has read this one of them.
    pub(crate) fn is_unread(&self, column: &str) -> bool {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner).contains(column)
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
