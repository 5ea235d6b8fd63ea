//! The paths, what every request has at hand, and the life of the server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::cache::Cache;
use crate::calls;
use crate::customers::{self, links};
use crate::database::Database;
use crate::permission::Admissions;
use crate::refusal::Refusal;
use crate::{Config, Error, Variant, health, requests, workspaces};

/// How long requests may still run, on top of their own limit, once the server was told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// What every request has at hand.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// Connections to the database.
    pub(crate) database: Database,
    /// Who was let in a moment ago.
    pub(crate) admissions: Admissions,
    /// What was computed a moment ago.
    pub(crate) cache: Cache,
    /// How pages are computed.
    pub(crate) variant: Variant,
    /// Where links point to.
    pub(crate) origin: Arc<links::Origin>,
}

impl App {
    /// To be called after a write to this workspace was committed, before its answer is sent: what is cached of the
    /// workspace is no longer true.
    pub(crate) async fn changed(&self, workspace_id: uuid::Uuid) {
        self.cache.forget(workspace_id).await;
    }
}

/// A server that has found its database and its tables, and may begin to serve.
#[derive(Debug)]
pub struct Server {
    app: App,
    request_timeout: Duration,
    listener: TcpListener,
}

impl Server {
    /// Connects. Fails when the configuration is unusable, or when the database can't be reached or lacks the tables,
    /// so that nobody hears of an address before it can answer.
    pub async fn open(config: Config, listener: TcpListener) -> Result<Self, Error> {
        let origin = links::Origin::new(config.public_url.as_deref(), listener.local_addr()?)?;
        let database = Database::open(&config).await?;
        let app = App {
            cache: Cache::open(&config, &database).await?,
            database,
            admissions: Admissions::kept_for(config.admission_ttl),
            variant: config.variant,
            origin: Arc::new(origin),
        };
        Ok(Self { app, request_timeout: config.request_timeout, listener })
    }

    /// Serves until `shutdown` completes, then lets running requests finish.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let Self { app, request_timeout, listener } = self;
        let database = app.database.clone();
        serve(router(app, request_timeout), request_timeout, database, listener, shutdown).await
    }
}

async fn serve(
    router: Router,
    request_timeout: Duration,
    database: Database,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    // Answers are small and written at once; waiting for more to send would only delay them.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY can't be set");
        }
    });
    let stopping = Arc::new(Notify::new());
    let told = Arc::clone(&stopping);
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        told.notify_one();
    });
    // A client that reads its answer drop by drop must not keep the server alive.
    let limit = request_timeout + GRACE;
    let outcome = tokio::select! {
        outcome = async { server.await } => outcome,
        () = async { stopping.notified().await; tokio::time::sleep(limit).await } => Ok(()),
    };
    // Closing waits for connections that are in use; the process must not wait for them longer than for requests.
    if tokio::time::timeout(limit, database.close()).await.is_err() {
        tracing::warn!("some database connections were still in use when the server stopped");
    }
    Ok(outcome?)
}

fn router(app: App, request_timeout: Duration) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .merge(api())
        .method_not_allowed_fallback(not_allowed)
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(request_timeout, requests::observe))
        .with_state(app)
}

/// The paths of the API, each with and without its trailing slash.
fn api() -> Router<App> {
    Router::new()
        .merge(both(customers::PATH, customers::list::answer, get(with_slash)))
        .merge(both(customers::bulk::PATH, customers::bulk::answer, get(with_slash)))
        .merge(both(customers::bulk::DELETE_PATH, customers::bulk::answer_delete, get(with_slash)))
        .merge(both(customers::detail::PATH, customers::detail::answer, get(customers::detail::with_slash)))
        .merge(both(calls::PATH, calls::answer, get(with_slash)))
        .merge(both(calls::BULK_PATH, calls::answer_bulk, get(with_slash)))
        .merge(both(workspaces::ROUTE, workspaces::summary::answer, get(with_slash)))
}

/// A path that ends with a slash, and the same without it: there, what reads is sent to the form with it by `moved`; a write
/// would lose its body on the way, so it is served.
fn both<H: Handler<T, App>, T: 'static>(
    path: &'static str,
    served: H,
    moved: MethodRouter<App>,
) -> Router<App> {
    Router::new().route(path, any(served.clone())).route(path.trim_end_matches('/'), moved.fallback(served))
}

/// Sends to the same path with a slash at its end, and the same query.
pub(crate) async fn with_slash(uri: Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match HeaderValue::try_from(format!("{}/{query}", uri.path())) {
        Ok(location) => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, location)]).into_response(),
        Err(_) => Refusal::NotFound.into_response(),
    }
}

async fn nowhere() -> Refusal {
    Refusal::NotFound
}

/// Outside of the API, everything is read only.
async fn not_allowed(method: Method) -> Refusal {
    Refusal::MethodNotAllowed { method, allowed: "GET, HEAD" }
}
