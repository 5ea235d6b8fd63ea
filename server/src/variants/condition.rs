//! The filters of a request as SQL: one condition for each, on a row of `customer`, with its values bound.
//!
//! The text depends only on which filters are there, never on their values. Each condition stands in parentheses of its
//! own or has none that could escape: all are joined by AND to the tenant's.

use sqlx::Error;

use crate::customers::filters::{Choice, Comparison, Filters};
use crate::variants::statement::Values;

/// A column that takes one of few values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChoiceColumn {
    Status,
    Quality,
    CallStatus,
}

impl ChoiceColumn {
    pub(crate) const ALL: [Self; 3] = [Self::Status, Self::Quality, Self::CallStatus];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Quality => "quality",
            Self::CallStatus => "call_status",
        }
    }

    /// The filter on this column, to be changed.
    pub(crate) fn within(self, filters: &mut Filters) -> &mut Choice {
        match self {
            Self::Status => &mut filters.status,
            Self::Quality => &mut filters.quality,
            Self::CallStatus => &mut filters.call_status,
        }
    }

    /// The filter on this column.
    pub(crate) fn of(self, filters: &Filters) -> &Choice {
        match self {
            Self::Status => &filters.status,
            Self::Quality => &filters.quality,
            Self::CallStatus => &filters.call_status,
        }
    }
}

/// How a customer's labels are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Labels {
    /// For each customer by itself. The planner can't make a join of it, so the cost is one probe a row.
    Probed,
    /// As the planner likes: it may begin with the labels.
    Joined,
}

impl Labels {
    /// Whether a customer `c` has one of the labels in the parameter `labels`.
    fn exist(self, labels: &str) -> String {
        let found = format!(
            "FROM customer_label AS cl WHERE cl.customer_id = c.id AND cl.label_id = ANY ({labels}::uuid[])"
        );
        match self {
            Self::Probed => format!("(SELECT true {found} LIMIT 1) IS NOT NULL"),
            Self::Joined => format!("EXISTS (SELECT {found})"),
        }
    }
}

/// The conditions on a customer `c`, each beginning with `AND`; empty without filters.
pub(crate) fn conditions(values: &mut Values, filters: &Filters, look: Labels) -> Result<String, Error> {
    let mut all = String::new();
    let mut and = |condition: String| {
        all.push_str(" AND ");
        all.push_str(&condition);
    };
    for column in ChoiceColumn::ALL {
        let (name, choice) = (column.name(), column.of(filters));
        if let Some(any_of) = &choice.any_of {
            and(format!("c.{name} = ANY ({}::text[])", values.bind(any_of.as_slice())?));
        }
        if !choice.none_of.is_empty() {
            and(format!("c.{name} <> ALL ({}::text[])", values.bind(choice.none_of.as_slice())?));
        }
    }
    if let Some(carriers) = &filters.carrier {
        and(format!("c.carrier = ANY ({}::text[])", values.bind(carriers.as_slice())?));
    }
    for (comparison, bound) in &filters.duration {
        and(format!("c.duration {} {}::float8", operator(*comparison), values.bind(*bound)?));
    }
    for (column, wanted) in [("is_test", filters.is_test), ("checked", filters.checked)] {
        if let Some(wanted) = wanted {
            and(format!("c.{column} = {}::boolean", values.bind(wanted)?));
        }
    }
    for any_of in &filters.labels {
        and(look.exist(&values.bind(any_of.as_slice())?));
    }
    if !filters.without_labels.is_empty() {
        and(format!("NOT ({})", look.exist(&values.bind(filters.without_labels.as_slice())?)));
    }
    if let Some((key, value)) = &filters.attribute {
        // Containment is what the GIN index serves, and it finds too much: numbers are equal to it that are printed
        // differently (1.0 and 1.00). The text of the value decides.
        let forms: Vec<String> = contained_forms(key, value);
        let contains: Result<Vec<String>, Error> = forms
            .into_iter()
            .map(|form| Ok(format!("c.other_attributes @> {}::text::jsonb", values.bind(form)?)))
            .collect();
        let (key, value) = (values.bind(key.as_str())?, values.bind(value.as_str())?);
        // Nearly all that contain the value have its text. The planner would take an equality for one in 200, and think of
        // one in two of a CASE.
        and(format!(
            "({}) AND CASE WHEN c.other_attributes ->> {key}::text = {value}::text THEN true END",
            contains?.join(" OR ")
        ));
    }
    Ok(all)
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// The objects that contain a scalar which is printed as `value`: always the string, and the boolean or the number where
/// it reads as one. Null, objects and arrays never match.
fn contained_forms(key: &str, value: &str) -> Vec<String> {
    let object = |value: serde_json::Value| serde_json::json!({ key: value }).to_string();
    let mut forms = vec![object(value.into())];
    match value {
        "true" => forms.push(object(true.into())),
        "false" => forms.push(object(false.into())),
        _ if is_printed_number(value) => {
            forms.push(format!("{{{}:{value}}}", serde_json::Value::from(key)));
        }
        _ => {}
    }
    forms
}

/// Whether PostgreSQL could print a number of jsonb like this: digits, perhaps a sign before and a fraction after them,
/// never an exponent. Longer ones than `numeric` can hold are never stored, so never printed.
fn is_printed_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let has_no_padding = whole == "0" || !whole.starts_with('0');
    is_number(whole)
        && is_number(fraction)
        && has_no_padding
        && whole.len() <= 131_072
        && fraction.len() <= 16_383
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_looked_for_in_every_form_that_prints_like_it() {
        for (value, forms) in [
            ("30", vec![r#"{"k":"30"}"#, r#"{"k":30}"#]),
            ("-1.10", vec![r#"{"k":"-1.10"}"#, r#"{"k":-1.10}"#]),
            ("0.5", vec![r#"{"k":"0.5"}"#, r#"{"k":0.5}"#]),
            (
                "12345678901234567890",
                vec![r#"{"k":"12345678901234567890"}"#, r#"{"k":12345678901234567890}"#],
            ),
            ("true", vec![r#"{"k":"true"}"#, r#"{"k":true}"#]),
            ("null", vec![r#"{"k":"null"}"#]),
            ("1e2", vec![r#"{"k":"1e2"}"#]),
            ("030", vec![r#"{"k":"030"}"#]),
            ("+1", vec![r#"{"k":"+1"}"#]),
            ("1.", vec![r#"{"k":"1."}"#]),
            ("", vec![r#"{"k":""}"#]),
            ("a\"b", vec![r#"{"k":"a\"b"}"#]),
        ] {
            assert_eq!(contained_forms("k", value), forms, "{value}");
        }
        assert_eq!(contained_forms("a\"b", "1"), [r#"{"a\"b":"1"}"#, r#"{"a\"b":1}"#]);
    }
}
