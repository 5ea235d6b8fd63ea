//! Any page of the list, as a client reaches it: by its number where links have numbers, else over all the links before it.
//!
//! The walk to a page goes on where the one to the page before it ended, so that all pages of a target cost one walk to the
//! deepest of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Client;
use tokio::sync::Mutex;

use super::page_100::with_page;
use super::walk::{Stop, Walk};
use super::{Operation, Prepared, Promise};
use crate::error::Error;
use crate::plan::Target;

/// What is known of the way to the pages of each target.
#[derive(Debug, Default)]
pub struct Depths {
    /// By the name of the target and the number of the page.
    reached: Mutex<BTreeMap<(String, u32), Stop>>,
}

impl Depths {
    /// The pages, of those that are given, which every target serves; and a sentence about each target that ended before the
    /// deepest of them.
    pub async fn reachable(
        &self,
        targets: &[Target],
        pages: &[u32],
    ) -> Result<(Vec<u32>, Vec<String>), Error> {
        let client = Client::builder().timeout(crate::engine::REQUEST_TIMEOUT).no_gzip().build();
        let client = client.map_err(|error| Error::Engine { what: error.to_string() })?;
        let mut pages: Vec<u32> = pages.iter().copied().filter(|page| *page > 0).collect();
        pages.sort_unstable();
        pages.dedup();
        let mut ends = Vec::new();
        for target in targets {
            let mut served = Vec::new();
            for page in &pages {
                if self.reach(&client, target, *page).await?.is_none() {
                    ends.push(format!(
                        "`{}` serves no page {page} of {} rows",
                        target.subject.name, target.page_size
                    ));
                    break;
                }
                served.push(*page);
            }
            pages = served;
        }
        Ok((pages, ends))
    }

    /// A page of a target; `None` if there is none of that number.
    async fn reach(&self, client: &Client, target: &Target, page: u32) -> Result<Option<Stop>, Error> {
        let name = &target.subject.name;
        let mut reached = self.reached.lock().await;
        if let Some(stop) = reached.get(&(name.clone(), page)) {
            return Ok(Some(stop.clone()));
        }
        let walk = Walk::new(client, target)?;
        let nearest = reached.range((name.clone(), 1)..=(name.clone(), page)).next_back();
        let (mut at, mut stop) = match nearest {
            Some(((_, at), stop)) => (*at, stop.clone()),
            None => (1, walk.first().await?),
        };
        while at < page {
            let Some(next) = stop.next else { return Ok(None) };
            let (number, url) = match with_page(&next, page) {
                Some(url) => (page, url),
                None => (at + 1, next),
            };
            stop = match walk.stop(url).await {
                Ok(stop) if stop.rows > 0 => stop,
                // Pages past the end are not found, those that a server thinks too deep are refused.
                Ok(_) | Err(Error::Refused { status: 400 | 404, .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            at = number;
        }
        reached.insert((name.clone(), page), stop.clone());
        Ok(Some(stop))
    }
}

/// One page of the workspace.
#[derive(Debug, Clone)]
pub struct PageAt {
    page: u32,
    name: String,
    depths: Arc<Depths>,
}

impl PageAt {
    /// The page of this number, from 1.
    #[must_use]
    pub fn new(page: u32, depths: Arc<Depths>) -> Self {
        Self { page, name: Self::name_of(page), depths }
    }

    /// What the page of a number is called in a result.
    #[must_use]
    pub fn name_of(page: u32) -> String {
        format!("page_{page}")
    }
}

impl Operation for PageAt {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let stop = self.depths.reach(client, target, self.page).await?;
            let stop = stop.ok_or_else(|| Error::Plan {
                what: format!("`{}` serves no page {}", target.subject.name, self.page),
            })?;
            Walk::new(client, target)?.prepared(stop)
        })
    }
}
