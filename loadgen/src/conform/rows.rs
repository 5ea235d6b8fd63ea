//! A page of the list, and the digits of its rows.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::ask::{CUSTOMERS, text_of};

/// A page: its rows, also as they were written, and its links.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) rows: Vec<Value>,
    /// The same rows digit for digit: a number as a float is not what the server wrote.
    pub(super) written: Vec<String>,
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
}

impl Page {
    /// Reads a page; the error is a sentence without a subject.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let fields: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(text).map_err(|error| format!("its body is no JSON object: {error}"))?;
        let Some(results) = fields.get("results") else { return Err("it has no `results`".to_owned()) };
        let written: Vec<Box<RawValue>> = serde_json::from_str(results.get())
            .map_err(|error| format!("its `results` are no list: {error}"))?;
        let written: Vec<String> = written.iter().map(|row| row.get().to_owned()).collect();
        let rows: Vec<Value> =
            written.iter().map(|row| serde_json::from_str(row).unwrap_or_default()).collect();
        if let Some(row) = rows.iter().find(|row| row.get("id").is_none()) {
            return Err(format!("a row has no `id`: {}", super::ask::short(&row.to_string())));
        }
        let link = |name: &str| {
            let Some(link) = fields.get(name) else { return Err(format!("it has no `{name}`")) };
            serde_json::from_str(link.get()).map_err(|_| format!("its `{name}` is neither null nor a text"))
        };
        Ok(Self { next: link("next")?, previous: link("previous")?, rows, written })
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.rows.iter().map(id_of).collect()
    }
}

/// The id of a row.
pub(super) fn id_of(row: &Value) -> String {
    text_of(&row["id"])
}

/// Where the customer of a row is found alone.
pub(super) fn path_of(row: &Value) -> String {
    format!("{CUSTOMERS}{}/", id_of(row))
}

/// What stands at a path in a JSON object, as it was written.
pub(super) fn written_at(object: &str, path: &[&str]) -> Option<String> {
    let mut text = object.to_owned();
    for name in path {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).ok()?;
        fields.get(*name)?.get().clone_into(&mut text);
    }
    Some(text)
}

/// An amount of money in ten-thousandths; `None` if it is not written with two to four decimals.
pub(super) fn money(written: &str) -> Option<i128> {
    let (sign, digits) = written.strip_prefix('-').map_or((1, written), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.')?;
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || !(2..=4).contains(&fraction.len()) {
        return None;
    }
    Some(sign * format!("{whole}{fraction:0<4}").parse::<i128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_to_four_decimals() {
        for (written, amount) in [
            ("0.00", Some(0)),
            ("1250.50", Some(12_505_000)),
            ("11.8642", Some(118_642)),
            ("-0.0001", Some(-1)),
            ("1", None),
            ("1.5", None),
            ("1.00001", None),
            ("1e2", None),
            ("\"1.00\"", None),
            (".50", None),
        ] {
            assert_eq!(money(written), amount, "{written}");
        }
    }

    #[test]
    fn digits_are_those_that_were_written() {
        let row = r#"{"id": 1, "a": {"b": 12345678901234567890.10}}"#;
        assert_eq!(written_at(row, &["a", "b"]).as_deref(), Some("12345678901234567890.10"));
        assert_eq!(written_at(row, &["a", "c"]), None);
        let page = format!(r#"{{"results": [{row}], "next": null, "previous": null}}"#);
        assert_eq!(Page::read(&page).unwrap().written, [row]);
    }

    #[test]
    fn what_is_no_page_is_said() {
        for (body, words) in [
            ("<html>", "no JSON object"),
            ("{}", "no `results`"),
            (r#"{"results": 1}"#, "no list"),
            (r#"{"results": [], "previous": null}"#, "no `next`"),
            (r#"{"results": [], "previous": 1, "next": null}"#, "`previous` is neither"),
            (r#"{"results": [{}], "previous": null, "next": null}"#, "no `id`"),
        ] {
            assert!(Page::read(body).unwrap_err().contains(words), "{body}");
        }
    }
}
