//! What is requested, and how a reply is checked.
//!
//! An operation is written once and used by both loops, the warm-up and the probes. It has two halves. *Preparing*
//! finds out what to request and what to expect, as a client would (following 99 links to reach page 100); it is not
//! timed. *Sending* is timed from the first byte sent to the last byte of the body received: for a list, reading the
//! page is most of the work. The check of the reply comes after the timer has stopped, and a wrong reply is an error,
//! never a fast success.

mod first_page;
mod page;
mod page_100;
mod prepared;
mod walk;

use std::pin::Pin;

use reqwest::Client;

use crate::error::Error;
use crate::plan::Target;

pub use first_page::FirstPage;
pub use page_100::Page100;
pub use prepared::{Exchange, Expected, Prepared, Reply};
pub(crate) use prepared::{bearer, request, root_cause};
pub(crate) use walk::fetch;

/// A future that an operation returns; boxed, so that operations can stand in one list.
pub type Preparing<'a> = Pin<Box<dyn Future<Output = Result<Prepared, Error>> + Send + 'a>>;

/// Something that a client does.
pub trait Operation: Send + Sync {
    /// Its name on the command line and in the result: snake case.
    fn name(&self) -> &'static str;

    /// Finds out what to request from `target`, and what to expect of the reply.
    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Preparing<'a>;
}

/// All operations, in the order in which they are listed for people.
pub const ALL: [&dyn Operation; 2] = [&FirstPage, &Page100];

/// The names of all operations.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|operation| operation.name()).collect()
}

/// The operation with this name.
pub fn find(name: &str) -> Result<&'static dyn Operation, Error> {
    ALL.into_iter().find(|operation| operation.name() == name).ok_or_else(|| Error::UnknownOperation {
        name: name.to_owned(),
        known: names(),
        suggestion: nearest(name),
    })
}

/// The name that is most like `name`, if one is so alike that it may have been meant.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase().replace('-', "_"), known);
    names()
        .into_iter()
        .map(|known| (likeness(known), known))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name() {
        for name in names() {
            assert_eq!(find(name).unwrap().name(), name);
        }
    }

    #[test]
    fn a_mistyped_name_is_answered_with_the_one_that_was_meant() {
        for (typed, meant) in [("fist_page", "first_page"), ("page-100", "page_100"), ("page100", "page_100")]
        {
            let error = find(typed).err().unwrap().to_string();
            assert!(error.contains(&format!("`{typed}`")), "{error}");
            assert!(error.contains(&format!("did you mean `{meant}`?")), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_like_nothing_gets_the_list_and_no_guess() {
        let error = find("xyz").err().unwrap().to_string();
        assert_eq!(error, "there is no scenario `xyz`; the scenarios are first_page, page_100");
    }
}
