//! The first page of the workspace: what a user sees after signing in.

use std::sync::Arc;

use reqwest::Client;

use super::walk::Walk;
use super::{Operation, Prepared, Promise};
use crate::plan::Target;

/// `GET /api/v1/customers/?workspace_id=…&page_size=…`
#[derive(Debug, Clone, Copy)]
pub struct FirstPage;

impl Operation for FirstPage {
    fn name(&self) -> &'static str {
        "first_page"
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let walk = Walk::new(client, target)?;
            walk.prepared(walk.first().await?)
        })
    }
}
