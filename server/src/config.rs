//! What a server is told at its start.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Error;

/// How the rows of a page are found and computed. All variants give the same rows with the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variant {
    /// OFFSET, `COUNT(*)`, and a handful of statements for each customer of the page: a list view over an ORM as people
    /// write it. Pages by `?page=N`. Measured on level `before`.
    Naive,
    /// One statement for a page, found by its position in an index; aggregates computed from the calls when they are
    /// read. Measured on level `indexed`.
    Live,
    /// As `Live`, with lifetime totals read from a table that triggers keep. Measured on level `optimized`.
    Rollup,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Naive => "naive",
            Self::Live => "live",
            Self::Rollup => "rollup",
        })
    }
}

/// A variant that this server doesn't have.
#[derive(Debug, thiserror::Error)]
#[error("there is no server variant `{0}`; the variants are naive, live and rollup")]
pub struct UnknownVariant(String);

impl FromStr for Variant {
    type Err = UnknownVariant;

    fn from_str(name: &str) -> Result<Self, UnknownVariant> {
        match name {
            "naive" => Ok(Self::Naive),
            "live" => Ok(Self::Live),
            "rollup" => Ok(Self::Rollup),
            other => Err(UnknownVariant(other.to_owned())),
        }
    }
}

/// What a server is told at its start. [`Config::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database, as a `postgres://` URL.
    pub database_url: String,
    /// How pages are computed.
    pub variant: Variant,
    /// The most connections to the database at a time, at least 2; a quarter of them is for requests with filters.
    pub pool_size: u32,
    /// How long a request waits for a free connection before it is answered 503.
    pub pool_wait: Duration,
    /// How long one statement may run. Shorter than `request_timeout`, so that the database gives up first and frees
    /// the connection.
    pub statement_timeout: Duration,
    /// How long a whole request may take before it is answered 503.
    pub request_timeout: Duration,
    /// How long the proxy in front waits for an answer. The server does nothing with it but refuse to start when a
    /// request may take as long: the proxy would give up first, and the client would never hear why.
    pub proxy_timeout: Duration,
    /// How long the head of a request may take from its first byte to its last.
    pub head_timeout: Duration,
    /// How long a connection may be open without a request. Longer than a proxy keeps one, or it would send a request
    /// into a connection that is being closed.
    pub idle_timeout: Duration,
    /// How long a client is listened to that still sends the body of a request which was answered without it. Hanging up
    /// at once would take the answer away from it.
    pub linger_timeout: Duration,
    /// The most client connections at a time; further ones wait until one of these ends.
    pub max_connections: usize,
    /// How long requests are still taken after the server was told to stop, while `/readyz` already says 503: time for
    /// a load balancer to notice.
    pub drain: Duration,
    /// How long an answer to "may this token read this workspace" holds without asking again; at most 5 s, and zero
    /// asks each time. Writes always ask.
    pub admission_ttl: Duration,
    /// Redis, as a `redis://` URL: the cache of all servers of this database. Without one each has its own, in process.
    pub redis_url: Option<String>,
    /// How long a request waits for an answer of Redis before it asks the database instead.
    pub cache_wait: Duration,
    /// Whether admins and managers may ask for the profile of a request.
    pub profiling: bool,
    /// Scheme and authority of links, for a server behind a proxy (`https://api.example.com`). Without it links point
    /// to where the client says it called: `http://` and its `Host` header.
    pub public_url: Option<String>,
}

impl Config {
    /// The defaults: 20 connections, at most 5 s of waiting for one, statements of at most 25 s, requests of at most
    /// 30 s, a proxy that waits 60 s, heads of at most 10 s, idle connections of at most 75 s, bodies that nobody
    /// wants for at most 10 s, at most 900 connections (most systems give a process 1,024 files), no drain, admissions of at most 2 s, a cache in the process, profiles.
    pub fn new(database_url: impl Into<String>, variant: Variant) -> Self {
        Self {
            database_url: database_url.into(),
            variant,
            pool_size: 20,
            pool_wait: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(25),
            request_timeout: Duration::from_secs(30),
            proxy_timeout: Duration::from_mins(1),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            linger_timeout: Duration::from_secs(10),
            max_connections: 900,
            drain: Duration::ZERO,
            admission_ttl: Duration::from_secs(2),
            redis_url: None,
            cache_wait: Duration::from_millis(50),
            profiling: true,
            public_url: None,
        }
    }

    /// Refuses what could not serve, or would break under load.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.pool_size < 2 {
            return Err(Error::PoolTooSmall);
        }
        if self.max_connections == 0 {
            return Err(Error::NoConnections);
        }
        let inner = self.statement_timeout.max(self.pool_wait);
        if inner < self.request_timeout && self.request_timeout < self.proxy_timeout {
            return Ok(());
        }
        Err(Error::Timeouts {
            pool_wait: self.pool_wait,
            statement: self.statement_timeout,
            request: self.request_timeout,
            proxy: self.proxy_timeout,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_read_as_it_is_printed() {
        for variant in [Variant::Naive, Variant::Live, Variant::Rollup] {
            assert_eq!(variant.to_string().parse::<Variant>().unwrap(), variant);
        }
        assert_eq!(
            "fast".parse::<Variant>().unwrap_err().to_string(),
            "there is no server variant `fast`; the variants are naive, live and rollup"
        );
    }
}
