//! What a cached value is called.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::permission::Admission;

/// Longer names of values are kept as their SHA-256.
const LONGEST_NAME: usize = 64;

/// The name of a value: of a workspace, as one who is admitted sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(super) workspace_id: Uuid,
    employee_id: Option<Uuid>,
    what: Cow<'static, str>,
}

impl Key {
    /// A value for everyone with this admission. `what` may hold anything that a client sent, of any length.
    pub(crate) fn new(admission: &Admission, what: impl Into<Cow<'static, str>>) -> Self {
        let mut what = what.into();
        if what.len() > LONGEST_NAME {
            what = URL_SAFE_NO_PAD.encode(Sha256::digest(what.as_bytes())).into();
        }
        Self { workspace_id: admission.workspace_id, employee_id: admission.employee_id, what }
    }

    /// The key within Redis.
    pub(super) fn text(&self, prefix: &str) -> String {
        let Self { workspace_id, employee_id, what } = self;
        match employee_id {
            Some(employee_id) => format!("{prefix}:{workspace_id}:{employee_id}:{what}"),
            None => format!("{prefix}:{workspace_id}:all:{what}"),
        }
    }

    /// Bytes that the key takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.what.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_employees_and_names_of_any_length_have_keys_of_their_own() {
        let workspace_id = Uuid::from_u128(1);
        let all = Admission { workspace_id, employee_id: None };
        let one = Admission { workspace_id, employee_id: Some(Uuid::from_u128(2)) };
        assert_eq!(
            Key::new(&all, "count").text("callbench:1:x"),
            "callbench:1:x:00000000-0000-0000-0000-000000000001:all:count"
        );
        assert_eq!(
            Key::new(&one, "count").text("p"),
            "p:00000000-0000-0000-0000-000000000001:00000000-0000-0000-0000-000000000002:count"
        );
        let long = |end: &str| Key::new(&all, "x".repeat(9000) + end);
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a"), long("a"));
        assert!(long("a").text("p").len() < 120);
    }
}
