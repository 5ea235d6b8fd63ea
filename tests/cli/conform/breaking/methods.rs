//! Methods, and what `OPTIONS` says of them.

use super::{Answered, Asked, Break};

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "no HEAD",
        answer: |asked, answered| {
            if asked.method == "HEAD" {
                answered.status = 405;
            }
        },
        found_by: &["head_is_get_without_a_body"],
        ..Break::NOTHING
    },
    Break {
        name: "nothing without the last slash",
        answer: |asked, answered| {
            if !asked.path.ends_with('/') {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &["get_without_the_last_slash_is_moved", "writes_are_served_without_the_last_slash"],
        ..Break::NOTHING
    },
    Break {
        name: "OPTIONS says nothing",
        answer: |asked, answered| {
            if asked.method == "OPTIONS" {
                answered.without("allow");
            }
        },
        found_by: &["options_says_which_methods_there_are"],
        ..Break::NOTHING
    },
    Break {
        name: "no other origins",
        answer: |_, answered| answered.without("access-control-allow-origin"),
        found_by: &["a_preflight_needs_no_token"],
        ..Break::NOTHING
    },
    Break {
        name: "a method of another protocol is not implemented",
        answer: |asked, answered| {
            if asked.method == "PROPFIND" {
                answered.refuse(501, "Not implemented.");
            }
        },
        found_by: &["another_method_is_not_allowed"],
        ..Break::NOTHING
    },
    Break {
        name: "the list announces no making",
        answer: |asked, answered| announce(asked, answered, "/api/v1/customers/", "GET, HEAD, OPTIONS"),
        found_by: &["options_says_which_methods_there_are", "a_customer_can_be_made"],
        takes_away: &["single_insert"],
        ..Break::NOTHING
    },
    Break {
        name: "many customers are only made",
        answer: |asked, answered| announce(asked, answered, "/api/v1/customers/bulk/", "POST, OPTIONS"),
        found_by: &["many_customers_can_be_changed"],
        takes_away: &["batch_update"],
        ..Break::NOTHING
    },
    Break {
        name: "many customers are only changed",
        answer: |asked, answered| announce(asked, answered, "/api/v1/customers/bulk/", "PATCH, OPTIONS"),
        found_by: &["many_customers_can_be_made"],
        takes_away: &["batch_insert"],
        ..Break::NOTHING
    },
    Break {
        name: "many customers are deleted with DELETE",
        answer: |asked, answered| {
            announce(asked, answered, "/api/v1/customers/bulk-delete/", "DELETE, OPTIONS");
        },
        found_by: &["many_customers_can_be_deleted"],
        ..Break::NOTHING
    },
    Break {
        name: "a customer is put",
        answer: |asked, answered| {
            if asked.method == "OPTIONS" && asked.is_detail() {
                answered.allow("GET, HEAD, PUT, DELETE, OPTIONS");
            }
        },
        found_by: &["a_customer_can_be_changed"],
        takes_away: &["single_update", "contention"],
        ..Break::NOTHING
    },
    Break {
        name: "a customer is kept for ever",
        answer: |asked, answered| {
            if asked.method == "OPTIONS" && asked.is_detail() {
                answered.allow("GET, HEAD, PATCH, OPTIONS");
            }
        },
        found_by: &["a_customer_can_be_deleted"],
        takes_away: &["soft_delete"],
        ..Break::NOTHING
    },
    Break {
        name: "calls are only read",
        answer: |asked, answered| announce(asked, answered, "/api/v1/calls/", "GET, HEAD, OPTIONS"),
        found_by: &["a_call_can_be_made"],
        takes_away: &["calls"],
        ..Break::NOTHING
    },
    Break {
        name: "many calls have no place",
        answer: |asked, answered| {
            if asked.path == "/api/v1/calls/bulk/" {
                answered.without("allow");
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &["many_calls_can_be_made", "many_calls_are_made_at_once"],
        ..Break::NOTHING
    },
];

/// Says of a path that it has these methods.
fn announce(asked: &Asked, answered: &mut Answered, path: &str, methods: &'static str) {
    if asked.method == "OPTIONS" && asked.path == path {
        answered.allow(methods);
    }
}
