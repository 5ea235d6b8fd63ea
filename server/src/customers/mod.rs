//! The customers of a workspace.

pub(crate) mod cursor;
pub(crate) mod filters;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod money;
pub(crate) mod paging;
pub(crate) mod row;

/// The path of the list.
pub(crate) const PATH: &str = "/api/v1/customers/";

/// What the list answers to.
pub(crate) const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";
