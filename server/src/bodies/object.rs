//! The fields of one object, read one after the other; what is wrong is collected, so that all of it is told at once.
//!
//! Fields that nobody asks for are ignored: unknown ones, and those that only the server writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bodies::json::{Json, Kind};
use crate::bodies::messages::Messages;

/// A value, or what is wrong with it.
pub(crate) type Judged<T> = Result<T, Value>;

/// What a body says of a field that may be null.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Sent<T> {
    /// Nothing: it is not there, or wrong.
    #[default]
    Nothing,
    /// That it is null.
    Null,
    Value(T),
}

impl<T> Sent<T> {
    /// Whether anything was said.
    pub(crate) fn is_there(&self) -> bool {
        !matches!(self, Self::Nothing)
    }

    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Null => None,
        }
    }

    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::Null => None,
        }
    }
}

/// An object that is being read.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    fields: BTreeMap<String, Json<'a>>,
    /// Whether a field that is required may be missing all the same: in a `PATCH` it stays as it is.
    is_partial: bool,
    messages: Messages,
}

impl<'a> Object<'a> {
    /// Begins with a value, which may turn out to be no object at all.
    pub(crate) fn read(json: Json<'a>, is_partial: bool) -> Self {
        let (fields, messages) = match (json.kind(), json.fields()) {
            (Kind::Object, Some(fields)) => (fields, Messages::default()),
            (Kind::Object, None) => {
                (BTreeMap::new(), Messages::of_the_whole("Surrogate characters are not allowed in names."))
            }
            _ => {
                let told = format!("Invalid data. Expected a dictionary, but got {}.", json.python_type());
                (BTreeMap::new(), Messages::of_the_whole(&told))
            }
        };
        // What is no object has no fields to miss.
        let is_partial = is_partial || !messages.is_empty();
        Self { fields, is_partial, messages }
    }

    /// A field that must be there, and not null.
    pub(crate) fn required<T>(&mut self, name: &str, judge: impl FnOnce(Json<'a>) -> Judged<T>) -> Option<T> {
        if !self.is_partial && !self.fields.contains_key(name) {
            self.messages.add(name, json!(["This field is required."]));
            return None;
        }
        self.optional(name, judge)
    }

    /// A field that may be missing, but not null.
    pub(crate) fn optional<T>(&mut self, name: &str, judge: impl FnOnce(Json<'a>) -> Judged<T>) -> Option<T> {
        match self.fields.get(name)?.kind() {
            Kind::Null => {
                self.messages.add(name, json!(["This field may not be null."]));
                None
            }
            _ => self.nullable(name, judge).into_value(),
        }
    }

    /// A field that may be missing, or null.
    pub(crate) fn nullable<T>(&mut self, name: &str, judge: impl FnOnce(Json<'a>) -> Judged<T>) -> Sent<T> {
        match self.fields.get(name) {
            None => Sent::Nothing,
            Some(json) if json.kind() == Kind::Null => Sent::Null,
            Some(json) => match judge(*json) {
                Ok(value) => Sent::Value(value),
                Err(wrong) => {
                    self.messages.add(name, wrong);
                    Sent::Nothing
                }
            },
        }
    }

    /// What was wrong with the fields that were read.
    pub(crate) fn messages(self) -> Messages {
        self.messages
    }
}
