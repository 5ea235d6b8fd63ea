//! What a body says of a call: the fields that a client may write, each with its rule.
//!
//! `customer_id`, `direction`, `status` and `call_type` are required: there is no value that most calls have. A call
//! lasts 0 seconds if nothing is said. `duration_seconds`, which is what is billed, is `duration` rounded unless it is sent.
//! The workspace is the customer's, and the call was made now.

use std::collections::HashMap;

use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object as ObjectSchema;
use uuid::Uuid;

use crate::bodies::addresses::{NO_URL, is_url};
use crate::bodies::json::Json;
use crate::bodies::kinds::{self, no_such};
use crate::bodies::messages::Messages;
use crate::bodies::numbers;
use crate::bodies::object::Object;

const DIRECTIONS: &[&str] = &["inbound", "outbound"];
const STATUSES: &[&str] = &["completed", "missed", "busy"];
const CALL_TYPES: &[&str] = &["campaign", "direct", "callback"];

/// The longest call, in seconds: what the column for whole seconds holds.
const LONGEST_S: f64 = i32::MAX as f64;

/// The most characters of a transcript.
const LONGEST_TRANSCRIPT: usize = crate::entrance::MAX_BODY_BYTES;

/// A call that is to be made, as far as its body could be read.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) customer_id: Option<Uuid>,
    pub(crate) campaign_customer_id: Option<Uuid>,
    pub(crate) direction: Option<&'static str>,
    pub(crate) status: Option<&'static str>,
    pub(crate) duration: f64,
    pub(crate) duration_seconds: i32,
    pub(crate) recording_url: Option<String>,
    pub(crate) transcript: Option<String>,
    pub(crate) sentiment_score: Option<f64>,
    pub(crate) call_type: Option<&'static str>,
    /// A plain decimal number: it never becomes a float.
    pub(crate) billing_rate: Option<String>,
}

impl Draft {
    /// Reads a call, and what is wrong with it.
    pub(crate) fn read(json: Json<'_>) -> (Self, Messages) {
        let mut object = Object::read(json, false);
        let customer_id = object.required("customer_id", kinds::uuid);
        let duration = object.optional("duration", numbers::float_within(0.0, LONGEST_S)).unwrap_or_default();
        let draft = Self {
            customer_id,
            campaign_customer_id: object.nullable("campaign_customer_id", kinds::uuid).into_value(),
            direction: object.required("direction", kinds::choice(DIRECTIONS)),
            status: object.required("status", kinds::choice(STATUSES)),
            duration,
            duration_seconds: object
                .optional("duration_seconds", numbers::count)
                .unwrap_or_else(|| rounded(duration)),
            recording_url: object
                .nullable("recording_url", kinds::special_text(200, is_url, NO_URL))
                .into_value(),
            transcript: object
                .nullable("transcript", kinds::special_text(LONGEST_TRANSCRIPT, |_| true, ""))
                .into_value(),
            sentiment_score: object
                .nullable("sentiment_score", numbers::float_within(-1.0, 1.0))
                .into_value(),
            call_type: object.required("call_type", kinds::choice(CALL_TYPES)),
            billing_rate: object.nullable("billing_rate", numbers::decimal(10, 4)).into_value(),
        };
        (draft, object.messages())
    }

    /// Adds to the messages what the call points to in vain: a customer that is not among the `present`, an enrolment that
    /// is not among the `enrolments` or is another customer's.
    pub(crate) fn judge(&self, messages: &mut Messages, present: &[Uuid], enrolments: &HashMap<Uuid, Uuid>) {
        if let Some(unknown) = self.customer_id.filter(|id| present.binary_search(id).is_err()) {
            messages.add("customer_id", json!([no_such(unknown)]));
        }
        let is_foreign = |id: &Uuid| enrolments.get(id).copied() != self.customer_id;
        if let Some(unknown) = self.campaign_customer_id.filter(is_foreign) {
            messages.add("campaign_customer_id", json!([no_such(unknown)]));
        }
    }
}

/// Whole seconds, halves upwards.
#[expect(clippy::cast_possible_truncation, reason = "a duration is at most i32::MAX")]
fn rounded(duration: f64) -> i32 {
    duration.round() as i32
}

/// A call that is to be added. Unknown fields, and those that only the server writes, are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what Draft reads; a test holds the two together")]
pub(crate) struct NewCall {
    /// A customer of the workspace.
    #[schema(example = "0b7f9c52-6a0e-4f3b-9d0e-2f6f4c1f7a11")]
    customer_id: Uuid,
    /// What enrolled this customer in a campaign.
    #[schema(default = json!(null), example = "5d3c8a7e-1b52-4a55-8f0e-7c1f4f0b9a22")]
    campaign_customer_id: Option<Uuid>,
    #[schema(schema_with = direction)]
    direction: String,
    #[schema(schema_with = status)]
    status: String,
    /// Seconds.
    #[schema(required = false, minimum = 0, maximum = 2_147_483_647, default = 0.0, example = 59.5)]
    duration: f64,
    /// What is billed. If it is not sent, `duration` rounded, halves upwards.
    #[schema(required = false, minimum = 0, maximum = 2_147_483_647, example = 60)]
    duration_seconds: i32,
    /// May also be an empty text.
    #[schema(format = "uri", max_length = 200, default = json!(null), example = "https://cdn.example.com/1.mp3")]
    recording_url: Option<String>,
    #[schema(max_length = 10_485_760, default = json!(null), example = "Xin chào.")]
    transcript: Option<String>,
    #[schema(minimum = -1, maximum = 1, default = json!(null), example = 0.25)]
    sentiment_score: Option<f64>,
    #[schema(schema_with = call_type)]
    call_type: String,
    /// What a minute costs, with at most four decimals. A text with the same digits is read as well.
    #[schema(minimum = 0, maximum = 999_999.999_9, default = json!(null), example = 0.125)]
    billing_rate: Option<f64>,
}

fn direction() -> ObjectSchema {
    kinds::choice_schema(DIRECTIONS, None)
}

fn status() -> ObjectSchema {
    kinds::choice_schema(STATUSES, None)
}

fn call_type() -> ObjectSchema {
    kinds::choice_schema(CALL_TYPES, None)
}

/// Calls that are to be added, all or none.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 1000)]
#[expect(dead_code, reason = "it describes the array of a bulk")]
pub(crate) struct NewCalls(Vec<NewCall>);

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::bodies::described;

    fn read(body: &Value) -> (Draft, Messages) {
        Draft::read(Json::parse(body.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn the_document_describes_every_field_as_it_is_read() {
        let names = described::fields_of!(Draft {
            customer_id,
            campaign_customer_id,
            direction,
            status,
            duration,
            duration_seconds,
            recording_url,
            transcript,
            sentiment_score,
            call_type,
            billing_rate,
        });
        described::holds::<NewCall>(&names, |body| Draft::read(body).1);
    }

    #[test]
    fn what_is_not_sent_has_its_default() {
        let (draft, messages) = read(&json!({
            "customer_id": Uuid::nil(), "direction": "inbound", "status": "busy", "call_type": "direct",
            "duration": 12.5, "workspace_id": 1, "created_at": "yesterday",
        }));
        assert!(messages.is_empty());
        assert_eq!((draft.duration_seconds, draft.billing_rate, draft.transcript), (13, None, None));
        let (draft, _) = read(&json!({ "duration": 12.5, "duration_seconds": 12 }));
        assert_eq!(draft.duration_seconds, 12);
        assert_eq!(read(&json!({})).0.duration_seconds, 0);
        assert_eq!(read(&json!({ "duration": i32::MAX })).0.duration_seconds, i32::MAX);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let (draft, mut messages) = read(&json!({
            "customer_id": Uuid::nil(), "campaign_customer_id": Uuid::max(), "direction": "up", "status": null,
            "duration": -1, "duration_seconds": 1.5, "recording_url": "x", "sentiment_score": 2, "billing_rate": -1,
        }));
        draft.judge(&mut messages, &[], &HashMap::from([(Uuid::max(), Uuid::max())]));
        let told = json!({
            "customer_id": ["Invalid pk \"00000000-0000-0000-0000-000000000000\" - object does not exist."],
            "campaign_customer_id": ["Invalid pk \"ffffffff-ffff-ffff-ffff-ffffffffffff\" - object does not exist."],
            "direction": ["\"up\" is not a valid choice."],
            "status": ["This field may not be null."],
            "duration": ["Ensure this value is greater than or equal to 0.0."],
            "duration_seconds": ["A valid integer is required."],
            "recording_url": ["Enter a valid URL."],
            "sentiment_score": ["Ensure this value is less than or equal to 1.0."],
            "call_type": ["This field is required."],
            "billing_rate": ["Ensure this value is greater than or equal to 0."],
        });
        assert_eq!(Value::from(messages), told);
    }
}
