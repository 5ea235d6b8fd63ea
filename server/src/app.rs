//! The paths, what every request has at hand, and the life of the server.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get};
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::cache::Cache;
use crate::calls;
use crate::customers::{self, links};
use crate::database::Database;
use crate::health::Stopping;
use crate::metrics::Metrics;
use crate::openapi::pages;
use crate::permission::Admissions;
use crate::refusal::Refusal;
use crate::requests::{Counters, Profiler};
use crate::serving::{Limits, Patience};
use crate::{Config, Error, Variant, health, metrics, openapi, profiles, requests, serving, workspaces};

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
    /// Whether the server was told to stop.
    pub(crate) stopping: Stopping,
    /// What is counted.
    pub(crate) metrics: Metrics,
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
    surroundings: Surroundings,
    drain: Duration,
    listener: TcpListener,
}

/// What is around the paths.
#[derive(Debug)]
struct Surroundings {
    counters: Counters,
    profiler: Option<Profiler>,
    request_timeout: Duration,
    limits: Limits,
    open: Gauge,
}

impl Server {
    /// Connects. Fails when the configuration is unusable, or when the database can't be reached or lacks the tables,
    /// so that nobody hears of an address before it can answer.
    pub async fn open(config: Config, listener: TcpListener) -> Result<Self, Error> {
        config.check()?;
        let origin = links::Origin::new(config.public_url.as_deref(), listener.local_addr()?)?;
        let database = Database::open(&config).await?;
        let cache = Cache::open(&config, &database).await?;
        let admissions = Admissions::kept_for(config.admission_ttl);
        let surroundings = Surroundings {
            counters: Counters::default(),
            profiler: config.profiling.then(|| Profiler {
                variant: config.variant,
                cache: cache.clone(),
                database: database.clone(),
            }),
            request_timeout: config.request_timeout,
            limits: Limits {
                connections: config.max_connections,
                patience: Patience {
                    head: config.head_timeout,
                    idle: config.idle_timeout,
                    write: config.request_timeout,
                    linger: config.linger_timeout,
                },
            },
            open: Gauge::default(),
        };
        let metrics = Metrics::new(config.variant, |registry| {
            surroundings.counters.register(registry);
            let open = surroundings.open.clone();
            registry.register("http_connections", "Connections of clients that are open", open);
            database.register(registry);
            admissions.register(registry);
            cache.register(registry);
        });
        let app = App {
            cache,
            database,
            admissions,
            variant: config.variant,
            origin: Arc::new(origin),
            stopping: Stopping::default(),
            metrics,
        };
        Ok(Self { app, surroundings, drain: config.drain, listener })
    }

    /// Serves until `shutdown` completes and the drain is over, then lets running requests finish.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), Error> {
        let Self { app, surroundings, drain, listener } = self;
        let Surroundings { counters, profiler, request_timeout, limits, open } = surroundings;
        let (database, stopping) = (app.database.clone(), app.stopping.clone());
        let router = requests::surround(routes().router.with_state(app), counters, profiler, request_timeout);
        let closing = Notify::new();
        let stop = async {
            shutdown.await;
            stopping.begin();
            tokio::time::sleep(drain).await;
            closing.notify_one();
        };
        // A client that reads its answer drop by drop must not keep the server alive.
        let limit = request_timeout + GRACE;
        tokio::select! {
            () = serving::serve(router, listener, limits, open, stop) => (),
            () = async { closing.notified().await; tokio::time::sleep(limit).await } => (),
        }
        // Closing waits for connections that are in use; the process must not wait for them longer than for requests.
        if tokio::time::timeout(limit, database.close()).await.is_err() {
            tracing::warn!("some database connections were still in use when the server stopped");
        }
        Ok(())
    }
}

/// All paths, by the side of what answers them.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    router: Router<App>,
    /// The templates of the paths. A test holds them against the document of the API.
    pub(crate) paths: Vec<&'static str>,
}

impl Routes {
    /// A path that ends with a slash, and the same without it: there, what reads is sent to the form with it by `moved`; a
    /// write would lose its body on the way, so it is served.
    fn both<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        served: H,
        moved: MethodRouter<App>,
    ) -> Self {
        self.route(path, any(served.clone())).route(path.trim_end_matches('/'), moved.fallback(served))
    }

    fn route(mut self, path: &'static str, methods: MethodRouter<App>) -> Self {
        self.router = self.router.route(path, methods);
        self.paths.push(path);
        self
    }
}

/// Where everything is.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::default()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::answer))
        .both(customers::PATH, customers::list::answer, get(with_slash))
        .both(customers::bulk::PATH, customers::bulk::answer, get(with_slash))
        .both(customers::bulk::DELETE_PATH, customers::bulk::answer_delete, get(with_slash))
        .both(customers::detail::PATH, customers::detail::answer, get(customers::detail::with_slash))
        .both(calls::PATH, calls::answer, get(with_slash))
        .both(calls::BULK_PATH, calls::answer_bulk, get(with_slash))
        .both(workspaces::ROUTE, workspaces::summary::answer, get(with_slash))
        .both(profiles::PATH, profiles::answer, get(with_slash))
        .both(profiles::ONE_PATH, profiles::answer_one, get(with_slash))
        .route("/openapi.json", get(openapi::answer))
        .route(pages::PATH, get(pages::first))
        .route(pages::PATH.trim_end_matches('/'), get(pages::without_slash))
        .route(pages::FILES, get(pages::file));
    routes.router = routes.router.method_not_allowed_fallback(not_allowed).fallback(nowhere);
    routes
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
