//! The writes as requests, as the contract of the API has them.

use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Client, Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Error;
use super::choice::{Change, NewCall, Newcomer};
use crate::operations::bearer;
use crate::operations::{Reply, client, request, send};
use crate::plan::Target;

/// A write that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Writes through a server.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    target: Target,
}

/// What the answers to writes say of the rows.
#[derive(Deserialize)]
struct Answer {
    id: Option<Uuid>,
    ids: Option<Vec<Uuid>>,
    updated: Option<u64>,
    deleted: Option<u64>,
}

impl Api {
    pub(super) fn new(target: Target) -> Result<Self, Error> {
        Ok(Self { client: client(PATIENCE)?, target })
    }

    /// The process of the server, where it is known.
    pub(super) fn pid(&self) -> Option<u32> {
        self.target.server_pid
    }

    /// Carries out one write; the ids of its rows, and how long it took until the last byte was received.
    pub(super) async fn carry_out(&self, change: &Change) -> Result<(Vec<Uuid>, Duration), Error> {
        let (method, path, body) = asked(change);
        let request = self.request(method, &path, Some(&body))?;
        let began = Instant::now();
        let exchange = send(&self.client, request).await;
        let took = exchange.done - began;
        let refused = |what: String| Error::Refused { path: path.clone(), what };
        let reply = exchange.outcome.map_err(|kind| refused(kind.to_owned()))?;
        let answer = understood(&reply).map_err(refused)?;
        let wanted = change.rows() as u64;
        let (ids, written) = match change {
            Change::Insert(_) | Change::Call(_) => {
                let ids = answer.ids.or_else(|| answer.id.map(|id| vec![id])).unwrap_or_default();
                let written = ids.len() as u64;
                (ids, written)
            }
            Change::Phone(id, _) => (vec![*id], u64::from(answer.id == Some(*id))),
            Change::Status(ids, _) if ids.len() == 1 => (ids.clone(), u64::from(answer.id == Some(ids[0]))),
            Change::Status(ids, _) => (ids.clone(), answer.updated.unwrap_or_default()),
            Change::Delete(ids) => (ids.clone(), answer.deleted.unwrap_or_default()),
        };
        if written == wanted { Ok((ids, took)) } else { Err(Error::OtherRows { wanted, written }) }
    }

    /// Reads a customer, which writes nothing: a transaction ends on the connection that has written, and its counters
    /// are handed in.
    pub(super) async fn nudge(&self, customer: Uuid) -> Result<(), Error> {
        let request = self.request(Method::GET, &format!("/api/v1/customers/{customer}/"), None)?;
        // Whatever it answers, the transaction has ended.
        let _ = send(&self.client, request).await;
        Ok(())
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Request, Error> {
        let mut url = self.target.url(path)?;
        url.query_pairs_mut().append_pair("workspace_id", &self.target.workspace);
        let mut request = request(method, url, bearer(&self.target.token)?);
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(Body::from(body.to_string()));
        }
        Ok(request)
    }
}

/// The request that makes a change: one row and many have paths of their own.
fn asked(change: &Change) -> (Method, String, Value) {
    let one = |id: &Uuid| format!("/api/v1/customers/{id}/");
    let many = || "/api/v1/customers/bulk/".to_owned();
    match change {
        Change::Insert(new) if new.len() == 1 => {
            (Method::POST, "/api/v1/customers/".to_owned(), customer(&new[0]))
        }
        Change::Insert(new) => (Method::POST, many(), new.iter().map(customer).collect()),
        Change::Phone(id, phone) => (Method::PATCH, one(id), json!({ "phone": phone })),
        Change::Status(ids, status) if ids.len() == 1 => {
            (Method::PATCH, one(&ids[0]), json!({ "status": status }))
        }
        Change::Status(ids, status) => {
            (Method::PATCH, many(), json!({ "ids": ids, "set": { "status": status } }))
        }
        Change::Delete(ids) => {
            (Method::POST, "/api/v1/customers/bulk-delete/".to_owned(), json!({ "ids": ids }))
        }
        Change::Call(calls) if calls.len() == 1 => {
            (Method::POST, "/api/v1/calls/".to_owned(), call(&calls[0]))
        }
        Change::Call(calls) => {
            (Method::POST, "/api/v1/calls/bulk/".to_owned(), calls.iter().map(call).collect())
        }
    }
}

fn customer(new: &Newcomer) -> Value {
    json!({
        "name": new.name,
        "email": new.email,
        "phone": new.phone,
        "carrier": new.carrier,
        "status": new.status,
        "quality": new.quality,
        "other_attributes": new.other_attributes,
    })
}

fn call(new: &NewCall) -> Value {
    json!({
        "customer_id": new.customer_id,
        "direction": new.direction,
        "status": new.status,
        "duration": new.seconds,
        "duration_seconds": new.seconds,
        "call_type": new.call_type,
        "billing_rate": new.billing_rate,
    })
}

fn understood(reply: &Reply) -> Result<Answer, String> {
    let body = || crate::quotation::of_body(&reply.body);
    if !matches!(reply.status, 200 | 201) {
        return Err(format!("status {}: {}", reply.status, body()));
    }
    serde_json::from_slice(&reply.body).map_err(|error| format!("{error}: {}", body()))
}
