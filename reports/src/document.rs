//! A TOML file that a user wrote, and what can be wrong with it.
//!
//! Such a file is walked by hand rather than deserialised, because every key and value keeps its place that way: a mistake
//! is reported with line and column, whatever it is.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::spelling;

/// A mistake in a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {problem} `{text}`: {expected}{}", spelling::question(.suggestion.as_deref()))]
pub struct Error {
    /// The file as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: &'static str,
    /// The offending text.
    pub text: String,
    /// What would be right.
    pub expected: String,
    /// The known word that is nearest to the offending one.
    pub suggestion: Option<Box<str>>,
}

/// A mistake before it is known where in the file it stands: `span` is in bytes of whatever was parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands.
    pub span: Range<usize>,
    /// What is wrong.
    pub problem: &'static str,
    /// What would be right.
    pub expected: String,
    /// The known word that is nearest to the offending one.
    pub suggestion: Option<Box<str>>,
}

impl Mistake {
    /// A mistake without a guess what was meant.
    #[must_use]
    pub fn new(span: Range<usize>, problem: &'static str, expected: impl Into<String>) -> Self {
        Self { span, problem, expected: expected.into(), suggestion: None }
    }

    /// Adds the known word nearest to `word`, if one is near.
    #[must_use]
    pub fn suggest<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestion = spelling::nearest(word, known).map(Box::from);
        self
    }

    /// Moves the span by where the parsed text starts in the file.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Self {
        self.span = self.span.start + by..self.span.end + by;
        self
    }

    /// The mistake in a text that stands by itself, where no place has to be named.
    pub(crate) fn sentence(&self, text: &str) -> String {
        let start = text.floor_char_boundary(self.span.start);
        let offending = &text[start..text.floor_char_boundary(self.span.end.max(start))];
        let suggestion = spelling::question(self.suggestion.as_deref());
        format!("{} `{offending}`: {}{suggestion}", self.problem, self.expected)
    }

    /// Names the place in the file.
    #[must_use]
    pub fn locate(self, file: &str, text: &str) -> Error {
        let start = text.floor_char_boundary(self.span.start);
        let end = text.floor_char_boundary(self.span.end.max(start));
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let offending = text[start..end].lines().next().unwrap_or_default();
        Error {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            problem: self.problem,
            text: offending.to_owned(),
            expected: self.expected,
            suggestion: self.suggestion,
        }
    }
}

/// Reads a file into its sections.
pub fn parse(text: &str) -> Result<Spanned<DeTable<'_>>, Mistake> {
    DeTable::parse(text).map_err(|error| {
        Mistake::new(error.span().unwrap_or(0..0), "not valid TOML at", error.message().trim().to_owned())
    })
}

/// The entries of a table in the order of the file: key, where it stands, value.
#[must_use]
pub fn in_order<'a, 'i>(table: &'a DeTable<'i>) -> Vec<(&'a str, Range<usize>, &'a Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> =
        table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value)).collect();
    entries.sort_by_key(|(_, span, _)| span.start);
    entries
}

/// The text of a string; `expected` says what should stand there.
pub fn string<'a>(value: &'a Spanned<DeValue<'_>>, expected: &str) -> Result<&'a str, Mistake> {
    value.get_ref().as_str().ok_or_else(|| Mistake::new(value.span(), "not a string", expected))
}

/// A key that a section does not have.
#[must_use]
pub fn unknown_key(span: Range<usize>, key: &str, section: &str, known: &[&'static str]) -> Mistake {
    Mistake::new(span, "unknown key", format!("[{section}] has {}", known.join(", ")))
        .suggest(key, known.iter().copied())
}

/// Moves a mistake inside of a string to its place in the file `text`, where the string is written without escapes; else
/// the whole string is its place.
#[must_use]
pub fn inside(text: &str, value: &Spanned<DeValue<'_>>, mistake: Mistake) -> Mistake {
    let raw = text.get(value.span()).unwrap_or_default();
    let string = value.get_ref().as_str().unwrap_or_default();
    if raw.len() == string.len() + 2 && raw[1..].starts_with(string) {
        mistake.shifted(value.span().start + 1)
    } else {
        Mistake { span: value.span(), ..mistake }
    }
}
