//! How large a workspace is, as its server says.

use serde::Deserialize;

use crate::engine::REQUEST_TIMEOUT;
use crate::error::Error;
use crate::operations;
use crate::plan::Target;

/// A workspace as the contract has it; other fields are not looked at.
#[derive(Deserialize)]
struct Workspace {
    customer_count: u64,
}

/// The customers that the user of a target has in its workspace, from `GET /api/v1/workspaces/{workspace}/`.
pub async fn customers(target: &Target) -> Result<u64, Error> {
    let mut url = target.url("/api/v1/workspaces/")?;
    // A URL of http has a path.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(&target.workspace).push("");
    }
    let unknown = |cause: String| Error::UnknownSize { workspace: target.workspace.clone(), cause };
    let client = operations::client(REQUEST_TIMEOUT)?;
    let body = match operations::fetch(&client, target, &url).await {
        Err(Error::Refused { url, status, .. }) => return Err(unknown(format!("{url} answered {status}"))),
        fetched => fetched?,
    };
    let Ok(Workspace { customer_count }) = serde_json::from_slice(&body) else {
        return Err(unknown(format!("{url} answered without a `customer_count`")));
    };
    Ok(customer_count)
}
