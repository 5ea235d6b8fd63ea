//! The private PostgreSQL seen from outside, by somebody who does not use it.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::binaries::Binaries;
use crate::keeper::Keeper;
use crate::machine::folder_bytes;
use crate::options::{NAME, Options, ROOM};
use crate::place::Room;
use crate::start::{port_file, url};
use crate::{Error, initdb, port};

/// What is known about the private PostgreSQL of a home folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether it runs now.
    pub running: bool,
    /// The programs that it runs, or would be started, with; `None` when there are none that fit.
    pub binaries: Option<Binaries>,
    /// The folder of its data; it may not exist yet.
    pub data_folder: PathBuf,
    /// The port on 127.0.0.1 that it answers on, or did last; `None` before the first start.
    pub port: Option<u16>,
    /// The process of the running server.
    pub pid: Option<u32>,
    /// The processes that use it; one that uses it twice is listed twice.
    pub users: Vec<u32>,
    /// Whether it goes on when the last of them is gone.
    pub staying: bool,
    /// Bytes that its data take up on the disk.
    pub size_bytes: u64,
    /// What it has to say lies here.
    pub log: PathBuf,
    password: Option<String>,
}

impl Status {
    /// The URL of a database of the running server, `None` when it does not run.
    #[must_use]
    pub fn url(&self, database: &str) -> Option<String> {
        let password = self.password.as_deref().filter(|_| self.running)?;
        Some(url(self.port?, password, database))
    }
}

/// Looks at the private PostgreSQL. Starts, makes and changes nothing.
pub async fn status(options: &Options) -> Result<Status, Error> {
    let (options, home) = (options.clone(), options.home.clone());
    let looked = tokio::task::spawn_blocking(move || {
        let room = Room::find(&options.home, ROOM).unwrap_or_else(|| options.home.join(ROOM));
        look(&options, &room)
    });
    looked.await.map_err(|error| Error::file("looked at", &home)(error.into()))
}

fn look(options: &Options, room: &Path) -> Status {
    let keeper = Keeper::of(room);
    let data_folder = initdb::data_folder(room);
    let running = keeper.is_running();
    let binaries = Binaries::find(options.pg_bin.as_deref(), &data_folder, initdb::data_major(room)).ok();
    Status {
        running,
        binaries,
        port: port::remembered(&port_file(room)),
        pid: keeper.pid(),
        users: keeper.users(),
        staying: keeper.is_staying(),
        size_bytes: folder_bytes(&data_folder),
        log: keeper.log().to_owned(),
        password: initdb::password(room).ok(),
        data_folder,
    }
}

/// Stops the private PostgreSQL, also when somebody uses it or it was told to stay: their connections end, and what was
/// committed is safe. False when it did not run.
pub async fn stop(options: &Options) -> Result<bool, Error> {
    let Some(room) = Room::find(&options.home, ROOM) else { return Ok(false) };
    let keeper = Keeper::of(&room);
    if !keeper.is_running() {
        return Ok(false);
    }
    let turn = keeper.turn(None).await?;
    keeper.stop(&turn, Signal::SIGINT, NAME).await
}
