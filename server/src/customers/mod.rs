//! The customers of a workspace.

pub(crate) mod asked;
pub(crate) mod bulk;
#[cfg(test)]
mod contention;
pub(crate) mod create;
pub(crate) mod cursor;
pub(crate) mod detail;
pub(crate) mod draft;
pub(crate) mod filters;
pub(crate) mod links;
pub(crate) mod list;
#[cfg(test)]
mod lookups;
pub(crate) mod money;
pub(crate) mod paging;
pub(crate) mod parameters;
pub(crate) mod reading;
pub(crate) mod references;
pub(crate) mod row;
pub(crate) mod store;
pub(crate) mod values;

/// The path of the list.
pub(crate) const PATH: &str = "/api/v1/customers/";

/// What the list answers to.
pub(crate) const ALLOWED_METHODS: &str = "GET, HEAD, POST, OPTIONS";
