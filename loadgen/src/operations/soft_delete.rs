//! Deleting customers, one by one.
//!
//! A customer can be deleted once, so those that are deleted are made for it: many at once, before each window.

use std::sync::{Arc, Mutex, PoisonError};

use reqwest::{Client, Method, Request};
use serde_json::Value;

use super::asking::Crowd;
use super::exchange::{Fault, Reply, send};
use super::writes::{created, newcomer};
use super::{Draw, Operation, Prepared, Promise, Turns};
use crate::error::Error;
use crate::plan::Target;

/// Customers that are made at once: the most that the contract allows.
const AT_ONCE: usize = 1_000;

/// `DELETE /api/v1/customers/{id}/`
#[derive(Debug, Clone, Copy)]
pub struct SoftDelete;

impl Operation for SoftDelete {
    fn name(&self) -> &'static str {
        "soft_delete"
    }

    fn writes(&self) -> bool {
        true
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let crowd = Crowd::meet(client, target).await?;
            let base_url = target.base_url.clone();
            let prepared: Arc<dyn Prepared> =
                Arc::new(Doomed { base_url, stock: Arc::default(), crowd: Arc::new(crowd) });
            Ok(prepared)
        })
    }
}

/// Somebody's customer who may be deleted: the place of the tenant, and the id.
type Stock = Mutex<Vec<(usize, String)>>;

#[derive(Debug)]
struct Doomed {
    base_url: String,
    crowd: Arc<Crowd>,
    stock: Arc<Stock>,
}

impl Doomed {
    async fn fill(&self, client: &Client, requests: u64) -> Result<(), Error> {
        let there = self.stock.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        let missing = requests.saturating_sub(there) as f64;
        for (place, (tenant, share)) in self.crowd.shares().enumerate() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a count of customers"
            )]
            let mut left = (missing * share).ceil() as usize;
            while left > 0 {
                let count = left.min(AT_ONCE);
                let mut draw = Draw::new(place as u64, left as u64);
                let rows: Vec<Value> = (0..count).map(|_| newcomer(&mut draw)).collect();
                let exchange =
                    send(client, tenant.send(Method::POST, "/api/v1/customers/bulk/", &rows)).await;
                let refused = |cause: String| Error::Unprovided { base_url: self.base_url.clone(), cause };
                let reply = exchange.outcome.map_err(|kind| refused(kind.to_owned()))?;
                let made = created(&reply, count).map_err(|fault| refused(fault.to_string()))?;
                let mut stock = self.stock.lock().unwrap_or_else(PoisonError::into_inner);
                stock.extend(made.ids.into_iter().map(|id| (place, id)));
                left -= count;
            }
        }
        Ok(())
    }
}

impl Prepared for Doomed {
    fn turns(&self) -> Box<dyn Turns> {
        Box::new(Executioner { crowd: Arc::clone(&self.crowd), stock: Arc::clone(&self.stock) })
    }

    fn provide<'a>(&'a self, client: &'a Client, requests: u64) -> Promise<'a, ()> {
        Box::pin(self.fill(client, requests))
    }
}

struct Executioner {
    crowd: Arc<Crowd>,
    stock: Arc<Stock>,
}

impl Turns for Executioner {
    fn request(&mut self, _: &mut Draw) -> Request {
        let next = self.stock.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // With none left the request goes to nobody, is answered with 404, and counts as a failure.
        let (place, id) = next.unwrap_or_else(|| (0, uuid::Uuid::nil().to_string()));
        let tenant = self.crowd.tenant(place);
        tenant.ask(Method::DELETE, tenant.url(&format!("/api/v1/customers/{id}/")))
    }

    fn check(&mut self, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(204)
    }
}
