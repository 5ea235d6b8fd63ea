//! Links to the neighbours of a page.

use super::Break;

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "links forget filters",
        answer: |asked, answered| {
            if asked.is_list() {
                answered.replace("&status__neq=no-such-status", "");
            }
        },
        found_by: &["links_keep_every_other_parameter"],
        ..Break::NOTHING
    },
    Break {
        name: "no Link header",
        answer: |_, answered| answered.without("link"),
        found_by: &["the_link_header_repeats_the_links"],
        ..Break::NOTHING
    },
    Break {
        name: "relative links",
        answer: |asked, answered| {
            let origin = format!("\"http://{}/", asked.headers["host"].to_str().unwrap_or(""));
            answered.replace(&origin, "\"/");
        },
        found_by: &["links_are_absolute_and_stay_on_the_server", "the_link_header_repeats_the_links"],
        ..Break::NOTHING
    },
    Break {
        name: "parameters of links in any order",
        answer: |_, answered| answered.replace_in_links("?apple=&checked=&", "?checked=&apple=&"),
        found_by: &["parameters_of_links_are_sorted_by_name"],
        ..Break::NOTHING
    },
];
