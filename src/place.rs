//! Where the rows live: a database by its URL, or a dataset of the private cluster.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cluster::{Cluster, Options, databases};
use migrations::Level;

use crate::cli;

/// A base database, which holds a dataset at level `before`, and the server around it.
pub(crate) struct Place {
    base_url: String,
    /// The private cluster, where the place is one of its databases.
    cluster: Option<Cluster>,
}

impl Place {
    /// Opens the place that was asked for; the private cluster is started when it is needed.
    pub(crate) async fn open(home: &Path, place: &cli::Place) -> anyhow::Result<Self> {
        match &place.database_url {
            Some(url) => {
                migrations::connect(url, "callbench").await?;
                Ok(Self { base_url: url.clone(), cluster: None })
            }
            None => Self::private(home, &database_name(place.scale)).await,
        }
    }

    async fn private(home: &Path, database: &str) -> anyhow::Result<Self> {
        let cluster = Cluster::start(&Options::new(home)).await?;
        for note in cluster.notes() {
            eprintln!("note: {note}");
        }
        let base_url = cluster.url(database);
        databases::ensure(&base_url).await?;
        Ok(Self { base_url, cluster: Some(cluster) })
    }

    /// The folder of the private server; `None` for a database that is not ours.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        self.cluster.as_ref().map(Cluster::data_folder)
    }

    /// URL of the base database.
    pub(crate) fn url(&self) -> &str {
        &self.base_url
    }

    /// Whether the database server is the private one, which may be told to write its caches out.
    pub(crate) fn is_private(&self) -> bool {
        self.cluster.is_some()
    }

    /// URL of the clone of this dataset at a level above `before`; the base itself for `before`.
    pub(crate) fn level_url(&self, level: Level) -> anyhow::Result<String> {
        level_url(&self.base_url, level)
    }

    /// Leaves the place; the private server stops with its last user.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Some(cluster) = self.cluster {
            cluster.release().await.context("the private PostgreSQL could not be left in order")?;
        }
        Ok(())
    }
}

/// The database of a scale in the private cluster.
pub(crate) fn database_name(scale: cli::Scale) -> String {
    let scale = match scale {
        cli::Scale::Tiny => "tiny",
        cli::Scale::Dev => "dev",
        cli::Scale::Demo => "demo",
        cli::Scale::Enterprise => "enterprise",
        cli::Scale::Custom => "custom",
    };
    format!("callbench_{scale}")
}

/// `…/callbench_demo` becomes `…/callbench_demo_indexed`.
pub(crate) fn level_url(base_url: &str, level: Level) -> anyhow::Result<String> {
    if level == Level::Before {
        return Ok(base_url.to_owned());
    }
    let (before_query, query) = match base_url.split_once('?') {
        Some((url, query)) => (url, format!("?{query}")),
        None => (base_url, String::new()),
    };
    let after_scheme = before_query.find("://").map_or(0, |at| at + 3);
    let named = before_query[after_scheme..].find('/').map(|at| after_scheme + at + 1);
    match named {
        Some(name) if name < before_query.len() => Ok(format!("{before_query}_{level}{query}")),
        _ => anyhow::bail!("the database URL names no database; add it at the end: …/callbench"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_a_database_of_its_own_beside_the_base() {
        let url = level_url("postgres://me:x@localhost:5432/bench?sslmode=disable", Level::Indexed).unwrap();
        assert_eq!(url, "postgres://me:x@localhost:5432/bench_indexed?sslmode=disable");
        let base = "postgres://localhost/bench";
        assert_eq!(level_url(base, Level::Before).unwrap(), base);
        for nameless in ["postgres://localhost", "postgres://localhost/"] {
            assert!(level_url(nameless, Level::Indexed).is_err());
        }
    }
}
