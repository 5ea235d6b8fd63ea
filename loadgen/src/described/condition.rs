//! What has to hold for a place in a reply.

use std::borrow::Cow;

use serde_json::Value;

use super::pointer::Pointer;
use super::shape::Shape;
use crate::operations::Fault;

/// What has to hold for what a pointer leads to, for all of it if it leads to several places.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) pointer: Pointer,
    /// In the order in which they are looked at.
    pub(super) tests: Vec<Test>,
}

/// A test of one value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// It is there, or not.
    Exists(bool),
    /// It is of this type.
    Type(Kind),
    /// It equals one of these.
    OneOf(Vec<Shape>),
    /// A number is at least this; a text, a list or an object has at least so many characters, elements or members.
    AtLeast(f64),
    /// The same for the most.
    AtMost(f64),
}

/// A type of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Array,
    Object,
    String,
    Number,
    Integer,
    Boolean,
    Null,
}

/// The types by their names.
pub(super) const KINDS: [(&str, Kind); 7] = [
    ("array", Kind::Array),
    ("object", Kind::Object),
    ("string", Kind::String),
    ("number", Kind::Number),
    ("integer", Kind::Integer),
    ("boolean", Kind::Boolean),
    ("null", Kind::Null),
];

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::String => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Boolean => value.is_boolean(),
            Self::Null => value.is_null(),
        }
    }
}

impl Condition {
    /// Holds a reply against it, which was asked for with these values.
    pub(super) fn check(&self, document: &Value, values: &[Value]) -> Result<(), Fault> {
        let wrong = |what: &str| Err(Fault::Wrong(Cow::Owned(format!("{} {what}", self.pointer))));
        self.pointer.visit(document, &mut |seen| {
            let must_exist = !self.tests.contains(&Test::Exists(false));
            let Some(seen) = seen else { return if must_exist { wrong("is missing") } else { Ok(()) } };
            for test in &self.tests {
                if let Some(fault) = test.fault(seen, values) {
                    return wrong(fault);
                }
            }
            Ok(())
        })
    }
}

impl Test {
    fn fault(&self, seen: &Value, values: &[Value]) -> Option<&'static str> {
        let fault = |holds: bool, fault| if holds { None } else { Some(fault) };
        match self {
            Self::Exists(exists) => fault(*exists, "should not be there"),
            Self::Type(kind) => fault(kind.is_of(seen), "has another type"),
            Self::OneOf(shapes) => {
                fault(shapes.iter().any(|shape| shape.equals(seen, values)), "has another value")
            }
            Self::AtLeast(least) => within(seen, |size| size >= *least),
            Self::AtMost(most) => within(seen, |size| size <= *most),
        }
    }
}

fn within(seen: &Value, holds: impl Fn(f64) -> bool) -> Option<&'static str> {
    let (size, fault) = match seen {
        Value::Number(number) => (number.as_f64()?, "is out of range"),
        Value::String(text) => (text.chars().count() as f64, "has another length"),
        Value::Array(items) => (items.len() as f64, "has another length"),
        Value::Object(members) => (members.len() as f64, "has another length"),
        Value::Null | Value::Bool(_) => return Some("has another type"),
    };
    if holds(size) { None } else { Some(fault) }
}
