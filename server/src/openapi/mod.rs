//! The document of the API, `OpenAPI` 3.1, out of the types and the handlers themselves.
//!
//! An endpoint adds itself with `#[utoipa::path]` on its function, which says what is particular to it: path, method,
//! parameters, body, what success looks like, and a 404 if it has one. That function is then named in [`Document`]. What
//! all endpoints of the API have in common is added here once: the token and the workspace, the refusals (`refusals`),
//! and the name of the request in each answer. `sealed` makes the schemas of answers strict, so that a field that is not
//! described is a fault that the tests find. `profiled` adds what a request can ask of all of them.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, Paths, RefOr, Required};
use utoipa::{Modify, OpenApi as _};

use self::profiled::Profiled;
use self::sealed::Answers;
use crate::refusal::Detail;
use crate::{profiles, workspaces};

pub(crate) mod pages;
mod profiled;
mod refusals;
mod sealed;

/// What begins with this needs a token and a workspace.
const API: &str = "/api/";

/// The token, as the document calls it.
const BEARER: &str = "bearer";

/// Every endpoint, by its function.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "callbench",
        description = "The customers of a workspace and their calls.\n\n\
            Ids are UUIDs, times are UTC with six digits of microseconds, amounts of money are exact decimals. Lists are \
            paged by cursor: follow `next` until it is null, or the `Link` header. Each `GET` can be a `HEAD`, and \
            `OPTIONS` says what a path allows. Send `X-Request-Id` and find it again in the answer and in the log.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        crate::customers::list::list,
        crate::customers::create::one,
        crate::customers::detail::read,
        crate::customers::detail::change,
        crate::customers::detail::delete,
        crate::customers::create::many,
        crate::customers::bulk::change,
        crate::customers::bulk::delete,
        crate::calls::create::one,
        crate::calls::create::many,
        crate::workspaces::summary::summary,
        crate::profiles::list,
        crate::profiles::read,
        crate::health::alive,
        crate::health::ready,
        crate::metrics::answer,
        self::answer,
    ),
    components(schemas(Detail)),
    tags(
        (name = "customers", description = "Customers of a workspace, with what is computed from their calls."),
        (name = "calls", description = "Calls of customers. They are only ever added."),
        (name = "workspaces", description = "The workspaces that the user is a member of."),
        (name = "profiles", description = "What requests did that were asked to explain themselves with `_profile`."),
        (name = "operation", description = "For those who run the server. No token is needed."),
    ),
    modifiers(&Common, &Answers, &Profiled),
)]
struct Document;

static JSON: LazyLock<Result<Bytes, serde_json::Error>> =
    LazyLock::new(|| Document::openapi().to_json().map(Bytes::from));

/// Answers with the document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    operation_id = "openapi",
    summary = "This document",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)),
)]
pub(crate) async fn answer() -> Response {
    match &*JSON {
        Ok(document) => ([(header::CONTENT_TYPE, "application/json")], document.clone()).into_response(),
        Err(error) => {
            tracing::error!(%error, "the document of the API can't be written");
            crate::refusal::Refusal::Internal.into_response()
        }
    }
}

/// What operations have in common.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let description = "Sent as `Authorization: Bearer <token>`.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
        for (path, operation) in operations(&mut document.paths) {
            if path.starts_with(API) {
                operation.security =
                    Some(vec![SecurityRequirement::new(BEARER, std::iter::empty::<String>())]);
                // A path that names the workspace, or a thing in one, leaves nothing to the query.
                if path != workspaces::ROUTE && path != profiles::ONE_PATH {
                    operation.parameters.get_or_insert_default().insert(0, workspace());
                }
                refusals::add(operation, &components.schemas);
            }
            name(operation);
        }
    }
}

/// All operations, with their paths.
fn operations(paths: &mut Paths) -> impl Iterator<Item = (&str, &mut Operation)> {
    paths.paths.iter_mut().flat_map(|(path, item)| {
        let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        methods.into_iter().flatten().map(|operation| (path.as_str(), operation))
    })
}

/// Every answer has the name of its request.
fn name(operation: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(Type::String).max_length(Some(128));
    let header = HeaderBuilder::new()
        .schema(Some(text))
        .description(Some("The name of the request: as it was sent, or made."))
        .build();
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert("X-Request-Id".to_owned(), RefOr::T(header.clone()));
        }
    }
}

fn workspace() -> RefOr<Parameter> {
    let text = Schema::Object(ObjectBuilder::new().schema_type(Type::String).build());
    let parameter = ParameterBuilder::new()
        .name("workspace_id")
        .parameter_in(ParameterIn::Query)
        .required(Required::True)
        .description(Some("The workspace: its UUID or its slug."))
        .schema(Some(text))
        .example(Some("enterprise-workspace-1".into()))
        .build();
    RefOr::T(parameter)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::app;

    /// Routes that are another spelling of one in the document, or the pages that show it.
    fn is_beside(path: &str, documented: &BTreeSet<String>) -> bool {
        path.starts_with("/docs") || documented.contains(&format!("{path}/"))
    }

    #[test]
    fn the_document_has_the_paths_of_the_router_and_no_others() {
        let documented: BTreeSet<String> = Document::openapi().paths.paths.into_keys().collect();
        let routes = app::routes().paths;
        let beside: Vec<_> = routes.iter().filter(|path| !documented.contains(**path)).collect();
        for path in beside {
            assert!(is_beside(path, &documented), "{path} is served, but not in the document");
        }
        for path in &documented {
            assert!(routes.contains(&path.as_str()), "{path} is in the document, but not served");
        }
    }
}
