//! What the tests of lifetimes share: homes, processes that use a cluster, and waiting for a condition.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
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

/// A process that uses the cluster of a home, `tests/programs/hold.rs`.
pub(crate) struct Holder {
    child: Child,
    input: Option<ChildStdin>,
    pub(crate) url: String,
}

impl Holder {
    /// Starts one, without waiting for it.
    pub(crate) fn begin(home: &Home, stay: bool) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hold-cluster"));
        command.arg(home.path()).args(stay.then_some("stay"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs")
    }

    /// Waits until a process that was begun uses the server.
    pub(crate) fn ready(mut child: Child) -> Holder {
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url =
            line.trim().strip_prefix("ready ").unwrap_or_else(|| panic!("no URL but {line:?}")).to_owned();
        let input = child.stdin.take();
        Holder { child, input, url }
    }

    pub(crate) fn start(home: &Home) -> Holder {
        Holder::ready(Holder::begin(home, false))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it go in an orderly way, and waits for its end.
    pub(crate) fn finish(mut self) {
        drop(self.input.take());
        let mut rest = String::new();
        self.child.stdout.take().expect("a pipe").read_to_string(&mut rest).expect("its end");
        assert!(self.child.wait().expect("its end").success());
    }

    pub(crate) fn kill(mut self, with: Signal) {
        signal(self.child.id(), with);
        self.child.wait().expect("its end");
    }
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
