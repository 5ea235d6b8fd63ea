//! The private servers for integration tests, of this and every other crate.
//!
//! One home folder under cargo's target folder serves all test programs, one after the other or at once. The handles
//! lie in statics, which are never dropped; the servers stop when the last test process is gone, also after `kill -9`.
//! Everything here panics with the message of the error, as tests do.
#![expect(clippy::missing_panics_doc, reason = "said once, above")]

mod own_redis;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, Connection};
use tokio::sync::OnceCell;

pub use self::own_redis::{OwnRedis, own_redis};
use crate::{Cluster, Error, Options, Redis, databases};

/// How the names of test databases begin; the process that made it and a number follow.
const PREFIX: &str = "test_of_";
/// "callbench" on a telephone keypad: the advisory lock of whoever sets the server up, or clears up.
const SWEEP_LOCK: i64 = 225_523_624;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static REDIS: OnceCell<Redis> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// The home folder of the servers for tests: `callbench-tests` in cargo's target folder.
#[must_use]
pub fn home() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its path");
    // target/debug/deps/the_test-0123456789abcdef
    let deps = program.ancestors().find(|folder| folder.ends_with("deps") || folder.ends_with("examples"));
    let target = deps.and_then(Path::parent).and_then(Path::parent);
    target.map_or_else(std::env::temp_dir, Path::to_owned).join("callbench-tests")
}

/// The PostgreSQL for tests, started when it does not run.
pub async fn cluster() -> &'static Cluster {
    CLUSTER
        .get_or_init(|| async {
            let cluster =
                Cluster::start(&Options::new(home())).await.unwrap_or_else(|error| panic!("{error}"));
            do_not_sync(&cluster).await.unwrap_or_else(|error| panic!("{error}"));
            sweep(&cluster).await.unwrap_or_else(|error| panic!("{error}"));
            cluster
        })
        .await
}

/// The Redis for tests, started when it does not run. Tests share its one key space.
pub async fn redis() -> &'static Redis {
    REDIS
        .get_or_init(|| async { Redis::start(&home()).await.unwrap_or_else(|error| panic!("{error}")) })
        .await
}

/// A fresh, empty database of its own for one test.
pub async fn database(name_prefix: &str) -> TestDatabase {
    let name = unique(name_prefix);
    let url = cluster().await.url(&name);
    databases::ensure(&url).await.unwrap_or_else(|error| panic!("{error}"));
    TestDatabase { url, name }
}

/// A database with everything that is in another one, which nobody may be connected to.
pub async fn copy(original: &TestDatabase, name_prefix: &str) -> TestDatabase {
    let name = unique(name_prefix);
    let cluster = cluster().await;
    let mut connection =
        databases::connect(&cluster.url("postgres")).await.unwrap_or_else(|error| panic!("{error}"));
    // Not by FILE_COPY, which makes two checkpoints: small databases are copied faster through the log.
    let statement = format!("CREATE DATABASE \"{name}\" TEMPLATE \"{}\"", original.name);
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("{} can't be copied: {error}", original.name));
    TestDatabase { url: cluster.url(&name), name }
}

/// A name that no other test has. PostgreSQL cuts names off after 63 bytes, so what makes it unique comes first.
fn unique(name_prefix: &str) -> String {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("{PREFIX}{}_{number}_{name_prefix}", std::process::id());
    name.chars().take(60).collect()
}

/// A database that goes away with this value. What a killed test leaves goes away at the next start.
#[derive(Debug)]
pub struct TestDatabase {
    url: String,
    name: String,
}

impl TestDatabase {
    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let url = std::mem::take(&mut self.url);
        // A thread of its own, because the runtime of the test can't be blocked on from within.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(databases::drop(&url)))
        });
        // What remains is swept at the next start. A panic here would hide that of the test.
        match dropping.join() {
            Ok(Ok(Ok(_))) => {}
            other => eprintln!("the test database {} remains: {other:?}", self.name),
        }
    }
}

/// Tells the server not to wait for the disk. Tests make and drop hundreds of databases and commit thousands of times; what
/// they write has to outlive a killed server, which it does in the memory of the system, and not a machine without power
/// (after which the home folder has to be removed).
async fn do_not_sync(cluster: &Cluster) -> Result<(), Error> {
    let failure = |error: sqlx::Error| databases::failure("postgres", "configured", &error);
    let mut connection = databases::connect(&cluster.url("postgres")).await?;
    // One at a time, since all of them write the same file.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(SWEEP_LOCK)
        .execute(&mut connection)
        .await
        .map_err(failure)?;
    for statement in ["ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()"] {
        sqlx::query(statement).execute(&mut connection).await.map_err(failure)?;
    }
    // The lock is released with the connection.
    connection.close().await.map_err(failure)
}

/// Drops the databases of test processes that are gone.
async fn sweep(cluster: &Cluster) -> Result<(), Error> {
    let failure = |error: sqlx::Error| databases::failure("postgres", "read", &error);
    let mut connection = databases::connect(&cluster.url("postgres")).await?;
    // One at a time. Released with the connection.
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(SWEEP_LOCK)
        .execute(&mut connection)
        .await
        .map_err(failure)?;
    let names: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE starts_with(datname::text, $1)")
            .bind(PREFIX)
            .fetch_all(&mut connection)
            .await
            .map_err(failure)?;
    for name in names.iter().filter(|name| maker(name).is_some_and(is_gone)) {
        databases::drop(&cluster.url(name)).await?;
    }
    connection.close().await.map_err(failure)
}

fn maker(name: &str) -> Option<i32> {
    name.strip_prefix(PREFIX)?.split('_').next()?.parse().ok()
}

fn is_gone(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)
}
