//! `/docs/`: the document of the API to browse and to try, with everything in the program, so that it works offline.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use utoipa_swagger_ui::Config;

use crate::refusal::Refusal;

/// Where the pages are.
pub(crate) const PATH: &str = "/docs/";

/// The files beside the first page.
pub(crate) const FILES: &str = "/docs/{*file}";

/// Relative, so that it holds behind a proxy that puts the server below a path. Without a validator: that of Swagger UI
/// is a service on the internet.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    Arc::new(
        Config::from("../openapi.json")
            .validator_url("none")
            .persist_authorization(true)
            .display_request_duration(true)
            .try_it_out_enabled(true),
    )
});

/// The first page.
pub(crate) async fn first() -> Response {
    page("index.html")
}

/// A file that the first page needs.
pub(crate) async fn file(Path(file): Path<String>) -> Response {
    page(&file)
}

/// The path without its trailing slash.
pub(crate) async fn without_slash() -> Redirect {
    Redirect::permanent(PATH)
}

fn page(name: &str) -> Response {
    match utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG)) {
        Ok(Some(file)) => {
            ([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response()
        }
        Ok(None) => Refusal::NotFound.into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the documentation can't be made");
            Refusal::Internal.into_response()
        }
    }
}
