//! The words of a statement, with comments left out and texts kept whole, so that what stands in a text or a comment is
//! never taken for SQL.
//!
//! Lexical structure as in the PostgreSQL manual, chapter 4.1.

/// A piece of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'s> {
    /// A keyword or a name, as written.
    Word(&'s str),
    /// A name in double quotes, with them.
    Quoted(&'s str),
    /// A number or a text of any kind.
    Literal(&'s str),
    /// `$1`.
    Parameter(&'s str),
    /// Any other character.
    Symbol(char),
}

impl<'s> Token<'s> {
    /// Whether it is this keyword, in any case.
    pub(crate) fn is(self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// Whether it is one of these keywords.
    pub(crate) fn is_any(self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// As a name of a table or column, as written. Keywords are names, too, as far as this can tell.
    pub(crate) fn name(self) -> Option<&'s str> {
        match self {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            Token::Literal(_) | Token::Parameter(_) | Token::Symbol(_) => None,
        }
    }

    /// As it was written.
    pub(crate) fn text(self) -> String {
        match self {
            Token::Word(text) | Token::Quoted(text) | Token::Literal(text) | Token::Parameter(text) => {
                text.to_owned()
            }
            Token::Symbol(character) => character.to_string(),
        }
    }
}

/// Takes a statement apart. What is not SQL gives some tokens, never an error.
pub(crate) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (length, token) = next(rest, first);
        found.extend(token);
        rest = &rest[length..];
    }
    found
}

/// The piece that `rest` begins with: its length in bytes, and the token unless it means nothing.
fn next(rest: &str, first: char) -> (usize, Option<Token<'_>>) {
    let literal = |length: usize| (length, Some(Token::Literal(&rest[..length])));
    if first.is_whitespace() {
        return (first.len_utf8(), None);
    }
    if rest.starts_with("--") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (comment(rest), None);
    }
    match first {
        '\'' => literal(quoted(rest, 0, '\'', false)),
        '"' => {
            let length = quoted(rest, 0, '"', false);
            (length, Some(Token::Quoted(&rest[..length])))
        }
        'e' | 'E' if rest[1..].starts_with('\'') => literal(quoted(rest, 1, '\'', true)),
        'b' | 'B' | 'x' | 'X' | 'n' | 'N' if rest[1..].starts_with('\'') => {
            literal(quoted(rest, 1, '\'', false))
        }
        '$' => dollar(rest),
        '0'..='9' => literal(run(rest, |character| character.is_ascii_alphanumeric() || character == '.')),
        _ if is_word(first) => {
            let length = run(rest, |character| is_word(character) || character == '$');
            (length, Some(Token::Word(&rest[..length])))
        }
        _ => (first.len_utf8(), Some(Token::Symbol(first))),
    }
}

fn is_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

/// Bytes at the beginning whose characters all belong.
fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|character| !belongs(character)).unwrap_or(rest.len())
}

/// The length of a comment, within which others may stand.
fn comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of what stands in quotes that begin at `start`. A doubled quote is part of it, and so is one after a
/// backslash where that `escapes`.
fn quoted(rest: &str, start: usize, quote: char, escapes: bool) -> usize {
    let mut characters = rest[start + 1..].char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if escapes && character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return start + 1 + at + 1;
        }
    }
    rest.len()
}

/// A parameter `$1`, a text `$$…$$` or `$tag$…$tag$`, or a lonely dollar.
fn dollar(rest: &str) -> (usize, Option<Token<'_>>) {
    let digits = run(&rest[1..], |character| character.is_ascii_digit());
    if digits > 0 {
        return (1 + digits, Some(Token::Parameter(&rest[..=digits])));
    }
    let tag = 1 + run(&rest[1..], is_word);
    if !rest[tag..].starts_with('$') {
        return (1, Some(Token::Symbol('$')));
    }
    let fence = &rest[..=tag];
    let length = rest[fence.len()..].find(fence).map_or(rest.len(), |at| fence.len() + at + fence.len());
    (length, Some(Token::Literal(&rest[..length])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_stands_in_texts_and_comments_is_not_sql() {
        use Token::{Literal, Parameter, Quoted, Symbol, Word};
        for (sql, expected) in [
            ("a/*b/*c*/d*/e", vec![Word("a"), Word("e")]),
            ("a--b\nc", vec![Word("a"), Word("c")]),
            ("'it''s' x", vec![Literal("'it''s'"), Word("x")]),
            (r"E'a\'b' x", vec![Literal(r"E'a\'b'"), Word("x")]),
            (r#""a""b".c"#, vec![Quoted(r#""a""b""#), Symbol('.'), Word("c")]),
            (
                "$12+$$a 'b$$ $q$x$$y$q$",
                vec![Parameter("$12"), Symbol('+'), Literal("$$a 'b$$"), Literal("$q$x$$y$q$")],
            ),
            ("1.5e3::ä$1", vec![Literal("1.5e3"), Symbol(':'), Symbol(':'), Word("ä$1")]),
            ("'open", vec![Literal("'open")]),
            ("/* open", vec![]),
            ("$", vec![Symbol('$')]),
        ] {
            assert_eq!(tokens(sql), expected, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_apart(sql in r#"([ -~ä]|['"$/*\\\n-]){0,40}"#) {
            let length: usize = tokens(&sql).iter().map(|token| token.text().len()).sum();
            prop_assert!(length <= sql.len());
        }
    }
}
