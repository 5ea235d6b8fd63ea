//! The list and its rows.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "money in floats",
        answer: |asked, answered| {
            if asked.method == "GET" {
                answered.through_floats();
            }
        },
        found_by: &[
            "money_has_two_to_four_decimals",
            "attributes_come_back_digit_for_digit",
            "a_call_costs_its_rate_rounded_half_up",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "a phone may be null",
        answer: |_, answered| answered.replace("\"phone\":\"", "\"phone\":null,\"telephone\":\""),
        found_by: &["a_row_has_the_fields_of_a_customer", "a_customer_is_made_of_what_was_sent"],
        ..Break::NOTHING
    },
    Break {
        name: "times end in +00:00",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.replace("Z\",\"updated_at", "+00:00\",\"updated_at");
            }
        },
        found_by: &["a_row_has_the_fields_of_a_customer", "a_customer_is_the_same_alone_and_in_the_list"],
        ..Break::NOTHING
    },
    Break {
        name: "oldest first",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.change_rows(|rows| rows.reverse());
            }
        },
        found_by: &[
            "rows_are_newest_first",
            "next_leads_to_the_page_after",
            "a_walk_sees_each_row_once",
            "a_page_is_found_by_its_number",
            "limit_and_offset_find_their_rows",
            "bad_limits_and_offsets_are_forgiven",
            "old_clients_go_on_by_cursor",
            "a_status_finds_its_rows",
            "lists_of_values_are_included_or_excluded",
            "carriers_find_their_rows",
            "durations_are_compared",
            "booleans_have_four_spellings",
            "other_attributes_compare_as_text",
            "all_filters_hold_together",
            "the_last_of_a_repeated_parameter_wins",
            "items_are_trimmed_and_empty_ones_dropped",
        ],
        takes_away: &["page_100", "deep_walk", "filters", "worst_filters"],
        ..Break::NOTHING
    },
    Break {
        name: "pages of at most 100 rows",
        request: |asked| {
            asked.change("page_size", |size| {
                if size.parse::<u128>().is_ok_and(|size| size > 100) {
                    "100".to_owned()
                } else {
                    size.to_owned()
                }
            });
        },
        found_by: &["page_size_is_kept_to", "bad_limits_and_offsets_are_forgiven"],
        ..Break::NOTHING
    },
    Break {
        name: "the exact count",
        answer: |_, answered| answered.replace("\"count\":null", "\"count\":2000"),
        found_by: &["count_is_null_unless_asked_for"],
        ..Break::NOTHING
    },
    Break {
        name: "no estimates",
        request: |asked| asked.drop("count"),
        found_by: &["an_estimate_of_the_count_is_a_number"],
        ..Break::NOTHING
    },
    Break {
        name: "tags in the order of their making",
        answer: |_, answered| {
            answered.replace("\"tags\":[]", "\"tags\":[\"b\",\"a\"]");
        },
        found_by: &["tags_are_sorted_by_code_point", "what_is_not_sent_has_a_default"],
        ..Break::NOTHING
    },
    Break {
        name: "no page before the first one is an empty text",
        answer: |_, answered| answered.replace("\"previous\":null", "\"previous\":\"\""),
        found_by: &[
            "the_first_page_is_a_page",
            "next_and_previous_walk_the_same_rows",
            "a_filter_that_nothing_passes_is_an_empty_page",
        ],
        takes_away: &[
            "first_page",
            "page_100",
            "deep_walk",
            "filters",
            "worst_filters",
            "detail",
            "single_update",
            "batch_update",
            "soft_delete",
            "calls",
            "contention",
        ],
        ..Break::NOTHING
    },
    Break {
        name: "the list shows its rows as deleted",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.replace("\"is_deleted\":false", "\"is_deleted\":true");
            }
        },
        found_by: &["rows_are_live_and_of_one_workspace", "a_customer_is_the_same_alone_and_in_the_list"],
        ..Break::NOTHING
    },
    Break {
        name: "a UUID has hyphens",
        request: |asked| {
            asked.change("workspace_id", |name| match name.len() {
                32 => "no-such-workspace".to_owned(),
                _ => name.to_owned(),
            });
        },
        found_by: &["a_workspace_is_named_by_slug_or_uuid"],
        ..Break::NOTHING
    },
    Break {
        name: "more calls in 30 days than in all",
        answer: |_, answered| answered.replace("\"calls_last_30_days\":", "\"calls_last_30_days\":9"),
        found_by: &["numbers_of_calls_agree_with_each_other", "calls_are_counted_by_their_status"],
        ..Break::NOTHING
    },
];
