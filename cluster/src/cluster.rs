//! The private PostgreSQL: start it or join it, use it, let it go.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use crate::binaries::Binaries;
use crate::keeper::{Attempt, Keeper, Member, Service, Turn};
use crate::machine::Machine;
use crate::place::{Room, socket_folder};
use crate::settings::settings;
use crate::{Error, databases, initdb, port, postmaster};

/// The name of the server in messages.
pub(crate) const NAME: &str = "the private PostgreSQL";
/// The name of its room in the home folder.
pub(crate) const ROOM: &str = "postgres";

/// An empty cluster takes 40 MB, and its first log segments as much again.
const ROOM_TO_INITIALISE: u64 = 256 << 20;
const ROOM_TO_START: u64 = 64 << 20;
/// A crashed server replays its log before it is ready, at most `max_wal_size` of it.
const STARTING: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(10);
/// Between our look at a port and the server's, another program can take it.
const PORTS_TO_TRY: usize = 5;

/// How to run the private PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The folder that everything lies in, `.callbench` by default. Made when missing.
    pub home: PathBuf,
    /// The folder with `initdb` and `postgres`; `None`: `CALLBENCH_PG_BIN`, else the newest version found.
    pub pg_bin: Option<PathBuf>,
    /// The port on 127.0.0.1; `None`: the same as last time, else a free one.
    pub port: Option<u16>,
    /// Keep the server running after its last user is gone, until [`stop`](crate::stop()).
    pub stay: bool,
}

impl Options {
    /// The usual way to run in `home`.
    #[must_use]
    pub fn new(home: impl Into<PathBuf>) -> Options {
        Options { home: home.into(), pg_bin: None, port: None, stay: false }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new(".callbench")
    }
}

/// A use of the private PostgreSQL. The server runs at least as long as this lives.
///
/// Let it go with [`Cluster::release`], which waits until the server has stopped where nobody else uses it. Dropped, or
/// gone with its process, the server stops just the same, a moment later.
#[derive(Debug)]
pub struct Cluster {
    keeper: Keeper,
    member: Member,
    room: PathBuf,
    socket_folder: PathBuf,
    port: u16,
    password: String,
    notes: Vec<String>,
}

impl Cluster {
    /// Starts the server, or joins it when it runs already. What is missing is made, what a crash left is recovered.
    /// Any number of processes may do so at once.
    pub async fn start(options: &Options) -> Result<Cluster, Error> {
        let room = Room::prepare(&options.home, ROOM)?;
        let keeper = Keeper::of(&room.folder);
        let turn = keeper.turn(room.account.as_ref()).await?;
        let member = keeper.enter(&turn)?;
        let mut start = Start { options, room: &room, keeper: &keeper, turn: &turn, member: &member };
        let address = match start.join().await? {
            Some(address) => address,
            None => start.anew().await?,
        };
        let mut notes = room.notes.clone();
        notes.extend(address.notes);
        Ok(Cluster {
            socket_folder: socket_folder(&room, &socket_name(address.port))?,
            port: address.port,
            password: address.password,
            room: room.folder,
            notes,
            keeper,
            member,
        })
    }

    /// The URL of a database of this server, over loopback TCP, with the password. The database need not exist.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, &self.password, database)
    }

    /// Things to say aloud: settings that are smaller than asked because the machine is, data that lies elsewhere, the
    /// account that the server runs under.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the server's Unix socket, for clients that prefer it (`host=` of libpq).
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// The folder that holds the data, for measuring the disk that it is on.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        initdb::data_folder(&self.room)
    }

    /// Lets the server go: stops it, and waits for that, unless somebody else uses it or it was told to stay.
    pub async fn release(self) -> Result<(), Error> {
        let turn = self.keeper.turn(None).await?;
        self.keeper.leave(&turn, self.member, NAME).await
    }
}

/// Where a running server answers.
struct Address {
    port: u16,
    password: String,
    notes: Vec<String>,
}

/// One call of [`Cluster::start`], while it is our turn.
struct Start<'a> {
    options: &'a Options,
    room: &'a Room,
    keeper: &'a Keeper,
    turn: &'a Turn,
    member: &'a Member,
}

impl Start<'_> {
    /// Joins the running server. `None` when none runs.
    async fn join(&mut self) -> Result<Option<Address>, Error> {
        let running = port::remembered(&self.port_file());
        if let (true, Some(asked), Some(running)) = (self.keeper.is_running(), self.options.port, running)
            && asked != running
        {
            return Err(Error::OtherPort { running, asked });
        }
        if !self.keeper.greet(self.member, self.options.stay, NAME).await? {
            return Ok(None);
        }
        let port = running
            .ok_or_else(|| Error::file("read", &self.port_file())(std::io::ErrorKind::NotFound.into()))?;
        if !self.ready(port).await? {
            return Ok(None);
        }
        let machine = Machine::observe(&self.room.folder)?;
        let notes = settings(&machine, port, Path::new("")).notes;
        self.address(port, notes).map(Some)
    }

    /// Starts the server, after making its data where there is none.
    async fn anew(&mut self) -> Result<Address, Error> {
        let data = initdb::data_folder(&self.room.folder);
        let major = initdb::data_major(&self.room.folder);
        let binaries = Binaries::find(self.options.pg_bin.as_deref(), &data, major)?;
        let machine = Machine::observe(&self.room.folder)?;
        let needed = if major.is_some() { ROOM_TO_START } else { ROOM_TO_INITIALISE };
        check_disk(&self.room.folder, machine.disk_free_bytes, needed)?;
        if major.is_none() {
            initdb::initialise(self.room, &binaries).await?;
        }
        postmaster::clear_stale_file(&data)?;
        let mut last = port::remembered(&self.port_file());
        for attempt_number in 1.. {
            let port = port::choose(self.options.port, last)?;
            let socket_folder = socket_folder(self.room, &socket_name(port))?;
            let settings = settings(&machine, port, &socket_folder);
            let file = data.join("postgresql.conf");
            fs::write(&file, &settings.text).map_err(Error::file("written", &file))?;
            port::remember(&self.port_file(), port)?;
            let attempt = self.spawn(&binaries, &data, &socket_folder).await?;
            if self.ready(port).await? {
                let address = self.address(port, settings.notes)?;
                self.check_contrib(&address, &binaries).await?;
                return Ok(address);
            }
            let words = attempt.last_words();
            if words.contains("could not access file \"pg_stat_statements\"") {
                return Err(Error::NoContrib { version: binaries.version, folder: binaries.folder });
            }
            if words.contains("Address already in use") {
                if self.options.port.is_some() {
                    return Err(Error::PortTaken(port));
                }
                if attempt_number < PORTS_TO_TRY {
                    last = None;
                    continue;
                }
            }
            return Err(attempt.failure(NAME));
        }
        unreachable!("the attempts are bounded")
    }

    async fn spawn(&self, binaries: &Binaries, data: &Path, socket_folder: &Path) -> Result<Attempt, Error> {
        let service = Service {
            signal: "INT",
            program: &binaries.program("postgres"),
            arguments: vec!["-D".as_ref(), data.as_os_str()],
            account: self.room.account.as_ref(),
            socket_folder,
        };
        self.keeper.spawn(self.turn, self.member, self.options.stay, &service).await
    }

    /// Waits until the server accepts connections; false when it is gone instead.
    async fn ready(&self, port: u16) -> Result<bool, Error> {
        let data = initdb::data_folder(&self.room.folder);
        let password = initdb::password(&self.room.folder)?;
        let begun = Instant::now();
        while self.keeper.is_running() {
            // The file first, because a connection that comes too early leaves an error in the log; a connection all the
            // same, because the file of a server that was killed still says that it is ready.
            if self.keeper.pid().is_some_and(|pid| postmaster::is_ready(&data, pid))
                && databases::answers(&url(port, &password, "postgres")).await?
            {
                return Ok(true);
            }
            if begun.elapsed() > STARTING {
                return Err(self.keeper.stuck(NAME, "start", STARTING));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(false)
    }

    /// The library of `pg_stat_statements` was loaded; its SQL files can still be missing.
    async fn check_contrib(&self, address: &Address, binaries: &Binaries) -> Result<(), Error> {
        let url = url(address.port, &address.password, "postgres");
        let mut connection = databases::connect(&url).await?;
        let present: Result<Option<i32>, _> =
            sqlx::query_scalar("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'")
                .fetch_optional(&mut connection)
                .await;
        let present = present.map_err(|error| databases::failure("postgres", "read", &error))?;
        PgConnection::close(connection).await.ok();
        match present {
            Some(_) => Ok(()),
            None => {
                Err(Error::NoContrib { version: binaries.version.clone(), folder: binaries.folder.clone() })
            }
        }
    }

    fn address(&self, port: u16, notes: Vec<String>) -> Result<Address, Error> {
        Ok(Address { port, password: initdb::password(&self.room.folder)?, notes })
    }

    fn port_file(&self) -> PathBuf {
        port_file(&self.room.folder)
    }
}

/// A server that runs out of disk while it starts says so in its log at best.
fn check_disk(folder: &Path, free_bytes: u64, needed_bytes: u64) -> Result<(), Error> {
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    let (free_mb, needed_mb) = (free_bytes >> 20, needed_bytes >> 20);
    Err(Error::DiskFull { folder: folder.to_owned(), free_mb, needed_mb })
}

/// Where the port is remembered.
pub(crate) fn port_file(room: &Path) -> PathBuf {
    room.join("port")
}

/// The URL of a database of the private server. Without TLS, which the server does not speak and which a `PGSSLMODE` of
/// the caller's must not demand.
pub(crate) fn url(port: u16, password: &str, database: &str) -> String {
    let user = initdb::USER;
    let database = databases::encode(database);
    format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}?sslmode=disable")
}

fn socket_name(port: u16) -> String {
    format!(".s.PGSQL.{port}.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_is_free_and_what_is_needed() {
        assert!(check_disk(Path::new("/home/x"), ROOM_TO_INITIALISE, ROOM_TO_INITIALISE).is_ok());
        let refusal = check_disk(Path::new("/home/x"), 5 << 20, ROOM_TO_INITIALISE).expect_err("full");
        assert!(
            refusal
                .to_string()
                .starts_with("the disk of /home/x has 5 MB left, but a server needs at least 256 MB"),
            "{refusal}"
        );
    }

    #[test]
    fn a_url_carries_any_name_of_a_database() {
        assert_eq!(
            url(5433, "secret", "a b"),
            "postgres://callbench:secret@127.0.0.1:5433/a%20b?sslmode=disable"
        );
    }
}
