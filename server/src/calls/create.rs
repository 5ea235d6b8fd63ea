//! `POST /api/v1/calls/`, one call, and `POST /api/v1/calls/bulk/`, many, all or none.
//!
//! Whether the customers are there is looked up before the transaction, for the messages, and again within it, where they
//! are locked: a customer that is being deleted gets no call. Employees add calls to their own customers.

use std::collections::HashMap;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use uuid::Uuid;

use crate::answer;
use crate::app::App;
use crate::bodies::json::Json;
use crate::bodies::list;
use crate::bodies::messages::Messages;
use crate::calls::draft::{Draft, NewCall, NewCalls};
use crate::calls::row::Call;
use crate::calls::store;
use crate::customers;
use crate::database::Transaction;
use crate::database::retry::Failure;
use crate::entrance::{self, Member};
use crate::refusal::Refusal;
use crate::writes::{Created, write};

/// Where one call is made.
pub(crate) const PATH: &str = "/api/v1/calls/";
/// Where many are.
pub(crate) const BULK_PATH: &str = "/api/v1/calls/bulk/";

const ALLOWED_METHODS: &str = "POST, OPTIONS";

/// Answers every method of [`PATH`].
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::POST => one(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// Answers every method of [`BULK_PATH`].
pub(crate) async fn answer_bulk(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let member = entrance::enter(app, request).await?;
    match member.parts.method {
        Method::POST => many(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// Adds one call; the answer is the call.
#[utoipa::path(
    post,
    path = PATH,
    tag = "calls",
    operation_id = "create_call",
    summary = "Add a call",
    description = "It was made now. Employees add calls to the customers assigned to them.",
    request_body = NewCall,
    responses((status = 201, description = "The call.", body = Call)),
)]
pub(crate) async fn one(mut member: Member) -> Result<Response, Refusal> {
    let body = member.json_body().await?;
    let (draft, messages) = Draft::read(Json::parse(&body)?);
    let drafts = [draft];
    let refuse: Refuse = |mut messages| messages.remove(0).refuse_wrong();
    let enrolments = judge(&mut member, &drafts, vec![messages], refuse).await?;
    let (member, drafts, enrolments, id) = (&member, &drafts, &enrolments, Uuid::new_v4());
    write(member, |mut transaction| async move {
        let calls = add(&mut transaction, member, &[id], drafts, enrolments, refuse).await?;
        Ok((answer::json(StatusCode::CREATED, &calls.first())?, transaction))
    })
    .await
}

/// Adds many calls; the answer is their ids, in the order of the array.
#[utoipa::path(
    post,
    path = BULK_PATH,
    tag = "calls",
    operation_id = "create_calls",
    summary = "Add up to 1,000 calls, all or none",
    description = "They were made now. Employees add calls to the customers assigned to them.",
    request_body = NewCalls,
    responses((status = 201, description = "Their ids, in the order of the array.", body = Created)),
)]
pub(crate) async fn many(mut member: Member) -> Result<Response, Refusal> {
    let body = member.json_body().await?;
    let read = list::items(Json::parse(&body)?)?.into_iter().map(Draft::read);
    let (drafts, messages): (Vec<Draft>, Vec<Messages>) = read.unzip();
    let enrolments = judge(&mut member, &drafts, messages, list::refuse_wrong).await?;
    let ids: Vec<Uuid> = drafts.iter().map(|_| Uuid::new_v4()).collect();
    let (member, drafts, enrolments, ids) = (&member, &drafts, &enrolments, &ids);
    write(member, |mut transaction| async move {
        add(&mut transaction, member, ids, drafts, enrolments, list::refuse_wrong).await?;
        Ok((answer::json(StatusCode::CREATED, &Created { created: ids.len(), ids })?, transaction))
    })
    .await
}

/// How messages about the drafts become a refusal, if there are any.
type Refuse = fn(Vec<Messages>) -> Result<(), Refusal>;

/// Judges what the drafts point to, on top of what was wrong with them already.
async fn judge(
    member: &mut Member,
    drafts: &[Draft],
    mut messages: Vec<Messages>,
    refuse: Refuse,
) -> Result<HashMap<Uuid, Uuid>, Refusal> {
    let mut session = member.session().await?;
    let customers = customers_of(drafts);
    let mut present = customers::store::present(&mut session, &member.admission, &customers).await?;
    present.sort_unstable();
    let enrolled: Vec<Uuid> = drafts.iter().filter_map(|draft| draft.campaign_customer_id).collect();
    let enrolments = if enrolled.is_empty() {
        HashMap::new()
    } else {
        store::enrolments(&mut session, member.admission.workspace_id, &enrolled).await?
    };
    for (draft, messages) in drafts.iter().zip(&mut messages) {
        draft.judge(messages, &present, &enrolments);
    }
    refuse(messages)?;
    Ok(enrolments)
}

/// Adds the calls, if all of their customers are still there.
async fn add(
    transaction: &mut Transaction,
    member: &Member,
    ids: &[Uuid],
    drafts: &[Draft],
    enrolments: &HashMap<Uuid, Uuid>,
    refuse: Refuse,
) -> Result<Vec<Call>, Failure> {
    let present = customers::store::hold(transaction, &member.admission, &customers_of(drafts)).await?;
    let mut messages = vec![Messages::default(); drafts.len()];
    for (draft, messages) in drafts.iter().zip(&mut messages) {
        draft.judge(messages, &present, enrolments);
    }
    refuse(messages)?;
    let is_shown = ids.len() == 1;
    let added = store::insert(transaction, member.admission.workspace_id, ids, drafts, is_shown).await;
    added.map_err(|error| if is_out_of_range(&error) { too_expensive().into() } else { error.into() })
}

/// The customers of these calls, each once, in order.
fn customers_of(drafts: &[Draft]) -> Vec<Uuid> {
    let mut customers: Vec<Uuid> = drafts.iter().filter_map(|draft| draft.customer_id).collect();
    customers.sort_unstable();
    customers.dedup();
    customers
}

/// Each call fits its columns, but the sum of their costs may not fit the totals of the customer.
fn is_out_of_range(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(said) if said.code().as_deref() == Some("22003"))
}

fn too_expensive() -> Refusal {
    let told =
        "The customer's calls would cost more than can be counted. Check billing_rate and duration_seconds.";
    Refusal::InvalidBody(Messages::of_the_whole(told).into())
}
