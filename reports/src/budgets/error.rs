//! What can be wrong with a budget file.

use std::ops::Range;

use crate::spelling;

/// A mistake in a budget file, with its place.
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
pub(super) struct Mistake {
    pub(super) span: Range<usize>,
    pub(super) problem: &'static str,
    pub(super) expected: String,
    pub(super) suggestion: Option<Box<str>>,
}

impl Mistake {
    pub(super) fn new(span: Range<usize>, problem: &'static str, expected: impl Into<String>) -> Self {
        Self { span, problem, expected: expected.into(), suggestion: None }
    }

    /// Adds the known word nearest to `word`, if one is near.
    pub(super) fn suggest<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        self.suggestion = spelling::nearest(word, known).map(Box::from);
        self
    }

    /// Moves the span by where the parsed text starts in the file.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.span = self.span.start + by..self.span.end + by;
        self
    }

    /// Names the place in the file.
    pub(super) fn locate(self, file: &str, text: &str) -> Error {
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
