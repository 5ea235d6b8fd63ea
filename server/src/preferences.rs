//! What a client prefers: the `Prefer` header of RFC 7240, of which this API knows `handling`.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How to take what can be understood in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// Pass over it.
    Lenient,
    /// Refuse it.
    Strict,
}

impl Handling {
    /// What the headers of a request say. Of several, the first counts; what can't be read is no preference.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let said = headers.get_all(PREFER).into_iter().find_map(|line| {
            let line = String::from_utf8_lossy(line.as_bytes()).into_owned();
            split(&line, ',').into_iter().find_map(handling)
        });
        match said {
            Some(value) if value.eq_ignore_ascii_case("strict") => Self::Strict,
            _ => Self::Lenient,
        }
    }

    /// The answer with the word that the preference was honoured, for the client and for caches between.
    pub(crate) fn told(self, mut answer: Response) -> Response {
        let headers = answer.headers_mut();
        headers.append(header::VARY, HeaderValue::from_name(PREFER));
        if self == Self::Strict {
            headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("handling=strict"));
        }
        answer
    }
}

/// The value of `handling`, if this is that preference. Names are compared in any case, as the values of this one are,
/// and its parameters say nothing to us.
fn handling(preference: &str) -> Option<String> {
    let without_parameters = split(preference, ';').into_iter().next()?;
    let (name, value) = without_parameters.split_once('=').unwrap_or((without_parameters, ""));
    name.trim().eq_ignore_ascii_case("handling").then(|| word(value.trim()))
}

/// A token as it is, or the content of a quoted string.
fn word(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else { return text.to_owned() };
    let mut content = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => content.extend(characters.next()),
            _ => content.push(character),
        }
    }
    content
}

/// The parts between separators that don't stand in a quoted string.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (index, character) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && character == '\\' {
            is_escaped = true;
        } else if character == '"' {
            is_quoted = !is_quoted;
        } else if character == separator && !is_quoted {
            parts.push(&text[start..index]);
            start = index + character.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&'static str]) -> Handling {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(PREFER, HeaderValue::try_from(line.as_bytes()).unwrap());
        }
        Handling::of(&headers)
    }

    #[test]
    fn strict_is_found_among_other_preferences_in_every_spelling() {
        for lines in [
            &["handling=strict"][..],
            &["Handling=Strict"],
            &["handling = strict"],
            &["\thandling=\"strict\" "],
            &["handling=\"s\\trict\""],
            &["handling=strict; foo=bar"],
            &["handling=strict;"],
            &["respond-async, wait=100, handling=strict"],
            &["respond-async", "handling=strict, return=minimal"],
            &["foo=\"a, handling=lenient\", handling=strict"],
            &["foo; handling=lenient, handling=strict"],
            &["foo=\"\\\", handling=lenient\",handling=strict"],
            &[",, ,handling=strict"],
            &["=, handling=strict"],
            &["handling=strict, handling=lenient"],
            &["handling=strict", "handling=lenient"],
        ] {
            assert_eq!(of(lines), Handling::Strict, "{lines:?}");
        }
    }

    #[test]
    fn everything_else_is_lenient() {
        for lines in [
            &[][..],
            &[""],
            &["handling"],
            &["handling="],
            &["handling=lenient"],
            &["handling=lenient, handling=strict"],
            &["handling", "handling=strict"],
            &["handling=stricter"],
            &["strict"],
            &["foo; handling=strict"],
            &["foo=\"handling=strict\""],
            &["foo=\", handling=strict"],
            &["handling=strict foo"],
            &["xhandling=strict"],
            &["é=handling=strict"],
        ] {
            assert_eq!(of(lines), Handling::Lenient, "{lines:?}");
        }
    }
}
