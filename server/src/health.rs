//! For the one who watches over the process: does it live, can it serve.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::app::App;
use crate::refusal::Refusal;

/// The process runs and answers. Asks nobody else, so that a database that is down doesn't get the server killed.
pub(crate) async fn alive() -> Response {
    Json(json!({ "status": "ok" })).into_response()
}

/// The database answers, so a page can be served now.
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Refusal> {
    app.database.answers().await?;
    Ok(Json(json!({ "status": "ok", "variant": app.variant.to_string() })).into_response())
}
