//! A walk down the list and back again, page after page over the links.
//!
//! Each worker walks by itself: so many pages forward, and the same number back. The way back must show the rows of the way
//! there in reverse, each once: a list that loses rows or shows them twice is no list, however fast.

use std::borrow::Cow;
use std::sync::Arc;

use reqwest::header::HeaderValue;
use reqwest::{Client, Request, Url};
use serde::Deserialize;

use super::exchange::{Fault, Reply, bearer, get};
use super::{Draw, Operation, Prepared, Promise, Turns};
use crate::plan::Target;

/// Pages of the way there.
const PAGES: usize = 200;

/// `GET` of the first page, then its `next`, and so on; then each `previous`.
#[derive(Debug, Clone, Copy)]
pub struct DeepWalk;

impl Operation for DeepWalk {
    fn name(&self) -> &'static str {
        "deep_walk"
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let first = super::walk::Walk::new(client, target)?.first().await?;
            let path = Path {
                start: first.url,
                authorization: bearer(&target.token)?,
                workspace_id: first.workspace_id.unwrap_or_default(),
            };
            let prepared: Arc<dyn Prepared> = Arc::new(path);
            Ok(prepared)
        })
    }
}

/// Where walks begin.
#[derive(Debug, Clone)]
struct Path {
    start: Url,
    authorization: HeaderValue,
    workspace_id: String,
}

impl Prepared for Path {
    fn turns(&self) -> Box<dyn Turns> {
        Box::new(Walker {
            at: self.start.clone(),
            path: self.clone(),
            pages: Vec::new(),
            is_returning: false,
        })
    }
}

/// A walk under way.
struct Walker {
    path: Path,
    /// The page that is asked for next.
    at: Url,
    /// The ids of each page of the way there that was not seen again.
    pages: Vec<Vec<String>>,
    is_returning: bool,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<Row<'a>>,
    next: Option<String>,
    previous: Option<String>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    workspace_id: Cow<'a, str>,
}

impl Turns for Walker {
    fn request(&mut self, _: &mut Draw) -> Request {
        get(self.at.clone(), self.path.authorization.clone())
    }

    fn check(&mut self, reply: &Reply) -> Result<(), Fault> {
        let checked = self.step(reply);
        if checked.is_err() {
            self.begin_again();
        }
        checked
    }
}

impl Walker {
    fn begin_again(&mut self) {
        self.at = self.path.start.clone();
        self.pages.clear();
        self.is_returning = false;
    }

    fn step(&mut self, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(200)?;
        let Ok(page) = serde_json::from_slice::<Page<'_>>(&reply.body) else {
            return Err(Fault::wrong("not a page"));
        };
        if page.results.iter().any(|row| row.workspace_id != self.path.workspace_id) {
            return Err(Fault::wrong("a row of another workspace"));
        }
        let ids: Vec<String> = page.results.iter().map(|row| row.id.clone().into_owned()).collect();
        if self.is_returning {
            if self.pages.pop().is_some_and(|there| there != ids) {
                return Err(Fault::wrong("other rows on the way back"));
            }
        } else {
            if self.pages.last().is_some_and(|last| ids.iter().any(|id| last.contains(id))) {
                return Err(Fault::wrong("a row on two pages"));
            }
            self.pages.push(ids);
            if self.pages.len() >= PAGES || page.next.is_none() {
                self.is_returning = true;
                // This page is where the way back begins.
                self.pages.pop();
            }
        }
        match (self.is_returning, self.pages.is_empty()) {
            (true, true) if page.previous.is_some() => Err(Fault::wrong("a page before the first")),
            (true, true) => {
                self.begin_again();
                Ok(())
            }
            (true, false) => self.go(page.previous.as_deref()),
            (false, _) => self.go(page.next.as_deref()),
        }
    }

    fn go(&mut self, link: Option<&str>) -> Result<(), Fault> {
        let url = link.and_then(|link| self.at.join(link).ok());
        let url = url.ok_or_else(|| Fault::wrong("no link to the page before"))?;
        // The token goes to this server only.
        if url.origin() != self.at.origin() {
            return Err(Fault::wrong("a link to another server"));
        }
        self.at = url;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks over pages that a list shows one after the other, and says what was wrong with each.
    fn walk(shown: &[(&[&str], Option<&str>, Option<&str>)]) -> Vec<Option<String>> {
        let path = Path {
            start: "http://h/1".parse().unwrap(),
            authorization: HeaderValue::from_static("Bearer t"),
            workspace_id: "w".to_owned(),
        };
        let mut turns = path.turns();
        let mut faults = Vec::new();
        for (ids, previous, next) in shown {
            turns.request(&mut Draw::new(1, 0));
            let rows: Vec<_> =
                ids.iter().map(|id| serde_json::json!({ "id": id, "workspace_id": "w" })).collect();
            let page = serde_json::json!({ "results": rows, "previous": previous, "next": next });
            let reply = Reply {
                status: 200,
                headers: reqwest::header::HeaderMap::default(),
                body: page.to_string().into(),
            };
            faults.push(turns.check(&reply).err().map(|fault| fault.to_string()));
        }
        faults
    }

    const FIRST: (&[&str], Option<&str>, Option<&str>) = (&["a", "b"], None, Some("/2"));
    const SECOND: (&[&str], Option<&str>, Option<&str>) = (&["c", "d"], Some("/1"), Some("/3"));
    const THIRD: (&[&str], Option<&str>, Option<&str>) = (&["e"], Some("/2"), None);

    #[test]
    fn a_walk_there_and_back_and_there_again_is_right() {
        assert_eq!(walk(&[FIRST, SECOND, THIRD, SECOND, FIRST, FIRST, SECOND]), vec![None; 7]);
    }

    #[test]
    fn a_list_of_one_page_is_a_walk() {
        let only: (&[&str], _, _) = (&["a"], None, None);
        assert_eq!(walk(&[only, only]), [None, None]);
    }

    #[test]
    fn rows_that_are_lost_or_seen_twice_are_faults_and_the_walk_begins_anew() {
        let wrong = |what: &str| Some(format!("wrong reply: {what}"));
        let lost: (&[&str], _, _) = (&["c"], Some("/1"), Some("/3"));
        assert_eq!(
            walk(&[FIRST, SECOND, THIRD, lost, FIRST]),
            [None, None, None, wrong("other rows on the way back"), None]
        );
        let twice: (&[&str], _, _) = (&["b", "d"], Some("/1"), Some("/3"));
        assert_eq!(walk(&[FIRST, twice, FIRST]), [None, wrong("a row on two pages"), None]);
        let stuck: (&[&str], _, _) = (&["e"], None, None);
        assert_eq!(walk(&[FIRST, SECOND, stuck]), [None, None, wrong("no link to the page before")]);
        let before: (&[&str], _, _) = (&["a", "b"], Some("/0"), Some("/2"));
        assert_eq!(
            walk(&[FIRST, SECOND, THIRD, SECOND, before]),
            [None, None, None, None, wrong("a page before the first")]
        );
    }

    #[test]
    fn the_token_goes_to_no_other_server() {
        let away: (&[&str], _, _) = (&["a"], None, Some("http://elsewhere/2"));
        assert_eq!(walk(&[away]), [Some("wrong reply: a link to another server".to_owned())]);
    }
}
