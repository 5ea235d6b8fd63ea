//! The parameters of the list: one table of their names, which says what is known and what each one means.

/// A parameter of the query string.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What it does, as a sentence for somebody who calls the API.
    pub(crate) meaning: &'static str,
}

/// How the value of a parameter is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Texts, separated by commas.
    Texts,
    /// UUIDs with or without hyphens, separated by commas.
    Uuids,
    /// A finite decimal number; an exponent is allowed.
    Number,
    /// An integer from 0.
    Integer,
    /// `true`, `false`, `1` or `0`, in any case.
    Boolean,
    /// A key and a value with `=` between them.
    KeyValue,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

const fn parameter(name: &'static str, kind: Kind, meaning: &'static str) -> Parameter {
    Parameter { name, kind, meaning }
}

/// All that the list knows, in the order in which the contract names them. The text of a filter says for which customers
/// it holds.
pub(crate) const ALL: &[Parameter] = &[
    parameter("workspace_id", Kind::Text, "The workspace, by its UUID or its slug. Required."),
    parameter("page_size", Kind::Integer, "Rows of a page: 50 unless said otherwise, 200 at most."),
    parameter("cursor", Kind::Text, "Where the page begins, from a `next` or `previous` link."),
    parameter(
        "count",
        Kind::OneOf(&["estimated"]),
        "Asks for an estimate of the number of customers, under the same filters.",
    ),
    parameter("page", Kind::Integer, "Deprecated: the number of the page, from 1, down to row 10,000."),
    parameter("limit", Kind::Integer, "Deprecated: rows of a page, 200 at most."),
    parameter("offset", Kind::Integer, "Deprecated: rows to leave out, down to row 10,000."),
    parameter(
        "_profile",
        Kind::OneOf(&["true", "false", "explain"]),
        "Adds what the request cost to the body; for admins and managers.",
    ),
    parameter("status", Kind::Texts, "`status` is one of these."),
    parameter("status__in", Kind::Texts, "`status` is one of these."),
    parameter("status__neq", Kind::Texts, "`status` is none of these."),
    parameter("status__isnull", Kind::Boolean, "`status` is null or empty, or is not."),
    parameter("quality", Kind::Texts, "`quality` is one of these."),
    parameter("quality__in", Kind::Texts, "`quality` is one of these."),
    parameter("quality__neq", Kind::Texts, "`quality` is none of these."),
    parameter("quality__isnull", Kind::Boolean, "`quality` is null or empty, or is not."),
    parameter("call_status", Kind::Texts, "`call_status` is one of these."),
    parameter("call_status__in", Kind::Texts, "`call_status` is one of these."),
    parameter("call_status__neq", Kind::Texts, "`call_status` is none of these."),
    parameter("carrier", Kind::Text, "`carrier` equals this."),
    parameter("carrier__in", Kind::Texts, "`carrier` is one of these."),
    parameter("duration", Kind::Number, "`duration` equals this."),
    parameter("duration__gt", Kind::Number, "`duration` is greater than this."),
    parameter("duration__lt", Kind::Number, "`duration` is less than this."),
    parameter("duration__gte", Kind::Number, "`duration` is this or greater."),
    parameter("duration__lte", Kind::Number, "`duration` is this or less."),
    parameter("duration__neq", Kind::Number, "`duration` does not equal this."),
    parameter("labels__id", Kind::Uuids, "The customer has at least one of these labels."),
    parameter("campaign_labels__id__in", Kind::Uuids, "The customer has at least one of these labels."),
    parameter("labels__id__neq", Kind::Uuids, "The customer has none of these labels."),
    parameter(
        "other_attributes",
        Kind::KeyValue,
        "`key=value`: the text of the string, number or boolean under this key of `other_attributes` equals the value.",
    ),
    parameter("is_test", Kind::Boolean, "`is_test` is this."),
    parameter("checked", Kind::Boolean, "`checked` is this."),
];

/// Whether the list knows a parameter of this name.
pub(crate) fn is_known(name: &str) -> bool {
    ALL.iter().any(|parameter| parameter.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_stands_in_the_table_once_and_its_meaning_is_a_sentence() {
        let names: BTreeSet<&str> = ALL.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names.len(), ALL.len());
        for Parameter { name, meaning, .. } in ALL {
            assert!(meaning.ends_with('.'), "{name}");
        }
        assert!(is_known("call_status__in") && !is_known("call_status__isnull") && !is_known("Status"));
    }
}
