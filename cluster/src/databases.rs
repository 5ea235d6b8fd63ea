//! Databases of any server: create, copy, measure, drop.
//!
//! A database is named by its URL. What can't be done from inside the database itself is done from the maintenance
//! database `postgres` of the same server, or `template1` where that is the database in question.

use std::path::Path;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::Error;
pub use crate::local::is_local;

/// What may stand in a URL as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
mod code {
    pub(super) const UNDEFINED_DATABASE: &str = "3D000";
    pub(super) const DUPLICATE_DATABASE: &str = "42P04";
    /// What two simultaneous `CREATE DATABASE` of one name may end with instead.
    pub(super) const UNIQUE_VIOLATION: &str = "23505";
    pub(super) const OBJECT_IN_USE: &str = "55006";
    pub(super) const CANNOT_CONNECT_NOW: &str = "57P03";
    pub(super) const INVALID_PASSWORD: &str = "28P01";
    pub(super) const DISK_FULL: &str = "53100";
}

/// Whether the database of `url` exists.
pub async fn exists(url: &str) -> Result<bool, Error> {
    let options = parse(url)?;
    match options.connect().await {
        Ok(connection) => {
            connection.close().await.ok();
            Ok(true)
        }
        Err(error) if sqlstate(&error).as_deref() == Some(code::UNDEFINED_DATABASE) => Ok(false),
        Err(error) => Err(unreachable(&options, &error)),
    }
}

/// Creates the database of `url` when it is missing. True when it was. An existing one is left as it is.
pub async fn ensure(url: &str) -> Result<bool, Error> {
    if exists(url).await? {
        return Ok(false);
    }
    let options = parse(url)?;
    let database = name(&options)?;
    let mut connection = maintenance(&options).await?;
    let created = sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {}", quote(&database))))
        .execute(&mut connection)
        .await;
    connection.close().await.ok();
    match created {
        Ok(_) => Ok(true),
        Err(error) => match sqlstate(&error).as_deref() {
            // Somebody else was faster, which is as good.
            Some(code::DUPLICATE_DATABASE | code::UNIQUE_VIOLATION) => Ok(false),
            Some(code::DISK_FULL) => Err(Error::ServerDiskFull { database, message: error.to_string() }),
            _ => Err(failure(&database, "created", &error)),
        },
    }
}

/// Drops the database of `url`, and ends the connections to it. True when it existed.
pub async fn drop(url: &str) -> Result<bool, Error> {
    let options = parse(url)?;
    let database = name(&options)?;
    let mut connection = maintenance(&options).await?;
    let dropped = sqlx::query(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", quote(&database))))
        .execute(&mut connection)
        .await;
    connection.close().await.ok();
    match dropped {
        Ok(_) => Ok(true),
        Err(error) if sqlstate(&error).as_deref() == Some(code::UNDEFINED_DATABASE) => Ok(false),
        Err(error) => Err(failure(&database, "dropped", &error)),
    }
}

/// Copies the database of `from_url`, file by file, to a new one on the same server, and gives the URL of the copy.
///
/// Nobody may be connected to the original, since PostgreSQL copies only what holds still; connections are not ended,
/// because they may be in the middle of something.
pub async fn clone(from_url: &str, to_name: &str) -> Result<String, Error> {
    let options = parse(from_url)?;
    let from = name(&options)?;
    let mut connection = maintenance(&options).await?;
    // FILE_COPY: two checkpoints and a copy at the speed of the disk, where the default writes each page to the log.
    let statement =
        format!("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", quote(to_name), quote(&from));
    let cloned = sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
    let result = match cloned {
        Ok(_) => with_database(from_url, to_name),
        Err(error) => Err(match sqlstate(&error).as_deref() {
            Some(code::OBJECT_IN_USE) => {
                let connections = connections_to(&mut connection, &from).await?;
                Error::TemplateInUse { database: from, connections }
            }
            Some(code::DUPLICATE_DATABASE | code::UNIQUE_VIOLATION) => {
                Error::DatabaseExists(to_name.to_owned())
            }
            Some(code::DISK_FULL) => {
                Error::ServerDiskFull { database: to_name.to_owned(), message: error.to_string() }
            }
            _ => failure(&from, "copied", &error),
        }),
    };
    connection.close().await.ok();
    result
}

/// Bytes that the database of `url` takes up on the disk of its server.
pub async fn size_bytes(url: &str) -> Result<u64, Error> {
    let options = parse(url)?;
    let database = name(&options)?;
    let mut connection = connect(url).await?;
    let size: Result<i64, _> =
        sqlx::query_scalar("SELECT pg_database_size(current_database())").fetch_one(&mut connection).await;
    connection.close().await.ok();
    let size = size.map_err(|error| failure(&database, "measured", &error))?;
    Ok(size.unsigned_abs())
}

/// Bytes that may still be written to the disk that holds `path`, which must exist.
pub fn free_bytes(path: &Path) -> Result<u64, Error> {
    crate::machine::free_bytes(path)
}

/// `url` with another database.
pub fn with_database(url: &str, database: &str) -> Result<String, Error> {
    parse(url)?;
    let (address, parameters) = url.split_once('?').map_or((url, None), |(a, p)| (a, Some(p)));
    let authority = address.find("://").map_or(0, |scheme| scheme + 3);
    let path = address[authority..].find('/').map_or(address.len(), |slash| authority + slash);
    let mut other = format!("{}/{}", &address[..path], encode(database));
    if let Some(parameters) = parameters {
        other.push('?');
        other.push_str(parameters);
    }
    Ok(other)
}

/// A name as it may stand in a URL.
pub(crate) fn encode(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// Connects to the database of `url`.
pub(crate) async fn connect(url: &str) -> Result<PgConnection, Error> {
    let options = parse(url)?;
    options.connect().await.map_err(|error| unreachable(&options, &error))
}

/// Whether the server of `url` takes connections by now; an error when it never will take ours.
pub(crate) async fn answers(url: &str) -> Result<bool, Error> {
    let options = parse(url)?;
    match options.connect().await {
        Ok(connection) => {
            connection.close().await.ok();
            Ok(true)
        }
        Err(error) => match sqlstate(&error).as_deref() {
            None | Some(code::CANNOT_CONNECT_NOW) => Ok(false),
            Some(code::INVALID_PASSWORD) => Err(unreachable(&options, &error)),
            // Any other refusal, such as too many connections, comes from a server that works.
            Some(_) => Ok(true),
        },
    }
}

/// The error of a statement that failed.
pub(crate) fn failure(database: &str, action: &'static str, error: &sqlx::Error) -> Error {
    Error::Database { database: database.to_owned(), action, message: message(error) }
}

/// An identifier as SQL spells it.
pub(crate) fn quote(identifier: &str) -> String {
    format!("\"{}\"", identifier.replace('"', "\"\""))
}

pub(crate) fn parse(url: &str) -> Result<PgConnectOptions, Error> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(Error::Url("it does not begin with postgres://".to_owned()));
    }
    PgConnectOptions::from_str(url).map_err(|error| Error::Url(message(&error)))
}

fn name(options: &PgConnectOptions) -> Result<String, Error> {
    let name = options.get_database().filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| Error::Url("it names no database".to_owned()))
}

async fn maintenance(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let database = if options.get_database() == Some("postgres") { "template1" } else { "postgres" };
    let options = options.clone().database(database);
    options.connect().await.map_err(|error| unreachable(&options, &error))
}

async fn connections_to(connection: &mut PgConnection, database: &str) -> Result<String, Error> {
    let connections: Result<Option<String>, _> = sqlx::query_scalar(
        "SELECT string_agg(format('%s, process %s', coalesce(nullif(application_name, ''), backend_type), pid), '; '
                           ORDER BY pid)
         FROM pg_stat_activity WHERE datname = $1",
    )
    .bind(database)
    .fetch_one(connection)
    .await;
    let connections = connections.map_err(|error| failure(database, "copied", &error))?;
    Ok(connections.unwrap_or_else(|| "gone by now".to_owned()))
}

fn unreachable(options: &PgConnectOptions, error: &sqlx::Error) -> Error {
    let database = options.get_database().unwrap_or_default();
    let server = format!("{}:{}/{database}", options.get_host(), options.get_port());
    Error::Unreachable { server, message: message(error) }
}

/// What the server or the system said, without the words that sqlx puts before it.
fn message(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gets_another_database_and_keeps_everything_else() {
        let other = |url: &str| with_database(url, "a b/c").expect("a URL");
        assert_eq!(
            other("postgres://me:p%40ss@host:1/old?sslmode=disable"),
            "postgres://me:p%40ss@host:1/a%20b%2Fc?sslmode=disable"
        );
        assert_eq!(other("postgresql://host"), "postgresql://host/a%20b%2Fc");
        assert_eq!(other("postgres://host/?host=/run/x"), "postgres://host/a%20b%2Fc?host=/run/x");
    }

    #[test]
    fn names_in_a_url_survive_the_way_through_the_driver() {
        let url = with_database("postgres://host/x", "schräg \"%/?#").expect("a URL");
        assert_eq!(parse(&url).expect("it parses").get_database(), Some("schräg \"%/?#"));
    }

    #[test]
    fn a_quote_in_an_identifier_is_doubled() {
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn what_is_no_database_url_is_refused_with_an_example() {
        for url in ["", "localhost", "mysql://host/db", "postgres://host:port/db"] {
            let refusal = parse(url).expect_err(url).to_string();
            assert!(refusal.contains("write it as postgres://user:password@host:5432/database"), "{refusal}");
        }
    }
}
