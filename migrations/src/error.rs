//! What can go wrong between two levels.

use crate::ConnectError;

/// An error of the migrator. Its text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database belongs to something else.
    #[error(
        "the database `{database}` holds tables that are not callbench's ({tables}); nothing was changed; give the \
         URL of an empty database"
    )]
    ForeignTables {
        /// Name of the database.
        database: String,
        /// The first few of the tables, separated by commas.
        tables: String,
    },
    /// The names of our tables are taken.
    #[error(
        "the database `{database}` holds {tables}, which callbench has not made and needs the names of; nothing was \
         changed; give the URL of another database"
    )]
    NamesTaken {
        /// Name of the database.
        database: String,
        /// The relations, separated by commas.
        tables: String,
    },
    /// Somebody else has migrated or seeded for longer than the caller would wait.
    #[error(
        "another callbench process is migrating or seeding the database `{database}`; it still was after \
         {waited_s} s; try again when it has finished"
    )]
    Busy {
        /// Name of the database.
        database: String,
        /// How long this process waited, in whole seconds.
        waited_s: u64,
    },
    /// The bookkeeping names a step that this version doesn't know.
    #[error(
        "the database was migrated by another version of callbench: its step `{0}` is unknown here; use that version, \
         or a new database"
    )]
    UnknownStep(String),
    /// A server that is too old.
    #[error("PostgreSQL {0} is too old; callbench needs 15 or newer")]
    OldServer(String),
    /// The server has not the files of an extension.
    #[error(
        "the server lacks the extension `{name}`, which an index of this level needs; nothing was changed; install the \
         contrib modules of PostgreSQL {version} (Debian, Ubuntu: postgresql-{version}; Fedora, Alpine: \
         postgresql{version}-contrib; a hosted server: allow the extension), then try again"
    )]
    NoExtension {
        /// Name of the extension.
        name: &'static str,
        /// Major version of the server.
        version: String,
    },
    /// There was no moment for a lock that others would have to wait for.
    #[error(
        "the migration step `{step}` got no turn in {waited_s} s ({source}), because of transactions that last longer \
         than others should wait for it; end them (see pg_stat_activity), then try again; the steps before it are kept"
    )]
    NoTurn {
        /// Name of the step.
        step: String,
        /// For how long it was tried, in whole seconds.
        waited_s: u64,
        /// What the database said last.
        source: sqlx::Error,
    },
    /// A step needs a further connection, and there is none.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A step failed; the steps before it stand.
    #[error(
        "the migration step `{step}` failed: {source}; the steps before it are kept, and a new try goes on there"
    )]
    Step {
        /// Name of the step.
        step: String,
        /// What the database said.
        source: sqlx::Error,
    },
    /// Any other failure of the database.
    #[error("the database failed during a migration: {0}")]
    Database(#[from] sqlx::Error),
}
