//! The name of a request: the same in the answer, in each line of the log, and wherever the client keeps it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// Where the name stands, in the request and in the answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer names are not taken over.
const MAX_LENGTH: usize = 128;

/// The name of a request. Handlers find it among the extensions of theirs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The name that the client, or a proxy on the way, gave the request; or a new one. Only what can stand in a log
    /// line, a path and a file name as it is, is taken over.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let said = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
        Self(match said.filter(|said| is_sane(said)) {
            Some(said) => said.to_owned(),
            None => Uuid::new_v4().to_string(),
        })
    }

    /// The text of the name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as the value of a header.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(self.as_str()).ok()
    }
}

fn is_sane(text: &str) -> bool {
    (1..=MAX_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &[u8]) -> String {
        let value = HeaderValue::from_bytes(value).unwrap();
        RequestId::of(&HeaderMap::from_iter([(REQUEST_ID, value)])).as_str().to_owned()
    }

    #[test]
    fn a_sane_name_is_taken_over_as_it_is() {
        let longest = "x".repeat(128);
        for name in ["1", "A.b_c-9", longest.as_str()] {
            assert_eq!(of(name.as_bytes()), name);
        }
    }

    #[test]
    fn anything_else_gets_a_name_of_its_own() {
        let too_long = "x".repeat(129);
        let insane: [&[u8]; 6] = [b"", too_long.as_bytes(), b"a b", b"a/../b", b"a\"b", b"\xff"];
        for name in insane {
            assert!(Uuid::parse_str(&of(name)).is_ok(), "{name:?}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
