//! Why a server does not start, or stops.

use std::io;
use std::time::Duration;

/// An error of [`Server`](crate::Server). Its text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database can't be reached.
    #[error(transparent)]
    Connect(#[from] migrations::ConnectError),
    /// The database has no schema of ours, or only a part.
    #[error(
        "the database `{database}` has no table {missing}; bring it to a level first: callbench db migrate --to \
         indexed (or --to before, for the variant naive)"
    )]
    NoTables {
        /// Name of the database.
        database: String,
        /// The tables that are not there, separated by commas.
        missing: String,
    },
    /// Pages and searches need a connection each.
    #[error(
        "a pool of fewer than 2 database connections can't serve; one is for searches, the others for the rest"
    )]
    PoolTooSmall,
    /// The pool can't be built.
    #[error("the pool of database connections can't be built: {0}")]
    NoPool(String),
    /// The limits of time don't nest, so that the outer one would give up on what the inner one still waits for.
    #[error(
        "the limits of time must nest, each shorter than the next: a wait for a connection ({}), a statement ({}) < a \
         request ({}) < what the proxy waits ({})",
        seconds(pool_wait),
        seconds(statement),
        seconds(request),
        seconds(proxy)
    )]
    Timeouts {
        /// For a wait for a connection.
        pool_wait: Duration,
        /// For a statement.
        statement: Duration,
        /// For a request.
        request: Duration,
        /// For the proxy in front.
        proxy: Duration,
    },
    /// A server without connections serves nobody.
    #[error("a server that may have no open connection can't serve; allow at least 1")]
    NoConnections,
    /// A base for links that is not one.
    #[error("the public URL `{0}` can't begin a link; it looks like https://api.example.com")]
    BadPublicUrl(String),
    /// A URL of Redis that is none.
    #[error("the Redis URL can't be used: {0}; it looks like redis://:password@127.0.0.1:6379/0")]
    BadRedisUrl(String),
    /// The database does not say which one it is, so its values in Redis can't be told from those of another.
    #[error(
        "the database does not tell its identity, which keeps its values in Redis apart from those of other databases: \
         {0}; GRANT EXECUTE ON FUNCTION pg_control_system() to the server's role, or serve without Redis"
    )]
    NoIdentity(sqlx::Error),
    /// The database failed while the tables were looked for.
    #[error("the database failed while its tables were looked for: {0}")]
    Database(#[from] sqlx::Error),
    /// The listening socket failed.
    #[error("the server can't listen: {0}")]
    Listen(#[from] io::Error),
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
