//! What can go wrong between two levels.

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
