//! Why a database can't be verified, in sentences for the user.

use crate::spec::DATASET_VERSION;
use crate::wire::Malformed;

/// Why nothing can be said about the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] migrations::ConnectError),
    /// The books of the schema can't be read.
    #[error(transparent)]
    Schema(#[from] migrations::Error),
    /// The ledger can't be read, or describes nothing that can be generated.
    #[error(transparent)]
    Ledger(crate::Error),
    /// Nothing was ever seeded.
    #[error(
        "the database `{database}` holds no dataset, so there is nothing to verify; load one with: callbench seed"
    )]
    NoDataset {
        /// Name of the database.
        database: String,
    },
    /// The load broke off.
    #[error(
        "the dataset of the database `{database}` is incomplete, because its load was interrupted; load it again with: \
         callbench seed"
    )]
    Incomplete {
        /// Name of the database.
        database: String,
    },
    /// The rows are those of another generator.
    #[error(
        "the database `{database}` holds rows of version {found}, and this callbench generates version \
         {DATASET_VERSION}; verify with the callbench that loaded them, or load them again with: callbench seed --drop"
    )]
    OtherVersion {
        /// Name of the database.
        database: String,
        /// The version in its ledger.
        found: u32,
    },
    /// Stopped by the user.
    #[error("interrupted; nothing was verified, and nothing was changed")]
    Interrupted,
    /// What the server sent is no binary COPY.
    #[error("the rows of `{table}` can't be read: {source}; is it PostgreSQL that answers there?")]
    Malformed {
        /// The table.
        table: &'static str,
        /// What is wrong with the stream.
        source: Malformed,
    },
    /// Anything that the database said.
    #[error("the database failed ({while_doing}): {source}; nothing was changed by verifying")]
    Database {
        /// What was being done.
        while_doing: String,
        /// What the database, or the connection to it, said.
        source: sqlx::Error,
    },
}

impl Error {
    /// An error of the database, which came up in the middle of `while_doing` ("reading call").
    pub(super) fn database(while_doing: &str) -> impl Fn(sqlx::Error) -> Self {
        move |source| Self::Database { while_doing: while_doing.to_owned(), source }
    }

    /// An error of the ledger, without what the loader would say about resuming.
    pub(super) fn of_ledger(error: crate::Error) -> Self {
        match error {
            crate::Error::Database { while_doing, source } | crate::Error::Broken { while_doing, source } => {
                Self::Database { while_doing, source }
            }
            other => Self::Ledger(other),
        }
    }
}
