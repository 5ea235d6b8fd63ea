//! What can go wrong, in sentences for the person who has to put it right.

/// Why indexes could not be looked at, or not be left out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database said no, or is gone.
    #[error(
        "the database can't be asked about its indexes: {0}; check the URL and that the user may read the catalogue"
    )]
    Database(#[from] sqlx::Error),
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
    /// A file of statements that can't be used.
    #[error("{file} can't be used: {what}")]
    File {
        /// Its name.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// Values could not be drawn.
    #[error("values can't be drawn by `{}`: {cause}; correct the [[draw]]", .sql.split_whitespace().collect::<Vec<_>>().join(" "))]
    Draw {
        /// The statement.
        sql: String,
        /// What the database said.
        cause: sqlx::Error,
    },
    /// An index could not be dropped.
    #[error(
        "the index {index} can't be left out: {cause}; leave it in place with --only and the names of the others"
    )]
    LeftOut {
        /// Its name.
        index: String,
        /// What the database said.
        cause: sqlx::Error,
    },
    /// A statement failed.
    #[error(
        "{operation} {circumstance} failed: {cause}; correct the statement, or give it more time with --timeout"
    )]
    Statement {
        /// Name of the operation.
        operation: String,
        /// With which indexes: `with all indexes`, `without idx_a`.
        circumstance: String,
        /// What the database said.
        cause: sqlx::Error,
    },
    /// Nothing could be carried out.
    #[error("the workspace `{0}` has no rows to read or write; name another one with --workspace")]
    NothingToAsk(String),
}
