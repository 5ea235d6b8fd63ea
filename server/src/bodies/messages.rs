//! What is wrong with a body, in the shape of the body.

use serde_json::{Map, Value, json};

use crate::refusal::Refusal;

/// Under which name messages stand that are about no single field.
const NO_FIELD: &str = "non_field_errors";

/// What is wrong with one object: messages by field. Without any, nothing is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Messages(Map<String, Value>);

impl Messages {
    /// One message about the whole.
    pub(crate) fn of_the_whole(message: &str) -> Self {
        let mut messages = Self::default();
        messages.add(NO_FIELD, json!([message]));
        messages
    }

    /// Adds what is wrong with a field: a list of messages, or an object of them where the field is one.
    pub(crate) fn add(&mut self, field: &str, wrong: Value) {
        match (self.0.get_mut(field), wrong) {
            (Some(Value::Array(before)), Value::Array(more)) => before.extend(more),
            (_, wrong) => {
                self.0.insert(field.to_owned(), wrong);
            }
        }
    }

    /// Refuses the body if anything is wrong with it.
    pub(crate) fn refuse_wrong(self) -> Result<(), Refusal> {
        if self.is_empty() { Ok(()) } else { Err(Refusal::InvalidBody(self.into())) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Messages> for Value {
    fn from(messages: Messages) -> Self {
        Self::Object(messages.0)
    }
}
