//! What an object of the API looks like: its fields, their types, and which may be null.

use serde_json::Value;
use uuid::Uuid;

use super::ask::short;

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Uuid,
    Text,
    Boolean,
    /// A whole number, not negative.
    Count,
    Number,
    /// ISO 8601 in UTC with six digits of microseconds.
    Time,
    /// A list of texts.
    Texts,
    /// Any JSON, null excepted.
    Json,
    Object(&'static [Field]),
    /// Null, or one of these.
    Nullable(&'static Kind),
}

/// A field and its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field(pub(super) &'static str, pub(super) Kind);

/// A customer of a list, or alone.
pub(super) const CUSTOMER: &[Field] = &[
    Field("id", Kind::Uuid),
    Field("workspace_id", Kind::Uuid),
    Field("name", Kind::Text),
    Field("email", Kind::Nullable(&Kind::Text)),
    Field("phone", Kind::Text),
    Field("carrier", Kind::Nullable(&Kind::Text)),
    Field("status", Kind::Text),
    Field("quality", Kind::Text),
    Field("call_status", Kind::Text),
    Field("duration", Kind::Number),
    Field("is_test", Kind::Boolean),
    Field("checked", Kind::Boolean),
    Field("other_attributes", Kind::Json),
    Field("is_deleted", Kind::Boolean),
    Field("created_at", Kind::Time),
    Field("updated_at", Kind::Time),
    Field("tags", Kind::Texts),
    Field("employee", Kind::Nullable(&Kind::Object(EMPLOYEE))),
    Field("latest_call", Kind::Nullable(&Kind::Object(LATEST_CALL))),
    Field("total_calls", Kind::Count),
    Field("total_duration_seconds", Kind::Count),
    Field("calls_last_30_days", Kind::Count),
    Field("successful_calls", Kind::Count),
    Field("missed_calls", Kind::Count),
    Field("campaign_stats", Kind::Object(CAMPAIGN_STATS)),
    Field("billing_summary", Kind::Object(BILLING_SUMMARY)),
];

const EMPLOYEE: &[Field] = &[Field("id", Kind::Uuid), Field("name", Kind::Text), Field("email", Kind::Text)];

const LATEST_CALL: &[Field] = &[
    Field("id", Kind::Uuid),
    Field("direction", Kind::Text),
    Field("status", Kind::Text),
    Field("duration", Kind::Number),
    Field("duration_seconds", Kind::Count),
    Field("call_type", Kind::Text),
    Field("sentiment_score", Kind::Nullable(&Kind::Number)),
    Field("created_at", Kind::Time),
];

const CAMPAIGN_STATS: &[Field] = &[
    Field("total_campaign_calls", Kind::Count),
    Field("completed_campaigns", Kind::Count),
    Field("active_campaign", Kind::Nullable(&Kind::Object(CAMPAIGN))),
];

const CAMPAIGN: &[Field] = &[Field("id", Kind::Uuid), Field("name", Kind::Text)];

const BILLING_SUMMARY: &[Field] = &[
    Field("total_cost", Kind::Number),
    Field("cost_this_month", Kind::Number),
    Field("billing_breakdown", Kind::Object(BILLING_BREAKDOWN)),
];

const BILLING_BREAKDOWN: &[Field] =
    &[Field("campaign", Kind::Number), Field("direct", Kind::Number), Field("callback", Kind::Number)];

/// A call that was made.
pub(super) const CALL: &[Field] = &[
    Field("id", Kind::Uuid),
    Field("workspace_id", Kind::Uuid),
    Field("customer_id", Kind::Uuid),
    Field("campaign_customer_id", Kind::Nullable(&Kind::Uuid)),
    Field("direction", Kind::Text),
    Field("status", Kind::Text),
    Field("duration", Kind::Number),
    Field("duration_seconds", Kind::Count),
    Field("recording_url", Kind::Nullable(&Kind::Text)),
    Field("transcript", Kind::Nullable(&Kind::Text)),
    Field("sentiment_score", Kind::Nullable(&Kind::Number)),
    Field("call_type", Kind::Text),
    Field("billing_rate", Kind::Nullable(&Kind::Number)),
    Field("created_at", Kind::Time),
];

/// A workspace.
pub(super) const WORKSPACE: &[Field] = &[
    Field("id", Kind::Uuid),
    Field("slug", Kind::Text),
    Field("name", Kind::Text),
    Field("customer_count", Kind::Count),
    Field("last_updated", Kind::Nullable(&Kind::Time)),
];

/// A field that is not as it should be: its path, what it should be, what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) path: String,
    pub(super) expected: String,
    pub(super) seen: String,
}

/// Everything that is wrong with an object. Fields beside the known ones are nobody's business.
pub(super) fn faults(object: &Value, fields: &[Field]) -> Vec<Fault> {
    let mut faults = Vec::new();
    look(object, fields, "", &mut faults);
    faults
}

fn look(object: &Value, fields: &[Field], path: &str, faults: &mut Vec<Fault>) {
    for Field(name, kind) in fields {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        match object.get(name) {
            None => faults.push(Fault { path, expected: kind.words(), seen: "no such field".to_owned() }),
            Some(value) => kind.look(value, path, faults),
        }
    }
}

impl Kind {
    fn look(self, value: &Value, path: String, faults: &mut Vec<Fault>) {
        match self {
            Self::Nullable(_) if value.is_null() => (),
            Self::Nullable(kind) => kind.look(value, path, faults),
            Self::Object(fields) if value.is_object() => look(value, fields, &path, faults),
            _ if self.holds(value) => (),
            _ => faults.push(Fault { path, expected: self.words(), seen: short(&value.to_string()) }),
        }
    }

    fn holds(self, value: &Value) -> bool {
        match self {
            Self::Uuid => value.as_str().is_some_and(|text| Uuid::try_parse(text).is_ok()),
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Count => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Time => value.as_str().is_some_and(is_time),
            Self::Texts => value.as_array().is_some_and(|texts| texts.iter().all(Value::is_string)),
            Self::Json => !value.is_null(),
            Self::Object(_) | Self::Nullable(_) => false,
        }
    }

    fn words(self) -> String {
        match self {
            Self::Uuid => "a UUID".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Boolean => "true or false".to_owned(),
            Self::Count => "a whole number, not negative".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Time => "a time such as 2026-01-31T23:59:59.000000Z".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Json => "JSON that is not null".to_owned(),
            Self::Object(fields) => {
                let names: Vec<&str> = fields.iter().map(|Field(name, _)| *name).collect();
                format!("an object with {}", names.join(", "))
            }
            Self::Nullable(kind) => format!("{}, or null", kind.words()),
        }
    }
}

/// Whether a text is a time as the contract writes one. The letters of the form stand for themselves, but for the zeros.
fn is_time(text: &str) -> bool {
    const FORM: &str = "0000-00-00T00:00:00.000000Z";
    text.len() == FORM.len()
        && text.bytes().zip(FORM.bytes()).all(
            |(is, form)| {
                if form == b'0' { is.is_ascii_digit() } else { is == form }
            },
        )
        && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_have_six_digits_and_a_z() {
        assert!(is_time("2024-02-29T23:59:59.000001Z"));
        for wrong in [
            "2024-02-29T23:59:59Z",
            "2024-02-29T23:59:59.001Z",
            "2024-02-29T23:59:59.000001+00:00",
            "2024-02-30T23:59:59.000001Z",
            "2024-02-29 23:59:59.000001Z",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
    }

    #[test]
    fn each_fault_is_named_with_its_path() {
        const FIELDS: &[Field] = &[Field("latest_call", Kind::Nullable(&Kind::Object(LATEST_CALL)))];
        let call = json!({
            "id": "0b7f9c52-6a0e-4f3b-9d0e-2f6f4c1f7a11", "direction": null, "status": "busy", "duration": "1.5",
            "duration_seconds": -1, "call_type": "direct", "sentiment_score": null,
            "created_at": "2024-02-29T23:59:59.000001Z",
        });
        let paths = |value: Value| -> Vec<String> {
            faults(&value, FIELDS).into_iter().map(|fault| fault.path).collect()
        };
        let wrong = ["direction", "duration", "duration_seconds"].map(|name| format!("latest_call.{name}"));
        assert_eq!(paths(json!({ "latest_call": call })), wrong);
        assert!(paths(json!({ "latest_call": null, "more": 1 })).is_empty());
        let missing = faults(&json!({}), FIELDS);
        assert_eq!(missing[0].seen, "no such field");
        assert!(missing[0].expected.contains("sentiment_score") && missing[0].expected.ends_with("or null"));
        assert_eq!(paths(json!({ "latest_call": [] })), ["latest_call"]);
    }
}
