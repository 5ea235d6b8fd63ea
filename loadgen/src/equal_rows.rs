//! Do all targets return the same rows? A comparison of two servers that answer differently is none.
//!
//! Rows are compared field by field, numbers by their digits: `1250.50` and `1250.5` are the same number, and still
//! one of the servers has not kept to the contract. Order of fields and white space don't matter.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Only the rows of a page; links and counts differ by design.
#[derive(Deserialize)]
struct Rows<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
}

/// The first difference between the rows of two pages, with its place and both values; `None` if there is none.
pub(crate) fn difference(left: &[u8], right: &[u8]) -> Option<String> {
    let rows =
        |body| serde_json::from_slice::<Rows<'_>>(body).map_err(|error| format!("not a page: {error}"));
    let (left, right) = match (rows(left), rows(right)) {
        (Ok(left), Ok(right)) => (left.results, right.results),
        (Err(error), _) | (_, Err(error)) => return Some(error),
    };
    if left.len() != right.len() {
        return Some(format!("{} rows against {}", left.len(), right.len()));
    }
    let mut place = vec!["results".to_owned()];
    left.iter().zip(&right).enumerate().find_map(|(index, (left, right))| {
        place.truncate(1);
        place.push(format!("[{index}]"));
        unlike(left, right, &mut place)
    })
}

/// Number of rows on a page; 0 if it is none.
pub(crate) fn count(body: &[u8]) -> usize {
    serde_json::from_slice::<Rows<'_>>(body).map_or(0, |rows| rows.results.len())
}

/// One level of a JSON value. Numbers stay text.
enum Level<'a> {
    Object(BTreeMap<String, &'a RawValue>),
    Array(Vec<&'a RawValue>),
    Text(String),
    Other(&'a str),
}

impl<'a> Level<'a> {
    fn of(value: &'a RawValue) -> Self {
        let text = value.get();
        // A RawValue is valid JSON, so its first character says what it is; where reading it fails all the same (a
        // lone surrogate, say), it is compared as it was written.
        let read = match text.as_bytes().first() {
            Some(b'{') => serde_json::from_str(text).map(Self::Object),
            Some(b'[') => serde_json::from_str(text).map(Self::Array),
            Some(b'"') => serde_json::from_str(text).map(Self::Text),
            _ => Ok(Self::Other(text)),
        };
        read.unwrap_or(Self::Other(text))
    }
}

fn unlike(left: &RawValue, right: &RawValue, place: &mut Vec<String>) -> Option<String> {
    match (Level::of(left), Level::of(right)) {
        (Level::Object(a), Level::Object(b)) => {
            if let Some(name) = a.keys().find(|name| !b.contains_key(*name)) {
                return Some(format!("{}.{name} is only in the first", place.concat()));
            }
            if let Some(name) = b.keys().find(|name| !a.contains_key(*name)) {
                return Some(format!("{}.{name} is only in the second", place.concat()));
            }
            a.iter().find_map(|(name, value)| within(format!(".{name}"), value, b[name], place))
        }
        (Level::Array(a), Level::Array(b)) if a.len() == b.len() => {
            a.iter().zip(&b).enumerate().find_map(|(index, (a, b))| within(format!("[{index}]"), a, b, place))
        }
        (Level::Text(a), Level::Text(b)) if a == b => None,
        (Level::Other(a), Level::Other(b)) if a == b => None,
        _ => Some(format!("{}: {} against {}", place.concat(), shortened(left), shortened(right))),
    }
}

fn within(step: String, left: &RawValue, right: &RawValue, place: &mut Vec<String>) -> Option<String> {
    place.push(step);
    let difference = unlike(left, right, place);
    place.pop();
    difference
}

fn shortened(value: &RawValue) -> String {
    const LONGEST: usize = 80;
    let text = value.get();
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {

    fn page(rows: &str) -> Vec<u8> {
        format!(r#"{{"results": {rows}, "next": null, "previous": null, "count": null}}"#).into()
    }

    fn difference(left: &str, right: &str) -> Option<String> {
        super::difference(&page(left), &page(right))
    }

    #[test]
    fn order_of_fields_white_space_and_escapes_do_not_matter() {
        let left = r#"[{"id": "a", "cost": 1.50, "deep": {"x": [1, null], "y": "\u00e9"}}]"#;
        let right = r#"[{"deep":{"y":"é","x":[1,null]},"cost":1.50,"id":"a"}]"#;
        assert_eq!(difference(left, right), None);
    }

    #[test]
    fn numbers_are_compared_by_their_digits() {
        let found = difference(r#"[{"cost": {"total": 1250.50}}]"#, r#"[{"cost": {"total": 1250.5}}]"#);
        assert_eq!(found.unwrap(), "results[0].cost.total: 1250.50 against 1250.5");
        let exact = "[{\"n\": 12345678901234567890123}]";
        assert_eq!(difference(exact, exact), None);
        assert!(difference(exact, "[{\"n\": 12345678901234567890124}]").is_some());
    }

    #[test]
    fn the_first_difference_is_named_with_its_place() {
        let found =
            difference(r#"[{"id": 1}, {"tags": ["a", "b"]}]"#, r#"[{"id": 1}, {"tags": ["a", "c"]}]"#);
        assert_eq!(found.unwrap(), r#"results[1].tags[1]: "b" against "c""#);
        let found = difference(r#"[{"id": 1, "x": 2}]"#, r#"[{"id": 1}]"#);
        assert_eq!(found.unwrap(), "results[0].x is only in the first");
        assert_eq!(difference("[1]", "[1, 2]").unwrap(), "1 rows against 2");
        assert_eq!(
            difference(r#"[{"a": [1]}]"#, r#"[{"a": [1, 2]}]"#).unwrap(),
            "results[0].a: [1] against [1, 2]"
        );
    }

    #[test]
    fn rows_in_another_order_are_different() {
        assert_eq!(
            difference(r#"[{"id": 1}, {"id": 2}]"#, r#"[{"id": 2}, {"id": 1}]"#).unwrap(),
            "results[0].id: 1 against 2"
        );
    }

    #[test]
    fn null_and_the_string_null_are_different() {
        assert!(difference(r#"[{"a": null}]"#, r#"[{"a": "null"}]"#).is_some());
    }
}
