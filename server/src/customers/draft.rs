//! What a body says of a customer: the fields that a client may write, each with its rule.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object as ObjectSchema, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::bodies::addresses::{NO_EMAIL, is_email};
use crate::bodies::attributes::{self, attributes};
use crate::bodies::json::Json;
use crate::bodies::messages::Messages;
use crate::bodies::object::{Object, Sent};
use crate::bodies::{kinds, list, numbers};
use crate::customers::store;

const STATUSES: &[&str] = &["active", "inactive", "blocked", "pending"];
const QUALITIES: &[&str] = &["hot", "warm", "cold", "dead"];
const CALL_STATUSES: &[&str] = &["pending", "calling", "completed", "failed"];

/// The fields of a customer that were sent.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Draft {
    pub(crate) name: Option<String>,
    pub(crate) email: Sent<String>,
    pub(crate) phone: Option<String>,
    pub(crate) carrier: Sent<String>,
    pub(crate) status: Option<&'static str>,
    pub(crate) quality: Option<&'static str>,
    pub(crate) call_status: Option<&'static str>,
    pub(crate) duration: Option<f64>,
    pub(crate) is_test: Option<bool>,
    pub(crate) checked: Option<bool>,
    /// JSON, as it was sent.
    pub(crate) other_attributes: Option<String>,
    pub(crate) employee_id: Sent<Uuid>,
    /// All labels that the customer is to have, each once.
    pub(crate) label_ids: Option<Vec<Uuid>>,
}

impl Draft {
    /// Reads a customer that is to be made: `name` and `phone` must be there.
    pub(crate) fn of_new(json: Json<'_>) -> (Self, Messages) {
        Self::read(Object::read(json, false))
    }

    /// Reads what is to change of a customer.
    pub(crate) fn of_change(json: Json<'_>) -> (Self, Messages) {
        Self::read(Object::read(json, true))
    }

    fn read(mut object: Object<'_>) -> (Self, Messages) {
        let draft = Self {
            name: object.required("name", kinds::text(255)),
            email: object.nullable("email", kinds::special_text(254, is_email, NO_EMAIL)),
            phone: object.required("phone", kinds::text(20)),
            carrier: object.nullable("carrier", kinds::text(50)),
            status: object.optional("status", kinds::choice(STATUSES)),
            quality: object.optional("quality", kinds::choice(QUALITIES)),
            call_status: object.optional("call_status", kinds::choice(CALL_STATUSES)),
            duration: object.optional("duration", numbers::float),
            is_test: object.optional("is_test", kinds::boolean),
            checked: object.optional("checked", kinds::boolean),
            other_attributes: object.optional("other_attributes", attributes),
            employee_id: object.nullable("employee_id", kinds::uuid),
            label_ids: object.optional("label_ids", list::related),
        };
        (draft, object.messages())
    }

    /// Whether nothing was sent that can be written.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The labels that were sent.
    pub(crate) fn labels(&self) -> &[Uuid] {
        self.label_ids.as_deref().unwrap_or_default()
    }
}

/// A customer that is to be made. Unknown fields, and those that only the server writes, are ignored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what Draft reads; a test holds the two together")]
pub(crate) struct NewCustomer {
    #[schema(min_length = 1, max_length = 255, example = "Nguyễn An")]
    name: String,
    /// May also be an empty text.
    #[schema(format = "email", max_length = 254, default = json!(null), example = "an@example.com")]
    email: Option<String>,
    #[schema(min_length = 1, max_length = 20, example = "+84 90 123 45 67")]
    phone: String,
    #[schema(min_length = 1, max_length = 50, default = json!(null), example = "Viettel")]
    carrier: Option<String>,
    #[schema(schema_with = status, required = false)]
    status: String,
    #[schema(schema_with = quality, required = false)]
    quality: String,
    #[schema(schema_with = call_status, required = false)]
    call_status: String,
    #[schema(required = false, default = 0.0, example = 12.5)]
    duration: f64,
    #[schema(required = false, default = false, example = true)]
    is_test: bool,
    #[schema(required = false, default = false, example = true)]
    checked: bool,
    #[schema(schema_with = other_attributes, required = false)]
    other_attributes: String,
    /// An employee of the workspace, who is to look after the customer.
    #[schema(default = json!(null), example = "0b7f9c52-6a0e-4f3b-9d0e-2f6f4c1f7a11")]
    employee_id: Option<Uuid>,
    /// All labels that the customer is to have: labels of the workspace.
    #[schema(required = false, max_items = 1000, default = json!([]),
             example = json!(["5d3c8a7e-1b52-4a55-8f0e-7c1f4f0b9a22"]))]
    label_ids: Vec<Uuid>,
}

fn status() -> ObjectSchema {
    kinds::choice_schema(STATUSES, Some(store::STATUS))
}

fn quality() -> ObjectSchema {
    kinds::choice_schema(QUALITIES, Some(store::QUALITY))
}

fn call_status() -> ObjectSchema {
    kinds::choice_schema(CALL_STATUSES, Some(store::CALL_STATUS))
}

fn other_attributes() -> ObjectSchema {
    let mut schema = attributes::schema();
    schema.default = Some(serde_json::json!({}));
    schema
}

/// Customers that are to be made, all or none.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 1000)]
#[expect(dead_code, reason = "it describes the array of a bulk")]
pub(crate) struct NewCustomers(Vec<NewCustomer>);

/// What is to change of a customer: the fields of a new one, of which each that is not sent stays as it is.
pub(crate) struct CustomerChange;

impl PartialSchema for CustomerChange {
    fn schema() -> RefOr<Schema> {
        let mut schema = NewCustomer::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.description =
                Some("What is to change of a customer. A field that is not sent stays as it is.".to_owned());
            object.required.clear();
            for field in object.properties.values_mut() {
                match field {
                    RefOr::T(Schema::Object(field)) => field.default = None,
                    RefOr::T(Schema::Array(field)) => field.default = None,
                    _ => {}
                }
            }
        }
        schema
    }
}

impl ToSchema for CustomerChange {}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::bodies::described;

    #[test]
    fn what_is_missing_null_and_sent_is_told_apart() {
        let change = |body: &'static str| Draft::of_change(Json::parse(body.as_bytes()).unwrap());
        let (draft, messages) =
            change(r#"{"email": null, "carrier": "Viettel", "id": 1, "tags": [], "x": {}}"#);
        assert!(messages.is_empty());
        assert_eq!((draft.email, draft.carrier), (Sent::Null, Sent::Value("Viettel".to_owned())));
        assert_eq!((draft.name, draft.employee_id), (None, Sent::Nothing));
        assert!(change(r#"{"is_deleted": true, "created_at": null, "workspace_id": []}"#).0.is_empty());
    }

    #[test]
    fn the_document_describes_every_field_as_it_is_read() {
        let names = described::fields_of!(Draft {
            name,
            email,
            phone,
            carrier,
            status,
            quality,
            call_status,
            duration,
            is_test,
            checked,
            other_attributes,
            employee_id,
            label_ids,
        });
        described::holds::<NewCustomer>(&names, |body| Draft::of_new(body).1);
        described::holds::<CustomerChange>(&names, |body| Draft::of_change(body).1);
    }

    #[test]
    fn of_several_fields_with_the_same_name_the_last_counts() {
        let (draft, messages) =
            Draft::of_new(Json::parse(br#"{"name": 1, "phone": null, "phone": "2", "name": "b"}"#).unwrap());
        assert!(messages.is_empty());
        assert_eq!((draft.name.as_deref(), draft.phone.as_deref()), (Some("b"), Some("2")));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let body =
            json!({ "name": null, "email": "a@", "status": "hot", "is_test": "maybe", "label_ids": {} });
        let body = body.to_string();
        let (_, messages) = Draft::of_new(Json::parse(body.as_bytes()).unwrap());
        let told = json!({
            "name": ["This field may not be null."],
            "email": ["Enter a valid email address."],
            "phone": ["This field is required."],
            "status": ["\"hot\" is not a valid choice."],
            "is_test": ["Must be a valid boolean."],
            "label_ids": ["Expected a list of items but got type \"dict\"."],
        });
        assert_eq!(Value::from(messages), told);
    }
}
