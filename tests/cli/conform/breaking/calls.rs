//! Calls.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "calls cost nothing",
        answer: |asked, answered| {
            if asked.method == "GET" {
                answered.replace("\"total_cost\":", "\"total_cost\":0.00,\"cost_of_all\":");
            }
        },
        found_by: &[
            "the_total_cost_is_the_sum_of_the_breakdown",
            "a_customer_is_made_of_what_was_sent",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "no calls but many",
        answer: |asked, answered| {
            if asked.path == "/api/v1/calls/" && asked.method == "POST" {
                answered.refuse(405, "Method \"POST\" not allowed.");
            }
        },
        found_by: &[
            "a_call_is_made",
            "a_call_is_made_of_what_was_sent",
            "a_call_of_nobody_is_refused",
            "what_is_required_of_a_call_is_named",
            "calls_are_counted_by_their_status",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        takes_away: &["calls"],
        ..Break::NOTHING
    },
    Break {
        name: "what was said is not kept",
        answer: |asked, answered| {
            if asked.path == "/api/v1/calls/" {
                answered.set("transcript", "null");
            }
        },
        found_by: &["a_call_is_made_of_what_was_sent"],
        ..Break::NOTHING
    },
    Break {
        name: "a call of nobody has no name for its fault",
        answer: |asked, answered| {
            if asked.path == "/api/v1/calls/" && answered.status == 400 && asked.body.contains("customer_id")
            {
                answered.refuse(400, "There is no such customer.");
            }
        },
        found_by: &["a_call_of_nobody_is_refused"],
        ..Break::NOTHING
    },
    Break {
        name: "a call needs no direction",
        answer: |asked, answered| {
            if asked.path == "/api/v1/calls/" {
                answered.replace("\"direction\":[\"This field is required.\"],", "");
            }
        },
        found_by: &["what_is_required_of_a_call_is_named"],
        ..Break::NOTHING
    },
    Break {
        name: "who is busy has missed a call",
        request: |asked| asked.rewrite("\"status\":\"busy\"", "\"status\":\"missed\""),
        found_by: &["calls_are_counted_by_their_status"],
        ..Break::NOTHING
    },
];
