//! The fields of one object, read one after the other; what is wrong is collected, so that all of it is told at once.
//!
//! Fields that nobody asks for are ignored: unknown ones, and those that only the server writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bodies::json::{Json, Kind};
use crate::bodies::messages::Messages;

/// A value, or what is wrong with it.
pub(crate) type Judged<T> = Result<T, Value>;

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
            _ => self.nullable(name, judge).flatten(),
        }
    }

    /// A field that may be missing (`None`) or null (`Some(None)`).
    pub(crate) fn nullable<T>(
        &mut self,
        name: &str,
        judge: impl FnOnce(Json<'a>) -> Judged<T>,
    ) -> Option<Option<T>> {
        let json = *self.fields.get(name)?;
        if json.kind() == Kind::Null {
            return Some(None);
        }
        judge(json).map(|value| Some(Some(value))).unwrap_or_else(|wrong| {
            self.messages.add(name, wrong);
            None
        })
    }

    /// What was wrong with the fields that were read.
    pub(crate) fn messages(self) -> Messages {
        self.messages
    }
}
