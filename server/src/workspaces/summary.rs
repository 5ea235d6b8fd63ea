//! `/api/v1/workspaces/{id or slug}/`: a workspace and its numbers, as the one who asks may know them.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderName, Method};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::cache::{Key, Outcome};
use crate::customers::row::microseconds;
use crate::entrance::{self, Member};
use crate::refusal::Refusal;
use crate::workspaces::figures::{self, Metadata};
use crate::workspaces::{ALLOWED_METHODS, ROUTE};

/// How long names and times are kept.
const METADATA_LIFE: Duration = Duration::from_mins(5);

/// How long counts are kept.
const COUNT_LIFE: Duration = Duration::from_mins(1);

const X_CACHE: HeaderName = HeaderName::from_static("x-cache");

/// A workspace and its numbers, as the one who asks may know them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Workspace)]
pub(crate) struct Summary {
    id: Uuid,
    slug: String,
    name: String,
    /// Customers that are not deleted.
    #[schema(minimum = 0)]
    customer_count: i64,
    /// When one of them was changed last; null if there are none.
    #[schema(required)]
    #[serde(serialize_with = "maybe_microseconds")]
    last_updated: Option<DateTime<Utc>>,
}

/// Answers every method.
pub(crate) async fn answer(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    let workspace = named(request.uri().path()).into_owned();
    // The router takes nothing between two slashes for a name.
    if workspace.is_empty() {
        return Err(Refusal::NotFound);
    }
    let member = entrance::enter_workspace(app, request, &workspace).await?;
    match member.parts.method {
        Method::GET | Method::HEAD => summary(member).await,
        _ => member.other_method(ALLOWED_METHODS),
    }
}

/// The workspace that a path names. As in a query, bytes that are not UTF-8 become replacement characters, and so a name
/// that no workspace has.
fn named(path: &str) -> Cow<'_, str> {
    let before = ROUTE.find('{').unwrap_or_default();
    let name = path.get(before..).unwrap_or_default();
    percent_decode_str(name.strip_suffix('/').unwrap_or(name)).decode_utf8_lossy()
}

/// A workspace and its numbers.
#[utoipa::path(
    get,
    path = ROUTE,
    tag = "workspaces",
    operation_id = "read_workspace",
    summary = "A workspace and its numbers",
    description = "Employees get the numbers of the customers assigned to them. Names and times are kept for five minutes, \
        counts for one; what is written through this API is seen at once.",
    params(("workspace" = String, Path, description = "The workspace: its UUID or its slug.",
            example = "enterprise-workspace-1")),
    responses((status = 200, description = "The workspace.", body = Summary, headers(
        ("X-Cache" = String, description = "`hit`, or `miss` if any part had to be computed."),
    ))),
)]
pub(crate) async fn summary(mut member: Member) -> Result<Response, Refusal> {
    member.release();
    let Member { app, admission, .. } = &member;
    let (database, cache) = (&app.database, &app.cache);

    let looked = cache.look(vec![Key::new(admission, "metadata"), Key::new(admission, "count")]).await;
    let (metadata, count) = (cache.value::<Metadata>(&looked, 0), cache.value::<i64>(&looked, 1));
    let (metadata, count, outcome) = match (metadata, count) {
        (Some(metadata), Some(count)) => (metadata, count, Outcome::Hit),
        (Some(metadata), None) => {
            let counting = async {
                let count = figures::count(database, admission).await?;
                cache.keep(&looked, 1, COUNT_LIFE, &count).await;
                Ok(count)
            };
            (metadata, Box::pin(cache.fetch(&looked, &[1], counting)).await?, Outcome::Miss)
        }
        (None, _) => {
            let reading = async {
                let (metadata, count) = figures::everything(database, admission).await?;
                cache.keep(&looked, 0, METADATA_LIFE, &metadata).await;
                cache.keep(&looked, 1, COUNT_LIFE, &count).await;
                Ok((metadata, count))
            };
            let (metadata, count) = Box::pin(cache.fetch(&looked, &[0, 1], reading)).await?;
            (metadata, count, Outcome::Miss)
        }
    };
    let Metadata { slug, name, last_updated } = metadata;
    let body = Summary { id: admission.workspace_id, slug, name, customer_count: count, last_updated };
    Ok(([(X_CACHE, outcome.as_str())], Json(body)).into_response())
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
fn maybe_microseconds<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => microseconds(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_workspace_in_any_encoding() {
        for (path, name) in [
            ("/api/v1/workspaces/one/", "one"),
            ("/api/v1/workspaces/one", "one"),
            ("/api/v1/workspaces/o%6Ee%2Ftwo+three/", "one/two+three"),
            ("/api/v1/workspaces/%E6%97%A5/", "日"),
            ("/api/v1/workspaces/%FF%00/", "\u{fffd}\0"),
        ] {
            assert_eq!(named(path), name, "{path}");
        }
    }
}
