//! A JSON value as the text that was sent. It is known to be well-formed; its parts are looked at when somebody asks.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::refusal::Refusal;

/// A value of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Json<'a>(&'a RawValue);

/// What a value is, told by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    List,
    Object,
}

/// A string that has half of a surrogate pair in it; the half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LoneSurrogate(pub(crate) u16);

impl<'a> Json<'a> {
    /// Reads a whole body. An empty one counts as an object without fields, as in Django REST framework.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        let body = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|error| Refusal::Unreadable(format!("JSON parse error - {error}")))
    }

    /// The value as it was sent.
    pub(crate) fn raw(self) -> &'a str {
        self.0.get()
    }

    pub(crate) fn kind(self) -> Kind {
        match self.raw().as_bytes().first() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::Text,
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Object,
            _ => Kind::Number,
        }
    }

    /// What Python calls a value like this; messages say so.
    pub(crate) fn python_type(self) -> &'static str {
        match self.kind() {
            Kind::Null => "NoneType",
            Kind::Bool => "bool",
            Kind::Number if self.raw().contains(['.', 'e', 'E']) => "float",
            Kind::Number => "int",
            Kind::Text => "str",
            Kind::List => "list",
            Kind::Object => "dict",
        }
    }

    /// The content of a string; of another value, its text.
    pub(crate) fn content(self) -> Result<String, LoneSurrogate> {
        if self.kind() != Kind::Text {
            return Ok(self.raw().to_owned());
        }
        serde_json::from_str(self.raw())
            .map_err(|_| lone_surrogate(self.raw()).unwrap_or(LoneSurrogate(0xD800)))
    }

    /// The elements of a list, but no more than `most` of them, and how many there are. Nothing if it is not a list.
    pub(crate) fn elements(self, most: usize) -> Option<(Vec<Self>, usize)> {
        serde_json::Deserializer::from_str(self.raw()).deserialize_seq(First { most }).ok()
    }

    /// The fields of an object; of several with the same name, the last. Nothing if it is not an object, or if half of a
    /// surrogate pair stands in a name.
    pub(crate) fn fields(self) -> Option<BTreeMap<String, Self>> {
        let fields: BTreeMap<String, &'a RawValue> = serde_json::from_str(self.raw()).ok()?;
        Some(fields.into_iter().map(|(name, value)| (name, Self(value))).collect())
    }
}

/// Keeps the first elements of a list and counts the others: a body of ten million zeros takes no memory.
struct First {
    most: usize,
}

impl<'de> Visitor<'de> for First {
    type Value = (Vec<Json<'de>>, usize);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.most
            && let Some(value) = list.next_element()?
        {
            kept.push(Json(value));
        }
        let mut count = kept.len();
        while count >= self.most && list.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok((kept, count))
    }
}

/// The first half of a surrogate pair that stands alone among the escapes of a well-formed JSON text.
pub(crate) fn lone_surrogate(json: &str) -> Option<LoneSurrogate> {
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        rest = &rest[at..];
        let Some(unit) = escaped_unit(rest) else {
            rest = &rest[2..];
            continue;
        };
        rest = &rest[6..];
        match unit {
            0xD800..0xDC00 => match escaped_unit(rest) {
                Some(0xDC00..0xE000) => rest = &rest[6..],
                _ => return Some(LoneSurrogate(unit)),
            },
            0xDC00..0xE000 => return Some(LoneSurrogate(unit)),
            _ => {}
        }
    }
    None
}

/// The UTF-16 unit that a text begins with as `\uXXXX`.
pub(crate) fn escaped_unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_knows_its_kind_and_keeps_its_text() {
        for (text, kind, python_type) in [
            (" null ", Kind::Null, "NoneType"),
            ("true", Kind::Bool, "bool"),
            ("-1.10", Kind::Number, "float"),
            ("12345678901234567890", Kind::Number, "int"),
            ("\"a\"", Kind::Text, "str"),
            ("[1]", Kind::List, "list"),
            ("", Kind::Object, "dict"),
        ] {
            let json = Json::parse(text.as_bytes()).unwrap();
            assert_eq!((json.kind(), json.python_type()), (kind, python_type), "{text}");
        }
        assert_eq!(Json::parse(b" 1.10 ").unwrap().raw(), "1.10");
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for body in [&b"{"[..], b"NaN", b"[Infinity]", b"{} {}", b"\"\xFF\"", b"\"a\nb\"", b"01", b"{'a':1}"]
        {
            let Err(Refusal::Unreadable(detail)) = Json::parse(body) else { panic!("{body:?}") };
            assert!(detail.starts_with("JSON parse error - ") && detail.contains(" at line "), "{detail}");
        }
    }

    #[test]
    fn elements_are_counted_beyond_those_that_are_kept() {
        let (kept, count) = Json::parse(b"[1, 2, 3, 4]").unwrap().elements(3).unwrap();
        assert_eq!((kept.len(), count), (3, 4));
        let (kept, count) = Json::parse(b"[1, [2]]").unwrap().elements(3).unwrap();
        assert_eq!((kept[1].raw(), count), ("[2]", 2));
        assert_eq!(Json::parse(b"[]").unwrap().elements(3).unwrap().1, 0);
        assert!(Json::parse(b"{}").unwrap().elements(3).is_none());
    }

    #[test]
    fn a_thousand_brackets_are_a_value() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Json::parse(deep.as_bytes()).unwrap().elements(1).unwrap().1, 1);
    }

    #[test]
    fn half_a_surrogate_pair_is_found() {
        for (text, unit) in [
            (r#""\uD83D\uDE00""#, None),
            (r#""\\uD83D""#, None),
            (r#""\uD83D""#, Some(0xD83D)),
            (r#""\uD83D\n""#, Some(0xD83D)),
            (r#""\uDE00\uD83D""#, Some(0xDE00)),
        ] {
            assert_eq!(lone_surrogate(text), unit.map(LoneSurrogate), "{text}");
            assert_eq!(
                Json::parse(text.as_bytes()).unwrap().content().err(),
                unit.map(LoneSurrogate),
                "{text}"
            );
        }
    }
}
