//! What is read and written with and without an index: statements, and the statements that draw their values.
//!
//! A file has any number of `[[draw]]`, `[[read]]` and `[[write]]`. A draw selects rows whose columns are named values; a
//! statement refers to one as `${name}`, which is bound as text, and so needs a cast where the column is none:
//! `${workspace}::uuid`. It is carried out once for each row of the draws that it refers to. A draw may refer to those before
//! it, and takes their first row.

use std::fmt::Write as _;

use serde::Deserialize;

use super::Error;

/// The value that is always there: the slug or UUID of the workspace.
pub(super) const GIVEN: &str = "workspace_name";

/// The reads that are asked by default.
const READS: &str = include_str!("reads.toml");

/// The writes.
const WRITES: &str = include_str!("writes.toml");

/// What is carried out, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// What errors call the text.
    pub(super) file: String,
    /// In their order: a draw may refer to those before it.
    pub(super) draws: Vec<Statement>,
    pub(super) asked: Vec<Asked>,
}

/// A statement that is asked with and without each index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) name: String,
    /// As it is written in the file.
    pub(super) written: String,
    pub(super) statement: Statement,
    /// Rows that it writes; 0 for a read.
    pub(super) rows: u64,
    /// Whether it is carried out twice in a row, and counted the second time.
    pub(super) twice: bool,
}

/// SQL with `$1`, `$2`, … and the names of the values that stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    draw: Vec<DrawSection>,
    #[serde(default)]
    read: Vec<ReadSection>,
    #[serde(default)]
    write: Vec<WriteSection>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawSection {
    sql: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadSection {
    name: String,
    sql: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteSection {
    name: String,
    rows: u64,
    #[serde(default)]
    twice: bool,
    sql: String,
}

impl Statements {
    /// The reads of the API: pages, filters that have an index, detail, calls.
    pub fn reads() -> Result<Self, Error> {
        Self::parse_reads("reads.toml", READS)
    }

    /// Reads of one's own. Errors call the text by `file`.
    pub fn parse_reads(file: &str, text: &str) -> Result<Self, Error> {
        let read = parse(file, text)?;
        let wrong = |what: &str| Err(Error::File { file: file.to_owned(), what: what.to_owned() });
        if !read.write.is_empty() {
            return wrong("it has a [[write]], and is a file of reads");
        }
        if read.read.is_empty() {
            return wrong("it has no [[read]]");
        }
        let asked = read.read.into_iter().map(|read| Asked::new(file, read.name, &read.sql, 0, false));
        Self::new(file, read.draw, asked.collect::<Result<_, _>>()?)
    }

    /// Inserts, updates and soft deletes of customers, and calls.
    pub(super) fn writes() -> Result<Self, Error> {
        let file = "writes.toml";
        let read = parse(file, WRITES)?;
        let asked = read.write.into_iter();
        let asked = asked.map(|write| Asked::new(file, write.name, &write.sql, write.rows, write.twice));
        Self::new(file, read.draw, asked.collect::<Result<_, _>>()?)
    }

    fn new(file: &str, draws: Vec<DrawSection>, asked: Vec<Asked>) -> Result<Self, Error> {
        for (at, one) in asked.iter().enumerate() {
            if asked[..at].iter().any(|other| other.name == one.name) {
                let what = format!("the name `{}` is there twice", one.name);
                return Err(Error::File { file: file.to_owned(), what });
            }
        }
        let draws = draws.into_iter().map(|draw| Statement::of(file, &draw.sql)).collect::<Result<_, _>>()?;
        Ok(Self { file: file.to_owned(), draws, asked })
    }
}

fn parse(file: &str, text: &str) -> Result<File, Error> {
    toml::from_str(text).map_err(|error| Error::File { file: file.to_owned(), what: error.to_string() })
}

impl Asked {
    fn new(file: &str, name: String, sql: &str, rows: u64, twice: bool) -> Result<Self, Error> {
        let statement = Statement::of(file, sql)?;
        let written = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { name, written, statement, rows, twice })
    }
}

impl Statement {
    fn of(file: &str, written: &str) -> Result<Self, Error> {
        let mut parts = written.split("${");
        let mut sql = parts.next().unwrap_or_default().to_owned();
        let mut names: Vec<String> = Vec::new();
        for part in parts {
            let Some((name, rest)) = part.split_once('}') else {
                let what = format!("`${{` without `}}` in: {written}");
                return Err(Error::File { file: file.to_owned(), what });
            };
            let place = names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            let _ = write!(sql, "${}{rest}", place + 1);
        }
        Ok(Self { sql, names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_bound_where_it_is_named_and_once_however_often() {
        let statement = Statement::of("f", "SELECT ${a}::int, ${b}, ${a}::text").unwrap();
        assert_eq!(statement.sql, "SELECT $1::int, $2, $1::text");
        assert_eq!(statement.names, ["a", "b"]);
        assert!(Statement::of("f", "SELECT ${a").unwrap_err().to_string().contains("without `}`"));
    }

    #[test]
    fn what_is_built_in_can_be_read() {
        assert!(Statements::reads().unwrap().asked.iter().all(|read| read.rows == 0));
        assert!(Statements::writes().unwrap().asked.iter().all(|write| write.rows > 0));
    }

    #[test]
    fn a_mistake_in_a_file_is_told_with_its_place() {
        for (text, words) in [
            ("[[read]]\nname = 'a'\nsql = 'SELECT 1'\nrows = 3\n", &["mine.toml", "line 4", "rows"][..]),
            ("", &["no [[read]]"]),
            ("[[write]]\nname = 'a'\nrows = 1\nsql = 'DELETE FROM call'\n", &["a file of reads"]),
            (
                "[[read]]\nname = 'a'\nsql = 'SELECT 1'\n[[read]]\nname = 'a'\nsql = 'SELECT 2'\n",
                &["`a` is there twice"],
            ),
        ] {
            let error = Statements::parse_reads("mine.toml", text).unwrap_err().to_string();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }
}
