//! The statements of a request: those of one text together, and each by itself.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::ms;
use crate::profile::Statement;
use crate::profile::groups::Group;

/// How many groups of statements are told of.
const TOLD_GROUPS: usize = 20;

/// What was asked of the database.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the contract")]
pub(super) struct Queries<'a> {
    total_queries: usize,
    total_time_ms: f64,
    /// Statements of the same text, those that took longest in all first.
    slowest_queries: Vec<Similar<'a>>,
    n_plus_one_detected: bool,
    /// Those that were sent one by one for the records of the answer.
    n_plus_one: Vec<Similar<'a>>,
    /// How many statements have the text of another.
    similar: usize,
    /// How many ask, with the same values, what was asked before.
    duplicates: usize,
    /// What was brought and not read.
    unused_columns: Vec<Unused<'a>>,
}

/// Columns that have values, which nobody read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unused<'a> {
    sql: &'a str,
    columns: Vec<&'a str>,
}

/// Statements of one text.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Similar<'a> {
    sql: &'a str,
    /// Of all of them.
    time_ms: f64,
    count: usize,
    /// How many ask, with the same values, what was asked before.
    duplicates: usize,
    rows: u64,
    layer: &'static str,
}

/// A statement that was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sent<'a> {
    sql: &'a str,
    layer: &'static str,
    /// Whose connection it was.
    pool: &'static str,
    /// When it was sent, since the request began.
    start_ms: f64,
    /// Until its last row was read.
    time_ms: f64,
    rows: u64,
    /// A fingerprint of the values; null without values.
    #[schema(required)]
    values: Option<String>,
}

impl<'a> Queries<'a> {
    /// The statements took this long in all; those of some groups were sent one by one.
    pub(super) fn of(groups: &'a [Group<'a>], n_plus_one: &[&'a Group<'a>], time: Duration) -> Self {
        Self {
            total_queries: groups.iter().map(Group::count).sum(),
            total_time_ms: ms(time),
            slowest_queries: groups.iter().take(TOLD_GROUPS).map(Similar::of).collect(),
            n_plus_one_detected: !n_plus_one.is_empty(),
            n_plus_one: n_plus_one.iter().map(|group| Similar::of(group)).collect(),
            similar: groups.iter().map(Group::count).filter(|count| *count > 1).sum(),
            duplicates: groups.iter().map(Group::duplicates).sum(),
            unused_columns: groups.iter().filter_map(Unused::of).collect(),
        }
    }

    pub(super) fn has_n_plus_one(&self) -> bool {
        self.n_plus_one_detected
    }
}

/// Every statement, with the text of its group.
pub(super) fn sent<'a>(statements: &[Statement], groups: &'a [Group<'a>]) -> Vec<Sent<'a>> {
    let texts: HashMap<&str, &'a str> =
        groups.iter().map(|group| (group.statements[0].sql.as_str(), group.sql.as_str())).collect();
    statements.iter().filter_map(|one| Some(Sent::of(one, texts.get(one.sql.as_str())?))).collect()
}

impl<'a> Unused<'a> {
    fn of(group: &'a Group<'a>) -> Option<Self> {
        let columns: Vec<&str> = group.unused_columns().into_iter().collect();
        (!columns.is_empty()).then(|| Self { sql: &group.sql, columns })
    }
}

impl<'a> Similar<'a> {
    fn of(group: &'a Group<'a>) -> Self {
        Self {
            sql: &group.sql,
            time_ms: ms(group.time()),
            count: group.count(),
            duplicates: group.duplicates(),
            rows: group.rows(),
            layer: group.layer().name(),
        }
    }
}

impl<'a> Sent<'a> {
    fn of(statement: &Statement, sql: &'a str) -> Self {
        Self {
            sql,
            layer: statement.layer.name(),
            pool: statement.pool,
            start_ms: ms(statement.start),
            time_ms: ms(statement.time),
            rows: statement.rows,
            values: statement.fingerprint.map(|fingerprint| format!("{fingerprint:016x}")),
        }
    }
}
