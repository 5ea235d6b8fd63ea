//! What can go wrong, in sentences for the person who has to put it right.

/// Why indexes could not be looked at, or not be left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no, or is gone.
    #[error("the database can't be asked about its indexes: {0}; check the URL and that the user may read the catalogue")]
    Database(#[from] sqlx::Error),
    /// An index could not be dropped or made again.
    #[error("the index {index} could not be {what}: {source}")]
    Index {
        /// Its name.
        index: String,
        /// `left out`, or `made again`.
        what: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
    /// A name that no index has.
    #[error("there is no index `{name}`{}; the indexes are {}", .suggestion.as_ref().map_or_else(String::new, |name| format!(" (did you mean `{name}`?)")), .known.join(", "))]
    UnknownIndex {
        /// As it was given.
        name: String,
        /// All there are.
        known: Vec<String>,
        /// The one that may have been meant.
        suggestion: Option<String>,
    },
    /// The workspace has nobody in it.
    #[error("the workspace `{0}` has no customers to write to; seed it, or name another workspace")]
    EmptyWorkspace(String),
    /// A request was not answered as it should be.
    #[error("a request of {read} {circumstance} failed: {what}; the server's log may say more")]
    Read {
        /// Name of the read.
        read: String,
        /// With which indexes: `with all indexes`, `without idx_a`.
        circumstance: String,
        /// The kind of failure.
        what: String,
    },
    /// Work can't be counted.
    #[error("blocks can't be counted: {0}")]
    Uncounted(#[from] crate::probes::Unavailable),
    /// A request could not be prepared.
    #[error(transparent)]
    Prepare(#[from] crate::Error),
}
