//! The workspaces that a user is a member of.

pub(crate) mod figures;
pub(crate) mod summary;

/// The path of one workspace, by its id or slug.
pub(crate) const ROUTE: &str = "/api/v1/workspaces/{workspace}/";

/// What it answers to.
pub(crate) const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";
