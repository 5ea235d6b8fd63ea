//! The grammar of an assertion: `key op value`.
//!
//! ```text
//! key   = part ("." part)*    a key of the profile: query_count, memory.allocated_bytes, queries.slowest_queries.0.time_ms;
//!                             .length after a list is its length
//! op    = "<" | "<=" | ">" | ">=" | "==" | "!="
//! value = number | "true" | "false" | "null" | word | "…" | '…'
//! ```
//!
//! A number has no unit, because the keys have one in their names (`total_time_ms`). Which keys a profile has is known when
//! it is there, so a key that it lacks is found out by [`super::judge`].

use std::fmt;
use std::str::FromStr;

use crate::operator::{Operator, Signs};

/// A sentence about a profile that holds or does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Assertion {
    /// As written, without spaces around it.
    pub text: String,
    /// The parts of the key; at least one.
    pub key: Vec<String>,
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: Literal,
}

/// A value of an assertion.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Finite.
    Number(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A word, or anything in quotes.
    Text(String),
    /// `null`: the key is there and has no value.
    Null,
}

/// Why a text is no assertion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no assertion: {what}; write a key of the profile, a comparison and a value, such as `query_count < 10`", super::sql::on_one_line(.text))]
pub struct NotAnAssertion {
    /// As written.
    pub text: String,
    /// What is wrong with it.
    pub what: String,
}

const SIGNS: Signs = Signs(&[
    ("<", Operator::Below),
    ("<=", Operator::AtMost),
    (">", Operator::Above),
    (">=", Operator::AtLeast),
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
]);

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Null => f.write_str("null"),
        }
    }
}

impl FromStr for Assertion {
    type Err = NotAnAssertion;

    fn from_str(text: &str) -> Result<Self, NotAnAssertion> {
        let wrong = |what: String| NotAnAssertion {
            text: text.trim().to_owned(),
            what: super::sql::on_one_line(&what),
        };
        let is_sign = |c: char| matches!(c, '<' | '>' | '=' | '!' | '~');
        let start = text.find(is_sign).ok_or_else(|| wrong("it compares nothing".to_owned()))?;
        let after = text[start..].find(|c| !is_sign(c)).map_or(text.len(), |length| start + length);
        let key = key(text[..start].trim()).map_err(wrong)?;
        let operator = operator(&text[start..after]).map_err(wrong)?;
        let value = literal(text[after..].trim(), operator).map_err(wrong)?;
        Ok(Self { text: text.trim().to_owned(), key, operator, value })
    }
}

fn key(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Err("it names no key before the comparison".to_owned());
    }
    let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
    let is_part = |part: &String| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    };
    if parts.iter().all(is_part) {
        Ok(parts)
    } else {
        Err(format!(
            "`{text}` can't be a key, which has letters, digits and `_`, and a dot before the key of a group, as in \
             `memory.allocated_bytes`"
        ))
    }
}

fn operator(sign: &str) -> Result<Operator, String> {
    SIGNS.read(sign).map_err(|meant| {
        let meant =
            meant.map_or_else(String::new, |operator| format!(" ({operator} is `{}`)", SIGNS.of(operator)));
        format!("`{sign}` is none of {}{meant}", SIGNS.list())
    })
}

fn literal(text: &str, operator: Operator) -> Result<Literal, String> {
    let literal = unordered(text)?;
    if operator.is_ordering() && !matches!(literal, Literal::Number(_)) {
        return Err(format!("`{}` compares numbers, and `{text}` is none", SIGNS.of(operator)));
    }
    Ok(literal)
}

fn unordered(text: &str) -> Result<Literal, String> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return match rest.strip_suffix(quote) {
                Some(inner) if !inner.contains(quote) => Ok(Literal::Text(inner.to_owned())),
                _ => Err(format!("the text {text} is not closed by the quote that opens it")),
            };
        }
    }
    match text {
        "" => return Err("it names no value after the comparison".to_owned()),
        "true" => return Ok(Literal::Flag(true)),
        "false" => return Ok(Literal::Flag(false)),
        "null" => return Ok(Literal::Null),
        _ => {}
    }
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        return if is_word {
            Ok(Literal::Text(text.to_owned()))
        } else {
            Err(format!("`{text}` is no single word; put a longer text in quotes"))
        };
    }
    // From here on it can only be a number; a unit after it is the likely mistake.
    let unit = text.find(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E') || c == '%');
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Literal::Number(number)),
        Ok(_) => Err(format!("`{text}` is too great for a number")),
        Err(_) if unit.is_some_and(|at| text[..at].trim().parse::<f64>().is_ok()) => {
            Err(format!("`{text}` has a unit; write the number alone, in the unit that the key names"))
        }
        Err(_) => Err(format!("`{text}` is neither a number nor a word")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Assertion {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn assertions_read_with_and_without_spaces() {
        for (text, key, operator, value) in [
            ("query_count < 10", &["query_count"][..], Operator::Below, Literal::Number(10.0)),
            ("query_count<10", &["query_count"], Operator::Below, Literal::Number(10.0)),
            (" total_time_ms  <= 1.5e2 ", &["total_time_ms"], Operator::AtMost, Literal::Number(150.0)),
            (
                "memory.allocated_bytes > -1",
                &["memory", "allocated_bytes"],
                Operator::Above,
                Literal::Number(-1.0),
            ),
            ("status >= 200", &["status"], Operator::AtLeast, Literal::Number(200.0)),
            (
                "queries.n_plus_one_detected == false",
                &["queries", "n_plus_one_detected"],
                Operator::Equal,
                Literal::Flag(false),
            ),
            (
                "bottleneck_layer != serializer",
                &["bottleneck_layer"],
                Operator::Unequal,
                Literal::Text("serializer".into()),
            ),
            ("query == 'a b<c'", &["query"], Operator::Equal, Literal::Text("a b<c".into())),
            ("workspace_id != null", &["workspace_id"], Operator::Unequal, Literal::Null),
            (
                "queries.slowest_queries.0.count == 1",
                &["queries", "slowest_queries", "0", "count"],
                Operator::Equal,
                Literal::Number(1.0),
            ),
        ] {
            let assertion = read(text);
            assert_eq!(assertion.key, key, "{text}");
            assert_eq!((assertion.operator, assertion.value), (operator, value), "{text}");
            assert_eq!(assertion.text, text.trim());
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_an_example_of_what_is_right() {
        for (text, words) in [
            ("", "it compares nothing"),
            ("query_count", "it compares nothing"),
            ("query count < 10", "`query count` can't be a key"),
            ("memory..peak < 10", "`memory..peak` can't be a key"),
            ("< 10", "it names no key"),
            ("query_count <", "it names no value"),
            ("query_count = 10", "equal is `==`"),
            ("query_count =< 10", "at most is `<=`"),
            ("query_count => 10", "at least is `>=`"),
            ("query_count <> 10", "unequal is `!=`"),
            ("query_count ~ 10", "`~` is none of"),
            ("query_count < ten", "`<` compares numbers, and `ten` is none"),
            ("query_count < true", "`<` compares numbers, and `true` is none"),
            ("total_time_ms < 500ms", "`500ms` has a unit"),
            ("serializer.share < 20 %", "`20 %` has a unit"),
            ("query_count < 1.2.3", "`1.2.3` is neither a number nor a word"),
            ("query_count < 1e999", "`1e999` is too great"),
            ("variant == 'live", "not closed"),
            ("variant == a b", "put a longer text in quotes"),
            ("query_count < 10 < 20", "`10 < 20` is neither"),
        ] {
            let error = text.parse::<Assertion>().expect_err(text).to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(error.contains("such as `query_count < 10`") && !error.contains('\n'), "{error}");
        }
    }

    fn value() -> impl Strategy<Value = Literal> {
        prop_oneof![
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Literal::Number),
            any::<bool>().prop_map(Literal::Flag),
            "[^\"\\p{Cc}]{0,20}".prop_map(Literal::Text),
            Just(Literal::Null),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_the_same(
            key in prop::collection::vec("[a-z0-9_]{1,12}", 1..4),
            at in 0..SIGNS.0.len(),
            value in value(),
            spaces in " {0,3}",
        ) {
            let (sign, operator) = SIGNS.0[at];
            prop_assume!(!operator.is_ordering() || matches!(value, Literal::Number(_)));
            let text = format!("{spaces}{}{spaces}{sign}{spaces}{value}{spaces}", key.join("."));
            let read: Assertion = text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
            prop_assert_eq!((read.key, read.operator, read.value), (key, operator, value));
        }

        #[test]
        fn any_other_text_is_refused_in_one_line_that_names_it(text in "(?s).{0,40}|[a-z_. ]{0,10}[<>=!]{0,3}.{0,10}") {
            if let Err(error) = text.parse::<Assertion>() {
                let error = error.to_string();
                prop_assert!(error.contains(&super::super::sql::on_one_line(text.trim())));
            }
        }
    }
}
