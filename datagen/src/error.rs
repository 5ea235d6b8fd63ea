//! What can go wrong, in sentences for the user.

use std::time::Duration;

/// An error of the generator or the loader.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A scale that does not exist.
    #[error("there is no scale `{0}`; the scales are tiny, dev, demo and enterprise")]
    UnknownScale(String),
    /// A kind of transcripts that does not exist.
    #[error("there are no transcripts called `{0}`; there are none, short and full")]
    UnknownTranscripts(String),
    /// A table that does not exist.
    #[error("there is no table `{0}`; the tables are {list}", list = table_names())]
    UnknownTable(String),
    /// Numbers that contradict each other or go too far.
    #[error("this data set can't be generated: {0}")]
    Spec(&'static str),
    /// A profile that can't be used.
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    /// There is no connection.
    #[error(transparent)]
    Connect(#[from] migrations::ConnectError),
    /// The schema could not be made, or another process is at work.
    #[error(transparent)]
    Migrate(migrations::Error),
    /// The database holds something beside our tables.
    #[error(
        "the database `{database}` is not empty: it holds {tables}; nothing was changed; seed another database, or let \
         callbench put its tables beside them (--force)"
    )]
    NotOurs {
        /// Name of the database.
        database: String,
        /// The first few of the tables, separated by commas.
        tables: String,
    },
    /// What another load has left in the server does not end.
    #[error(
        "{sessions} sessions of a load that broke off are still at work in the server; end them \
         (pg_terminate_backend), and seed again"
    )]
    Orphans {
        /// How many.
        sessions: usize,
    },
    /// The database holds another data set.
    #[error(
        "the database `{database}` holds another data set, {found}; asked for was {asked}; seed another database, or \
         let this one be overwritten (--drop)"
    )]
    OtherSpec {
        /// Name of the database.
        database: String,
        /// What it holds.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// The tables hold rows that the ledger knows nothing of.
    #[error(
        "the table `{table}` of the database `{database}` holds rows that callbench did not write; nothing was \
         changed; seed another database, or let these rows be overwritten (--force --drop)"
    )]
    NotEmpty {
        /// Name of the database.
        database: String,
        /// The first table with rows.
        table: String,
    },
    /// A load that broke off was for another level.
    #[error(
        "the database `{database}` is half loaded, at level {found}; go on with --level {found} and migrate afterwards \
         (callbench db migrate --to {asked}), or seed another database"
    )]
    OtherLevel {
        /// Name of the database.
        database: String,
        /// The level of its schema.
        found: String,
        /// The level that was asked for.
        asked: String,
    },
    /// The ledger was written by a newer version of this program.
    #[error("the ledger of the data set can't be read ({0}); it was written by another version of callbench")]
    Ledger(String),
    /// Stopped by the user.
    #[error("interrupted; the data set is incomplete, and the same seed goes on with what is missing")]
    Interrupted,
    /// The server took another number of rows than it was sent.
    #[error("the table `{table}` took {taken} rows of {sent}; the data set is incomplete")]
    RowsLost {
        /// The table.
        table: &'static str,
        /// Rows sent.
        sent: u64,
        /// Rows that the server counted.
        taken: u64,
    },
    /// The server's disk is full.
    #[error(
        "the disk of the database server is full ({while_doing}); the data set is incomplete; make room and \
         seed again, which goes on with what is missing, or choose a smaller scale"
    )]
    DiskFull {
        /// What was being done.
        while_doing: String,
    },
    /// The server ended the connection, or stopped.
    #[error(
        "the connection to the database broke ({while_doing}): {source}; the data set is incomplete, and the \
         same seed goes on with what is missing"
    )]
    Broken {
        /// What was being done.
        while_doing: String,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// Anything else that the database said.
    #[error("the database failed ({while_doing}): {source}")]
    Database {
        /// What was being done.
        while_doing: String,
        /// What the database said.
        source: sqlx::Error,
    },
}

impl From<migrations::Error> for Error {
    fn from(error: migrations::Error) -> Self {
        match error {
            migrations::Error::ForeignTables { database, tables } => Self::NotOurs { database, tables },
            other => Self::Migrate(other),
        }
    }
}

impl Error {
    /// Sorts an error of the database, which came up in the middle of `while_doing` ("copying call").
    pub(crate) fn database(while_doing: &str, source: sqlx::Error) -> Self {
        let while_doing = while_doing.to_owned();
        let code =
            source.as_database_error().and_then(|error| error.code().map(std::borrow::Cow::into_owned));
        match code.as_deref() {
            Some("53100") => Self::DiskFull { while_doing },
            // admin_shutdown, crash_shutdown, cannot_connect_now
            Some("57P01" | "57P02" | "57P03") => Self::Broken { while_doing, source },
            None if matches!(source, sqlx::Error::Io(_)) => Self::Broken { while_doing, source },
            _ => Self::Database { while_doing, source },
        }
    }
}

fn table_names() -> String {
    let names: Vec<&str> = crate::entities::Table::ALL.iter().map(|table| table.name()).collect();
    names.join(", ")
}

/// How long the server may take to end what a load that broke off has left.
pub(crate) const ORPHANS_PATIENCE: Duration = Duration::from_mins(2);

/// How long `seed` waits for another process that migrates or seeds the same database.
pub(crate) const LOCK_PATIENCE: Duration = Duration::from_secs(5);
