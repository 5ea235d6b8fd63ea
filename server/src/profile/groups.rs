//! Statements of one text, seen together. *Similar* statements have the same text, *duplicate* ones the same values too.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::database::Reads;
use crate::profile::advice::is_n_plus_one;
use crate::profile::{Layer, Statement};

/// All statements of one text.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The text, on one line.
    pub(crate) sql: String,
    /// Not empty, in the order in which they were sent.
    pub(crate) statements: Vec<&'a Statement>,
}

impl Group<'_> {
    pub(crate) fn count(&self) -> usize {
        self.statements.len()
    }

    pub(crate) fn time(&self) -> Duration {
        self.statements.iter().map(|statement| statement.time).sum()
    }

    pub(crate) fn rows(&self) -> u64 {
        self.statements.iter().map(|statement| statement.rows).sum()
    }

    /// Where the first of them was sent.
    pub(crate) fn layer(&self) -> Layer {
        self.statements[0].layer
    }

    /// How many of them ask what another has asked before.
    pub(crate) fn duplicates(&self) -> usize {
        if self.is_about_transactions() {
            return 0;
        }
        let different: HashSet<_> = self.statements.iter().map(|statement| statement.fingerprint).collect();
        self.count() - different.len()
    }

    /// Columns that some of them brought and nobody read of any.
    pub(crate) fn unused_columns(&self) -> BTreeSet<&str> {
        let brought = || self.statements.iter().filter_map(|statement| statement.brought.as_ref());
        let read: BTreeSet<&str> = brought().flat_map(Reads::read).collect();
        brought().flat_map(Reads::unread).filter(|column| !read.contains(column)).collect()
    }

    /// Whether they were sent one by one for the records of the answer: for half of them at least.
    pub(crate) fn is_n_plus_one(&self, records: usize) -> bool {
        is_n_plus_one(&self.sql, self.count(), records)
    }

    fn is_about_transactions(&self) -> bool {
        matches!(self.sql.as_str(), "BEGIN" | "COMMIT" | "ROLLBACK")
    }
}

/// Groups statements, those that took longest in all first.
pub(crate) fn grouped(statements: &[Statement]) -> Vec<Group<'_>> {
    let mut places = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for statement in statements {
        let place = *places.entry(statement.sql.as_str()).or_insert_with(|| {
            groups.push(Group { sql: on_one_line(&statement.sql), statements: Vec::new() });
            groups.len() - 1
        });
        groups[place].statements.push(statement);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.time()));
    groups
}

/// A text without the line breaks and spaces of the source that it stands in.
pub(crate) fn on_one_line(sql: &str) -> String {
    let mut line = String::with_capacity(sql.len());
    for word in sql.split_ascii_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(sql: &str, fingerprint: Option<u64>, micros: u64) -> Statement {
        Statement {
            sql: sql.to_owned(),
            fingerprint,
            arguments: None,
            pool: "pages",
            layer: Layer::Queryset,
            start: Duration::ZERO,
            time: Duration::from_micros(micros),
            rows: 2,
            brought: None,
        }
    }

    #[test]
    fn similar_statements_are_one_group_and_those_with_the_same_values_are_duplicates() {
        let sent = [
            statement("SELECT\n     a", Some(1), 10),
            statement("SELECT b", None, 70),
            statement("SELECT\n     a", Some(2), 20),
            statement("SELECT\n     a", Some(1), 30),
            statement("SELECT b", None, 1),
        ];
        let seen: Vec<_> = grouped(&sent)
            .iter()
            .map(|group| {
                (group.sql.clone(), group.count(), group.duplicates(), group.time().as_micros(), group.rows())
            })
            .collect();
        assert_eq!(seen, [("SELECT b".to_owned(), 2, 1, 71, 4), ("SELECT a".to_owned(), 3, 1, 60, 6)]);
    }

    #[test]
    fn one_statement_for_half_of_the_records_is_n_plus_one_and_four_never_are() {
        let of = |count: u64, sql: &str, records| {
            let sent: Vec<_> = (0..count).map(|value| statement(sql, Some(value), 1)).collect();
            grouped(&sent)[0].is_n_plus_one(records)
        };
        assert!(!of(4, "SELECT a", 4));
        assert!(of(5, "SELECT a", 0) && of(5, "SELECT a", 10));
        assert!(!of(5, "SELECT a", 11));
        assert!(!of(24, "SELECT a", 50));
        assert!(of(25, "SELECT a", 50));
        assert!(!of(25, "COMMIT", 0));
    }
}
