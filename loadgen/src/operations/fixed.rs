//! One request, sent over and over, whose reply was seen while preparing.

use std::sync::Arc;

use reqwest::header::HeaderValue;
use reqwest::{Request, Url};

use super::exchange::{Fault, Reply, bearer, get};
use super::{Draw, Prepared, Seen, Turns, page};
use crate::error::Error;
use crate::plan::Target;

/// A page of the list, asked for again and again.
#[derive(Debug, Clone)]
pub struct Fixed {
    authorization: HeaderValue,
    expected: Expected,
    seen: Arc<Seen>,
}

/// What a right reply looks like, as it was seen while preparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Rows on the page.
    pub rows: usize,
    /// `workspace_id` of every row.
    pub workspace_id: String,
    /// Whether there is a page before this one.
    pub previous: bool,
    /// Whether there is a page after this one.
    pub next: bool,
}

impl Fixed {
    /// A request for a page as the user of `target`, which was `seen` while it was prepared.
    pub fn new(target: &Target, expected: Expected, seen: Seen) -> Result<Self, Error> {
        Ok(Self { authorization: bearer(&target.token)?, expected, seen: Arc::new(seen) })
    }

    /// What is requested.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.seen.url
    }

    /// What a right reply looks like.
    #[must_use]
    pub fn expected(&self) -> &Expected {
        &self.expected
    }
}

impl Prepared for Fixed {
    fn turns(&self) -> Box<dyn Turns> {
        Box::new(self.clone())
    }

    fn seen(&self) -> Option<&Seen> {
        Some(&self.seen)
    }
}

impl Turns for Fixed {
    fn request(&mut self, _: &mut Draw) -> Request {
        get(self.seen.url.clone(), self.authorization.clone())
    }

    fn check(&mut self, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(200)?;
        page::fault(&reply.body, &self.expected).map_or(Ok(()), |fault| Err(Fault::wrong(fault)))
    }
}
