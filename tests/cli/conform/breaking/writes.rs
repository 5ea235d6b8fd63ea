//! Making, changing and deleting customers.

use reqwest::header::HeaderValue;

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "a patch changes nothing",
        request: |asked| {
            if asked.method == "PATCH" && !asked.path.contains("/bulk") {
                asked.method = reqwest::Method::GET;
            }
        },
        found_by: &[
            "an_employee_changes_their_own_customers_only",
            "a_customer_is_changed",
            "a_patch_changes_what_it_names_and_nothing_else",
        ],
        takes_away: &["single_update", "contention"],
        ..Break::NOTHING
    },
    Break {
        name: "ids of many in another order",
        answer: |asked, answered| {
            if asked.path.ends_with("/customers/bulk/") && answered.status == 201 {
                let ids = super::fields(&answered.text)
                    .and_then(|fields| Some(fields.get("ids")?.get().to_owned()));
                let mut ids: Vec<String> = serde_json::from_str(&ids.unwrap_or_default()).unwrap_or_default();
                ids.reverse();
                answered.set("ids", &format!("{ids:?}"));
            }
        },
        found_by: &["many_are_made_in_the_order_of_the_array"],
        ..Break::NOTHING
    },
    Break {
        name: "no bulk",
        answer: |asked, answered| {
            if asked.path.contains("/bulk") {
                answered.refuse(405, "Method not allowed.");
                answered.without("allow");
            }
        },
        found_by: &[
            "an_employee_neither_makes_nor_deletes",
            "many_customers_are_made",
            "many_customers_are_changed",
            "many_are_made_in_the_order_of_the_array",
            "one_bad_item_makes_none_of_many",
            "a_bulk_patch_changes_those_there_and_names_the_others",
            "a_bulk_delete_deletes_those_there_and_names_the_others",
            "no_more_than_1000_at_once",
            "many_calls_are_made_at_once",
        ],
        takes_away: &["batch_insert", "batch_update"],
        ..Break::NOTHING
    },
    Break {
        name: "deleting answers 200",
        answer: |asked, answered| {
            if asked.method == "DELETE" && answered.status == 204 {
                answered.status = 200;
            }
        },
        found_by: &["a_customer_is_deleted"],
        takes_away: &["soft_delete"],
        ..Break::NOTHING
    },
    Break {
        name: "making answers 200",
        answer: |asked, answered| {
            if asked.path == "/api/v1/customers/" && answered.status == 201 {
                answered.status = 200;
            }
        },
        found_by: &[
            "a_write_shows_at_once_in_the_metadata",
            "no_write_reaches_another_workspace",
            "an_employee_changes_their_own_customers_only",
            "a_customer_is_made",
            "a_customer_is_changed",
            "many_customers_are_changed",
            "a_customer_is_deleted",
            "a_customer_is_made_of_what_was_sent",
            "what_is_not_sent_has_a_default",
            "fields_of_the_server_and_unknown_ones_are_ignored",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_bulk_patch_changes_those_there_and_names_the_others",
            "a_deleted_customer_is_gone_everywhere",
            "a_bulk_delete_deletes_those_there_and_names_the_others",
            "a_call_is_made",
            "a_call_is_made_of_what_was_sent",
            "many_calls_are_made_at_once",
            "calls_are_counted_by_their_status",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        takes_away: &["single_insert", "single_update", "batch_update", "soft_delete", "calls", "contention"],
        ..Break::NOTHING
    },
    Break {
        name: "what is required has other words",
        answer: |asked, answered| {
            if asked.path == "/api/v1/customers/" && asked.method == "POST" {
                answered.replace("This field is required.", "Required.");
            }
        },
        found_by: &["what_is_required_is_named"],
        ..Break::NOTHING
    },
    Break {
        name: "unknown fields are refused",
        answer: |asked, answered| {
            if asked.body.contains("no_such_field") {
                answered.refuse(400, "There is no field no_such_field.");
            }
        },
        found_by: &["fields_of_the_server_and_unknown_ones_are_ignored"],
        ..Break::NOTHING
    },
    Break {
        name: "any status is taken",
        request: |asked| asked.rewrite("\"no-such-status\"", "\"active\""),
        found_by: &["a_bad_value_is_named_under_its_field"],
        ..Break::NOTHING
    },
    Break {
        name: "a body that is no JSON is a bad request without a reason",
        answer: |_, answered| {
            if answered.text.contains("JSON parse error") {
                answered.refuse(400, "Bad request.");
            }
        },
        found_by: &["a_body_that_is_no_json_is_refused"],
        ..Break::NOTHING
    },
    Break {
        name: "every body is JSON",
        request: |asked| {
            if !asked.body.is_empty() {
                asked.headers.insert("content-type", HeaderValue::from_static("application/json"));
            }
        },
        found_by: &["a_body_of_another_type_is_refused"],
        ..Break::NOTHING
    },
];
