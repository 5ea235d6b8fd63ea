//! The hundredth page, as a client reaches it.
//!
//! A client of a list with cursors can't name page 100: it gets there over the 99 `next` links before it. That walk
//! is made once, while preparing; what is timed is the request for page 100. Where the links name pages by number
//! (`?page=2`), a client can put in the number of any page, and real ones do, so the walk is one jump; that the
//! server means the same by the number is checked on the links of page 100 to its neighbours.

use std::sync::Arc;

use reqwest::{Client, Url};

use super::walk::{Stop, Walk};
use super::{Operation, Prepared, Promise};
use crate::error::Error;
use crate::plan::Target;

/// The page, counted from 1.
const PAGE: u32 = 100;

/// Page 100 of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Page100;

impl Operation for Page100 {
    fn name(&self) -> &'static str {
        "page_100"
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(self.reach(client, target))
    }
}

impl Page100 {
    async fn reach(&self, client: &Client, target: &Target) -> Result<Arc<dyn Prepared>, Error> {
        let walk = Walk::new(client, target)?;
        let first = walk.first().await?;
        let stop = match first.next.as_ref().and_then(|next| with_page(next, PAGE)) {
            Some(url) => self.jump(&walk, url).await?,
            None => self.follow(&walk, first).await?,
        };
        walk.prepared(stop)
    }

    async fn follow(&self, walk: &Walk<'_>, first: Stop) -> Result<Stop, Error> {
        let mut stop = first;
        for page in 1..PAGE {
            let Some(next) = stop.next else { return Err(Self::too_few(walk.target(), page)) };
            stop = walk.stop(next).await?;
            if stop.rows == 0 {
                return Err(Self::too_few(walk.target(), page));
            }
        }
        if stop.previous.is_none() {
            let what = format!("page {PAGE} has no link to the page before it");
            return Err(Error::NotAPage { url: stop.url.to_string(), what });
        }
        Ok(stop)
    }

    async fn jump(&self, walk: &Walk<'_>, url: Url) -> Result<Stop, Error> {
        let stop = match walk.stop(url).await {
            // A page past the end is not found; where the end is takes a search to say.
            Err(Error::Refused { status: 404, .. }) => return Err(self.last_page(walk).await?),
            stop => stop?,
        };
        if stop.rows == 0 {
            return Err(self.last_page(walk).await?);
        }
        let neighbour = |link: &Option<Url>| link.as_ref().and_then(page_of);
        let (previous, next) = (neighbour(&stop.previous), neighbour(&stop.next));
        if previous != Some(PAGE - 1) || (stop.next.is_some() && next != Some(PAGE + 1)) {
            let name = |page: Option<u32>| page.map_or("none".to_owned(), |page| page.to_string());
            let what = format!(
                "the neighbours of page {PAGE} should be {} and {}, its links say {} and {}",
                PAGE - 1,
                PAGE + 1,
                name(previous),
                name(next)
            );
            return Err(Error::NotAPage { url: stop.url.to_string(), what });
        }
        Ok(stop)
    }

    /// Finds the last page of a workspace with fewer than [`PAGE`] by halving.
    async fn last_page(&self, walk: &Walk<'_>) -> Result<Error, Error> {
        let first = walk.first().await?;
        let (mut there, mut missing) = (1, PAGE);
        while missing - there > 1 {
            let page = there.midpoint(missing);
            let Some(url) = first.next.as_ref().and_then(|next| with_page(next, page)) else { break };
            match walk.stop(url).await {
                Ok(stop) if stop.rows > 0 => there = page,
                Ok(_) | Err(Error::Refused { status: 404, .. }) => missing = page,
                Err(error) => return Err(error),
            }
        }
        Ok(Self::too_few(walk.target(), there))
    }

    fn too_few(target: &Target, last: u32) -> Error {
        Error::TooFewPages {
            operation: "page_100",
            wanted: PAGE,
            page_size: target.page_size,
            workspace: target.workspace.clone(),
            last,
        }
    }
}

/// The number in a link that names its page by number. A link with a cursor is none, whatever else it carries.
fn page_of(link: &Url) -> Option<u32> {
    if link.query_pairs().any(|(name, _)| name == "cursor") {
        return None;
    }
    link.query_pairs().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse().ok())
}

/// The same link with another number; `None` if it doesn't name its page by number.
pub(super) fn with_page(link: &Url, page: u32) -> Option<Url> {
    page_of(link)?;
    let mut url = link.clone();
    url.query_pairs_mut().clear().extend_pairs(link.query_pairs().map(|(name, value)| {
        let value = if name == "page" { page.to_string().into() } else { value };
        (name, value)
    }));
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &str) -> Url {
        Url::parse(&format!("http://x/?{query}")).unwrap()
    }

    #[test]
    fn a_page_number_is_replaced_and_everything_else_kept() {
        let next = url("page=2&page_size=50&workspace_id=a%20b");
        let jumped = with_page(&next, 100).unwrap();
        assert_eq!(jumped.query(), Some("page=100&page_size=50&workspace_id=a+b"));
    }

    #[test]
    fn a_cursor_can_not_be_jumped_even_with_a_page_beside_it() {
        assert_eq!(with_page(&url("cursor=abc&page_size=50"), 100), None);
        assert_eq!(with_page(&url("cursor=abc&page=2"), 100), None);
        assert_eq!(with_page(&url("page=x"), 100), None);
    }
}
