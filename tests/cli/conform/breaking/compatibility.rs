//! What clients of the old API send.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "old clients are not told",
        answer: |_, answered| answered.without("deprecation"),
        found_by: &["old_clients_are_told_by_a_header"],
        ..Break::NOTHING
    },
    Break {
        name: "a page that there is not is the first one",
        request: |asked| {
            asked
                .query
                .retain(|(name, value)| name != "page" || value.parse::<u32>().is_ok_and(|page| page > 0));
        },
        found_by: &["a_page_that_there_is_not_is_not_found"],
        ..Break::NOTHING
    },
    Break {
        name: "beyond row 10,000 it begins again",
        request: |asked| {
            asked.change("page", |page| if page == "201" { "1" } else { page }.to_owned());
            asked.change("offset", |offset| if offset == "9951" { "0" } else { offset }.to_owned());
        },
        found_by: &["numbers_reach_no_deeper_than_row_10000"],
        ..Break::NOTHING
    },
    Break {
        name: "a page is stronger than anything beside it",
        request: |asked| {
            if asked.parameter("page").is_some() {
                for other in ["limit", "offset", "cursor"] {
                    asked.drop(other);
                }
            }
        },
        found_by: &["old_and_new_are_not_mixed"],
        ..Break::NOTHING
    },
];
