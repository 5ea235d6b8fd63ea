//! Who asks, in which workspace, and which customers they know.
//!
//! What a request is about is drawn with the skew of production: few customers get most of the attention. The customers
//! are those that the tenant's own list shows, so nothing has to be known of the server but its API.

use std::sync::Arc;

use rand::RngExt as _;
use rand_distr::Zipf;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Client, Method, Request, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Draw;
use super::exchange::{bearer, request};
use super::walk::Walk;
use crate::error::Error;
use crate::plan::{Identity, Target};

/// Customers that are known of each tenant, at most.
const KNOWN: usize = 2_000;

/// Rows of the pages on which they are looked up: the most that the contract allows.
const PAGE_SIZE: u32 = 200;

/// The exponent of the choice of customers: that of the calls of a tenant's customers in the generated data.
const SKEW: f64 = 1.0;

/// A user in a workspace.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    base: Url,
    authorization: HeaderValue,
    /// As it was given: slug or UUID.
    pub(super) workspace: String,
    /// Its UUID, as its rows have it; none without customers.
    pub(super) workspace_id: Option<String>,
    /// Those that it may see, newest first.
    customers: Arc<[Customer]>,
}

/// A customer as the list shows it, as far as requests are made of it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Customer {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) quality: Option<String>,
    #[serde(default)]
    pub(super) call_status: Option<String>,
    #[serde(default)]
    pub(super) carrier: Option<String>,
    #[serde(default)]
    pub(super) other_attributes: Map<String, Value>,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<Customer>,
}

impl Tenant {
    /// Gets to know an identity: walks its list until enough customers are known or it ends.
    pub(super) async fn meet(client: &Client, target: &Target, identity: &Identity) -> Result<Self, Error> {
        let at_most = Target { page_size: PAGE_SIZE.max(target.page_size), ..target.seen_by(identity) };
        let walk = Walk::new(client, &at_most)?;
        let mut customers: Vec<Customer> = Vec::new();
        let mut next = Some(at_most.list_url()?);
        let mut workspace_id = None;
        while let Some(url) = next.filter(|_| customers.len() < KNOWN) {
            let stop = walk.stop(url).await?;
            let page: Page = serde_json::from_slice(&stop.body).map_err(|error| Error::NotAPage {
                url: stop.url.to_string(),
                what: format!("its rows can't be read: {error}"),
            })?;
            customers.extend(page.results);
            workspace_id = workspace_id.or(stop.workspace_id);
            next = stop.next.filter(|_| stop.rows > 0);
        }
        Ok(Self {
            base: target.url("/")?,
            authorization: bearer(&identity.token)?,
            workspace: identity.workspace.clone(),
            workspace_id,
            customers: customers.into(),
        })
    }

    /// The URL of a path of the API, with the workspace in its query.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.query_pairs_mut().append_pair("workspace_id", &self.workspace);
        url
    }

    /// A request without a body.
    pub(super) fn ask(&self, method: Method, url: Url) -> Request {
        request(method, url, self.authorization.clone())
    }

    /// A request with a JSON body.
    pub(super) fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Request {
        let mut request = self.ask(method, self.url(path));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Plain data: names are texts, and nothing in it can fail to be written.
        let body = serde_json::to_vec(body).unwrap_or_default();
        *request.body_mut() = Some(Body::from(body));
        request
    }

    /// A customer, those at the head of the list by far most often.
    pub(super) fn customer(&self, draw: &mut Draw) -> Option<&Customer> {
        let rank = Zipf::new(self.customers.len() as f64, SKEW).ok().map(|zipf| draw.random().sample(zipf));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank from 1 to their number"
        )]
        rank.and_then(|rank| self.customers.get(rank as usize - 1))
    }

    /// The path of one customer. Who has no customers asks for one that nobody has.
    pub(super) fn path_of(customer: Option<&Customer>) -> String {
        let nobody = "00000000-0000-0000-0000-000000000000";
        format!("/api/v1/customers/{}/", customer.map_or(nobody, |customer| &customer.id))
    }

    /// The first so many that it knows.
    pub(super) fn customers(&self) -> &[Customer] {
        &self.customers
    }
}
