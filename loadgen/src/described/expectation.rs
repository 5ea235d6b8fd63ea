//! What a right reply looks like.

use std::borrow::Cow;

use reqwest::header::HeaderName;
use serde_json::Value;

use super::condition::Condition;
use super::template::Template;
use crate::operations::{Fault, Reply};

/// What a right reply looks like.
#[derive(Debug, Clone, Default)]
pub(super) struct Expectation {
    /// One of these; none: any that means success (200 to 299).
    pub(super) statuses: Vec<u16>,
    /// What each header is.
    pub(super) headers: Vec<(HeaderName, Template)>,
    /// What stands somewhere in the body.
    pub(super) texts: Vec<Template>,
    /// What the body, as JSON, holds.
    pub(super) conditions: Vec<Condition>,
}

impl Expectation {
    /// Holds a reply against it, which was asked for with these values. The first thing that is wrong is told.
    pub(super) fn check(&self, reply: &Reply, values: &[Value]) -> Result<(), Fault> {
        let is_expected = match &self.statuses[..] {
            [] => (200..300).contains(&reply.status),
            statuses => statuses.contains(&reply.status),
        };
        if !is_expected {
            return Err(Fault::Status(reply.status));
        }
        for (name, template) in &self.headers {
            let wrong = |what: &str| Err(Fault::Wrong(Cow::Owned(format!("the header {name} {what}"))));
            let Some(seen) = reply.headers.get(name) else { return wrong("is missing") };
            if seen.as_bytes() != template.text(values).as_bytes() {
                return wrong("has another value");
            }
        }
        for template in &self.texts {
            if !contains(&reply.body, template.text(values).as_bytes()) {
                return Err(Fault::wrong("a text is missing"));
            }
        }
        if self.conditions.is_empty() {
            return Ok(());
        }
        let Ok(document) = serde_json::from_slice::<Value>(&reply.body) else {
            return Err(Fault::wrong("not JSON"));
        };
        self.conditions.iter().try_for_each(|condition| condition.check(&document, values))
    }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    text.is_empty() || body.windows(text.len()).any(|part| part == text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::described::file::form;

    /// What is wrong with a reply; nothing if nothing is. The text is what stands in `expect = { … }`, `{shop}` is `17` and
    /// `{size}` is 3.
    fn fault(expect: &str, status: u16, body: &Value) -> String {
        let text = format!(
            "[data.shop]\nvalues = [\"17\"]\n[data.size]\nvalues = [3]\n[scenario.s]\npath = \"/{{shop}}/{{size}}\"\nexpect = {{ {expect} }}"
        );
        let form = form(&text, Path::new("")).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-kind", "list of 3".parse().unwrap());
        let reply = Reply { status, headers, body: body.to_string().into_bytes() };
        let checked = form.expectation.check(&reply, &["17".into(), 3.into()]);
        checked.err().map(|fault| fault.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_reply_is_right_or_told_in_words_that_can_be_counted() {
        let body = json!({
            "n": 5, "big": 9_007_199_254_740_993_u64, "text": "abcé", "none": null, "yes": true, "shop": 17, "size": "3",
            "rows": [{ "id": 1, "tags": [] }, { "id": 2 }], "point": { "x": 1.5, "y": [1, "b"] },
        });
        for (expect, says) in [
            ("status = 200", ""),
            ("status = [201, 200]", ""),
            ("status = 201", "status 200"),
            ("contains = \"abcé\"", ""),
            ("contains = [\"abc\", \"abd\"]", "wrong reply: a text is missing"),
            ("header = { X-Kind = \"list of {size}\" }", ""),
            ("header = { Content-Length = \"7\" }", "wrong reply: the header content-length is missing"),
            ("header = { x-kind = \"list\" }", "wrong reply: the header x-kind has another value"),
            ("header = { x-none = \"list\" }", "wrong reply: the header x-none is missing"),
            ("json = { \"/n\" = 5, \"/text\" = \"abcé\", \"/yes\" = true }", ""),
            ("json = { \"/n\" = 5.0 }", ""),
            ("json = { \"/n\" = \"5\" }", "wrong reply: /n has another value"),
            ("json = { \"/big\" = 9007199254740992 }", "wrong reply: /big has another value"),
            ("json = { \"/shop\" = \"{shop}\", \"/size\" = \"{size}\" }", ""),
            ("json = { \"/shop\" = \"17\" }", "wrong reply: /shop has another value"),
            ("json = { \"/n\" = \"{size}\" }", "wrong reply: /n has another value"),
            ("json = { \"/none\" = \"{size}\" }", "wrong reply: /none has another value"),
            ("json = { \"/m\" = 5 }", "wrong reply: /m is missing"),
            ("json = { \"/m\" = { exists = false }, \"/none\" = { exists = true } }", ""),
            ("json = { \"/none\" = { exists = false } }", "wrong reply: /none should not be there"),
            ("json = { \"/m\" = { exists = true } }", "wrong reply: /m is missing"),
            ("json = { \"/n\" = { type = \"integer\" }, \"/point/x\" = { type = \"number\" } }", ""),
            ("json = { \"/point/x\" = { type = \"integer\" } }", "wrong reply: /point/x has another type"),
            ("json = { \"/none\" = { type = \"null\" }, \"\" = { type = \"object\" } }", ""),
            ("json = { \"\" = { at_least = 10 } }", "wrong reply: the document has another length"),
            ("json = { \"/n\" = { at_least = 5, at_most = 5.5 } }", ""),
            ("json = { \"/n\" = { at_least = 5.1 } }", "wrong reply: /n is out of range"),
            ("json = { \"/n\" = { at_most = -1 } }", "wrong reply: /n is out of range"),
            ("json = { \"/text\" = { at_least = 4, at_most = 4 } }", ""),
            ("json = { \"/rows\" = { at_most = 1 } }", "wrong reply: /rows has another length"),
            ("json = { \"/point\" = { at_least = 3 } }", "wrong reply: /point has another length"),
            ("json = { \"/yes\" = { at_least = 0 } }", "wrong reply: /yes has another type"),
            (
                "json = { \"/point\" = { equals = { y = [1, \"b\"], x = 1.5 } }, \"/point/y\" = [1, \"b\"] }",
                "",
            ),
            ("json = { \"/point\" = { equals = { x = 1.5 } } }", "wrong reply: /point has another value"),
            ("json = { \"/point/y\" = [1] }", "wrong reply: /point/y has another value"),
            ("json = { \"/n\" = { one_of = [4, \"{size}\", 5] } }", ""),
            ("json = { \"/n\" = { one_of = [4, 6] } }", "wrong reply: /n has another value"),
            ("each = { \"/rows/*/id\" = { at_least = 1 } }", ""),
            ("each = { \"/rows/*/id\" = { at_most = 1 } }", "wrong reply: /rows/*/id is out of range"),
            ("each = { \"/rows/*/tags\" = [] }", "wrong reply: /rows/*/tags is missing"),
            ("each = { \"/rows/*/tags/*\" = 1 }", "wrong reply: /rows/*/tags/* is missing"),
            ("each = { \"/rows/0/tags/*\" = 1, \"/point/y/*\" = { exists = true } }", ""),
            ("each = { \"/rows/*/price\" = { exists = false } }", ""),
        ] {
            assert_eq!(fault(expect, 200, &body), says, "{expect}");
        }
    }

    #[test]
    fn any_success_is_right_where_no_status_is_named() {
        for (status, says) in [(200, ""), (204, ""), (299, ""), (304, "status 304"), (500, "status 500")] {
            assert_eq!(fault("", status, &Value::Null), says);
        }
    }

    #[test]
    fn what_is_no_json_is_wrong_where_json_is_looked_at() {
        let expectation = Expectation { texts: vec![Template::default()], ..Expectation::default() };
        let reply = Reply { status: 200, headers: HeaderMap::new(), body: b"<html>".to_vec() };
        assert_eq!(expectation.check(&reply, &[]), Ok(()));
        let form = form(
            "[scenario.s]\npath = \"/\"\nexpect = { json = { \"\" = { exists = true } } }",
            Path::new(""),
        );
        assert_eq!(form.unwrap().expectation.check(&reply, &[]), Err(Fault::wrong("not JSON")));
    }
}
