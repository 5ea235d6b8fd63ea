//! The scripts of an export: the tables, what follows the rows, and the shell script that runs it all.

use std::fmt::Write as _;

use migrations::{Script, Statement};

use super::Format;
use super::error::Error;
use super::folder::{Folder, LOAD_SCRIPT, SCRIPTS};
use super::manifest::{ExportedTable, Manifest};
use crate::entities::Table;
use crate::ledger::{self, LoadedTable};

/// Writes all scripts.
pub(super) fn write(folder: &Folder, manifest: &Manifest, tables: &[Table]) -> Result<(), Error> {
    let script = Script::of(manifest.level);
    let texts = [
        tables_sql(&script, manifest, tables),
        indexes_sql(&script, manifest, tables),
        finish_sql(&script, manifest, tables),
        load_sh(manifest, tables),
    ];
    for (name, text) in SCRIPTS.into_iter().zip(texts) {
        let mut file = folder.create(name)?;
        file.write(text.as_bytes())?;
        if name == LOAD_SCRIPT {
            file.set_executable()?;
        }
        file.finish()?;
    }
    Ok(())
}

/// Whether the scripts deal with the table of a statement: all tables of the level, unless some were chosen.
fn is_wanted(statement: &Statement, manifest: &Manifest, tables: &[Table]) -> bool {
    manifest.whole || statement.table.as_deref().is_some_and(|name| has(tables, name))
}

fn has(tables: &[Table], name: &str) -> bool {
    tables.iter().any(|table| table.name() == name)
}

/// Statements with an empty line between them, by which `load.sh` takes them apart.
fn paragraphs<'a>(head: &str, statements: impl Iterator<Item = &'a Statement>) -> String {
    statements.fold(head.to_owned(), |text, statement| text + "\n" + &statement.sql + "\n")
}

fn tables_sql(script: &Script, manifest: &Manifest, tables: &[Table]) -> String {
    let all = script.extensions.iter().chain(&script.tables);
    let wanted = all.filter(|statement| is_wanted(statement, manifest, tables));
    paragraphs(
        "-- The tables, without keys: those follow the rows, in indexes.sql and finish.sql, for rows go in faster\n\
         -- without them.\n",
        wanted,
    )
}

fn indexes_sql(script: &Script, manifest: &Manifest, tables: &[Table]) -> String {
    let wanted = script.indexes.iter().filter(|statement| is_wanted(statement, manifest, tables));
    paragraphs(
        "-- The indexes of keys, and all others. They don't depend on each other: load.sh builds several at once, each\n\
         -- of which is a paragraph here.\n",
        wanted,
    )
}

fn finish_sql(script: &Script, manifest: &Manifest, tables: &[Table]) -> String {
    let keys = script.keys.iter().filter(|statement| is_wanted(statement, manifest, tables));
    let mut text = paragraphs("-- The unique indexes become keys.\n", keys);
    if manifest.whole {
        let upkeep = script.upkeep.iter().filter(|statement| {
            // What is derived was exported as rows, or is computed now.
            statement.table.as_deref().is_none_or(|name| !has(tables, name))
        });
        if script.upkeep.is_empty() {
            text.push('\n');
        } else {
            text += &paragraphs("\n-- What keeps derived tables up to date.\n", upkeep);
            text.push('\n');
        }
        text += "-- By these entries callbench knows the level of the schema.\n\n";
        text += &script.books;
        text += "\n\n-- And by these which rows there are.\n\n";
        let loaded: Vec<LoadedTable> = manifest.tables.iter().map(ExportedTable::as_loaded).collect();
        text += &ledger::script(&manifest.spec, &loaded);
    }
    text
}

/// The script that loads; what is different from export to export stands between its head and its body.
fn load_sh(manifest: &Manifest, tables: &[Table]) -> String {
    let mut contents = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        writeln!(contents, "{text}").expect("a text takes everything");
    };
    // Whatever a scale is called, it stays a comment.
    line(format_args!("# The data set: {}.", manifest.to_string().replace(char::is_control, " ")));
    line(format_args!("format='{}'", manifest.format.copy_options()));
    let names: Vec<String> = script_tables(manifest, tables);
    line(format_args!("tables='{}'", names.join(" ")));
    line(format_args!(
        "\n# The columns of a table, in the order of the files.\ncolumns() {{\n    case \"$1\" in"
    ));
    for table in tables {
        line(format_args!("    {table}) echo '{}' ;;", table.column_list()));
    }
    line(format_args!(
        "    esac\n}}\n\n# Each part: its file, table, rows and bytes.\nparts() {{\n    cat <<'END'"
    ));
    for table in &manifest.tables {
        for part in &table.parts {
            line(format_args!("{} {} {} {}", part.file, table.table, part.rows, part.bytes));
        }
    }
    line(format_args!("END\n}}"));
    include_str!("load.sh").replace("#contents#\n", &contents)
}

/// The tables that the scripts make.
fn script_tables(manifest: &Manifest, tables: &[Table]) -> Vec<String> {
    let script = Script::of(manifest.level);
    let wanted = script.tables.iter().filter(|statement| is_wanted(statement, manifest, tables));
    wanted.filter_map(|statement| statement.table.clone()).collect()
}

impl Format {
    /// What stands behind `WITH` in a `COPY` of the files.
    const fn copy_options(self) -> &'static str {
        match self {
            Self::Binary => "(FORMAT binary)",
            Self::Csv => "(FORMAT csv, HEADER)",
        }
    }
}
