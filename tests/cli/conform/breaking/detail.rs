//! One customer.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "a customer of nobody is refused as forbidden",
        answer: |asked, answered| {
            if asked.method == "GET" && asked.is_detail() && answered.status == 404 {
                answered.refuse(403, "You do not have permission to perform this action.");
            }
        },
        found_by: &[
            "a_customer_that_there_is_not_is_not_found",
            "a_customer_is_not_found_in_another_workspace",
            "an_employee_does_not_find_the_customers_of_others",
            "a_deleted_customer_is_gone_everywhere",
            "a_bulk_delete_deletes_those_there_and_names_the_others",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "the detail has another status",
        answer: |asked, answered| {
            if asked.method == "GET" && asked.is_detail() {
                answered.set("status", "\"new\"");
            }
        },
        found_by: &[
            "a_customer_is_the_same_alone_and_in_the_list",
            "a_customer_is_made_of_what_was_sent",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_bulk_patch_changes_those_there_and_names_the_others",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "no customer by itself",
        answer: |asked, answered| {
            if asked.method == "GET" && asked.is_detail() {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &[
            "a_customer_of_the_list_can_be_read",
            "a_customer_is_the_same_alone_and_in_the_list",
            "a_customer_that_there_is_not_is_not_found",
            "a_customer_is_not_found_in_another_workspace",
            "no_write_reaches_another_workspace",
            "an_employee_does_not_find_the_customers_of_others",
            "a_customer_is_made_of_what_was_sent",
            "attributes_come_back_digit_for_digit",
            "many_are_made_in_the_order_of_the_array",
            "a_patch_changes_what_it_names_and_nothing_else",
            "a_bulk_patch_changes_those_there_and_names_the_others",
            "a_call_is_made_of_what_was_sent",
            "many_calls_are_made_at_once",
            "calls_are_counted_by_their_status",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        takes_away: &["detail"],
        ..Break::NOTHING
    },
];
