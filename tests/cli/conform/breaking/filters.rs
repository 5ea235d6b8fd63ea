//! Filters.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "unknown parameters are never minded",
        request: |asked| drop(asked.headers.remove("prefer")),
        found_by: &["an_unknown_parameter_is_ignored_unless_strict"],
        ..Break::NOTHING
    },
    Break {
        name: "carriers filter nothing",
        request: |asked| asked.drop("carrier__in"),
        found_by: &["carriers_find_their_rows"],
        ..Break::NOTHING
    },
    Break {
        name: "greater is greater or equal",
        request: |asked| {
            for (name, _) in asked.query.iter_mut().filter(|(name, _)| name == "duration__gt") {
                "duration__gte".clone_into(name);
            }
        },
        found_by: &["durations_are_compared", "bad_values_are_refused_all_at_once"],
        ..Break::NOTHING
    },
    Break {
        name: "null and empty are not asked for",
        request: |asked| asked.drop("status__isnull"),
        found_by: &["null_and_empty_are_the_same", "bad_values_are_refused_all_at_once"],
        ..Break::NOTHING
    },
    Break {
        name: "labels filter nothing",
        request: |asked| asked.drop("labels__id"),
        found_by: &["labels_that_nobody_has_find_nothing", "bad_values_are_refused_all_at_once"],
        ..Break::NOTHING
    },
    Break {
        name: "an empty value is a value",
        request: |asked| {
            if asked.is_list() {
                asked.change("status", |value| {
                    if value.is_empty() { "no-such-status" } else { value }.to_owned()
                });
            }
        },
        found_by: &["an_empty_value_filters_nothing"],
        ..Break::NOTHING
    },
];
