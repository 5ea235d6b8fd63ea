//! Connections, and what a user is told when there is none.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Error as SqlxError};

/// How long a server may take to answer the first call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no connection. Each text names the server, never the password, and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL can't be read.
    #[error(
        "the database URL can't be read ({0}); it looks like postgres://user:password@host:5432/database"
    )]
    BadUrl(String),
    /// Nobody listens there.
    #[error("no PostgreSQL answers at {server} ({reason}); start it, or correct the URL")]
    Unreachable {
        /// Host and port, or the socket.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// The name or the password is wrong, or the server's `pg_hba.conf` does not let this user in.
    #[error(
        "the PostgreSQL at {server} refuses the user `{user}` ({reason}); correct user and password in the URL"
    )]
    Refused {
        /// Host and port, or the socket.
        server: String,
        /// The user that was tried.
        user: String,
        /// What the server said.
        reason: String,
    },
    /// There is no such database.
    #[error(
        "the PostgreSQL at {server} has no database `{database}`; create it (createdb {database}), or correct the URL"
    )]
    NoDatabase {
        /// Host and port, or the socket.
        server: String,
        /// The name in the URL.
        database: String,
    },
    /// All of the server's connections are in use.
    #[error(
        "the PostgreSQL at {server} has no free connection ({reason}); close some, or raise max_connections"
    )]
    Full {
        /// Host and port, or the socket.
        server: String,
        /// What the server said.
        reason: String,
    },
    /// Anything else.
    #[error("the connection to the PostgreSQL at {server} failed: {reason}")]
    Other {
        /// Host and port, or the socket.
        server: String,
        /// What was said.
        reason: String,
    },
}

/// Options from a URL, with the name of this program, and a server that notices within a second when this process is
/// gone: an interrupted index build or COPY must not go on by itself. Names resolve in `public` alone, whatever the user
/// is called.
pub fn options(url: &str, application_name: &str) -> Result<PgConnectOptions, ConnectError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(ConnectError::BadUrl("it does not begin with postgres://".to_owned()));
    }
    let options = PgConnectOptions::from_str(url).map_err(|error| match error {
        SqlxError::Configuration(reason) => ConnectError::BadUrl(reason.to_string()),
        other => ConnectError::BadUrl(other.to_string()),
    })?;
    Ok(options
        .application_name(application_name)
        .options([("client_connection_check_interval", "1000"), ("search_path", "public")])
        .disable_statement_logging())
}

/// One connection.
pub async fn connect(url: &str, application_name: &str) -> Result<PgConnection, ConnectError> {
    let options = options(url, application_name)?;
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(Ok(conn)) => Ok(conn),
        Ok(Err(error)) => Err(explain(&options, &error)),
        Err(_) => Err(ConnectError::Unreachable {
            server: server(&options),
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        }),
    }
}

/// Turns a failure to connect into a sentence for the user.
#[must_use]
pub fn explain(options: &PgConnectOptions, error: &SqlxError) -> ConnectError {
    let server = server(options);
    match error {
        SqlxError::Database(said) => {
            let reason = said.message().to_owned();
            match said.code().as_deref() {
                Some("28000" | "28P01") => {
                    ConnectError::Refused { server, user: options.get_username().to_owned(), reason }
                }
                Some("3D000") => ConnectError::NoDatabase {
                    server,
                    database: options.get_database().unwrap_or(options.get_username()).to_owned(),
                },
                Some("53300") => ConnectError::Full { server, reason },
                _ => ConnectError::Other { server, reason },
            }
        }
        SqlxError::Io(reason) => ConnectError::Unreachable { server, reason: reason.to_string() },
        other => ConnectError::Other { server, reason: other.to_string() },
    }
}

fn server(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_something_else_is_refused_with_an_example() {
        for url in ["mysql://localhost/x", "localhost:5432", ""] {
            let error = options(url, "test").unwrap_err();
            assert!(error.to_string().contains("postgres://user:password@host:5432/database"), "{error}");
        }
        assert!(matches!(options("postgres://localhost:notaport/x", "test"), Err(ConnectError::BadUrl(_))));
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_named() {
        // Port 1 is never a PostgreSQL; a free port could be taken by a test beside this one.
        let error = connect("postgres://me:secret@127.0.0.1:1/x", "test").await.unwrap_err().to_string();
        assert!(error.contains("127.0.0.1:1"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
