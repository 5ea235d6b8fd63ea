//! Walking over the list.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "a page repeats the last row of the one before",
        answer: |asked, answered| {
            if asked.parameter("cursor").is_some_and(|cursor| !cursor.is_empty()) {
                answered.change_rows(|rows| rows.rotate_right(1));
            }
        },
        found_by: &[
            "next_leads_to_the_page_after",
            "next_and_previous_walk_the_same_rows",
            "a_walk_sees_each_row_once",
            "old_clients_go_on_by_cursor",
        ],
        takes_away: &["page_100", "deep_walk"],
        ..Break::NOTHING
    },
    Break {
        name: "no way back",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.set("previous", "null");
            }
        },
        found_by: &[
            "next_and_previous_walk_the_same_rows",
            "links_are_absolute_and_stay_on_the_server",
            "old_clients_go_on_by_cursor",
        ],
        takes_away: &["deep_walk"],
        ..Break::NOTHING
    },
    Break {
        name: "the last page leads on",
        answer: |asked, answered| {
            let link = format!(
                "\"next\":\"http://{}/api/v1/customers/?cursor=\"",
                asked.headers["host"].to_str().unwrap_or("")
            );
            if asked.is_list() {
                answered.replace("\"next\":null", &link);
            }
        },
        found_by: &["next_is_null_exactly_at_the_end", "a_filter_that_nothing_passes_is_an_empty_page"],
        ..Break::NOTHING
    },
    Break {
        name: "a bad cursor is a bad request",
        answer: |_, answered| {
            if answered.text.contains("Invalid cursor") {
                answered.status = 400;
            }
        },
        found_by: &["what_is_no_cursor_is_not_found"],
        ..Break::NOTHING
    },
    Break {
        name: "a cursor of more than base64",
        request: |asked| {
            asked.change("cursor", |cursor| cursor.strip_prefix('~').unwrap_or(cursor).to_owned());
        },
        answer: |_, answered| answered.replace_in_links("cursor=", "cursor=~"),
        found_by: &["a_cursor_is_opaque_and_short"],
        ..Break::NOTHING
    },
    Break {
        name: "an empty cursor is none",
        answer: |asked, answered| {
            if asked.parameter("cursor") == Some("") {
                answered.refuse(404, "Invalid cursor");
            }
        },
        found_by: &["an_empty_cursor_is_the_first_page"],
        ..Break::NOTHING
    },
];
