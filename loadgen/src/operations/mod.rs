//! What is requested, and how a reply is checked.
//!
//! An operation is written once and used by both loops, the warm-up and the probes. It has two halves. *Preparing*
//! finds out what to request and what to expect, as a client would (following 99 links to reach page 100); it is not
//! timed. *Sending* is timed from the first byte sent to the last byte of the body received: for a list, reading the
//! page is most of the work. The check of the reply comes after the timer has stopped, and a wrong reply is an error,
//! never a fast success.

mod asking;
mod deep_walk;
mod draw;
mod exchange;
mod filters;
mod first_page;
mod fixed;
mod page;
mod page_100;
mod page_at;
mod reads;
mod soft_delete;
mod tenant;
mod walk;
mod writes;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use reqwest::{Client, Request, Url};

use crate::error::Error;
use crate::plan::Target;

use asking::Asking;
pub use deep_walk::DeepWalk;
pub use draw::Draw;
pub use exchange::{Exchange, Fault, Reply, send};
pub(crate) use exchange::{bearer, client, get, request, root_cause};
use filters::Filters;
pub use first_page::FirstPage;
pub use fixed::{Expected, Fixed};
pub use page_100::Page100;
pub use page_at::{Depths, PageAt};
use reads::{Detail, Metadata};
pub use soft_delete::SoftDelete;
pub(crate) use walk::fetch;
use writes::{BatchInsert, BatchUpdate, Calls, SingleInsert, SingleUpdate};

/// A future that may fail; boxed, so that what returns it can stand in one list.
pub type Promise<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Something that a client does.
pub trait Operation: Send + Sync + fmt::Debug {
    /// Its name on the command line and in the result: snake case.
    fn name(&self) -> &str;

    /// Whether it changes rows, so that the dataset is another one afterwards.
    fn writes(&self) -> bool {
        false
    }

    /// All that its requests and its checks depend on, as a text that is the same for the same thing. What is written in
    /// Rust is known by its name, and by the version of the program.
    fn content(&self) -> String {
        String::new()
    }

    /// Finds out what to request from `target`, and what to expect of the reply.
    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>>;
}

/// An operation on one target, ready to be done over and over by many workers.
pub trait Prepared: Send + Sync + fmt::Debug {
    /// What one worker needs for its turns.
    fn turns(&self) -> Box<dyn Turns>;

    /// A reply that was seen while preparing and that all targets have to agree on; `None` where there is none.
    fn seen(&self) -> Option<&Seen> {
        None
    }

    /// Makes ready what so many requests use up (a soft delete needs somebody to delete). Called before each window, while
    /// nothing is measured.
    fn provide<'a>(&'a self, _client: &'a Client, _requests: u64) -> Promise<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The turns of one worker at an operation: it has at most one request in flight, so what a turn has to remember until
/// its reply is checked may stand in here.
pub trait Turns: Send {
    /// The next request. Building it takes a few microseconds, so a worker does it before the request is due.
    fn request(&mut self, draw: &mut Draw) -> Request;

    /// Holds the reply to that request against what it has to be. Not timed.
    fn check(&mut self, reply: &Reply) -> Result<(), Fault>;
}

/// A reply that was seen while preparing.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What was requested.
    pub url: Url,
    /// The whole body.
    pub body: Vec<u8>,
}

/// All operations, in the order in which they are listed for people.
#[must_use]
pub fn all() -> Vec<Arc<dyn Operation>> {
    vec![
        Arc::new(FirstPage),
        Arc::new(Page100),
        Arc::new(DeepWalk),
        Arc::new(Asking::reading("filters", Filters::usual())),
        Arc::new(Asking::reading("worst_filters", Filters::worst())),
        Arc::new(Asking::reading("detail", Detail::default())),
        Arc::new(Asking::reading("metadata", Metadata)),
        Arc::new(Asking::writing("single_insert", SingleInsert)),
        Arc::new(Asking::writing("batch_insert", BatchInsert)),
        Arc::new(Asking::writing("single_update", SingleUpdate::default())),
        Arc::new(Asking::writing("batch_update", BatchUpdate::default())),
        Arc::new(SoftDelete),
        Arc::new(Asking::writing("calls", Calls::default())),
        Arc::new(Asking::writing("contention", SingleUpdate::contended())),
    ]
}
