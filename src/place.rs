//! Where the rows live: a database by its URL, or a dataset of the private cluster.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cluster::{Cluster, Mode, Options, databases};
use indicatif::HumanBytes;
use migrations::Level;

use crate::cli;

/// A base database, which holds a dataset at level `before`, and the server around it.
pub(crate) struct Place {
    base_url: String,
    private: Option<Private>,
}

/// The private cluster, where the place is one of its databases.
struct Private {
    cluster: Cluster,
    database: String,
}

impl Place {
    /// Opens the place that was asked for. The private cluster is started in `mode` when it does not run; a server that
    /// is not ours is taken as it is.
    pub(crate) async fn open(home: &Path, place: &cli::Place, mode: Mode) -> anyhow::Result<Self> {
        match &place.database_url {
            Some(url) => {
                migrations::connect(url, "callbench").await?;
                Ok(Self { base_url: url.clone(), private: None })
            }
            None => Self::own(home, database_name(place.scale), mode).await,
        }
    }

    /// A database of the private cluster, which is created if it is missing.
    pub(crate) async fn own(home: &Path, database: String, mode: Mode) -> anyhow::Result<Self> {
        let cluster = Cluster::start(&Options { mode, ..Options::new(home) }).await?;
        tell(cluster.notes());
        let base_url = cluster.url(&database);
        databases::ensure(&base_url).await?;
        Ok(Self { base_url, private: Some(Private { cluster, database }) })
    }

    /// The same place with the private cluster restarted for loading: rows and indexes that need no log write none.
    /// Connections to it end.
    pub(crate) async fn loading(self) -> anyhow::Result<Self> {
        self.restarted(Mode::Loading).await
    }

    /// The same place with the private cluster restarted as it is measured, with the log of production. Connections to it
    /// end.
    pub(crate) async fn serving(self) -> anyhow::Result<Self> {
        self.restarted(Mode::Serving).await
    }

    async fn restarted(self, mode: Mode) -> anyhow::Result<Self> {
        let Some(Private { cluster, database }) = self.private else { return Ok(self) };
        let told = cluster.notes().to_vec();
        let cluster = cluster.restart(mode).await.context("the private PostgreSQL could not be restarted")?;
        let new: Vec<String> = cluster.notes().iter().filter(|note| !told.contains(note)).cloned().collect();
        tell(&new);
        Ok(Self { base_url: cluster.url(&database), private: Some(Private { cluster, database }) })
    }

    /// Whether rows of a table that is emptied in the transaction that fills it, and indexes that are built, write no log.
    /// Never so on a server that is not ours, whatever its settings.
    pub(crate) fn is_loading(&self) -> bool {
        self.private.as_ref().is_some_and(|private| private.cluster.is_loading())
    }

    /// Refuses to measure a server that runs for a load.
    ///
    /// It does not wait for the end of the load, because it can't: the server keeps its mode as long as this process uses
    /// it too, a load may take seconds or hours, and a script is served better by a clear end now.
    pub(crate) fn refuse_while_loading(&self) -> anyhow::Result<()> {
        if self.is_loading() {
            bail!(
                "the private PostgreSQL runs with wal_level minimal, for a load of another process, so neither its log nor its \
                 times would be those of production; try again when the load is done (`callbench db status --json` lists the \
                 processes)"
            );
        }
        Ok(())
    }

    /// The folder of the private server; `None` for a database that is not ours.
    pub(crate) fn data_folder(&self) -> Option<PathBuf> {
        self.private.as_ref().map(|private| private.cluster.data_folder())
    }

    /// Refuses to copy a database for which the disk of the private server has no room. How much that of another server has is
    /// not known here.
    pub(crate) async fn refuse_copy_beyond_disk(&self, url: &str) -> anyhow::Result<()> {
        let Some(folder) = self.data_folder() else { return Ok(()) };
        let (needed, free) = (databases::size_bytes(url).await?, databases::free_bytes(&folder)?);
        if needed > free {
            bail!(
                "a copy of the dataset takes {}, and the disk of {} has {} free; free some, choose a smaller --scale, or name \
                 a database of your own with --database-url",
                HumanBytes(needed),
                folder.display(),
                HumanBytes(free),
            );
        }
        Ok(())
    }

    /// URL of the base database.
    pub(crate) fn url(&self) -> &str {
        &self.base_url
    }

    /// URL of the base database for bulk data: over the Unix socket where the server is ours.
    pub(crate) fn bulk_url(&self) -> String {
        match &self.private {
            Some(private) => private.cluster.socket_url(&private.database),
            None => self.base_url.clone(),
        }
    }

    /// Whether the database server is the private one, which may be told to write its caches out.
    pub(crate) fn is_private(&self) -> bool {
        self.private.is_some()
    }

    /// URL of the clone of this dataset at a level above `before`; the base itself for `before`.
    pub(crate) fn level_url(&self, level: Level) -> anyhow::Result<String> {
        level_url(&self.base_url, level)
    }

    /// Leaves the place; the private server stops with its last user.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Some(private) = self.private {
            private.cluster.release().await.context("the private PostgreSQL could not be left in order")?;
        }
        Ok(())
    }
}

fn tell(notes: &[String]) {
    for note in notes {
        eprintln!("note: {note}");
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
    if level == Level::Before { Ok(base_url.to_owned()) } else { beside(base_url, &level.to_string()) }
}

/// The URL of the database whose name has `_suffix` behind that of this one.
pub(crate) fn beside(base_url: &str, suffix: &str) -> anyhow::Result<String> {
    let (before_query, query) = match base_url.split_once('?') {
        Some((url, query)) => (url, format!("?{query}")),
        None => (base_url, String::new()),
    };
    let after_scheme = before_query.find("://").map_or(0, |at| at + 3);
    let named = before_query[after_scheme..].find('/').map(|at| after_scheme + at + 1);
    match named {
        Some(name) if name < before_query.len() => Ok(format!("{before_query}_{suffix}{query}")),
        _ => bail!("the database URL names no database; add it at the end: …/callbench"),
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
