//! A level as plain SQL, for a database that is filled without this program: tables without keys and indexes first, so
//! that rows go in at full speed, then everything else.
//!
//! The statements are those of the ladder, taken apart, never written a second time: a change of a table or an index
//! changes the script with it.

use crate::Level;
use crate::books::CREATE_BOOKS;
use crate::extension::CREATE_SCHEMA;
use crate::indexes::{CREATE, Index};
use crate::ladder::{Change, STEPS, indexes};
use crate::totals;

/// The statements that make a level, in the order in which they are to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// `CREATE EXTENSION`, and the schema where it will lie; with the table whose index needs it.
    pub extensions: Vec<Statement>,
    /// `CREATE TABLE`, without primary keys and unique constraints.
    pub tables: Vec<Statement>,
    /// `CREATE INDEX` of keys and of everything else; independent of each other, so that several can run at once. An
    /// index that is there already is left alone.
    pub indexes: Vec<Statement>,
    /// `ALTER TABLE`: the unique indexes become primary keys and unique constraints.
    pub keys: Vec<Statement>,
    /// What the level has beside tables: functions and triggers; and the statements that fill derived tables, each with
    /// its table, to be left out where that was filled with rows.
    pub upkeep: Vec<Statement>,
    /// The entries of the books, with which [`crate::level`] and [`crate::migrate`] know the level.
    pub books: String,
}

/// A statement, with the comment before it and the semicolon at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The table that it makes, changes or fills; `None` for functions and triggers.
    pub table: Option<String>,
    /// Its text.
    pub sql: String,
}

impl Statement {
    /// The name of the index that it makes.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        command(&self.sql).split_once("INDEX IF NOT EXISTS ").and_then(|(_, rest)| first_name(rest))
    }
}

impl Script {
    /// The script of a level.
    #[must_use]
    pub fn of(level: Level) -> Self {
        let steps = || STEPS.iter().filter(|step| step.level <= level);
        let mut script = Self {
            extensions: Vec::new(),
            tables: Vec::new(),
            indexes: Vec::new(),
            keys: Vec::new(),
            upkeep: Vec::new(),
            books: String::new(),
        };
        for step in steps() {
            match step.change {
                Change::Script { up, .. } => statements(up).for_each(|statement| script.take(statement)),
                Change::Install(extension) => {
                    let needed = |sql| Statement { table: Some(extension.table.to_owned()), sql };
                    script.extensions.push(needed(format!("{CREATE_SCHEMA};")));
                    script.extensions.push(needed(format!("{};", extension.create())));
                }
                Change::Fill(totals) => {
                    statements(totals.up).for_each(|statement| script.take(statement));
                    let table = Some(totals::TABLE.to_owned());
                    script.upkeep.push(Statement { table, sql: totals.fill.trim_end().to_owned() });
                }
                Change::Build(_) | Change::Retire(_) | Change::Replace { .. } => {}
            }
        }
        script.indexes.extend(indexes(level).iter().map(offline));
        let entries: Vec<String> =
            steps().map(|step| format!("    ('{}', '{}')", step.name, step.level)).collect();
        script.books = format!(
            "{CREATE_BOOKS};\nINSERT INTO callbench.migration (step, level) VALUES\n{};",
            entries.join(",\n")
        );
        script
    }

    fn take(&mut self, statement: &str) {
        let table_after =
            |head: &str| command(statement).strip_prefix(head).and_then(first_name).map(str::to_owned);
        // A lock keeps writers out of a live system; a database that is being loaded has none.
        if command(statement).starts_with("LOCK ") {
            return;
        }
        if let Some(table) = table_after("CREATE TABLE ") {
            let (sql, keys) = without_keys(statement);
            for key in keys {
                let name = key.name(&table);
                self.indexes.push(Statement {
                    table: Some(table.clone()),
                    sql: format!(
                        "CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {table} ({});",
                        key.columns.join(", ")
                    ),
                });
                self.keys.push(Statement {
                    table: Some(table.clone()),
                    sql: format!(
                        "ALTER TABLE {table} ADD CONSTRAINT {name} {} USING INDEX {name};",
                        key.kind
                    ),
                });
            }
            self.tables.push(Statement { table: Some(table), sql });
        } else {
            self.upkeep.push(Statement { table: None, sql: statement.to_owned() });
        }
    }
}

/// The same index for a table that nobody writes to: built in one pass instead of two.
fn offline(index: &Index) -> Statement {
    let sql = index.create.replacen(CREATE, "CREATE INDEX IF NOT EXISTS ", 1);
    Statement { table: Some(index.table().to_owned()), sql: format!("{};", sql.trim_end()) }
}

/// A primary key, or a unique constraint.
#[derive(Debug, PartialEq, Eq)]
struct Key<'a> {
    kind: &'static str,
    columns: Vec<&'a str>,
}

const PRIMARY: &str = "PRIMARY KEY";
const UNIQUE: &str = "UNIQUE";

impl Key<'_> {
    /// The name that `PostgreSQL` gives to it where none is given.
    fn name(&self, table: &str) -> String {
        if self.kind == PRIMARY {
            format!("{table}_pkey")
        } else {
            format!("{table}_{}_key", self.columns.join("_"))
        }
    }
}

/// Takes the keys out of a `CREATE TABLE` whose columns stand on a line each, as those of this crate do.
fn without_keys(statement: &str) -> (String, Vec<Key<'_>>) {
    let mut keys = Vec::new();
    let (Some(from), Some(to)) = (statement.find("(\n"), statement.rfind("\n)")) else {
        return (statement.to_owned(), keys);
    };
    let mut columns = Vec::new();
    for line in statement[from + 2..to].lines() {
        let line = line.trim_end_matches(',');
        let trimmed = line.trim_start();
        let listed = |kind| {
            let list = trimmed.strip_prefix(kind)?.trim().strip_prefix('(')?.strip_suffix(')')?;
            Some(Key { kind, columns: list.split(", ").collect() })
        };
        if let Some(key) = listed(PRIMARY).or_else(|| listed(UNIQUE)) {
            keys.push(key);
            continue;
        }
        let column: Vec<&str> = first_name(trimmed).into_iter().collect();
        if line.contains(PRIMARY) {
            keys.push(Key { kind: PRIMARY, columns: column.clone() });
        }
        if line.contains(UNIQUE) {
            keys.push(Key { kind: UNIQUE, columns: column });
        }
        columns.push(line.replace(PRIMARY, "NOT NULL").replace(" UNIQUE", ""));
    }
    (format!("{}(\n{}{}", &statement[..from], columns.join(",\n"), &statement[to..]), keys)
}

/// The statements of a script, each with the comment before it. Bodies of functions stand between lines with `$$`.
fn statements(script: &str) -> impl Iterator<Item = &str> {
    let mut rest = script;
    std::iter::from_fn(move || {
        let mut is_in_body = false;
        let mut end = 0;
        for line in rest.split_inclusive('\n') {
            end += line.len();
            is_in_body ^= line.matches("$$").count() % 2 == 1;
            if !is_in_body && !line.starts_with("--") && line.trim_end().ends_with(';') {
                let statement = &rest[..end];
                rest = &rest[end..];
                return Some(statement.trim());
            }
        }
        None
    })
}

/// A statement without the comment before it.
fn command(statement: &str) -> &str {
    let mut rest = statement.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

fn first_name(text: &str) -> Option<&str> {
    text.split(|c: char| c.is_whitespace() || c == '(').find(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(statements: &[Statement]) -> Vec<&str> {
        statements.iter().map(|statement| statement.table.as_deref().unwrap_or("none")).collect()
    }

    #[test]
    fn tables_have_no_keys_and_every_key_has_an_index() {
        for level in Level::ALL {
            let script = Script::of(level);
            let made = tables(&script.tables);
            assert_eq!(made.contains(&"customer_call_stats"), level == Level::Optimized);
            for statement in &script.tables {
                assert!(command(&statement.sql).starts_with("CREATE TABLE "), "{}", statement.sql);
                assert!(
                    !statement.sql.contains(PRIMARY) && !statement.sql.contains(UNIQUE),
                    "{}",
                    statement.sql
                );
            }
            // Each table has a primary key, and three have a unique constraint.
            assert_eq!(script.keys.len(), made.len() + 3);
            let indexed = tables(&script.indexes);
            assert!(indexed.iter().all(|table| made.contains(table)), "{indexed:?}");
            assert!(script.indexes.iter().all(|index| !index.sql.contains("CONCURRENTLY")));
            let names: Vec<&str> = script.indexes.iter().filter_map(Statement::index).collect();
            assert_eq!(names.len(), script.indexes.len());
            assert!(
                names.contains(&"call_pkey") && names.contains(&"label_workspace_id_name_key"),
                "{names:?}"
            );
        }
    }

    #[test]
    fn indexes_are_those_of_the_level_and_what_they_need_comes_before_them() {
        for level in Level::ALL {
            let script = Script::of(level);
            for index in indexes(level) {
                let name = Some(index.name);
                let found: Vec<_> =
                    script.indexes.iter().filter(|statement| statement.index() == name).collect();
                let [found] = found[..] else { panic!("{}: {found:?}", index.name) };
                let after_name =
                    |sql: &str| sql.split_once(" ON ").map(|(_, rest)| rest.trim_end().to_owned());
                assert_eq!(after_name(&found.sql), after_name(&format!("{};", index.create.trim_end())));
            }
            let needed = tables(&script.extensions);
            assert_eq!(needed, if level == Level::Optimized { vec!["customer"; 2] } else { Vec::new() });
        }
    }

    #[test]
    fn what_fills_a_table_is_known_by_its_table() {
        assert_eq!(Script::of(Level::Indexed).upkeep, []);
        let optimized = Script::of(Level::Optimized);
        let upkeep = tables(&optimized.upkeep);
        assert_eq!(upkeep.iter().filter(|&&table| table == "customer_call_stats").count(), 1, "{upkeep:?}");
        assert!(optimized.upkeep.iter().all(|statement| statement.sql.ends_with(';')));
    }

    #[test]
    fn keys_are_taken_out_wherever_they_stand() {
        let (sql, keys) = without_keys(
            "CREATE TABLE t (\n    id   uuid PRIMARY KEY DEFAULT f(1, 2),\n    slug text NOT NULL UNIQUE,\n    \
             a    integer,\n    UNIQUE (a, slug)\n) WITH (fillfactor = 80);",
        );
        assert_eq!(
            sql,
            "CREATE TABLE t (\n    id   uuid NOT NULL DEFAULT f(1, 2),\n    slug text NOT NULL,\n    a    integer\n) \
             WITH (fillfactor = 80);"
        );
        let names: Vec<String> = keys.iter().map(|key| key.name("t")).collect();
        assert_eq!(names, ["t_pkey", "t_slug_key", "t_a_slug_key"]);
    }

    #[test]
    fn a_script_is_cut_at_the_ends_of_its_statements() {
        let script = "-- one;\nCREATE TABLE a (\n    b int\n);\n\nCREATE FUNCTION f() AS $$\n    SELECT 1;\n    SELECT 2;\n$$;\nLOCK TABLE a;\n";
        let cut: Vec<&str> = statements(script).map(command).collect();
        assert_eq!(cut.len(), 3);
        assert!(cut[0].starts_with("CREATE TABLE a"), "{cut:?}");
        assert!(cut[1].ends_with("$$;"), "{cut:?}");
        assert_eq!(cut[2], "LOCK TABLE a;");
    }
}
