//! Writing: customers and calls, one by one and many at once.
//!
//! What is written is drawn as everything else is, so two servers are asked to write the same. Customers that are inserted
//! stay; the list of a tenant grows by them.

use reqwest::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Draw;
use super::asking::Ask;
use super::exchange::{Fault, Reply};
use super::reads::{Shown, is_customer};
use super::tenant::Tenant;

/// Rows of a batch: those of the thresholds that are judged.
const BATCH: usize = 100;

/// Customers that everybody wants to change at once.
const WANTED: usize = 5;

const STATUSES: [&str; 4] = ["active", "inactive", "blocked", "pending"];
const DIRECTIONS: [&str; 2] = ["inbound", "outbound"];
const OUTCOMES: [&str; 3] = ["completed", "missed", "busy"];
const QUALITIES: [&str; 3] = ["hot", "warm", "cold"];

/// A customer to be.
pub(super) fn newcomer(draw: &mut Draw) -> Value {
    let number = draw.index(1_000_000_000);
    json!({
        "name": format!("Load Test {number:09}"),
        "phone": format!("09{number:09}"),
        "email": format!("load{number:09}@example.com"),
        "carrier": "Viettel",
        "status": STATUSES[draw.index(STATUSES.len())],
        "quality": QUALITIES[draw.index(QUALITIES.len())],
        "other_attributes": { "origin": "load" },
    })
}

/// `POST /api/v1/customers/`
#[derive(Debug, Clone, Default)]
pub(super) struct SingleInsert;

impl Ask for SingleInsert {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        tenant.send(Method::POST, "/api/v1/customers/", &newcomer(draw))
    }

    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(201)?;
        let Ok(shown) = serde_json::from_slice::<Shown<'_>>(&reply.body) else {
            return Err(Fault::wrong("not a customer"));
        };
        if tenant.workspace_id.as_deref().is_some_and(|own| own != shown.workspace_id) {
            return Err(Fault::wrong("a customer of another workspace"));
        }
        Ok(())
    }
}

/// What a batch of new rows is answered with.
#[derive(Deserialize)]
pub(super) struct Created {
    pub(super) created: usize,
    pub(super) ids: Vec<String>,
}

/// Whether so many rows were created.
pub(super) fn created(reply: &Reply, rows: usize) -> Result<Created, Fault> {
    reply.must_be(201)?;
    match serde_json::from_slice::<Created>(&reply.body) {
        Ok(created) if created.created == rows && created.ids.len() == rows => Ok(created),
        Ok(_) => Err(Fault::wrong("another number of rows")),
        Err(_) => Err(Fault::wrong("not the ids of a batch")),
    }
}

/// `POST /api/v1/customers/bulk/` with 100 customers
#[derive(Debug, Clone, Default)]
pub(super) struct BatchInsert;

impl Ask for BatchInsert {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let rows: Vec<Value> = (0..BATCH).map(|_| newcomer(draw)).collect();
        tenant.send(Method::POST, "/api/v1/customers/bulk/", &rows)
    }

    fn check(&mut self, _: &Tenant, reply: &Reply) -> Result<(), Fault> {
        created(reply, BATCH).map(drop)
    }
}

/// `PATCH /api/v1/customers/{id}/`, of any customer or of the few that everybody wants.
#[derive(Debug, Clone, Default)]
pub(super) struct SingleUpdate {
    is_contended: bool,
    id: String,
}

impl SingleUpdate {
    /// All want the same few customers.
    pub(super) fn contended() -> Self {
        Self { is_contended: true, id: String::new() }
    }
}

impl Ask for SingleUpdate {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let customer = if self.is_contended {
            tenant.customers().get(draw.index(WANTED.min(tenant.customers().len())))
        } else {
            tenant.customer(draw)
        };
        self.id = customer.map(|customer| customer.id.clone()).unwrap_or_default();
        let change = json!({ "status": STATUSES[draw.index(STATUSES.len())], "duration": draw.index(600) });
        tenant.send(Method::PATCH, &Tenant::path_of(customer), &change)
    }

    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(if self.id.is_empty() { 404 } else { 200 })?;
        if self.id.is_empty() { Ok(()) } else { is_customer(reply, &self.id, tenant) }
    }
}

/// `PATCH /api/v1/customers/bulk/` of 100 customers
#[derive(Debug, Clone, Default)]
pub(super) struct BatchUpdate {
    rows: usize,
}

#[derive(Deserialize)]
struct Updated {
    updated: usize,
    missing: Vec<String>,
}

impl Ask for BatchUpdate {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let customers = tenant.customers();
        let first = draw.index(customers.len().saturating_sub(BATCH) + 1);
        let chosen = &customers[first..(first + BATCH).min(customers.len())];
        self.rows = chosen.len();
        let ids: Vec<&str> = chosen.iter().map(|customer| customer.id.as_str()).collect();
        let set = json!({ "quality": QUALITIES[draw.index(QUALITIES.len())] });
        tenant.send(Method::PATCH, "/api/v1/customers/bulk/", &json!({ "ids": ids, "set": set }))
    }

    fn check(&mut self, _: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(200)?;
        match serde_json::from_slice::<Updated>(&reply.body) {
            Ok(done) if done.updated == self.rows && done.missing.is_empty() => Ok(()),
            Ok(_) => Err(Fault::wrong("another number of rows")),
            Err(_) => Err(Fault::wrong("not the counts of a batch")),
        }
    }
}

/// `POST /api/v1/calls/`
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    customer: String,
}

#[derive(Deserialize)]
struct Call<'a> {
    customer_id: &'a str,
}

impl Ask for Calls {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let customer = tenant.customer(draw);
        self.customer = customer.map(|customer| customer.id.clone()).unwrap_or_default();
        let seconds = draw.index(600);
        let call = json!({
            "customer_id": self.customer,
            "direction": DIRECTIONS[draw.index(DIRECTIONS.len())],
            "status": OUTCOMES[draw.index(OUTCOMES.len())],
            "call_type": "direct",
            "duration": seconds,
            "duration_seconds": seconds,
        });
        tenant.send(Method::POST, "/api/v1/calls/", &call)
    }

    fn check(&mut self, _: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(201)?;
        match serde_json::from_slice::<Call<'_>>(&reply.body) {
            Ok(call) if call.customer_id == self.customer => Ok(()),
            Ok(_) => Err(Fault::wrong("a call of another customer")),
            Err(_) => Err(Fault::wrong("not a call")),
        }
    }
}
