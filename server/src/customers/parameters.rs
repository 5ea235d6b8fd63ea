//! The parameters of the list: one table of their names, which says what is known, and what the document of the API
//! tells of each.
//!
//! What they do is in `filters` and `paging`; a test sends each of these lines to the server.

use serde_json::{Value, json};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Deprecated, KnownFormat, Required, SchemaFormat};

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Any text.
    Text,
    /// Texts separated by commas, often one of these.
    Texts(&'static [&'static str]),
    /// UUIDs separated by commas.
    Ids,
    /// A finite decimal number.
    Number,
    /// `true`, `false`, `1` or `0`.
    Boolean,
    /// A whole number from the first to the second, and what it is if not given.
    Whole(u32, u32, Option<u32>),
}

/// A parameter: its name, its value, what it means, and one value as an example.
#[derive(Debug)]
struct Line(&'static str, Kind, &'static str, &'static str);

const STATUS: Kind = Kind::Texts(&["active", "inactive", "blocked", "pending"]);
const QUALITY: Kind = Kind::Texts(&["hot", "warm", "cold", "dead"]);
const CALL_STATUS: Kind = Kind::Texts(&["pending", "calling", "completed", "failed"]);

/// Which page, and how long it is.
const PAGING: [Line; 3] = [
    Line(
        "page_size",
        Kind::Whole(1, 200, Some(50)),
        "Customers of a page. What is not a positive integer is the default, what is too much the maximum.",
        "20",
    ),
    Line(
        "cursor",
        Kind::Text,
        "Where the page begins: taken from `next` or `previous` of another page. Opaque.",
        "",
    ),
    Line(
        "count",
        Kind::Text,
        "`estimated`: `count` of the answer is an estimate under the same filters, instead of null.",
        "estimated",
    ),
];

/// How clients of the old API ask for a page.
const OLD_PAGING: [Line; 3] = [
    Line("page", Kind::Whole(1, 10_000, None), "Number of the page, down to row 10,000.", "2"),
    Line("limit", Kind::Whole(1, 200, None), "As `page_size`.", "20"),
    Line("offset", Kind::Whole(0, 10_000, None), "Customers to leave out, down to row 10,000.", "40"),
];

/// Which customers.
const FILTERS: [Line; 25] = [
    Line("status", STATUS, "The status is one of these.", "active,pending"),
    Line("status__in", STATUS, "As `status`; with both, both hold.", "active"),
    Line("status__neq", STATUS, "The status is none of these.", "blocked"),
    Line("status__isnull", Kind::Boolean, "The status is null or empty; `false`: it is not.", "false"),
    Line("quality", QUALITY, "The quality is one of these.", "hot,warm"),
    Line("quality__in", QUALITY, "As `quality`; with both, both hold.", "hot"),
    Line("quality__neq", QUALITY, "The quality is none of these.", "dead"),
    Line("quality__isnull", Kind::Boolean, "The quality is null or empty; `false`: it is not.", "false"),
    Line("call_status", CALL_STATUS, "The call status is one of these.", "pending"),
    Line("call_status__in", CALL_STATUS, "As `call_status`; with both, both hold.", "pending,failed"),
    Line("call_status__neq", CALL_STATUS, "The call status is none of these.", "completed"),
    Line("carrier", Kind::Text, "The carrier is this one.", "Viettel"),
    Line(
        "carrier__in",
        Kind::Texts(&[]),
        "The carrier is one of these; with `carrier`, both hold.",
        "Viettel,Vinaphone",
    ),
    Line("duration", Kind::Number, "The duration is this number.", "60"),
    Line("duration__gt", Kind::Number, "The duration is greater.", "1e2"),
    Line("duration__lt", Kind::Number, "The duration is less.", "3600"),
    Line("duration__gte", Kind::Number, "The duration is greater or equal.", "0.5"),
    Line("duration__lte", Kind::Number, "The duration is less or equal.", "3600"),
    Line("duration__neq", Kind::Number, "The duration is another number.", "0"),
    Line(
        "labels__id",
        Kind::Ids,
        "The customer has at least one of these labels.",
        "7f2c1d3e-0000-4000-8000-000000000001",
    ),
    Line(
        "campaign_labels__id__in",
        Kind::Ids,
        "As `labels__id`; with both, both hold.",
        "7f2c1d3e-0000-4000-8000-000000000001",
    ),
    Line(
        "labels__id__neq",
        Kind::Ids,
        "The customer has none of these labels.",
        "7f2c1d3e-0000-4000-8000-000000000001",
    ),
    Line(
        "other_attributes",
        Kind::Text,
        "`key=value`: a top-level key of `other_attributes` whose text is this value. `age=30` finds the number 30 and \
         the string \"30\"; null, objects and arrays never match.",
        "age=30",
    ),
    Line("is_test", Kind::Boolean, "Whether it is a customer for tests.", "false"),
    Line("checked", Kind::Boolean, "Whether somebody has checked the customer.", "true"),
];

/// What the list knows beside these: who is asked, and what a profile is asked for with.
const OTHERS: [&str; 2] = ["workspace_id", "_profile"];

/// Whether the list knows a parameter of this name.
pub(crate) fn is_known(name: &str) -> bool {
    let lines = PAGING.iter().chain(&OLD_PAGING).chain(&FILTERS);
    OTHERS.contains(&name) || lines.into_iter().any(|line| line.0 == name)
}

/// The names of the filters.
#[cfg(test)]
pub(crate) fn filters() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().map(|line| line.0)
}

/// All parameters of the list.
pub(crate) struct ListParameters;

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let lines = |lines: &'static [Line]| lines.iter().map(Line::parameter);
        let old = lines(&OLD_PAGING).map(|mut parameter| {
            parameter.deprecated = Some(Deprecated::True);
            parameter
        });
        lines(&PAGING).chain(lines(&FILTERS)).chain(old).chain([strict()]).collect()
    }
}

/// The header that makes the server strict.
fn strict() -> Parameter {
    let text = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
    ParameterBuilder::new()
        .name("Prefer")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("`handling=strict`: an unknown parameter is refused with 400 instead of ignored."))
        .schema(Some(text))
        .build()
}

impl Line {
    fn parameter(&self) -> Parameter {
        let Self(name, kind, description, example) = self;
        let builder = ParameterBuilder::new()
            .name(*name)
            .parameter_in(ParameterIn::Query)
            .required(Required::False)
            .description(Some(*description))
            .schema(Some(kind.schema()))
            .example((!example.is_empty()).then(|| kind.example(example)));
        if matches!(kind, Kind::Texts(_) | Kind::Ids) {
            return builder.style(Some(ParameterStyle::Form)).explode(Some(false)).build();
        }
        builder.build()
    }
}

impl Kind {
    fn schema(self) -> Schema {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let list = |item: ObjectBuilder| Schema::Array(ArrayBuilder::new().items(item).build());
        match self {
            Self::Text => text().into(),
            Self::Texts(usual) => list(text().examples(usual.iter().map(|value| json!(value)))),
            Self::Ids => list(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))),
            Self::Number => ObjectBuilder::new().schema_type(Type::Number).into(),
            Self::Boolean => ObjectBuilder::new().schema_type(Type::Boolean).into(),
            Self::Whole(least, most, usual) => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(f64::from(least)))
                .maximum(Some(f64::from(most)))
                .default(usual.map(|usual| json!(usual)))
                .into(),
        }
    }

    /// An example as the value that the schema describes.
    fn example(self, text: &str) -> Value {
        match self {
            Self::Text => json!(text),
            Self::Texts(_) | Self::Ids => text.split(',').map(|item| json!(item)).collect(),
            Self::Number | Self::Boolean | Self::Whole(..) => {
                serde_json::from_str(text).unwrap_or_else(|_| json!(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_name_stands_in_the_table_once_and_its_meaning_is_a_sentence() {
        let lines = || PAGING.iter().chain(&OLD_PAGING).chain(&FILTERS);
        let names: BTreeSet<&str> = lines().map(|line| line.0).collect();
        assert_eq!(names.len(), lines().count());
        for Line(name, _, meaning, _) in lines() {
            assert!(meaning.ends_with('.'), "{name}");
        }
        assert!(is_known("call_status__in") && !is_known("call_status__isnull") && !is_known("Status"));
    }
}
