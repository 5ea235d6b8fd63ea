//! What the tests of lifetimes share: homes, processes that use a cluster, and waiting for a condition.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use cluster::{Options, Status};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid};
use sqlx::{Connection, PgConnection};

/// Far above what anything here takes; it only turns a hang into a failure.
const DEADLINE: Duration = Duration::from_mins(2);

/// A home folder that goes away with the test, after its server was stopped.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    /// A home that every account can enter.
    pub(crate) fn new() -> Home {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("its mode");
        Home(folder)
    }

    /// A home that only its owner can enter.
    pub(crate) fn private() -> Home {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).expect("its mode");
        Home(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(self.path())
    }

    pub(crate) async fn status(&self) -> Status {
        cluster::status(&self.options()).await.expect("a status")
    }

    pub(crate) async fn pid(&self) -> u32 {
        self.status().await.pid.expect("it runs")
    }

    pub(crate) async fn until_stopped(&self) {
        until("the server to be stopped", async || !self.status().await.running).await;
    }
}

/// A folder with programs of these names that all print `version`.
pub(crate) fn programs(folder: &Path, version: &str) {
    std::fs::create_dir(folder).expect("a folder");
    for name in ["initdb", "postgres"] {
        let file = folder.join(name);
        std::fs::write(&file, format!("#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    }
}

/// A process that uses the cluster of a home, `tests/programs/hold.rs`.
pub(crate) struct Holder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(crate) url: String,
}

impl Holder {
    /// Starts one, without waiting for it.
    pub(crate) fn begin(home: &Home, stay: bool) -> Child {
        Holder::begin_with(home, if stay { &["stay"] } else { &[] })
    }

    /// Starts one with these words, without waiting for it.
    pub(crate) fn begin_with(home: &Home, words: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hold-cluster"));
        command.arg(home.path()).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs")
    }

    /// Waits until a process that was begun uses the server.
    pub(crate) fn ready(mut child: Child) -> Holder {
        let input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let url = url(&mut output);
        Holder { child, input, output, url }
    }

    /// Asks it to have the server in the serving mode, without waiting for that.
    pub(crate) fn begin_restart(&mut self) {
        self.input.write_all(b"restart\n").expect("a pipe");
    }

    /// Waits for the end of a restart.
    pub(crate) fn restarted(&mut self) {
        self.url = url(&mut self.output);
    }

    pub(crate) fn start(home: &Home) -> Holder {
        Holder::ready(Holder::begin(home, false))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it go in an orderly way, and waits for its end.
    pub(crate) fn finish(mut self) {
        drop(self.input);
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("its end");
        assert!(self.child.wait().expect("its end").success());
    }

    pub(crate) fn kill(mut self, with: Signal) {
        signal(self.child.id(), with);
        self.child.wait().expect("its end");
    }
}

/// The URL in the line `ready URL`.
fn url(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("no URL but {line:?}")).to_owned()
}

pub(crate) fn signal(pid: u32, with: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), with).expect("a process of ours");
}

pub(crate) fn group_of(pid: u32) -> Pid {
    getpgid(Some(Pid::from_raw(pid.cast_signed()))).expect("a process of ours")
}

pub(crate) fn is_alive(pid: u32) -> bool {
    kill(Pid::from_raw(pid.cast_signed()), None) != Err(Errno::ESRCH)
}

/// Looks again and again until `condition` holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let looking = async {
        let mut looks = tokio::time::interval(Duration::from_millis(10));
        while !condition().await {
            looks.tick().await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, looking).await.is_ok(), "waited too long for {what}");
}

pub(crate) async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("a connection")
}

/// The first column of the first row, as text.
pub(crate) async fn ask(url: &str, sql: &'static str) -> String {
    let mut connection = connect(url).await;
    let answer = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("an answer");
    connection.close().await.expect("an end");
    answer
}
