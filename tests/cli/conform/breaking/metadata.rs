//! The workspace itself.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "no X-Cache",
        answer: |_, answered| answered.without("x-cache"),
        found_by: &["the_cache_says_what_it_did"],
        ..Break::NOTHING
    },
    Break {
        name: "no metadata",
        answer: |asked, answered| {
            if asked.path.starts_with("/api/v1/workspaces/") {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &[
            "a_workspace_can_be_read",
            "a_workspace_has_its_fields",
            "a_workspace_is_read_by_slug_and_by_uuid",
            "the_numbers_of_a_workspace_agree_with_the_list",
            "the_cache_says_what_it_did",
            "a_write_shows_at_once_in_the_metadata",
            "an_employee_gets_their_own_numbers",
        ],
        takes_away: &["metadata"],
        ..Break::NOTHING
    },
    Break {
        name: "the count of the metadata is old",
        answer: |asked, answered| {
            if asked.path.starts_with("/api/v1/workspaces/") {
                answered.set("customer_count", "3");
            }
        },
        found_by: &["the_numbers_of_a_workspace_agree_with_the_list", "an_employee_gets_their_own_numbers"],
        ..Break::NOTHING
    },
];
