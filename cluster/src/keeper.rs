//! The lifetime of a server: it runs while somebody uses it, and no longer.
//!
//! Users may die at any moment, by Ctrl-C or `kill -9`, and then can't tell anybody. So the count of users is left to
//! the kernel: every user holds the writing end of one named pipe, and a small shell process, `keeper.sh`, reads it.
//! The pipe ends when the last writer is gone, however it went, and the keeper then ends the server, which is its child.
//!
//! Whether a server runs is left to the kernel too: the keeper and the server inherit a lock on one file, which is free
//! exactly when none of their processes is left. No process id is ever trusted to tell that; ids are recycled.
//!
//! What closes the race between the last user who leaves and the next who comes: a newcomer opens the pipe, writes its
//! name into it, and is in only when the keeper has answered. The keeper answers nobody after it has seen the end of the
//! pipe, and sees no end while a newcomer that it has answered holds the pipe. Whoever is not answered waits until the
//! lock is free and starts the server anew. Users start, join, leave and stop one at a time, under a lock of their own.
//!
//! The pipe is never replaced. Users of a server that crashed therefore still count for the one that is started in its
//! place on the same port.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::Error;
use crate::account::{Account, command, give};

const SCRIPT: &str = include_str!("keeper.sh");

/// How long a keeper may take to answer a newcomer. It does nothing else, so only a machine under great load takes long.
const ANSWER: Duration = Duration::from_mins(1);
/// How long a server may take to stop: it writes all its changed pages first.
const SHUTDOWN: Duration = Duration::from_mins(5);
/// Above this size a log is put aside at the next start.
const LOG_BYTES: u64 = 16 << 20;
const POLL: Duration = Duration::from_millis(5);

/// A program to be kept running.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    /// The signal that ends it in an orderly way, as `kill` of the shell spells it.
    pub(crate) signal: &'static str,
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<&'a std::ffi::OsStr>,
    pub(crate) account: Option<&'a Account>,
    /// Removed after the server, if it is empty by then.
    pub(crate) socket_folder: &'a Path,
}

/// The files of a keeper, in the room of its server.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    folder: PathBuf,
    log: PathBuf,
}

/// Held by whoever starts, joins, leaves or stops; the others wait.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

/// One user. The server lives as long as this does.
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    pipe: File,
    lease: File,
    lease_path: PathBuf,
}

impl Drop for Member {
    fn drop(&mut self) {
        // Only a list for people; what counts is that the pipe closes.
        let _ = fs::remove_file(&self.lease_path);
        let _ = self.lease.unlock();
    }
}

/// One try to start a server.
#[derive(Debug)]
pub(crate) struct Attempt {
    log: PathBuf,
    begins_at: u64,
}

impl Attempt {
    /// The last lines that the server wrote in this attempt.
    pub(crate) fn last_words(&self) -> String {
        const LINES: usize = 12;
        let text = fs::read(&self.log).unwrap_or_default();
        let text = text.get(usize::try_from(self.begins_at).unwrap_or(0)..).unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// The error that says why the server is gone.
    pub(crate) fn failure(&self, program: &'static str) -> Error {
        Error::DidNotStart { program, log: self.log.clone(), tail: self.last_words() }
    }
}

impl Keeper {
    /// The keeper of the server in `room`. Touches nothing.
    pub(crate) fn of(room: &Path) -> Keeper {
        Keeper { folder: room.join("keeper"), log: room.join("server.log") }
    }

    /// Where the server and the keeper write what they have to say.
    pub(crate) fn log(&self) -> &Path {
        &self.log
    }

    /// Waits for our turn, and makes the keeper's files where they are missing.
    pub(crate) async fn turn(&self, account: Option<&Account>) -> Result<Turn, Error> {
        let leases = self.leases();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&leases)
            .map_err(Error::file("created", &leases))?;
        let path = self.folder.join("turn");
        let file = open_lock(&path)?;
        // Not a blocking wait, which could not be given up on Ctrl-C.
        while let Err(refusal) = file.try_lock() {
            if !matches!(refusal, TryLockError::WouldBlock) {
                return Err(Error::file("locked", &path)(refusal.into()));
            }
            tokio::time::sleep(POLL).await;
        }
        let pipe = self.pipe();
        if !pipe.exists() {
            mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR)
                .map_err(|errno| Error::file("created", &pipe)(errno.into()))?;
        }
        give(&self.folder, account)?;
        give(&pipe, account)?;
        Ok(Turn(file))
    }

    /// Whether any process of the server is left.
    pub(crate) fn is_running(&self) -> bool {
        File::open(self.lock_path())
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The process of the running server.
    pub(crate) fn pid(&self) -> Option<u32> {
        if !self.is_running() {
            return None;
        }
        fs::read_to_string(self.lock_path()).ok()?.trim().parse().ok()
    }

    /// Whether the server's first process is gone, and others of its processes are left.
    fn has_crashed(&self) -> bool {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok());
        pid.is_some_and(|pid| kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH))
    }

    /// Whether the server was told to stay when its last user leaves.
    pub(crate) fn is_staying(&self) -> bool {
        self.folder.join("stay").exists() && self.is_running()
    }

    /// Processes that use the server now; one that uses it twice is listed twice.
    pub(crate) fn users(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = fs::read_dir(self.leases())
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| {
                File::open(entry.path())
                    .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
            })
            .filter_map(|entry| entry.file_name().to_str()?.split('-').next()?.parse().ok())
            .collect();
        pids.sort_unstable();
        pids
    }

    /// Makes this process a user of the server that runs or is about to be started.
    pub(crate) fn enter(&self, _turn: &Turn) -> Result<Member, Error> {
        let name = format!("{}-{}", std::process::id(), uuid::Uuid::new_v4().simple());
        let lease_path = self.leases().join(&name);
        let lease = open_lock(&lease_path)?;
        lease.lock().map_err(Error::file("locked", &lease_path))?;
        // Open for reading too, so that opening does not wait for the keeper to read.
        let pipe = self.pipe();
        let pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(&pipe)
            .map_err(Error::file("opened", &pipe))?;
        Ok(Member { name, pipe, lease, lease_path })
    }

    /// Presents `member` to the keeper. True: the running server has a new user; false: no server runs, or it has just
    /// stopped.
    pub(crate) async fn greet(
        &self,
        member: &Member,
        stay: bool,
        service: &'static str,
    ) -> Result<bool, Error> {
        if !self.is_running() {
            return Ok(false);
        }
        self.say(if stay { "stay" } else { "here" }, member)?;
        let answer = self.folder.join(format!("welcome.{}", member.name));
        let begun = Instant::now();
        loop {
            if answer.exists() {
                let _ = fs::remove_file(&answer);
                return Ok(true);
            }
            if !self.is_running() {
                return Ok(false);
            }
            let closing = self.folder.join("closing").exists();
            // Processes of a server that was killed go on until they look up from their work, which may be a large index.
            let expected = if closing || self.has_crashed() { "stop" } else { "answer" };
            let patience = if expected == "stop" { SHUTDOWN } else { ANSWER };
            if begun.elapsed() > patience {
                return Err(self.stuck(service, expected, patience));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts `service` for `member`. The server may still fail: then the lock is soon free again, and the attempt has
    /// its last words.
    pub(crate) async fn spawn(
        &self,
        _turn: &Turn,
        member: &Member,
        stay: bool,
        service: &Service<'_>,
    ) -> Result<Attempt, Error> {
        self.forget_the_last_server()?;
        let lock_path = self.lock_path();
        let lock = open_lock(&lock_path)?;
        let begun = Instant::now();
        while let Err(refusal) = lock.try_lock() {
            // Somebody who asks whether the server runs holds it for a moment.
            if !matches!(refusal, TryLockError::WouldBlock) || begun.elapsed() > ANSWER {
                return Err(Error::file("locked", &lock_path)(refusal.into()));
            }
            tokio::time::sleep(POLL).await;
        }
        lock.set_len(0).map_err(Error::file("written", &lock_path))?;
        let pipe = self.pipe();
        let users = File::open(&pipe).map_err(Error::file("opened", &pipe))?;
        let log = self.open_log(service.account)?;
        let begins_at = log.metadata().map_err(Error::file("read", &self.log))?.len();
        if stay {
            self.say("stay", member)?;
        }
        // A file and not `sh -c`, so that the list of processes shows its name instead of its text.
        let script = self.folder.join("keeper.sh");
        fs::write(&script, SCRIPT).map_err(Error::file("written", &script))?;
        give(&script, service.account)?;
        let mut shell = command(Path::new("/bin/sh"), service.account);
        shell
            .arg(&script)
            .args([self.folder.as_os_str(), service.signal.as_ref(), self.log.as_os_str()])
            .arg(service.socket_folder)
            .arg(service.program)
            .args(&service.arguments)
            .stdin(users)
            .stdout(lock)
            .stderr(Stdio::from(log))
            .current_dir(self.folder.parent().unwrap_or(Path::new("/")))
            // Out of reach of the terminal's Ctrl-C, which would stop the server under a user that still needs it.
            .process_group(0);
        let mut child = shell.spawn().map_err(Error::file("run", Path::new("/bin/sh")))?;
        // Nobody else can collect the keeper's exit as long as this process lives.
        std::thread::spawn(move || child.wait());
        Ok(Attempt { log: self.log.clone(), begins_at })
    }

    /// Lets `member` go. Where that was the last user, and the server is not to stay, waits until it has stopped.
    pub(crate) async fn leave(
        &self,
        _turn: &Turn,
        member: Member,
        service: &'static str,
    ) -> Result<(), Error> {
        drop(member);
        if self.is_staying() || !self.users().is_empty() || self.gone(SHUTDOWN).await {
            return Ok(());
        }
        Err(self.stuck(service, "stop", SHUTDOWN))
    }

    /// Stops the server, whoever uses it; false when none runs.
    pub(crate) async fn stop(
        &self,
        _turn: &Turn,
        signal: Signal,
        service: &'static str,
    ) -> Result<bool, Error> {
        if !self.is_running() {
            return Ok(false);
        }
        let begun = Instant::now();
        let mut signalled = false;
        while self.is_running() {
            // The keeper writes the process down a moment after it has taken the lock.
            if let Some(pid) = self.pid().filter(|_| !signalled) {
                let pid = Pid::from_raw(pid.try_into().unwrap_or(i32::MAX));
                signalled = true;
                match kill(pid, signal) {
                    Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                    Err(errno) => return Err(Error::file("stopped", &self.folder)(errno.into())),
                }
            }
            if begun.elapsed() > SHUTDOWN {
                return Err(self.stuck(service, "stop", SHUTDOWN));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(true)
    }

    /// Waits until no process of the server is left; false when that takes longer than `patience`.
    pub(crate) async fn gone(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.is_running() {
            if begun.elapsed() > patience {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    pub(crate) fn stuck(&self, program: &'static str, expected: &'static str, patience: Duration) -> Error {
        let pid = self.pid().unwrap_or(0);
        Error::Stuck { program, pid, expected, seconds: patience.as_secs(), log: self.log.clone() }
    }

    fn say(&self, word: &str, member: &Member) -> Result<(), Error> {
        let line = format!("{word} {}\n", member.name);
        (&member.pipe).write_all(line.as_bytes()).map_err(Error::file("written to", &self.pipe()))
    }

    fn open_log(&self, account: Option<&Account>) -> Result<File, Error> {
        if fs::metadata(&self.log).is_ok_and(|metadata| metadata.len() > LOG_BYTES) {
            let old = self.log.with_extension("log.old");
            fs::rename(&self.log, &old).map_err(Error::file("renamed", &self.log))?;
        }
        let log = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.log)
            .map_err(Error::file("opened", &self.log))?;
        give(&self.log, account)?;
        Ok(log)
    }

    fn forget_the_last_server(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.folder).map_err(Error::file("read", &self.folder))?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name == "stay" || name == "closing" || name.starts_with("welcome.") {
                fs::remove_file(&path).map_err(Error::file("removed", &path))?;
            }
        }
        for lease in fs::read_dir(self.leases()).into_iter().flatten().flatten() {
            let free = File::open(lease.path()).is_ok_and(|file| file.try_lock_shared().is_ok());
            if free {
                let _ = fs::remove_file(lease.path());
            }
        }
        Ok(())
    }

    fn pipe(&self) -> PathBuf {
        self.folder.join("users")
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.join("server")
    }

    fn leases(&self) -> PathBuf {
        self.folder.join("leases")
    }
}

fn open_lock(path: &Path) -> Result<File, Error> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(Error::file("opened", path))
}
