//! How to run the private PostgreSQL, and what it is called.

use std::path::PathBuf;

use crate::mode::Mode;

/// The name of the server in messages.
pub(crate) const NAME: &str = "the private PostgreSQL";
/// The name of its room in the home folder.
pub(crate) const ROOM: &str = "postgres";

/// How to run the private PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The folder that everything lies in, `.callbench` by default. Made when missing.
    pub home: PathBuf,
    /// The folder with `initdb` and `postgres`; `None`: `CALLBENCH_PG_BIN`, else the newest version found.
    pub pg_bin: Option<PathBuf>,
    /// The port on 127.0.0.1; `None`: the same as last time, else a free one.
    pub port: Option<u16>,
    /// Keep the server running after its last user is gone, until [`stop`](crate::stop()).
    pub stay: bool,
    /// What it is started for. A server that runs already is joined as it is, see [`Cluster::mode`](crate::Cluster::mode).
    pub mode: Mode,
}

impl Options {
    /// The usual way to run in `home`.
    #[must_use]
    pub fn new(home: impl Into<PathBuf>) -> Options {
        Options { home: home.into(), pg_bin: None, port: None, stay: false, mode: Mode::Serving }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new(".callbench")
    }
}
