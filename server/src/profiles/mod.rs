//! `/api/v1/profiles/`: the profiles that requests of a workspace have asked for, while they are kept.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::app::App;
use crate::entrance::{self, Member};
use crate::profile::{Line, Report};
use crate::refusal::{Detail, Refusal};

/// The path of the list.
pub(crate) const PATH: &str = "/api/v1/profiles/";

/// The path of one profile, by the name of its request.
pub(crate) const ONE_PATH: &str = "/api/v1/profiles/{request_id}/";

const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";

/// Profiles of a workspace.
#[derive(Debug, Serialize, ToSchema)]
struct ProfileList {
    /// Newest first, at most 100.
    #[schema(value_type = Vec<Line>)]
    results: Vec<Box<RawValue>>,
}

/// Answers every method at the list.
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::GET | Method::HEAD => list(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// The profiles of a workspace.
#[utoipa::path(
    get,
    path = PATH,
    tag = "profiles",
    operation_id = "list_profiles",
    summary = "Profiles of a workspace",
    description = "For admins and managers. A request with `_profile=true`, or `_profile=explain` for the plans too, leaves a \
        profile here for an hour.",
    responses((status = 200, description = "What there is.", body = ProfileList)),
)]
pub(crate) async fn list(mut member: Member) -> Result<Response, Refusal> {
    member.admission.require_manager()?;
    member.release();
    let lines = member.app.cache.profiles(member.admission.workspace_id).await;
    let results: Result<_, _> = lines.iter().map(|line| serde_json::from_slice(line)).collect();
    Ok(Json(ProfileList { results: results? }).into_response())
}

/// Answers every method at one profile.
pub(crate) async fn answer_one(
    State(app): State<App>,
    Path(request_id): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let kept = app.cache.profile(&request_id).await;
    // Of the workspace that the profile is of; nobody is a member of none, and both are the same answer.
    let workspace_id = kept.as_ref().map(|(workspace_id, _)| *workspace_id).unwrap_or_default();
    let member = match entrance::enter_workspace(app, request, &workspace_id.to_string()).await {
        Err(Refusal::Forbidden) => return Err(Refusal::NotFound),
        entered => entered?,
    };
    match member.parts.method {
        Method::GET | Method::HEAD => read(&member, kept.map(|(_, whole)| whole).ok_or(Refusal::NotFound)?),
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// One profile.
#[utoipa::path(
    get,
    path = ONE_PATH,
    tag = "profiles",
    operation_id = "read_profile",
    summary = "The profile of a request",
    description = "For admins and managers of its workspace.",
    params(("request_id" = String, Path, description = "The name of the request, as in `X-Request-Id` of its answer.")),
    responses(
        (status = 200, description = "The profile.", body = Report),
        (status = 404, description = "No such profile, or not for this user.", body = Detail),
    ),
)]
pub(crate) fn read(member: &Member, whole: Vec<u8>) -> Result<Response, Refusal> {
    member.admission.require_manager().map_err(|_| Refusal::NotFound)?;
    let mut response = Response::new(Body::from(whole));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
