//! Everything that can go wrong, each with a sentence for the person who has to put it right.

use std::io;
use std::path::{Path, PathBuf};

/// Why a server could not be started, asked or stopped. The text of a variant is the message for the user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No PostgreSQL server programs anywhere.
    #[error(
        "no PostgreSQL server was found on this machine; install PostgreSQL 15 or newer with contrib (Debian and Ubuntu: \
         `apt-get install postgresql postgresql-contrib`, macOS: `brew install postgresql@17`), or set CALLBENCH_PG_BIN to \
         the folder that holds initdb and postgres"
    )]
    NoBinaries,
    /// The folder that was named does not hold the server programs.
    #[error(
        "{} holds no initdb and postgres that can be run; name the folder that does (`pg_config --bindir` prints it)",
        .0.display()
    )]
    NoBinariesIn(PathBuf),
    /// Only versions below 15 were found.
    #[error(
        "the newest PostgreSQL found is {version} in {}, but callbench needs 15 or newer; install a newer one, or set \
         CALLBENCH_PG_BIN to the folder that holds its initdb and postgres",
        folder.display()
    )]
    OldVersion {
        /// The version found, as the program prints it.
        version: String,
        /// Where it was found.
        folder: PathBuf,
    },
    /// The data folder was written by a major version that is not at hand.
    #[error(
        "{} was initialised by PostgreSQL {data}, but only {found} can be run here; install PostgreSQL {data}, or remove \
         that folder to begin with an empty one",
        folder.display()
    )]
    OtherMajor {
        /// The data folder.
        folder: PathBuf,
        /// The major version that wrote it.
        data: u32,
        /// The versions at hand.
        found: String,
    },
    /// `pg_stat_statements` is not installed.
    #[error(
        "PostgreSQL {version} in {} comes without the contrib module pg_stat_statements, which callbench measures with; \
         install contrib for it (Debian and Ubuntu: `apt-get install postgresql-contrib`)",
        folder.display()
    )]
    NoContrib {
        /// The version in use.
        version: String,
        /// Its folder of programs.
        folder: PathBuf,
    },
    /// Root has to hand the server to somebody else, and there is nobody.
    #[error(
        "PostgreSQL refuses to run as root, and the account {0:?} to run it under does not exist; set CALLBENCH_PG_USER to an \
         unprivileged account, or run callbench as one"
    )]
    NoAccount(String),
    /// The port that was asked for belongs to another program.
    #[error("port {0} on 127.0.0.1 is taken by another program; stop that program, or choose another port")]
    PortTaken(u16),
    /// The server already runs, elsewhere than asked.
    #[error(
        "the private PostgreSQL already runs on port {running}, not on {asked}; leave the port out, or stop it first with \
         `callbench db stop`"
    )]
    OtherPort {
        /// Where it runs.
        running: u16,
        /// What was asked for.
        asked: u16,
    },
    /// The server can't be told to stay in the mode that it runs in.
    #[error(
        "another process{} loads rows into the private PostgreSQL, which runs with wal_level minimal for that and would stay \
         so; start it again when the load is done",
        processes(users)
    )]
    Loading {
        /// The processes that use it.
        users: Vec<u32>,
    },
    /// Too little room for the server to live.
    #[error(
        "the disk of {} has {free_mb} MB left, but a server needs at least {needed_mb} MB to start; free some space, or \
         choose a home folder on another disk",
        folder.display()
    )]
    DiskFull {
        /// The folder on that disk.
        folder: PathBuf,
        /// Megabytes that are free.
        free_mb: u64,
        /// Megabytes that are needed.
        needed_mb: u64,
    },
    /// The disk filled up while a database was made or copied.
    #[error(
        "the disk of the server is full: {message}; free some space (the half-made database {database:?} is gone)"
    )]
    ServerDiskFull {
        /// The database that was to be made.
        database: String,
        /// What the server said.
        message: String,
    },
    /// `initdb` failed.
    #[error("a new data folder could not be initialised in {}: {output}", folder.display())]
    Initialise {
        /// The folder it was to go to.
        folder: PathBuf,
        /// What initdb said.
        output: String,
    },
    /// The server ended while it was starting.
    #[error("{program} did not start; the end of its log {}:\n{tail}", log.display())]
    DidNotStart {
        /// The program.
        program: &'static str,
        /// Its log.
        log: PathBuf,
        /// The last lines of this attempt.
        tail: String,
    },
    /// The server is busy starting, joining or stopping for longer than anyone should wait.
    #[error(
        "{program} (process {pid}) did not {expected} within {seconds} s; see its log {}, or end the process and start again",
        log.display()
    )]
    Stuck {
        /// The program.
        program: &'static str,
        /// Its process, 0 where it is not known.
        pid: u32,
        /// What was waited for.
        expected: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// A server that this crate did not start works on the data folder.
    #[error(
        "a PostgreSQL that callbench did not start (process {pid}) works on {}; stop it with `pg_ctl stop` first",
        folder.display()
    )]
    Foreign {
        /// The data folder.
        folder: PathBuf,
        /// The server's process.
        pid: u32,
    },
    /// No Redis on this machine.
    #[error(
        "no redis-server was found on this machine; install Redis 7 or newer (Debian and Ubuntu: `apt-get install \
         redis-server`, macOS: `brew install redis`), or set CALLBENCH_REDIS_BIN to the program"
    )]
    NoRedis,
    /// Redis below 7.
    #[error("{} is Redis {version}, but callbench needs 7 or newer; install a newer one", program.display())]
    OldRedis {
        /// The version found, as the program prints it.
        version: String,
        /// The program.
        program: PathBuf,
    },
    /// The database URL does not parse.
    #[error("the database URL is not one ({0}); write it as postgres://user:password@host:5432/database")]
    Url(String),
    /// The server of a database URL could not be reached or refused us.
    #[error("the database server at {server} can't be used: {message}")]
    Unreachable {
        /// `host:port/database`, never the password.
        server: String,
        /// What was said.
        message: String,
    },
    /// A copy can only be made of a database that nobody is connected to.
    #[error(
        "database {database:?} can't be copied while others are connected to it ({connections}); close those connections \
         and try again"
    )]
    TemplateInUse {
        /// The database to be copied.
        database: String,
        /// Who is connected, as `application (process)`.
        connections: String,
    },
    /// A copy never overwrites.
    #[error("database {0:?} exists already; drop it first, or choose another name")]
    DatabaseExists(String),
    /// A statement on a database failed for another reason.
    #[error("database {database:?} could not be {action}: {message}")]
    Database {
        /// The database.
        database: String,
        /// What was to be done with it.
        action: &'static str,
        /// What the server said.
        message: String,
    },
    /// A file or a program could not be used.
    #[error("{} can't be {action}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What was to be done with it.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err` on a system call: `.map_err(Error::file("read", path))`.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { path, action, source }
    }
}

/// ` (4711, 4712)`, or nothing where none is known.
fn processes(pids: &[u32]) -> String {
    if pids.is_empty() {
        return String::new();
    }
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    format!(" ({})", pids.join(", "))
}
