//! Making customers: `POST /api/v1/customers/`, one at a time, and `POST /api/v1/customers/bulk/`, all or none.

use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use crate::answer;
use crate::bodies::json::Json;
use crate::bodies::list;
use crate::bodies::messages::Messages;
use crate::customers::detail;
use crate::customers::draft::{Draft, NewCustomer, NewCustomers};
use crate::customers::row::Customer;
use crate::customers::{PATH, bulk, references, store};
use crate::entrance::Member;
use crate::refusal::Refusal;
use crate::writes::{Created, write};

/// Makes one customer; the answer is the customer.
#[utoipa::path(
    post,
    path = PATH,
    tag = "customers",
    operation_id = "create_customer",
    summary = "Make a customer",
    description = "For admins and managers.",
    request_body = NewCustomer,
    responses((status = 201, description = "The customer.", body = Customer)),
)]
pub(crate) async fn one(mut member: Member) -> Result<Response, Refusal> {
    member.admission.require_manager()?;
    let body = member.json_body().await?;
    let mut read = [Draft::of_new(Json::parse(&body)?)];
    references::judge(&mut member, &mut read).await?;
    let [(draft, messages)] = read;
    messages.refuse_wrong()?;
    member.release();
    let (member, drafts, id) = (&member, &[draft], Uuid::new_v4());
    write(member, |mut transaction| async move {
        store::insert(&mut transaction, member.admission.workspace_id, &[id], drafts).await?;
        let customer = detail::written(&mut transaction, member, id).await?;
        Ok((answer::json(StatusCode::CREATED, &customer)?, transaction))
    })
    .await
}

/// Makes many customers; the answer is their ids, in the order of the array.
#[utoipa::path(
    post,
    path = bulk::PATH,
    tag = "customers",
    operation_id = "create_customers",
    summary = "Make up to 1,000 customers, all or none",
    description = "For admins and managers.",
    request_body = NewCustomers,
    responses((status = 201, description = "Their ids, in the order of the array.", body = Created)),
)]
pub(crate) async fn many(mut member: Member) -> Result<Response, Refusal> {
    member.admission.require_manager()?;
    let body = member.json_body().await?;
    let mut read: Vec<_> = list::items(Json::parse(&body)?)?.into_iter().map(Draft::of_new).collect();
    references::judge(&mut member, &mut read).await?;
    let (drafts, messages): (Vec<Draft>, Vec<Messages>) = read.into_iter().unzip();
    list::refuse_wrong(messages)?;
    member.release();
    let ids: Vec<Uuid> = drafts.iter().map(|_| Uuid::new_v4()).collect();
    let (member, drafts, ids) = (&member, &drafts, &ids);
    write(member, |mut transaction| async move {
        store::insert(&mut transaction, member.admission.workspace_id, ids, drafts).await?;
        Ok((answer::json(StatusCode::CREATED, &Created { created: ids.len(), ids })?, transaction))
    })
    .await
}
