//! `/api/v1/customers/{id}/`: one customer, read, changed or deleted.
//!
//! A body that is wrong is refused before the customer is looked for, so a `PATCH` of nobody with a bad body is a 400. An
//! employee may hand a customer over to another: the answer is still the customer as it was written, and from then on it
//! is the other's.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use uuid::Uuid;

use crate::Variant;
use crate::answer;
use crate::app::App;
use crate::bodies::json::Json;
use crate::customers::draft::{CustomerChange, Draft};
use crate::customers::row::Customer;
use crate::customers::{references, store};
use crate::database::Session;
use crate::database::retry::Failure;
use crate::entrance::{self, Member};
use crate::permission::Admission;
use crate::profile::{self, Layer};
use crate::refusal::{Detail, Refusal};
use crate::variants::{fill, naive};
use crate::writes::write;

/// The path, with the place of the id.
pub(crate) const PATH: &str = "/api/v1/customers/{id}/";

const ALLOWED_METHODS: &str = "GET, HEAD, PATCH, DELETE, OPTIONS";

/// The id in the path. What does not read as a UUID is no path of this server.
#[derive(Debug)]
pub(crate) struct CustomerId(Uuid);

impl<S: Send + Sync> FromRequestParts<S> for CustomerId {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let Path(id): Path<String> =
            Path::from_request_parts(parts, state).await.map_err(|_| Refusal::NotFound)?;
        let is_plain = matches!(id.len(), 32 | 36);
        Uuid::try_parse(&id).ok().filter(|_| is_plain).map(Self).ok_or(Refusal::NotFound)
    }
}

/// Answers every method.
pub(crate) async fn answer(
    State(app): State<App>,
    CustomerId(id): CustomerId,
    request: Request,
) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::GET | Method::HEAD => read(member, id).await,
        Method::PATCH => change(member, id).await,
        Method::DELETE => delete(member, id).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// Answers what reads at the path without the trailing slash.
pub(crate) async fn with_slash(_: CustomerId, uri: Uri) -> Response {
    crate::app::with_slash(uri).await
}

/// One customer.
#[utoipa::path(
    get,
    path = PATH,
    tag = "customers",
    operation_id = "read_customer",
    summary = "One customer",
    params(("id" = Uuid, Path, description = "The customer, with or without hyphens.")),
    responses(
        (status = 200, description = "The customer.", body = Customer),
        (status = 404, description = "No such customer, or not for this user.", body = Detail),
    ),
)]
pub(crate) async fn read(mut member: Member, id: Uuid) -> Result<Response, Refusal> {
    profile::enter(Layer::Queryset);
    let mut session = member.session().await?;
    let customer = find(&mut session, member.app.variant, &member.admission, id).await?;
    drop(session);
    Ok(answer::json(StatusCode::OK, &customer.ok_or(Refusal::NotFound)?)?)
}

/// Changes what the body says.
#[utoipa::path(
    patch,
    path = PATH,
    tag = "customers",
    operation_id = "change_customer",
    summary = "Change a customer",
    description = "Employees change the customers assigned to them, and may hand them over.",
    params(("id" = Uuid, Path, description = "The customer, with or without hyphens.")),
    request_body = CustomerChange,
    responses(
        (status = 200, description = "The customer as it is now.", body = Customer),
        (status = 404, description = "No such customer, or not for this user.", body = Detail),
    ),
)]
pub(crate) async fn change(mut member: Member, id: Uuid) -> Result<Response, Refusal> {
    let body = member.json_body().await?;
    let mut read = [Draft::of_change(Json::parse(&body)?)];
    references::judge(&mut member, &mut read).await?;
    let [(draft, messages)] = read;
    messages.refuse_wrong()?;
    if draft.is_empty() {
        return self::read(member, id).await;
    }
    member.release();
    let (member, draft) = (&member, &draft);
    write(member, |mut transaction| async move {
        if store::update(&mut transaction, &member.admission, &[id], draft).await?.is_empty() {
            return Err(Refusal::NotFound.into());
        }
        let customer = written(&mut transaction, member, id).await?;
        Ok((answer::json(StatusCode::OK, &customer)?, transaction))
    })
    .await
}

/// Deletes softly.
#[utoipa::path(
    delete,
    path = PATH,
    tag = "customers",
    operation_id = "delete_customer",
    summary = "Delete a customer",
    description = "For admins and managers. The row stays, but is not found any more.",
    params(("id" = Uuid, Path, description = "The customer, with or without hyphens.")),
    responses(
        (status = 204, description = "It is deleted."),
        (status = 404, description = "No such customer, or not for this user.", body = Detail),
    ),
)]
pub(crate) async fn delete(mut member: Member, id: Uuid) -> Result<Response, Refusal> {
    member.admission.require_manager()?;
    member.release();
    let member = &member;
    write(member, |mut transaction| async move {
        if store::delete(&mut transaction, &member.admission, &[id]).await?.is_empty() {
            return Err(Refusal::NotFound.into());
        }
        Ok((StatusCode::NO_CONTENT.into_response(), transaction))
    })
    .await
}

/// One customer, if it is there for the member.
async fn find(
    session: &mut Session,
    variant: Variant,
    admission: &Admission,
    id: Uuid,
) -> Result<Option<Customer>, sqlx::Error> {
    match variant {
        Variant::Naive => naive::by_id(session, admission, id).await,
        Variant::Live | Variant::Rollup => Ok(fill::by_ids(session, variant, admission, &[id]).await?.pop()),
    }
}

/// The customer that this transaction has just written, whoever looks after it now.
pub(crate) async fn written(session: &mut Session, member: &Member, id: Uuid) -> Result<Customer, Failure> {
    let anybody = Admission { employee_id: None, ..member.admission };
    Ok(find(session, member.app.variant, &anybody, id).await?.ok_or(Refusal::Internal)?)
}
