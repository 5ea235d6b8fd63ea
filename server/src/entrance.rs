//! From a request to a member who was let in: the token, the query, the workspace, the permission, and then the body.
//!
//! Every endpoint of the API enters here, so that all refuse in the order of the contract: the path (before this module),
//! 401, 400 for a missing `workspace_id`, 403, 405, 413, 415, 400.

use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use crate::app::App;
use crate::auth;
use crate::database::Session;
use crate::permission::{self, Admission};
use crate::profile::{self, Layer};
use crate::query::Query;
use crate::refusal::Refusal;

/// The largest body of a request, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// A request that was let in.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) app: App,
    pub(crate) parts: Parts,
    pub(crate) query: Query,
    pub(crate) admission: Admission,
    /// Never locked: the mutex makes a body, which can only be sent, one that can also be shared.
    body: Mutex<Body>,
    /// The connection that asked for the admission, if any was needed.
    session: Option<Session>,
}

/// Lets a request into the workspace of its parameter `workspace_id`, or says why not.
pub(crate) async fn enter(app: App, request: Request) -> Result<Member, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let workspace = query.given("workspace_id").map(str::to_owned);
    admit(app, request, query, workspace.as_deref()).await
}

/// Lets a request into the workspace that its path names, or says why not.
pub(crate) async fn enter_workspace(app: App, request: Request, workspace: &str) -> Result<Member, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    admit(app, request, query, Some(workspace)).await
}

async fn admit(app: App, request: Request, query: Query, workspace: Option<&str>) -> Result<Member, Refusal> {
    let (parts, body) = request.into_parts();
    let token = auth::token_hash(&parts.headers)?;
    // What only reads may rely on an answer of a moment ago; what writes asks.
    let is_read = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    profile::enter(Layer::Permission);
    let mut session = None;
    // A profile is to show what it takes to be let in, so one that asks for a profile is let in anew.
    let known = if is_read && !profile::is_on() { app.admissions.known(token, workspace) } else { None };
    let admission = if let Some(admission) = known {
        admission
    } else {
        let asked = session.insert(app.database.session().await?);
        let admission = permission::admit(asked, token, workspace).await?;
        app.admissions.keep(token, workspace, admission);
        admission
    };
    profile::let_in(admission);
    profile::enter(Layer::Middleware);
    tracing::Span::current().record("workspace", tracing::field::display(admission.workspace_id));
    Ok(Member { app, parts, query, admission, body: Mutex::new(body), session })
}

impl Member {
    /// The connection for the statements of this request: the one that let it in, or one from the pool.
    pub(crate) async fn session(&mut self) -> Result<Session, Refusal> {
        match self.session.take() {
            Some(session) => Ok(session),
            None => Ok(self.app.database.session().await?),
        }
    }

    /// A connection for a statement whose plan should know its values.
    pub(crate) async fn search_session(&mut self) -> Result<Session, Refusal> {
        drop(self.session.take());
        Ok(self.app.database.search_session().await?)
    }

    /// Gives the connection that let the request in back to the pool, so that it does not hold two when it writes.
    pub(crate) fn release(&mut self) {
        drop(self.session.take());
    }

    /// The answer where the path does nothing with the method: `OPTIONS` is told what it has, all others are refused.
    pub(crate) fn other_method(&self, allowed: &'static str) -> Result<Response, Refusal> {
        match &self.parts.method {
            &Method::OPTIONS => Ok((StatusCode::OK, [(header::ALLOW, allowed)]).into_response()),
            method => Err(Refusal::MethodNotAllowed { method: method.clone(), allowed }),
        }
    }

    /// Reads the whole body, which must be JSON by its content type unless it is empty. The connection goes back to the
    /// pool first: a client that sends slowly must not hold one.
    pub(crate) async fn json_body(&mut self) -> Result<Vec<u8>, Refusal> {
        self.release();
        let announced = self.parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if announced
            .and_then(|text| text.parse::<u64>().ok())
            .is_some_and(|size| size > MAX_BODY_BYTES as u64)
        {
            return Err(Refusal::BodyTooLarge);
        }
        let body = std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner));
        let bytes = match Limited::new(body, MAX_BODY_BYTES).collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(Refusal::BodyTooLarge),
            Err(error) => return Err(Refusal::Unreadable(format!("JSON parse error - {error}"))),
        };
        // No body is of no type.
        if !bytes.is_empty() {
            require_json(&self.parts.headers)?;
        }
        Ok(bytes.into())
    }
}

/// A body is JSON or nothing that this server reads.
fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let said =
        headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let essence = said.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::UnsupportedMediaType(said.unwrap_or_default()))
    }
}
