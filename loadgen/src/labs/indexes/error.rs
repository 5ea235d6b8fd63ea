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
}
