//! A server to draw a curve of: the reference server, started for the purpose, or somebody's.

use std::path::Path;

use anyhow::Context as _;
use cluster::Mode;
use loadgen::Target;
use reports::run::Environment;
use server::Variant;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::commands::serve;
use crate::dataset;
use crate::environment;
use crate::place::Place;
use crate::reference::Reference;

/// What a measurement needs of its server, and what it needs of the measurement.
pub(crate) struct Needs<'a> {
    /// Each is started on its own level of the schema.
    pub(crate) variants: &'a [Variant],
    /// Whether rows are changed: those of the private cluster are, in a copy.
    pub(crate) writes: bool,
    /// Connections that a server may need.
    pub(crate) pool_size: u32,
}

/// Calls `measure` with the targets, and cleans up after it, however it ends.
pub(crate) async fn with<T>(
    home: &Path,
    subject: &cli::Subject,
    needs: &Needs<'_>,
    stop: &CancellationToken,
    measure: impl AsyncFnOnce(Vec<Target>, Environment) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    if let Some(base_url) = &subject.target {
        let target = Target {
            database_url: subject.place.database_url.clone(),
            ..target(subject, "target", None, base_url.clone(), base_url)
        };
        if let Some(url) = &target.database_url {
            migrations::connect(url, "callbench").await?;
        }
        let environment = environment(target.database_url.as_deref()).await?;
        return measure(vec![target], environment).await;
    }
    let place = Place::open(home, &subject.place, Mode::Serving).await?;
    let outcome = with_ours(&place, subject, needs, stop, measure).await;
    place.close().await?;
    outcome
}

async fn with_ours<T>(
    place: &Place,
    subject: &cli::Subject,
    needs: &Needs<'_>,
    stop: &CancellationToken,
    measure: impl AsyncFnOnce(Vec<Target>, Environment) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    place.refuse_while_loading()?;
    let mut servers = Vec::new();
    let mut targets = Vec::new();
    let mut copies = Vec::new();
    for &variant in needs.variants {
        let level = serve::level_of(variant);
        // A URL is taken as it is.
        let mut database_url = if place.is_private() {
            dataset::require(place).await?;
            dataset::at_level(place, level, stop).await?
        } else {
            place.url().to_owned()
        };
        if needs.writes && place.is_private() {
            database_url = dataset::copy_for_writing(place, &database_url).await?;
            copies.push(database_url.clone());
        }
        let server = Reference::start(variant, &database_url, needs.pool_size).await?;
        let level = place.is_private().then(|| level.to_string());
        let description = format!("the reference server, variant {variant}");
        targets.push(Target {
            database_url: Some(database_url),
            server_pid: server.pid(),
            ..target(subject, &variant.to_string(), level, server.base_url().to_owned(), &description)
        });
        servers.push(server);
    }
    let environment = environment(Some(place.url())).await?;
    let measured = measure(targets, environment).await;
    for server in servers {
        server.stop().await?;
    }
    for copy in copies {
        dataset::drop_copy(&copy).await?;
    }
    measured
}

/// A target whose database and process are not known.
fn target(
    subject: &cli::Subject,
    name: &str,
    level: Option<String>,
    base_url: String,
    description: &str,
) -> Target {
    Target {
        subject: reports::run::Subject { name: name.to_owned(), level, description: description.to_owned() },
        base_url,
        token: subject.token.clone(),
        workspace: subject.workspace.clone(),
        crowd: Vec::new(),
        page_size: subject.page_size,
        database_url: None,
        server_pid: None,
        control: false,
    }
}

async fn environment(database_url: Option<&str>) -> anyhow::Result<Environment> {
    let facts = match database_url {
        Some(url) => Some(
            loadgen::probes::facts(url).await.context("the settings of the database could not be read")?,
        ),
        None => None,
    };
    Ok(environment::capture(facts))
}
