//! What a wanted index looks like: columns that equal a value, then those of the order, then one that lies in a range.
//!
//! In that order each column still narrows the scan: behind an equality the entries are sorted by the next column, behind a
//! range they are not (manual, Multicolumn Indexes). The tenant comes first. A flag that the statement wants false in so
//! many words (`NOT is_deleted`) becomes the predicate of a partial index, which is smaller.

use std::fmt;

use crate::profile::advice::condition::{self, Condition, Test};
use crate::profile::advice::sql::Text;
use crate::profile::advice::{Node, TENANT};

/// What an index is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To read only rows that pass the filter. All of them were read, and they are few.
    Filter,
    /// To come by rows that pass the filter sooner on a walk along their order, which ends with the first of them.
    Walk,
    /// To read rows in their order.
    Order,
}

/// An index, displayed as the statement that makes it. PostgreSQL chooses its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Definition {
    table: String,
    method: &'static str,
    keys: Vec<Key>,
    /// Columns that must be false.
    predicates: Vec<String>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    column: String,
    /// What follows it: `DESC NULLS LAST`, or how a document is indexed.
    suffix: String,
    /// Whether its order is asked for.
    is_ordered: bool,
}

impl Definition {
    /// The index that a scan wants; `None` when none can be told that would be better than what the scan already uses.
    /// `order` are the keys of the order that its rows are wanted in, as PostgreSQL prints them.
    pub(super) fn of(
        scan: &Node,
        text: &Text,
        has_one_table: bool,
        purpose: Purpose,
        order: &[String],
    ) -> Option<Self> {
        let alias = scan.alias.as_deref().unwrap_or_default();
        let is_its = |of: Option<&str>| of.map_or(has_one_table, |of| of == alias);
        let negated = text.negated().into_iter().filter(|reference| is_its(reference.alias));
        let mut predicates: Vec<String> = negated.map(|reference| reference.column.to_owned()).collect();
        predicates.dedup();

        // A cast that PostgreSQL adds to a varchar is harmless; one that is written makes another value of the column.
        let is_usable = |condition: &Condition| {
            let is_predicate = predicates.iter().any(|column| column == condition.column);
            let is_written = condition.is_cast && text.casts(condition.column);
            !is_predicate && !is_written
        };
        let [served, mut conditions] = [&scan.index_condition, &scan.filter].map(|printed| {
            let found = printed.as_deref().map(|text| condition::conditions(text, alias));
            found.into_iter().flatten().filter(is_usable).collect::<Vec<Condition>>()
        });
        conditions.retain(|added| !served.iter().any(|known| known.column == added.column));
        let adds = |tests: &[Test]| conditions.iter().find(|added| tests.contains(&added.test));
        let narrowing = [Test::Equal, Test::AnyOf, Test::True, Test::False, Test::Range];
        if purpose != Purpose::Order && adds(&narrowing).is_none() {
            let document = adds(&[Test::Contains])?;
            let suffix = " jsonb_path_ops".to_owned();
            let key = Key { column: document.column.to_owned(), suffix, is_ordered: false };
            return Some(Self { table: quoted(scan)?, method: "gin", keys: vec![key], predicates });
        }
        let order = order.iter().map(|key| ordered(key, alias).filter(|key| !text.casts(&key.column)));
        let order: Vec<Key> = order.collect::<Option<_>>().unwrap_or_default();
        if purpose == Purpose::Order && order.is_empty() {
            return None;
        }
        conditions.splice(0..0, served);
        Some(Self {
            table: quoted(scan)?,
            method: "btree",
            keys: keys(&conditions, purpose, order),
            predicates,
        })
    }

    /// Whether an index that is there, as `pg_indexes.indexdef` has it, would do.
    pub(super) fn is_served_by(&self, indexdef: &str) -> bool {
        let Some((head, rest)) = indexdef.split_once(" USING ") else { return false };
        let Some((method, rest)) = rest.split_once(" (") else { return false };
        let (keys, predicate) = match rest.split_once(" WHERE ") {
            Some((keys, predicate)) => (keys, Some(predicate)),
            None => (rest, None),
        };
        let theirs: Vec<Key> = condition::split(keys.split_once(')').map_or(keys, |(keys, _)| keys), ", ")
            .into_iter()
            .map(|key| {
                let (column, suffix) = key.split_once(' ').unwrap_or((key, ""));
                Key { column: column.to_owned(), suffix: suffix.to_owned(), is_ordered: false }
            })
            .collect();
        let serves = if method == "gin" {
            theirs.iter().any(|key| key.column == self.keys[0].column)
        } else {
            serves(&self.keys, &theirs)
        };
        let table = head.rsplit([' ', '.']).next();
        let covers = predicate.is_none_or(|predicate| predicate == self.printed_predicate());
        table == Some(self.table.as_str()) && method == self.method && covers && serves
    }

    /// The predicate as PostgreSQL prints it.
    fn printed_predicate(&self) -> String {
        let parts: Vec<String> = self.predicates.iter().map(|column| format!("(NOT {column})")).collect();
        if parts.len() > 1 { format!("({})", parts.join(" AND ")) } else { parts.concat() }
    }
}

/// Whether an index on `theirs` reads what one on `ours` would: forwards, or backwards as a whole.
fn serves(ours: &[Key], theirs: &[Key]) -> bool {
    let is_descending = |key: &Key| key.suffix.contains("DESC");
    let mut turns = ours
        .iter()
        .zip(theirs)
        .filter(|(our, _)| our.is_ordered)
        .map(|(our, their)| is_descending(our) != is_descending(their));
    let first = turns.next().unwrap_or(false);
    theirs.len() >= ours.len()
        && ours.iter().zip(theirs).all(|(our, their)| our.column == their.column)
        && turns.all(|turn| turn == first)
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(|key| format!("{}{}", key.column, key.suffix)).collect();
        let using = if self.method == "btree" { String::new() } else { format!("USING {} ", self.method) };
        write!(f, "CREATE INDEX CONCURRENTLY ON {} {using}({})", self.table, keys.join(", "))?;
        for (at, column) in self.predicates.iter().enumerate() {
            write!(f, " {} NOT {column}", if at == 0 { "WHERE" } else { "AND" })?;
        }
        Ok(())
    }
}

/// The columns of a B-tree.
fn keys(conditions: &[Condition], purpose: Purpose, order: Vec<Key>) -> Vec<Key> {
    let of = |tests: &[Test]| -> Vec<Key> {
        let columns = conditions.iter().filter(|condition| tests.contains(&condition.test));
        let key = |condition: &Condition| Key {
            column: condition.column.to_owned(),
            suffix: String::new(),
            is_ordered: false,
        };
        columns.map(key).collect()
    };
    let mut equal = of(&[Test::Equal]);
    equal.sort_by_key(|key| key.column != TENANT);
    equal.extend(of(&[Test::True, Test::False]));
    let several = of(&[Test::AnyOf]);
    let mut range = of(&[Test::Range]);
    range.truncate(1);
    // A range sorts what is behind it anew. Few rows are found by it, and then sorted; an order that begins with the range
    // itself is both.
    let is_apart = range.iter().any(|key| !order.iter().any(|ordered| ordered.column == key.column));
    // Behind one of several values the entries are not in one order. Where the order is what counts, it comes first.
    let all: Vec<Key> = match purpose {
        Purpose::Filter if is_apart => [equal, several, range].concat(),
        Purpose::Filter | Purpose::Walk => [equal, several, order, range].concat(),
        Purpose::Order => [equal, order, several].concat(),
    };
    let mut keys: Vec<Key> = Vec::new();
    for key in all {
        if !keys.iter().any(|known| known.column == key.column) {
            keys.push(key);
        }
    }
    keys
}

/// A key of an order, if it is a column of the table that the statement calls `alias`.
pub(super) fn ordered(key: &str, alias: &str) -> Option<Key> {
    let mut words = condition::split(key, " ").into_iter();
    let column = condition::column(words.next()?, alias)?.to_owned();
    let mut suffix = String::new();
    while let Some(word) = words.next() {
        match word.to_ascii_uppercase().as_str() {
            "ASC" => {}
            direction @ ("DESC" | "NULLS" | "FIRST" | "LAST") => suffix = format!("{suffix} {direction}"),
            "COLLATE" => suffix = format!("{suffix} COLLATE {}", words.next()?),
            _ => return None,
        }
    }
    Some(Key { column, suffix, is_ordered: true })
}

/// The name of a scan's table as SQL has it. PostgreSQL prints columns quoted where they need it, but not tables.
fn quoted(scan: &Node) -> Option<String> {
    let table = scan.relation.as_deref()?;
    let is_plain = |character: char| matches!(character, 'a'..='z' | '_' | '0'..='9');
    let needs_none = table.chars().all(is_plain) && !table.starts_with(|first: char| first.is_ascii_digit());
    Some(if needs_none { table.to_owned() } else { format!("\"{}\"", table.replace('"', "\"\"")) })
}
