//! The document of the API is valid, complete and true: what the server really answers is held against it.

mod browsing;
mod document;
mod endpoints;
mod form;
mod list;

use self::document::{Document, visit};

// The paths as the document has them.
const LIST: &str = "/api/v1/customers/";
const DETAIL: &str = "/api/v1/customers/{id}/";
const BULK: &str = "/api/v1/customers/bulk/";
const BULK_DELETE: &str = "/api/v1/customers/bulk-delete/";
const CALLS: &str = "/api/v1/calls/";
const CALLS_BULK: &str = "/api/v1/calls/bulk/";
const WORKSPACE: &str = "/api/v1/workspaces/{workspace}/";
const PROFILES: &str = "/api/v1/profiles/";
const PROFILE: &str = "/api/v1/profiles/{request_id}/";
