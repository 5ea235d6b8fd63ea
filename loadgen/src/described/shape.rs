//! JSON whose texts may hold placeholders: the body of a request, or a value that a reply should have.

use serde_json::{Map, Value};

use super::template::{Template, text_of};

/// JSON with placeholders.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// A number, true or false.
    Plain(Value),
    /// A text.
    Text(Template),
    /// A list.
    Array(Vec<Shape>),
    /// An object; its keys stand for themselves.
    Object(Vec<(String, Shape)>),
}

impl Shape {
    /// The JSON with these values.
    pub(super) fn fill(&self, values: &[Value]) -> Value {
        match self {
            Self::Plain(value) => value.clone(),
            Self::Text(template) => template.value(values),
            Self::Array(items) => items.iter().map(|item| item.fill(values)).collect(),
            Self::Object(members) => {
                let members = members.iter().map(|(key, member)| (key.clone(), member.fill(values)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// Whether a reply has this value. Numbers are equal by their size (`5` is `5.0`), and what a placeholder stands for
    /// is equal to what is written alike: a workspace that was given as `17` is the number 17 in a reply.
    pub(super) fn equals(&self, seen: &Value, values: &[Value]) -> bool {
        match (self, seen) {
            (Self::Plain(value), seen) => same(value, seen),
            (Self::Text(template), seen) if template.is_drawn() => {
                let value = template.value(values);
                let is_alike = !(seen.is_null() || seen.is_array() || seen.is_object());
                same(&value, seen) || (is_alike && text_of(&value) == text_of(seen))
            }
            (Self::Text(template), Value::String(seen)) => template.text(values) == *seen,
            (Self::Array(items), Value::Array(seen)) => {
                items.len() == seen.len()
                    && items.iter().zip(seen).all(|(item, seen)| item.equals(seen, values))
            }
            (Self::Object(members), Value::Object(seen)) => {
                members.len() == seen.len()
                    && members
                        .iter()
                        .all(|(key, member)| seen.get(key).is_some_and(|seen| member.equals(seen, values)))
            }
            _ => false,
        }
    }
}

fn same(value: &Value, seen: &Value) -> bool {
    match (value, seen) {
        (Value::Number(value), Value::Number(seen)) => {
            // Whole numbers beyond 2^53 are told apart as such.
            value == seen
                || ((value.is_f64() || seen.is_f64())
                    && value.as_f64().zip(seen.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq()))
        }
        _ => value == seen,
    }
}
