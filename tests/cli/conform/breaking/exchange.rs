//! A request on its way to the server and an answer on its way back, with what can be falsified in them.

use std::collections::BTreeMap;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A request on its way to the server.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Asked {
    /// The last value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is for the list.
    pub(crate) fn is_list(&self) -> bool {
        self.path == "/api/v1/customers/" && self.method == Method::GET
    }

    /// Whether it is for one customer: a UUID, and not a word, follows the path of the list.
    pub(crate) fn is_detail(&self) -> bool {
        self.path.strip_prefix("/api/v1/customers/").is_some_and(|id| id.len() > 36)
    }

    /// Whether somebody asks with this token.
    pub(crate) fn is_of(&self, token: &str) -> bool {
        self.headers.get("authorization").is_some_and(|value| *value == format!("Bearer {token}"))
    }

    /// Takes parameters away.
    pub(crate) fn drop(&mut self, name: &str) {
        self.query.retain(|(known, _)| known != name);
    }

    /// Puts another value in the place of each of a parameter's.
    pub(crate) fn change(&mut self, name: &str, to: impl Fn(&str) -> String) {
        for (_, value) in self.query.iter_mut().filter(|(known, _)| known == name) {
            *value = to(value);
        }
    }

    /// Replaces a part of the body.
    pub(crate) fn rewrite(&mut self, from: &str, to: &str) {
        self.body = self.body.replace(from, to);
    }

    /// Makes it a request of another user.
    pub(crate) fn become_one_of(&mut self, token: &str) {
        let value = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
        self.headers.insert("authorization", value);
    }
}

/// An answer on its way back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    /// Writes every number of a good answer as what a float holds of it, as many servers do.
    pub(crate) fn through_floats(&mut self) {
        if let Some(body) = self.is_good().then(|| serde_json::from_str::<Value>(&self.text).ok()).flatten() {
            self.text = body.to_string();
        }
    }

    /// Changes the rows of a page, digits untouched.
    pub(crate) fn change_rows(&mut self, change: impl Fn(&mut Vec<Box<RawValue>>)) {
        let Some(mut page) = self.is_good().then(|| fields(&self.text)).flatten() else { return };
        let Some(results) = page.get("results") else { return };
        let mut rows = serde_json::from_str(results.get()).expect("rows");
        change(&mut rows);
        page.insert("results".to_owned(), to_raw_value(&rows).expect("JSON"));
        self.text = serde_json::to_string(&page).expect("JSON");
    }

    /// Puts another value, which is JSON, in the place of a field of a good answer.
    pub(crate) fn set(&mut self, name: &str, json: &str) {
        let Some(mut body) = self.is_good().then(|| fields(&self.text)).flatten() else { return };
        body.insert(name.to_owned(), RawValue::from_string(json.to_owned()).expect("JSON"));
        self.text = serde_json::to_string(&body).expect("JSON");
    }

    /// Replaces a part of the text.
    pub(crate) fn replace(&mut self, from: &str, to: &str) {
        self.text = self.text.replace(from, to);
    }

    /// Replaces a part of the text and of the header `Link`, so that the links of both remain the same.
    pub(crate) fn replace_in_links(&mut self, from: &str, to: &str) {
        self.replace(from, to);
        let link = self.headers.get("link").and_then(|value| value.to_str().ok());
        if let Some(link) = link.map(|link| link.replace(from, to)) {
            self.headers.insert("link", HeaderValue::try_from(link).expect("a header"));
        }
    }

    /// Takes a header away.
    pub(crate) fn without(&mut self, name: &'static str) {
        self.headers.remove(HeaderName::from_static(name));
    }

    /// Says which methods there are.
    pub(crate) fn allow(&mut self, methods: &'static str) {
        self.headers.insert("allow", HeaderValue::from_static(methods));
    }

    /// Refuses in its place.
    pub(crate) fn refuse(&mut self, status: u16, detail: &str) {
        self.status = status;
        self.text = serde_json::json!({ "detail": detail }).to_string();
    }

    fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The fields of an object, as they are written.
pub(crate) fn fields(object: &str) -> Option<BTreeMap<String, Box<RawValue>>> {
    serde_json::from_str(object).ok()
}
