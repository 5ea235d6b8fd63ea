//! A page of the customer list, as far as the load generator has to understand it.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

use super::fixed::Expected;

/// A page: its rows, and the links to its neighbours. Other fields are not looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    pub(super) results: Vec<Row<'a>>,
    #[serde(deserialize_with = "present")]
    pub(super) next: Option<String>,
    #[serde(deserialize_with = "present")]
    pub(super) previous: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Row<'a> {
    /// The tenant.
    #[serde(borrow)]
    pub(super) workspace_id: Cow<'a, str>,
}

/// `null` is a value, a missing field is a fault (serde would take both for `None`).
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

impl<'a> Page<'a> {
    /// Reads a page; the error is a sentence without a subject.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("its body is no page: {error}"))
    }

    /// The one workspace of all rows; `None` without rows.
    pub(super) fn workspace_id(&self) -> Result<Option<&str>, String> {
        let Some(first) = self.results.first() else { return Ok(None) };
        match self.results.iter().find(|row| row.workspace_id != first.workspace_id) {
            None => Ok(Some(&first.workspace_id)),
            Some(stray) => Err(format!(
                "it mixes rows of the workspaces {} and {}",
                first.workspace_id, stray.workspace_id
            )),
        }
    }
}

/// What is wrong with a reply, in words that are the same for the same fault, so that they can be counted.
pub(super) fn fault(body: &[u8], expected: &Expected) -> Option<&'static str> {
    let Ok(page) = Page::parse(body) else { return Some("not a page") };
    if page.results.iter().any(|row| row.workspace_id != expected.workspace_id) {
        Some("a row of another workspace")
    } else if page.results.len() != expected.rows {
        Some("another number of rows")
    } else if page.next.is_some() != expected.next || page.previous.is_some() != expected.previous {
        Some("other links")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected() -> Expected {
        Expected { rows: 2, workspace_id: "w".into(), previous: false, next: true }
    }

    fn body(rows: &[&str], next: &str) -> Vec<u8> {
        let rows: Vec<_> = rows.iter().map(|id| format!(r#"{{"id": 1, "workspace_id": "{id}"}}"#)).collect();
        format!(r#"{{"results": [{}], "next": {next}, "previous": null, "count": null}}"#, rows.join(","))
            .into()
    }

    #[test]
    fn a_right_page_has_no_fault() {
        assert_eq!(fault(&body(&["w", "w"], r#""http://x/?page=2""#), &expected()), None);
    }

    #[test]
    fn each_fault_has_its_own_words() {
        let next = r#""http://x/""#;
        assert_eq!(fault(b"<html>", &expected()), Some("not a page"));
        assert_eq!(fault(br#"{"results": []}"#, &expected()), Some("not a page"));
        assert_eq!(fault(&body(&["w", "v"], next), &expected()), Some("a row of another workspace"));
        assert_eq!(fault(&body(&["w"], next), &expected()), Some("another number of rows"));
        assert_eq!(fault(&body(&["w", "w"], "null"), &expected()), Some("other links"));
    }

    #[test]
    fn a_page_without_links_is_no_page_but_null_links_are_links() {
        assert!(Page::parse(br#"{"results": [], "next": null}"#).unwrap_err().contains("previous"));
        assert!(Page::parse(br#"{"results": [], "next": null, "previous": null}"#).is_ok());
    }
}
