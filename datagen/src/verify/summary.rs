//! All findings in one sentence.

use std::cmp::Ordering;

use super::findings::{Changes, TableFinding, Verification};

/// Columns that are named for a table.
const COLUMNS: usize = 4;

impl Verification {
    /// What is to be said if only one sentence is read.
    #[must_use]
    pub fn sentence(&self) -> String {
        let failures: Vec<&str> = self.failures().map(|check| check.name.as_str()).collect();
        let failed = match failures.as_slice() {
            [] => String::new(),
            [name] => format!("1 check failed: {name}"),
            [name, ..] => format!("{} checks failed, the first: {name}", failures.len()),
        };
        if self.tables.iter().any(TableFinding::is_other_generator) {
            let tables: Vec<&str> = self
                .tables
                .iter()
                .filter(|table| table.is_other_generator())
                .map(|table| table.table.as_str())
                .collect();
            return format!(
                "This callbench generates other rows for this specification than the one that loaded it ({}), though \
                 both call them version {}; verify with the callbench that loaded them.",
                tables.join(", "),
                self.version
            );
        }
        let differences: Vec<String> =
            self.tables.iter().filter(|table| !table.is_equal).map(difference).collect();
        match (differences.is_empty(), failed.is_empty()) {
            (true, true) => "The data set is exactly as loaded.".to_owned(),
            (true, false) => format!("The rows are exactly as loaded, but {failed}."),
            (false, true) => format!("{}.", differences.join("; ")),
            (false, false) => format!("{}; {failed}.", differences.join("; ")),
        }
    }
}

/// `call: 120 rows were added, 3 changed (status, duration)`
fn difference(finding: &TableFinding) -> String {
    let Some(changes) = &finding.changes else {
        let (held, expected) = (finding.held.rows, finding.expected.rows);
        let by = held.abs_diff(expected);
        let noun = if by == 1 { "row" } else { "rows" };
        let by = grouped(by);
        let rows = match held.cmp(&expected) {
            Ordering::Greater => format!("{by} {noun} more than loaded"),
            Ordering::Less => format!("{by} {noun} fewer than loaded"),
            Ordering::Equal => "as many rows as loaded, with other contents".to_owned(),
        };
        return format!("{}: {rows}", finding.table);
    };
    format!("{}: {}", finding.table, changes.words())
}

impl Changes {
    /// `120 rows were added, 3 changed (status, duration)`; estimates with an `about`.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        for (change, verb) in [(&self.added, "added"), (&self.removed, "removed"), (&self.changed, "changed")]
        {
            if change.rows == 0 {
                continue;
            }
            let about = if self.is_estimated { "about " } else { "" };
            let subject = match (parts.is_empty(), change.rows) {
                (true, 1) => " row was",
                (true, _) => " rows were",
                (false, _) => "",
            };
            let columns = if verb == "changed" { self.column_words() } else { String::new() };
            parts.push(format!("{about}{}{subject} {verb}{columns}", grouped(change.rows)));
        }
        if parts.is_empty() {
            // A sample can miss what there is.
            return "rows differ, none of them in the sample that was compared".to_owned();
        }
        parts.join(", ")
    }

    fn column_words(&self) -> String {
        let mut names: Vec<&str> =
            self.columns.iter().take(COLUMNS).map(|(column, _)| column.as_str()).collect();
        let more;
        if self.columns.len() > COLUMNS {
            more = format!("and {} more columns", self.columns.len() - COLUMNS);
            names.push(&more);
        }
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }
}

/// A whole number with its thousands set apart by commas.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::findings::Change;

    fn rows(rows: u64) -> Change {
        Change { rows, examples: Vec::new() }
    }

    #[test]
    fn changes_read_as_a_sentence() {
        let mut changes = Changes { added: rows(1_200), ..Changes::default() };
        assert_eq!(changes.words(), "1,200 rows were added");
        changes.changed = rows(3);
        changes.columns = [("status", 3), ("duration", 2)].map(|(name, rows)| (name.to_owned(), rows)).into();
        assert_eq!(changes.words(), "1,200 rows were added, 3 changed (status, duration)");
        changes.added = rows(0);
        changes.removed = rows(1);
        assert_eq!(changes.words(), "1 row was removed, 3 changed (status, duration)");
        changes.is_estimated = true;
        assert_eq!(changes.words(), "about 1 row was removed, about 3 changed (status, duration)");
    }

    #[test]
    fn many_columns_are_counted() {
        let columns = ["a", "b", "c", "d", "e", "f"].map(|name| (name.to_owned(), 1));
        let changes = Changes { changed: rows(2), columns: columns.into(), ..Changes::default() };
        assert_eq!(changes.words(), "2 rows were changed (a, b, c, d, and 2 more columns)");
    }
}
