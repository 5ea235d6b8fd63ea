//! Plain values of a TOML file, read with their place.

use std::ops::Range;

use reports::document::Mistake;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value of the file.
pub(super) type Written<'i> = Spanned<DeValue<'i>>;

/// A section, or an inline table; `expected` says what should stand there.
pub(super) fn table<'a, 'i>(
    value: &'a Written<'i>,
    span: &Range<usize>,
    expected: &str,
) -> Result<&'a DeTable<'i>, Mistake> {
    value.get_ref().as_table().ok_or_else(|| Mistake::new(span.clone(), "not a table", expected))
}

/// A list, or one thing that stands for a list of it.
pub(super) fn one_or_many<'a, 'i>(value: &'a Written<'i>) -> Vec<&'a Written<'i>> {
    value.get_ref().as_array().map_or_else(|| vec![value], |items| items.iter().collect())
}

/// A whole number.
pub(super) fn integer(value: &Written<'_>, expected: &str) -> Result<i64, Mistake> {
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
    number.ok_or_else(|| Mistake::new(value.span(), "not a whole number", expected))
}

/// A finite number.
pub(super) fn number(value: &Written<'_>, expected: &str) -> Result<f64, Mistake> {
    let number = match value.get_ref() {
        DeValue::Integer(_) => Some(integer(value, expected)? as f64),
        DeValue::Float(number) => number.as_str().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    };
    number.ok_or_else(|| Mistake::new(value.span(), "not a number", expected))
}

/// `true` or `false`.
pub(super) fn boolean(value: &Written<'_>) -> Result<bool, Mistake> {
    let expected = "expected true or false";
    value.get_ref().as_bool().ok_or_else(|| Mistake::new(value.span(), "neither true nor false", expected))
}

/// A number, `true`, `false` or a moment, as JSON; `None` for what has parts or placeholders.
pub(super) fn scalar(value: &Written<'_>) -> Result<Option<Value>, Mistake> {
    Ok(match value.get_ref() {
        DeValue::Boolean(boolean) => Some(Value::Bool(*boolean)),
        DeValue::Integer(_) => Some(integer(value, "expected one of at most 64 bits")?.into()),
        DeValue::Float(_) => Some(number(value, "JSON has neither infinity nor NaN")?.into()),
        DeValue::Datetime(moment) => Some(Value::String(moment.to_string())),
        DeValue::String(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    })
}
