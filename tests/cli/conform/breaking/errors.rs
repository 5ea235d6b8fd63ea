//! Refusals.

use reqwest::header::HeaderValue;

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "401 without a challenge",
        answer: |_, answered| answered.without("www-authenticate"),
        found_by: &["without_a_token_nobody_is_let_in"],
        ..Break::NOTHING
    },
    Break {
        name: "HTML for browsers",
        answer: |asked, answered| {
            if asked.headers.get("accept").is_some_and(|accept| accept == "text/html") {
                answered.headers.insert("content-type", HeaderValue::from_static("text/html"));
            }
        },
        found_by: &["answers_are_json_whatever_is_accepted"],
        ..Break::NOTHING
    },
    Break {
        name: "a token of any scheme",
        answer: |asked, answered| {
            if asked.headers.get("authorization").is_some_and(|value| value == "Basic dTpw") {
                answered.refuse(401, "Invalid token.");
            }
        },
        found_by: &["a_token_of_another_scheme_is_none"],
        ..Break::NOTHING
    },
    Break {
        name: "an unknown token is none",
        answer: |_, answered| {
            answered.replace("Invalid token.", "Authentication credentials were not provided.");
        },
        found_by: &["an_unknown_token_is_invalid"],
        ..Break::NOTHING
    },
    Break {
        name: "a missing workspace in another form",
        answer: |_, answered| {
            if answered.text.contains("{\"workspace_id\":[") {
                answered.refuse(400, "workspace_id is required.");
            }
        },
        found_by: &["a_workspace_has_to_be_named", "refusals_come_in_the_order_of_the_contract"],
        ..Break::NOTHING
    },
    Break {
        name: "the token before the path",
        answer: |asked, answered| {
            if asked.headers.get("authorization").is_none() && answered.status == 404 {
                answered.refuse(401, "Authentication credentials were not provided.");
            }
        },
        found_by: &["a_path_that_there_is_not_is_not_found"],
        ..Break::NOTHING
    },
    Break {
        name: "the workspace before the token",
        answer: |asked, answered| {
            if asked.is_list() && asked.parameter("workspace_id").is_none() {
                answered.status = 400;
                "{\"workspace_id\":[\"This field is required.\"]}".clone_into(&mut answered.text);
            }
        },
        found_by: &["refusals_come_in_the_order_of_the_contract"],
        ..Break::NOTHING
    },
];
