//! Whose processes the servers are.
//!
//! PostgreSQL refuses to run as root, with good reason. Started by root, callbench hands its servers to an unprivileged
//! account; started by anyone else, they run as that user. Dropping privileges is irrevocable in the child: the standard
//! library sets the group, clears the supplementary groups and then sets the user.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, geteuid};

use crate::Error;

/// An account that root hands a server to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account for a new server: `None` when this process is not root and servers run as it does, else the one that
    /// `CALLBENCH_PG_USER` names, else `postgres`, else `nobody`.
    pub(crate) fn for_servers() -> Result<Option<Account>, Error> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        if let Some(name) = std::env::var("CALLBENCH_PG_USER").ok().filter(|name| !name.is_empty()) {
            return Account::named(&name).map(Some).ok_or(Error::NoAccount(name));
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(Account::named)
            .map(Some)
            .ok_or_else(|| Error::NoAccount("nobody".to_owned()))
    }

    /// The account that owns existing files, so that a server goes on under whoever it was initialised by.
    pub(crate) fn owning(uid: u32) -> Option<Account> {
        User::from_uid(Uid::from_raw(uid))
            .ok()
            .flatten()
            .map(Account::from)
            .filter(|account| account.uid != 0)
    }

    fn named(name: &str) -> Option<Account> {
        User::from_name(name).ok().flatten().map(Account::from).filter(|account| account.uid != 0)
    }

    /// Whether the account can enter `folder`. Asked of the system and not computed, because access lists and mount
    /// options decide too.
    pub(crate) fn reaches(&self, folder: &Path) -> bool {
        let mut shell = command(Path::new("/bin/sh"), Some(self));
        shell.args(["-c", "cd \"$1\"", "sh"]).arg(folder).current_dir("/");
        shell.stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }
}

impl From<User> for Account {
    fn from(user: User) -> Account {
        Account { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    }
}

/// Makes `path` the property of `account`, where there is one.
pub(crate) fn give(path: &Path, account: Option<&Account>) -> Result<(), Error> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.uid), Some(account.gid)).map_err(Error::file("given away", path))
}

/// A command under `account`, without terminal input and without the `PG…` variables of the caller, which would
/// configure our server as they configure theirs. `LC_ALL=C` keeps messages in English, and keeps macOS from starting
/// threads inside the postmaster.
pub(crate) fn command(program: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("LC_ALL", "C");
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PG") {
            command.env_remove(name);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}
