//! The private PostgreSQL: start it or join it, use it, let it go.

use std::path::{Path, PathBuf};

use crate::keeper::{Keeper, Member, Turn};
use crate::mode::Mode;
use crate::options::{NAME, Options, ROOM};
use crate::place::Room;
use crate::start::{Start, Started, url};
use crate::{Error, databases, initdb};

/// A use of the private PostgreSQL. The server runs at least as long as this lives.
///
/// Let it go with [`Cluster::release`], which waits until the server has stopped where nobody else uses it. Dropped, or
/// gone with its process, the server stops just the same, a moment later.
#[derive(Debug)]
pub struct Cluster {
    keeper: Keeper,
    member: Member,
    room: Room,
    options: Options,
    socket_folder: PathBuf,
    port: u16,
    password: String,
    mode: Mode,
    notes: Vec<String>,
}

impl Cluster {
    /// Starts the server, or joins it when it runs already. What is missing is made, what a crash left is recovered.
    /// Any number of processes may do so at once.
    pub async fn start(options: &Options) -> Result<Cluster, Error> {
        let room = Room::prepare(&options.home, ROOM)?;
        let keeper = Keeper::of(&room.folder);
        let turn = keeper.turn(room.account.as_ref()).await?;
        Cluster::enter(options.clone(), room, keeper, &turn).await
    }

    async fn enter(options: Options, room: Room, keeper: Keeper, turn: &Turn) -> Result<Cluster, Error> {
        let member = keeper.enter(turn)?;
        let start = Start { options: &options, room: &room, keeper: &keeper, turn, member: &member };
        let Started { port, password, socket_folder, mode, notes } = start.run().await?;
        let notes = room.notes.iter().cloned().chain(notes).collect();
        Ok(Cluster { keeper, member, room, options, socket_folder, port, password, mode, notes })
    }

    /// The server in another mode, by a restart of it: connections to it end. Nothing happens where it runs in `mode`
    /// already. Where somebody else uses it, or it was told to stay, it goes on as it is, and the notes say so.
    ///
    /// Port and password are usually those of before, but the port may have been taken meanwhile: ask for the URLs anew.
    pub async fn restart(self, mode: Mode) -> Result<Cluster, Error> {
        if self.mode == mode {
            return Ok(self);
        }
        // One turn for both halves, so that nobody starts the server in the old mode in between. Killed between them, this
        // process leaves a server that is stopped.
        let turn = self.keeper.turn(self.room.account.as_ref()).await?;
        self.keeper.leave(&turn, self.member, NAME).await?;
        Cluster::enter(Options { mode, ..self.options }, self.room, self.keeper, &turn).await
    }

    /// The mode that the server runs in by its own account, which need not be the one that was asked for.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether rows of a table that is emptied in the same transaction, and new indexes, go around the log.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.mode == Mode::Loading
    }

    /// The URL of a database of this server, over loopback TCP, with the password. The database need not exist.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        url(self.port, &self.password, database)
    }

    /// The same over the server's Unix socket, which is faster for bulk data: there is no TCP between the two.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let folder = databases::encode(&self.socket_folder.to_string_lossy());
        format!("{}&host={folder}", self.url(database))
    }

    /// Things to say aloud: settings that are smaller than asked because the machine is, data that lies elsewhere, the
    /// account that the server runs under, a mode that is not the one asked for.
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
        initdb::data_folder(&self.room.folder)
    }

    /// Lets the server go: stops it, and waits for that, unless somebody else uses it or it was told to stay.
    pub async fn release(self) -> Result<(), Error> {
        let turn = self.keeper.turn(None).await?;
        self.keeper.leave(&turn, self.member, NAME).await
    }
}
