//! A server to measure: the reference server, started for the purpose, or somebody's.

use std::path::Path;

use anyhow::Context as _;
use cluster::Mode;
use loadgen::{Identity, Target};
use reports::run::{Dataset, Environment, Subject};
use server::Variant;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::commands::serve;
use crate::dataset;
use crate::ending::first_failure;
use crate::environment;
use crate::place::Place;
use crate::reference::Reference;
use crate::scratch::{self, Scratch};

/// What a measurement needs of its server.
pub(crate) struct Needs<'a> {
    /// Each is started on its own level of the schema.
    pub(crate) variants: &'a [Variant],
    /// Whether rows are changed: those of the private cluster are, in a copy.
    pub(crate) writes: bool,
    /// Connections that a server may need.
    pub(crate) pool_size: u32,
    /// Who asks beside the user that is given.
    pub(crate) crowd: &'a [Identity],
}

/// Who asks, and for how much.
pub(crate) struct Asking {
    pub(crate) token: String,
    pub(crate) workspace: String,
    pub(crate) page_size: u32,
}

/// What a measurement is given.
pub(crate) struct Scene {
    /// One for each variant, or one.
    pub(crate) targets: Vec<Target>,
    pub(crate) environment: Environment,
    /// The rows, before anything is measured; `None` where they are not ours.
    pub(crate) dataset: Option<Dataset>,
}

/// Calls `measure` with what it needs, and cleans up after it, however it ends.
pub(crate) async fn with<T>(
    home: &Path,
    subject: &cli::Subject,
    needs: &Needs<'_>,
    stop: &CancellationToken,
    measure: impl AsyncFnOnce(Scene) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let asking = Asking::from(subject);
    if let Some(base_url) = &subject.target {
        let scene = theirs(&asking, needs, base_url, subject.place.database_url.as_deref()).await?;
        return measure(scene).await;
    }
    let place = Place::open(home, &subject.place, Mode::Serving).await?;
    let outcome = serving(&place, &asking, needs, stop, measure).await;
    first_failure(outcome, place.close().await)
}

/// A server that is already running. Its database is looked at only if its URL was given.
pub(crate) async fn theirs(
    asking: &Asking,
    needs: &Needs<'_>,
    base_url: &str,
    database_url: Option<&str>,
) -> anyhow::Result<Scene> {
    if let Some(url) = database_url {
        migrations::connect(url, "callbench").await?;
    }
    let target = Target {
        crowd: needs.crowd.to_vec(),
        database_url: database_url.map(str::to_owned),
        ..asking.target("target", None, base_url, base_url)
    };
    Ok(Scene { targets: vec![target], environment: environment(database_url).await?, dataset: None })
}

/// The same for the reference server, in a place with its rows.
pub(crate) async fn serving<T>(
    place: &Place,
    asking: &Asking,
    needs: &Needs<'_>,
    stop: &CancellationToken,
    measure: impl AsyncFnOnce(Scene) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    place.refuse_while_loading()?;
    scratch::sweep(place, stop).await?;
    let mut running = Running::default();
    let outcome = async {
        let targets = running.start(place, asking, needs, stop).await?;
        let environment = environment(Some(place.url())).await?;
        let dataset = dataset::describe(place).await?;
        measure(Scene { targets, environment, dataset }).await
    }
    .await;
    first_failure(outcome, running.end().await)
}

/// What runs for a measurement, and has to be gone after it.
#[derive(Default)]
struct Running {
    servers: Vec<Reference>,
    copies: Vec<Scratch>,
}

impl Running {
    /// Starts the variants. What was started before one fails runs still.
    async fn start(
        &mut self,
        place: &Place,
        asking: &Asking,
        needs: &Needs<'_>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Vec<Target>> {
        let mut databases = Vec::new();
        for &variant in needs.variants {
            // A URL is taken as it is.
            let mut url = if place.is_private() {
                dataset::require(place).await?;
                dataset::at_level(place, serve::level_of(variant), stop).await?
            } else {
                place.url().to_owned()
            };
            if needs.writes && place.is_private() {
                let copy = Scratch::of(place, &url, stop).await?;
                copy.url().clone_into(&mut url);
                self.copies.push(copy);
            }
            databases.push(url);
        }
        if place.is_private() {
            // Dirty pages of the load and of the index builds are written now, not while we measure.
            dataset::checkpoint(place).await?;
        }
        let mut targets = Vec::new();
        for (&variant, database_url) in needs.variants.iter().zip(databases) {
            let server = Reference::start(variant, &database_url, needs.pool_size).await?;
            let level = place.is_private().then(|| serve::level_of(variant).to_string());
            let description = format!("the reference server, variant {variant}");
            targets.push(Target {
                crowd: needs.crowd.to_vec(),
                database_url: Some(database_url),
                server_pid: server.pid(),
                ..asking.target(&variant.to_string(), level, server.base_url(), &description)
            });
            self.servers.push(server);
        }
        Ok(targets)
    }

    /// Stops the servers and drops the copies, all of them; the first failure is told.
    async fn end(self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        for server in self.servers {
            outcome = first_failure(outcome, server.stop().await);
        }
        for copy in self.copies {
            outcome = first_failure(outcome, copy.remove().await);
        }
        outcome
    }
}

impl Asking {
    /// A target whose database and process are not known, asked by nobody else.
    fn target(&self, name: &str, level: Option<String>, base_url: &str, description: &str) -> Target {
        let target = Target::new(name, base_url, &self.token, &self.workspace);
        let subject = Subject { level, description: description.to_owned(), ..target.subject };
        Target { subject, page_size: self.page_size, ..target }
    }
}

impl From<&cli::Subject> for Asking {
    fn from(subject: &cli::Subject) -> Self {
        Self {
            token: subject.token.clone(),
            workspace: subject.workspace.clone(),
            page_size: subject.page_size,
        }
    }
}

pub(crate) async fn environment(database_url: Option<&str>) -> anyhow::Result<Environment> {
    let facts = match database_url {
        Some(url) => Some(
            loadgen::probes::facts(url).await.context("the settings of the database could not be read")?,
        ),
        None => None,
    };
    Ok(environment::capture(facts))
}
