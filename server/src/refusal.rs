//! Every answer that is not the thing asked for, in the words and shapes of Django REST framework.
//!
//! Whatever can go wrong below becomes a [`Refusal`] and is turned into an answer here and nowhere else. The body never
//! holds internals: what the database said goes to the log.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Seconds after which a client that was turned away for want of a connection may come again.
const RETRY_AFTER_S: &str = "1";

/// A sentence that says why a request is not carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Detail {
    #[schema(example = "Not found.")]
    detail: String,
}

/// A request that is not carried out, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// No such path or thing.
    NotFound,
    /// The cursor is not one of ours.
    InvalidCursor,
    /// The page number is not a number, or past the end.
    InvalidPage,
    /// No credentials, or those of another scheme.
    NoCredentials,
    /// Credentials that don't hold; the text says why.
    BadCredentials(&'static str),
    /// Known, but not allowed.
    Forbidden,
    /// The path exists, the method doesn't.
    MethodNotAllowed {
        /// The method that was tried.
        method: Method,
        /// Those that the path has, for the `Allow` header.
        allowed: &'static str,
    },
    /// The body is above the limit.
    BodyTooLarge,
    /// The body is of a type that is not read here; the type, as the client named it.
    UnsupportedMediaType(String),
    /// The body can't be read; the text says why.
    Unreadable(String),
    /// A body whose values don't hold: the messages in the shape of the body (an object by field, a list in a bulk).
    InvalidBody(Value),
    /// Parameters whose values don't hold, all of them at once: parameter -> messages.
    InvalidParameters(BTreeMap<String, Vec<String>>),
    /// A request that makes no sense as a whole; the text says what to do instead.
    Unusable(&'static str),
    /// No connection to the database became free in time.
    NoConnection,
    /// The rows were changed by others, time and again.
    Contended,
    /// The database was too slow, or the request as a whole.
    TooSlow,
    /// Something broke. The log knows what.
    Internal,
}

impl Refusal {
    /// One parameter, one message.
    pub(crate) fn parameter(name: &str, message: &str) -> Self {
        Self::InvalidParameters(BTreeMap::from([(name.to_owned(), vec![message.to_owned()])]))
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::InvalidCursor | Self::InvalidPage => StatusCode::NOT_FOUND,
            Self::NoCredentials | Self::BadCredentials(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidParameters(_) | Self::Unusable(_) | Self::Unreadable(_) | Self::InvalidBody(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::NoConnection | Self::Contended | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the answer says.
    pub(crate) fn body(&self) -> Value {
        let detail = match self {
            Self::InvalidParameters(messages) => return json!(messages),
            Self::InvalidBody(messages) => return messages.clone(),
            Self::UnsupportedMediaType(said) => {
                return json!({ "detail": format!("Unsupported media type \"{said}\" in request.") });
            }
            Self::Unreadable(detail) => return json!({ "detail": detail }),
            Self::MethodNotAllowed { method, .. } => {
                return json!({ "detail": format!("Method \"{method}\" not allowed.") });
            }
            Self::NotFound => "Not found.",
            Self::InvalidCursor => "Invalid cursor",
            Self::InvalidPage => "Invalid page.",
            Self::NoCredentials => "Authentication credentials were not provided.",
            Self::Forbidden => "You do not have permission to perform this action.",
            Self::BadCredentials(detail) | Self::Unusable(detail) => detail,
            Self::BodyTooLarge => "The request body is larger than 10 MB.",
            Self::NoConnection => "No database connection became free in time. Try again later.",
            Self::Contended => "Others are changing the same rows. Try again later.",
            Self::TooSlow => "The request took too long and was given up.",
            Self::Internal => "Internal server error.",
        };
        json!(Detail { detail: detail.to_owned() })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(self.body())).into_response();
        let extra = match self {
            Self::NoCredentials | Self::BadCredentials(_) => Some((header::WWW_AUTHENTICATE, "Bearer")),
            Self::MethodNotAllowed { allowed, .. } => Some((header::ALLOW, allowed)),
            Self::NoConnection | Self::Contended => Some((header::RETRY_AFTER, RETRY_AFTER_S)),
            _ => None,
        };
        if let Some((name, value)) = extra {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Self::NoConnection,
            // The server went away, or is about to: the next try gets a new connection.
            sqlx::Error::Io(_) => {
                tracing::warn!(%error, "the connection to the database broke");
                Self::NoConnection
            }
            sqlx::Error::Database(said) => match said.code().as_deref() {
                // statement_timeout
                Some("57014") => Self::TooSlow,
                // shut down, crashed, starting up, too many connections
                Some("57P01" | "57P02" | "57P03" | "53300") => {
                    tracing::warn!(%error, "the database turned a connection away");
                    Self::NoConnection
                }
                _ => Self::internal(&error),
            },
            _ => Self::internal(&error),
        }
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::internal(&error)
    }
}

impl Refusal {
    fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::Internal
    }
}
