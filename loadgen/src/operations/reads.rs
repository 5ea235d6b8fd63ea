//! Reading one thing: a customer, the numbers of a workspace.

use reqwest::{Method, Request};
use serde::Deserialize;

use super::Draw;
use super::asking::Ask;
use super::exchange::{Fault, Reply};
use super::tenant::Tenant;

/// `GET /api/v1/customers/{id}/`
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    id: String,
}

/// As much of a customer as is checked.
#[derive(Deserialize)]
pub(super) struct Shown<'a> {
    pub(super) id: &'a str,
    pub(super) workspace_id: &'a str,
}

impl Ask for Detail {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let customer = tenant.customer(draw);
        self.id = customer.map(|customer| customer.id.clone()).unwrap_or_default();
        tenant.ask(Method::GET, tenant.url(&Tenant::path_of(customer)))
    }

    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault> {
        // Who has no customers is told so.
        reply.must_be(if self.id.is_empty() { 404 } else { 200 })?;
        if self.id.is_empty() { Ok(()) } else { is_customer(reply, &self.id, tenant) }
    }
}

/// Whether a reply is this customer of this tenant.
pub(super) fn is_customer(reply: &Reply, id: &str, tenant: &Tenant) -> Result<(), Fault> {
    let Ok(shown) = serde_json::from_slice::<Shown<'_>>(&reply.body) else {
        return Err(Fault::wrong("not a customer"));
    };
    if tenant.workspace_id.as_deref().is_some_and(|own| own != shown.workspace_id) {
        Err(Fault::wrong("a customer of another workspace"))
    } else if shown.id != id {
        Err(Fault::wrong("another customer"))
    } else {
        Ok(())
    }
}

/// `GET /api/v1/workspaces/{workspace}/`
#[derive(Debug, Clone, Default)]
pub(super) struct Metadata;

#[derive(Deserialize)]
struct Workspace<'a> {
    id: &'a str,
    customer_count: u64,
}

impl Ask for Metadata {
    fn request(&mut self, tenant: &Tenant, _: &mut Draw) -> Request {
        let mut url = tenant.url(&format!("/api/v1/workspaces/{}/", tenant.workspace));
        url.set_query(None);
        tenant.ask(Method::GET, url)
    }

    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(200)?;
        let Ok(workspace) = serde_json::from_slice::<Workspace<'_>>(&reply.body) else {
            return Err(Fault::wrong("not a workspace"));
        };
        if tenant.workspace_id.as_deref().is_some_and(|own| own != workspace.id) {
            Err(Fault::wrong("another workspace"))
        } else if workspace.customer_count == 0 && !tenant.customers().is_empty() {
            Err(Fault::wrong("a workspace without customers"))
        } else {
            Ok(())
        }
    }
}
