//! A text with placeholders: `order {number} of {{{product}}}`.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reports::document::Mistake;
use serde_json::Value;

use super::placeholders::Placeholders;

/// All that could mean something in a path or in a query: everything but the unreserved characters of RFC 3986, §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text as one piece of a path or of a query.
pub(super) fn percent_encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

/// A text with placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

/// A piece of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// What stands there itself.
    Text(String),
    /// The value at this place among those of the request.
    Value(usize),
}

impl Template {
    /// Reads a text; the places of mistakes are bytes in it.
    pub(super) fn parse(text: &str, placeholders: &mut Placeholders<'_>) -> Result<Self, Mistake> {
        let mut template = Self::default();
        let mut at = 0;
        while let Some(offset) = text[at..].find(['{', '}']) {
            let brace = at + offset;
            template.push_text(&text[at..brace]);
            let rest = &text[brace..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                template.push_text(&rest[..1]);
                at = brace + 2;
                continue;
            }
            let end = rest.find('}').filter(|_| rest.starts_with('{')).ok_or_else(|| {
                let expected = "a placeholder is {name}; a brace itself is written twice";
                Mistake::new(brace..brace + 1, "lonely brace", expected)
            })?;
            let place = placeholders.place(&rest[1..end], brace..brace + end + 1)?;
            template.pieces.push(Piece::Value(place));
            at = brace + end + 1;
        }
        template.push_text(&text[at..]);
        Ok(template)
    }

    /// Appends what stands for itself.
    pub(super) fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(before)) => before.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// Appends another one.
    pub(super) fn push(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Text(text) => self.push_text(&text),
                value @ Piece::Value(_) => self.pieces.push(value),
            }
        }
    }

    /// Appends another one, its own texts percent-encoded as its values will be.
    pub(super) fn push_encoded(&mut self, other: Self) {
        for piece in other.pieces {
            match piece {
                Piece::Text(text) => self.push_text(&percent_encoded(&text)),
                value @ Piece::Value(_) => self.pieces.push(value),
            }
        }
    }

    /// The places of its placeholders.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(place) => Some(*place),
            Piece::Text(_) => None,
        })
    }

    /// The places of those that stand before the first `separator`.
    pub(super) fn places_before(&self, separator: char) -> impl Iterator<Item = usize> {
        let before = self.pieces.iter().take_while(move |piece| match piece {
            Piece::Text(text) => !text.contains(separator),
            Piece::Value(_) => true,
        });
        before.filter_map(|piece| match piece {
            Piece::Value(place) => Some(*place),
            Piece::Text(_) => None,
        })
    }

    /// What stands for itself in it.
    pub(super) fn own_texts(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            Piece::Value(_) => None,
        })
    }

    /// Whether it has a placeholder.
    pub(super) fn is_drawn(&self) -> bool {
        self.places().next().is_some()
    }

    /// The text with these values.
    pub(super) fn text(&self, values: &[Value]) -> String {
        self.fill(values, |value| value)
    }

    /// The text with these values as a part of a URL.
    pub(super) fn url_text(&self, values: &[Value]) -> String {
        self.fill(values, |value| percent_encoded(&value).into_owned().into())
    }

    fn fill(&self, values: &[Value], write: impl Fn(Cow<'_, str>) -> Cow<'_, str>) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Value(place) => filled.push_str(&write(text_of(&values[*place]))),
            }
        }
        filled
    }

    /// What it stands for in JSON: one placeholder alone keeps the type of its value, all else is a text.
    pub(super) fn value(&self, values: &[Value]) -> Value {
        match &self.pieces[..] {
            [Piece::Value(place)] => values[*place].clone(),
            _ => Value::String(self.text(values)),
        }
    }
}

/// A value as it is written into a text.
pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<Template, String> {
        let mut placeholders = Placeholders::only(&["workspace", "number"]);
        Template::parse(text, &mut placeholders).map_err(|mistake| mistake.locate("f", text).to_string())
    }

    #[test]
    fn placeholders_become_values_and_double_braces_become_braces() {
        // Their places are those of their first appearance.
        let values = ["a b".into(), 7.into()];
        for (text, filled) in [
            ("", ""),
            ("plain", "plain"),
            ("{workspace}", "a b"),
            ("{workspace}{number}{workspace}", "a b7a b"),
            ("{{workspace}}", "{workspace}"),
            ("{{{workspace}}}", "{a b}"),
            ("}}{{", "}{"),
        ] {
            assert_eq!(template(text).unwrap().text(&values), filled, "{text}");
        }
        assert_eq!(template("/{workspace}?é={number}").unwrap().url_text(&values), "/a%20b?é=7");
    }

    #[test]
    fn one_placeholder_alone_keeps_the_type_of_its_value() {
        let values = [7.into(), true.into()];
        assert_eq!(template("{number}").unwrap().value(&values), Value::from(7));
        assert_eq!(template("{number}{workspace}").unwrap().value(&values), Value::from("7true"));
        assert_eq!(template(" {number}").unwrap().value(&values), Value::from(" 7"));
        assert_eq!(template("").unwrap().value(&values), Value::from(""));
    }

    #[test]
    fn braces_that_are_none_are_shown_with_their_place() {
        for (text, says) in [
            ("a {", "f:1:3: lonely brace `{`"),
            ("a } b", "f:1:3: lonely brace `}`"),
            ("é{nmber}", "f:1:2: unknown placeholder `{nmber}`: here can stand {workspace}, {number}"),
            ("{nmber}", "did you mean `number`?"),
            ("{}", "unknown placeholder `{}`"),
            ("{data}", "unknown placeholder `{data}`"),
        ] {
            let said = template(text).unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
