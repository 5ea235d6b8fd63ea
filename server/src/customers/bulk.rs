//! `/api/v1/customers/bulk/` and `/api/v1/customers/bulk-delete/`: many customers in one request.

use std::collections::HashSet;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::answer;
use crate::app::App;
use crate::bodies::json::Json;
use crate::bodies::list;
use crate::bodies::object::Object;
use crate::customers::draft::{CustomerChange, Draft};
use crate::customers::{create, references, store};
use crate::entrance::{self, Member};
use crate::refusal::Refusal;
use crate::writes::write;

/// Where many are made or changed.
pub(crate) const PATH: &str = "/api/v1/customers/bulk/";
/// Where many are deleted.
pub(crate) const DELETE_PATH: &str = "/api/v1/customers/bulk-delete/";

const ALLOWED_METHODS: &str = "POST, PATCH, OPTIONS";
const DELETE_ALLOWED_METHODS: &str = "POST, OPTIONS";

/// Answers every method of [`PATH`].
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::POST => create::many(member).await,
        Method::PATCH => change(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// Answers every method of [`DELETE_PATH`].
pub(crate) async fn answer_delete(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::POST => delete(member).await,
        _ => member.other_method(DELETE_ALLOWED_METHODS),
    }
}

/// What became of customers that were to be changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Updated {
    updated: usize,
    /// Those that are not there for the member, in the order in which they were sent.
    missing: Vec<Uuid>,
}

/// What became of customers that were to be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deleted {
    deleted: usize,
    /// Those that are not there for the member, in the order in which they were sent.
    missing: Vec<Uuid>,
}

/// What is to change, and of whom.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `change` reads")]
pub(crate) struct BulkChange {
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
    /// Becomes true of each of them.
    set: CustomerChange,
}

/// Who is to be deleted.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `delete` reads")]
pub(crate) struct BulkDeletion {
    #[schema(min_items = 1, max_items = 1000)]
    ids: Vec<Uuid>,
}

/// Changes many customers in the same way.
#[utoipa::path(
    patch,
    path = PATH,
    tag = "customers",
    operation_id = "change_customers",
    summary = "Change up to 1,000 customers in the same way",
    description = "Employees change the customers assigned to them. Ids that are not there are told, and are no fault.",
    request_body = BulkChange,
    responses((status = 200, description = "How many were changed, and who was not there.", body = Updated)),
)]
pub(crate) async fn change(mut member: Member) -> Result<Response, Refusal> {
    let body = member.json_body().await?;
    let mut object = Object::read(Json::parse(&body)?, false);
    let ids = object.required("ids", list::ids);
    let set = object.required("set", Ok);
    let mut messages = object.messages();
    let mut read = set.map(Draft::of_change).into_iter().collect::<Vec<_>>();
    references::judge(&mut member, &mut read).await?;
    let (draft, wrong_of_set) = read.pop().unwrap_or_default();
    if !wrong_of_set.is_empty() {
        messages.add("set", wrong_of_set.into());
    }
    messages.refuse_wrong()?;
    let ids = ids.unwrap_or_default();

    if draft.is_empty() {
        let present = store::present(&mut member.session().await?, &member.admission, &ids).await?;
        let updated = Updated { updated: present.len(), missing: missing(&ids, present) };
        return Ok(answer::json(StatusCode::OK, &updated)?);
    }
    member.release();
    let (member, ids, draft) = (&member, &ids, &draft);
    write(member, |mut transaction| async move {
        let updated = store::update(&mut transaction, &member.admission, ids, draft).await?;
        let updated = Updated { updated: updated.len(), missing: missing(ids, updated) };
        Ok((answer::json(StatusCode::OK, &updated)?, transaction))
    })
    .await
}

/// Deletes many customers softly.
#[utoipa::path(
    post,
    path = DELETE_PATH,
    tag = "customers",
    operation_id = "delete_customers",
    summary = "Delete up to 1,000 customers",
    description = "For admins and managers. Ids that are not there are told, and are no fault.",
    request_body = BulkDeletion,
    responses((status = 200, description = "How many were deleted, and who was not there.", body = Deleted)),
)]
pub(crate) async fn delete(mut member: Member) -> Result<Response, Refusal> {
    member.admission.require_manager()?;
    let body = member.json_body().await?;
    let mut object = Object::read(Json::parse(&body)?, false);
    let ids = object.required("ids", list::ids);
    object.messages().refuse_wrong()?;
    let ids = ids.unwrap_or_default();
    let (member, ids) = (&member, &ids);
    write(member, |mut transaction| async move {
        let deleted = store::delete(&mut transaction, &member.admission, ids).await?;
        let deleted = Deleted { deleted: deleted.len(), missing: missing(ids, deleted) };
        Ok((answer::json(StatusCode::OK, &deleted)?, transaction))
    })
    .await
}

/// Those of `ids` that are not among the found.
fn missing(ids: &[Uuid], found: Vec<Uuid>) -> Vec<Uuid> {
    let found = HashSet::<Uuid>::from_iter(found);
    ids.iter().filter(|id| !found.contains(*id)).copied().collect()
}
