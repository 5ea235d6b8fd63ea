//! What a server said, as it is quoted in an error: for a person, in a sentence, in a terminal.

use reports::profile::on_one_line;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

/// The most that is quoted, in characters.
const MOST: usize = 200;

/// The start of a body, on one line. A profile in it would leave no room for what the body says.
pub(crate) fn of_body(body: &[u8]) -> String {
    let mut members = serde_json::from_slice::<Map<String, Value>>(body).unwrap_or_default();
    let text = match members.remove("_profiling") {
        Some(_) => Value::Object(members).to_string(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let line = on_one_line(&text);
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", line[..end].trim_end()),
        None if line.is_empty() => "nothing".to_owned(),
        None => line,
    }
}

/// What a body is that has no profile, with its start where it is no JSON.
pub(crate) fn without_profile(headers: &HeaderMap, body: &[u8]) -> String {
    if serde_json::from_slice::<Value>(body).is_ok() {
        return "JSON without `_profiling`".to_owned();
    }
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let kind = headers.get(CONTENT_TYPE).map(|kind| on_one_line(&String::from_utf8_lossy(kind.as_bytes())));
    let what = match kind {
        Some(kind) if kind.starts_with("application/json") => "JSON that can't be read".to_owned(),
        Some(kind) => format!("`{kind}` instead of JSON"),
        None => "something else than JSON".to_owned(),
    };
    format!("{what} ({})", of_body(body))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_body_is_quoted_on_one_line_without_what_a_terminal_would_obey_and_without_a_profile() {
        for (body, quotation) in [
            ("", "nothing"),
            (" \r\n", "nothing"),
            ("<html>\r\n  <b>\u{1b}[31mno\u{7}", "<html> <b> [31mno"),
            (r#"{"detail": "no"}"#, r#"{"detail": "no"}"#),
            (r#"{"detail": "no", "_profiling": {"query_count": 1}}"#, r#"{"detail":"no"}"#),
            (r#"[{"_profiling": 1}]"#, r#"[{"_profiling": 1}]"#),
        ] {
            assert_eq!(of_body(body.as_bytes()), quotation);
        }
        assert_eq!(of_body(b"a\xff"), "a\u{fffd}");
        assert_eq!(of_body("é".repeat(200).as_bytes()), "é".repeat(200));
        assert_eq!(of_body("é".repeat(201).as_bytes()), format!("{} …", "é".repeat(200)));
    }

    #[test]
    fn what_is_no_json_is_named_with_its_type_and_begun() {
        let of = |kind| [(CONTENT_TYPE, HeaderValue::from_static(kind))].into_iter().collect::<HeaderMap>();
        for (headers, body, what) in [
            (of("application/json"), "{}", "JSON without `_profiling`"),
            (of("application/json"), "[]", "JSON without `_profiling`"),
            (of("application/json"), r#"{"_prof"#, r#"JSON that can't be read ({"_prof)"#),
            (of("application/json"), "", "an empty body"),
            (of("text/html; charset=utf-8"), "<p>", "`text/html; charset=utf-8` instead of JSON (<p>)"),
            (HeaderMap::new(), "SSH", "something else than JSON (SSH)"),
        ] {
            assert_eq!(without_profile(&headers, body.as_bytes()), what);
        }
    }
}
