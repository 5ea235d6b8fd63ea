//! Getting to a page as a client gets there: page by page, over the links of the replies.

use std::sync::Arc;

use reqwest::header::HeaderValue;
use reqwest::{Client, Url};
use uuid::Uuid;

use super::exchange::{self, bearer};
use super::fixed::{Expected, Fixed};
use super::page::Page;
use super::{Prepared, Seen};
use crate::error::Error;
use crate::plan::Target;
use crate::quotation;

/// Fetches `url` as the user of a target and returns its body. Anything but 200 is an error.
pub(crate) async fn fetch(client: &Client, target: &Target, url: &Url) -> Result<Vec<u8>, Error> {
    get(client, url, bearer(&target.token)?).await
}

async fn get(client: &Client, url: &Url, authorization: HeaderValue) -> Result<Vec<u8>, Error> {
    let unreachable = |error: &reqwest::Error| Error::Unreachable {
        url: url.to_string(),
        cause: exchange::root_cause(error),
    };
    let request = exchange::get(url.clone(), authorization);
    let response = client.execute(request).await.map_err(|error| unreachable(&error))?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(|error| unreachable(&error))?;
    if status != 200 {
        return Err(Error::Refused { url: url.to_string(), status, body: quotation::of_body(&body) });
    }
    Ok(body.into())
}

/// A page that a walk has come to.
#[derive(Debug, Clone)]
pub(super) struct Stop {
    pub(super) url: Url,
    pub(super) rows: usize,
    pub(super) workspace_id: Option<String>,
    pub(super) next: Option<Url>,
    pub(super) previous: Option<Url>,
    pub(super) body: Vec<u8>,
}

/// A walk over the pages of a target.
pub(super) struct Walk<'a> {
    client: &'a Client,
    target: &'a Target,
    authorization: HeaderValue,
}

impl<'a> Walk<'a> {
    pub(super) fn new(client: &'a Client, target: &'a Target) -> Result<Self, Error> {
        Ok(Self { client, target, authorization: bearer(&target.token)? })
    }

    /// The first page of the workspace; an empty one is an error.
    pub(super) async fn first(&self) -> Result<Stop, Error> {
        let stop = self.stop(self.target.list_url()?).await?;
        if stop.rows == 0 {
            return Err(Error::EmptyWorkspace {
                base_url: self.target.base_url.clone(),
                workspace: self.target.workspace.clone(),
            });
        }
        Ok(stop)
    }

    /// Fetches a page and checks that it is one: rows of the one workspace, as many as were asked for unless it is the
    /// last, and links that stay on this server.
    pub(super) async fn stop(&self, url: Url) -> Result<Stop, Error> {
        let body = get(self.client, &url, self.authorization.clone()).await?;
        let not_a_page = |what: String| Error::NotAPage { url: url.to_string(), what };
        let page = Page::parse(&body).map_err(not_a_page)?;
        let workspace_id = page.workspace_id().map_err(not_a_page)?.map(str::to_owned);
        // A slug can't be held against the rows; that they are all of one workspace is known by now.
        if let (Ok(asked), Some(sent)) = (Uuid::parse_str(&self.target.workspace), &workspace_id)
            && Uuid::parse_str(sent) != Ok(asked)
        {
            return Err(not_a_page(format!("asked for the workspace {asked}, it sent rows of {sent}")));
        }
        let (rows, asked) = (page.results.len(), self.target.page_size as usize);
        if rows != asked && (rows > asked || page.next.is_some()) {
            return Err(not_a_page(format!(
                "asked for pages of {asked} rows, it sent one of {rows}; ask for a size that it serves"
            )));
        }
        let link = |link: Option<String>| link.map(|link| self.link(&url, &link)).transpose();
        let (next, previous) = (link(page.next)?, link(page.previous)?);
        Ok(Stop { url, rows, workspace_id, next, previous, body })
    }

    fn link(&self, from: &Url, link: &str) -> Result<Url, Error> {
        let url = from.join(link).map_err(|error| Error::NotAPage {
            url: from.to_string(),
            what: format!("its link `{link}` is not a URL: {error}"),
        })?;
        if url.origin() != from.origin() {
            return Err(Error::ForeignLink { base_url: self.target.base_url.clone(), link: Box::new(url) });
        }
        Ok(url)
    }

    /// The request for a page that the walk has seen.
    pub(super) fn prepared(&self, stop: Stop) -> Result<Arc<dyn Prepared>, Error> {
        let expected = Expected {
            rows: stop.rows,
            workspace_id: stop.workspace_id.unwrap_or_default(),
            previous: stop.previous.is_some(),
            next: stop.next.is_some(),
        };
        let seen = Seen { url: stop.url, body: stop.body };
        Ok(Arc::new(Fixed::new(self.target, expected, seen)?))
    }

    pub(super) fn target(&self) -> &Target {
        self.target
    }
}
