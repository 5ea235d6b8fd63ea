//! A check while it is made: what it asks with, and what it notes.

use std::sync::Arc;

use reports::conformance::{self, Difference, Outcome, Paging};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Check;
use super::ask::{Ask, CUSTOMERS, Place, Reply, short};
use super::rows::{Page, path_of};
use super::server::{Server, Silence};
use super::shape::{self, Field};
use crate::error::Error;

/// The most differences and requests that are kept of a check: it is the first ones that say what is wrong.
const MOST: usize = 6;

/// A check while it is made.
pub(super) struct Trial {
    server: Arc<Server>,
    asked: Vec<String>,
    differences: Vec<Difference>,
}

/// Why a check ends before its end.
pub(super) enum Stop {
    /// What differs was noted, and nothing more can be seen.
    Over,
    /// The server does not offer it.
    Missing(String),
    /// It can't be checked here.
    Skipped(String),
    /// Nobody listens any more.
    Gone(Error),
}

/// What a check returns.
pub(super) type Verdict = Result<(), Stop>;

impl Trial {
    pub(super) fn new(server: Arc<Server>) -> Self {
        Self { server, asked: Vec::new(), differences: Vec::new() }
    }

    /// The check as it is kept; the error if the server is gone.
    pub(super) fn judged(
        self,
        check: &Check,
        group: &str,
        verdict: Verdict,
    ) -> Result<conformance::Check, Error> {
        let outcome = match verdict {
            Err(Stop::Gone(error)) => return Err(error),
            // Something that was seen is worth more than why the rest was not.
            _ if !self.differences.is_empty() => Outcome::Differs { differences: self.differences },
            Ok(()) | Err(Stop::Over) => Outcome::Conforms,
            Err(Stop::Missing(reason)) => Outcome::Missing { reason },
            Err(Stop::Skipped(reason)) => Outcome::Skipped { reason },
        };
        Ok(conformance::Check {
            name: check.name.to_owned(),
            group: group.to_owned(),
            section: check.section.to_owned(),
            outcome,
            asked: self.asked,
        })
    }

    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// A request of the user under examination in their workspace.
    pub(super) fn request(&self, method: Method, path: &str) -> Ask {
        self.server.ask(method, path)
    }

    /// Sends a request. No answer to this one is a difference.
    pub(super) async fn send(&mut self, ask: Ask) -> Result<Reply, Stop> {
        let method = ask.method.clone();
        match self.server.send(ask).await {
            Ok(reply) => {
                if self.asked.len() < MOST {
                    self.asked.push(reply.asked.clone());
                }
                Ok(reply)
            }
            Err(Silence::Gone(error)) => Err(Stop::Gone(error)),
            Err(Silence::Broken(cause)) => {
                self.note(method.as_str(), "an answer", &format!("none: {cause}"));
                Err(Stop::Over)
            }
        }
    }

    /// Sends a `GET` for the list with parameters beside the workspace.
    pub(super) async fn list(&mut self, query: &[(&str, &str)]) -> Result<Reply, Stop> {
        let ask = self.request(Method::GET, CUSTOMERS).with_all(query);
        self.send(ask).await
    }

    /// A page of the list; anything else is a difference.
    pub(super) async fn page(&mut self, query: &[(&str, &str)]) -> Result<Page, Stop> {
        let reply = self.list(query).await?;
        self.read(&reply)
    }

    /// The page that a link of a page leads to.
    pub(super) async fn follow(&mut self, link: &str) -> Result<Page, Stop> {
        let reply = self.follow_link(link).await?;
        self.read(&reply)
    }

    /// The answer at a link of a page.
    pub(super) async fn follow_link(&mut self, link: &str) -> Result<Reply, Stop> {
        match self.server.link(link) {
            Ok(url) => {
                let ask = self.request(Method::GET, CUSTOMERS);
                self.send(Ask { place: Place::Link(url), ..ask }).await
            }
            Err(seen) => {
                let asked = self.asked.last().cloned().unwrap_or_default();
                self.note(&asked, "a link to the same server", &seen);
                Err(Stop::Over)
            }
        }
    }

    /// The page in an answer; anything else is a difference.
    pub(super) fn read(&mut self, reply: &Reply) -> Result<Page, Stop> {
        if reply.status != 200 {
            self.note(&reply.asked, "200 and a page of the list", &reply.seen());
            return Err(Stop::Over);
        }
        Page::read(&reply.text).map_err(|what| {
            self.note(&reply.asked, "a page of the list", &what);
            Stop::Over
        })
    }

    /// Sends a request to an endpoint that a server may lack: 404, 405 and 501 mean that it is not offered.
    pub(super) async fn offered(&mut self, ask: Ask) -> Result<Reply, Stop> {
        let reply = self.send(ask).await?;
        if reply.is_missing() {
            return Err(Stop::Missing(short(&format!("{} is answered {}", reply.asked, reply.seen()))));
        }
        Ok(reply)
    }

    /// Notes a difference.
    pub(super) fn note(&mut self, asked: &str, expected: &str, seen: &str) {
        let difference =
            Difference { asked: asked.to_owned(), expected: expected.to_owned(), seen: short(seen) };
        if self.differences.len() < MOST && !self.differences.contains(&difference) {
            self.differences.push(difference);
        }
    }

    /// Notes a difference unless it holds; whether it does.
    pub(super) fn expect(&mut self, reply: &Reply, holds: bool, expected: &str, seen: &str) -> bool {
        if !holds {
            self.note(&reply.asked, expected, seen);
        }
        holds
    }

    /// Holds status and the whole body of an answer against what they should be.
    pub(super) fn expect_answer(&mut self, reply: &Reply, status: u16, body: &Value) -> bool {
        let holds = reply.status == status && reply.json() == *body;
        self.expect(reply, holds, &short(&format!("{status} {body}")), &reply.seen())
    }

    /// Holds a refusal against what it should say.
    pub(super) fn expect_refusal(&mut self, reply: &Reply, status: u16, detail: &str) -> bool {
        self.expect_answer(reply, status, &json!({ "detail": detail }))
    }

    /// Holds a value against what it should be.
    pub(super) fn expect_value(&mut self, asked: &str, name: &str, seen: &Value, expected: &Value) -> bool {
        let is_same = seen == expected;
        if !is_same {
            self.note(asked, &format!("`{name}` to be {}", short(&expected.to_string())), &seen.to_string());
        }
        is_same
    }

    /// Holds fields of an object against what they should be: those of `expected`, whatever stands beside them.
    pub(super) fn expect_fields(&mut self, asked: &str, seen: &Value, expected: &Value) {
        for (name, value) in expected.as_object().into_iter().flatten() {
            self.expect_value(asked, name, &seen[name], value);
        }
    }

    /// Holds the form of an object against what it should be.
    pub(super) fn expect_shape(&mut self, asked: &str, object: &Value, fields: &[Field]) {
        for fault in shape::faults(object, fields) {
            self.note(asked, &format!("`{}` to be {}", fault.path, fault.expected), &fault.seen);
        }
    }

    /// Ends the check unless the first page has so many rows.
    pub(super) fn needs_rows(&self, rows: usize) -> Verdict {
        let there = self.server.first().rows.len();
        if there >= rows {
            return Ok(());
        }
        Err(Stop::Skipped(format!("it takes {rows} customers, and the workspace has {there}")))
    }

    /// A row of the first page, which has to be there.
    pub(super) fn some_row(&self) -> Result<Value, Stop> {
        self.needs_rows(1)?;
        Ok(self.server.first().rows[0].clone())
    }

    /// The path of the first customer of the list.
    pub(super) fn some_customer(&self) -> Result<String, Stop> {
        Ok(path_of(&self.some_row()?))
    }

    /// Ends the check on a server that pages by number: the contract allows it, without cursors.
    pub(super) fn needs_cursors(&self) -> Verdict {
        match self.server.paging() {
            Paging::Cursors => Ok(()),
            Paging::Numbers => Err(Stop::Skipped(
                "the server pages by number, which the contract allows in a variant".into(),
            )),
            Paging::Unknown => Err(Stop::Skipped("it takes a list of more than one page of 50".into())),
        }
    }

    /// Ends the check unless writing is allowed.
    pub(super) fn needs_writes(&self) -> Verdict {
        if self.server.examination().writes {
            return Ok(());
        }
        Err(Stop::Skipped("it takes --writes".into()))
    }
}

/// An id that nobody has.
pub(super) fn nobody() -> String {
    Uuid::new_v4().to_string()
}
