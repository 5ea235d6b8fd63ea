//! One start of the private PostgreSQL: joining the server that runs, or starting it anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};

use crate::binaries::Binaries;
use crate::keeper::{Attempt, Keeper, Member, Service, Turn};
use crate::machine::Machine;
use crate::mode::{Mode, Obstacle};
use crate::options::{NAME, Options};
use crate::place::{Room, socket_folder};
use crate::settings::settings;
use crate::{Error, databases, initdb, port, postmaster};

/// An empty cluster takes 40 MB, and its first log segments as much again.
const ROOM_TO_INITIALISE: u64 = 256 << 20;
const ROOM_TO_START: u64 = 64 << 20;
/// A crashed server replays its log before it is ready, at most `max_wal_size` of it.
const STARTING: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(10);
/// Between our look at a port and the server's, another program can take it.
const PORTS_TO_TRY: usize = 5;

/// A running server that we use.
pub(crate) struct Started {
    pub(crate) port: u16,
    pub(crate) password: String,
    pub(crate) socket_folder: PathBuf,
    /// The mode that it runs in, which need not be the one that was asked for.
    pub(crate) mode: Mode,
    pub(crate) notes: Vec<String>,
}

/// One start, while it is our turn.
pub(crate) struct Start<'a> {
    pub(crate) options: &'a Options,
    pub(crate) room: &'a Room,
    pub(crate) keeper: &'a Keeper,
    pub(crate) turn: &'a Turn,
    pub(crate) member: &'a Member,
}

impl Start<'_> {
    /// Joins the running server as it is, or starts it as it was asked for.
    pub(crate) async fn run(&self) -> Result<Started, Error> {
        match self.join().await? {
            Some(started) => Ok(started),
            None => self.anew().await,
        }
    }

    /// Joins the running server. `None` when none runs.
    async fn join(&self) -> Result<Option<Started>, Error> {
        let running = port::remembered(&self.port_file());
        if let (true, Some(asked), Some(running)) = (self.keeper.is_running(), self.options.port, running)
            && asked != running
        {
            return Err(Error::OtherPort { running, asked });
        }
        if !self.keeper.greet(self.member, false, NAME).await? {
            return Ok(None);
        }
        let port = running
            .ok_or_else(|| Error::file("read", &self.port_file())(std::io::ErrorKind::NotFound.into()))?;
        if !self.ready(port).await? {
            return Ok(None);
        }
        let mode = Mode::of_server(&self.url(port)?).await?;
        let is_staying = self.keeper.is_staying();
        if self.options.stay {
            // It would stay in this mode, with nobody left who could restart it.
            if mode == Mode::Loading && self.options.mode == Mode::Serving && !is_staying {
                return Err(Error::Loading { users: self.other_users() });
            }
            if !self.keeper.greet(self.member, true, NAME).await? {
                return Ok(None);
            }
        }
        let machine = Machine::observe(&self.room.folder)?;
        let notes = settings(&machine, port, Path::new(""), mode).notes;
        let obstacle = if is_staying { Obstacle::Staying } else { Obstacle::InUse };
        self.started(port, mode, obstacle, notes).map(Some)
    }

    /// Starts the server, after making its data where there is none.
    async fn anew(&self) -> Result<Started, Error> {
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
        let mut mode = self.options.mode;
        let mut ports_tried = 0;
        loop {
            let port = port::choose(self.options.port, last)?;
            let socket_folder = self.socket_folder(port)?;
            let settings = settings(&machine, port, &socket_folder, mode);
            let file = data.join("postgresql.conf");
            fs::write(&file, &settings.text).map_err(Error::file("written", &file))?;
            port::remember(&self.port_file(), port)?;
            let attempt = self.spawn(&binaries, &data, &socket_folder).await?;
            if self.ready(port).await? {
                self.check_contrib(port, &binaries).await?;
                let mode = Mode::of_server(&self.url(port)?).await?;
                return self.started(port, mode, Obstacle::Settings, settings.notes);
            }
            let words = attempt.last_words();
            if words.contains("could not access file \"pg_stat_statements\"") {
                return Err(Error::NoContrib { version: binaries.version, folder: binaries.folder });
            }
            if words.contains("Address already in use") {
                if self.options.port.is_some() {
                    return Err(Error::PortTaken(port));
                }
                ports_tried += 1;
                if ports_tried < PORTS_TO_TRY {
                    last = None;
                    continue;
                }
            }
            // An archive, a replication slot, `max_wal_senders`: whoever has set them up here gets them before we get speed.
            if mode == Mode::Loading && words.contains("wal_level") {
                mode = Mode::Serving;
                continue;
            }
            return Err(attempt.failure(NAME));
        }
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
        let url = self.url(port)?;
        let begun = Instant::now();
        while self.keeper.is_running() {
            // The file first, because a connection that comes too early leaves an error in the log; a connection all the
            // same, because the file of a server that was killed still says that it is ready.
            if self.keeper.pid().is_some_and(|pid| postmaster::is_ready(&data, pid))
                && databases::answers(&url).await?
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
    async fn check_contrib(&self, port: u16, binaries: &Binaries) -> Result<(), Error> {
        let mut connection = databases::connect(&self.url(port)?).await?;
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

    /// The server that runs in `mode`; where that is not what was asked for, `obstacle` is why.
    fn started(
        &self,
        port: u16,
        mode: Mode,
        obstacle: Obstacle,
        mut notes: Vec<String>,
    ) -> Result<Started, Error> {
        if mode != self.options.mode {
            notes.push(obstacle.note(self.options.mode));
        }
        let password = initdb::password(&self.room.folder)?;
        Ok(Started { port, password, socket_folder: self.socket_folder(port)?, mode, notes })
    }

    /// The processes that use the server beside this one.
    fn other_users(&self) -> Vec<u32> {
        let mut users = self.keeper.users();
        users.retain(|pid| *pid != std::process::id());
        users.dedup();
        users
    }

    fn url(&self, port: u16) -> Result<String, Error> {
        Ok(url(port, &initdb::password(&self.room.folder)?, "postgres"))
    }

    fn socket_folder(&self, port: u16) -> Result<PathBuf, Error> {
        socket_folder(self.room, &format!(".s.PGSQL.{port}.lock"))
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
