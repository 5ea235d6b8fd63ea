//! A request before it is sent, and its answer.

use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use serde_json::Value;

/// The list.
pub(super) const CUSTOMERS: &str = "/api/v1/customers/";

/// A request. It begins as one of the user under examination in their workspace; everything can be taken away.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) place: Place,
    pub(super) query: Vec<(String, String)>,
    pub(super) token: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A path of the server, which begins with a slash.
    Path(String),
    /// A link that the server gave.
    Link(Url),
}

impl Ask {
    /// Adds a parameter.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds parameters.
    pub(super) fn with_all(mut self, query: &[(&str, &str)]) -> Self {
        for (name, value) in query {
            self = self.with(name, value);
        }
        self
    }

    /// Names another workspace, or none.
    pub(super) fn in_workspace(mut self, workspace: Option<&str>) -> Self {
        self.query.retain(|(name, _)| name != "workspace_id");
        self.query.extend(workspace.map(|workspace| ("workspace_id".to_owned(), workspace.to_owned())));
        self
    }

    /// Asks as somebody else, or as nobody.
    pub(super) fn on_behalf_of(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Sends JSON.
    pub(super) fn json(self, body: &Value) -> Self {
        self.text("application/json", &body.to_string())
    }

    /// Sends a body of any type.
    pub(super) fn text(mut self, content_type: &str, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self.header("content-type", content_type)
    }
}

/// An answer, wholly read.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// `GET http://…`
    pub(super) asked: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    /// The body; null if it is no JSON.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A header as text; empty if it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether it says that there is nothing to ask at this place in this way.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.status, 404 | 405 | 501)
    }

    /// Status and body in short.
    pub(super) fn seen(&self) -> String {
        short(&format!("{} {}", self.status, self.text.trim()))
    }
}

/// The start of a text that came from outside.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 160;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// A value as text: a string without its quotes, anything else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
