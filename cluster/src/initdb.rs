//! An empty data folder.
//!
//! It is made next to its final place and renamed when it is whole, so that an interrupted `initdb` leaves nothing that
//! looks like data.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::Error;
use crate::account::{command, give};
use crate::binaries::Binaries;
use crate::place::Room;

/// The superuser of the private cluster.
pub(crate) const USER: &str = "callbench";

/// The data folder of `room`, whether or not it exists.
pub(crate) fn data_folder(room: &Path) -> PathBuf {
    room.join("data")
}

/// The major version that wrote the data, `None` where there is none yet.
pub(crate) fn data_major(room: &Path) -> Option<u32> {
    fs::read_to_string(data_folder(room).join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// The superuser's password, which nobody but the owner of the room may read.
pub(crate) fn password(room: &Path) -> Result<String, Error> {
    let file = room.join("password");
    fs::read_to_string(&file).map(|text| text.trim().to_owned()).map_err(Error::file("read", &file))
}

/// Makes the data folder of `room`, and a password for it.
pub(crate) async fn initialise(room: &Room, binaries: &Binaries) -> Result<(), Error> {
    let unfinished = room.folder.join("data.unfinished");
    write_password(room)?;
    let mut outcome = None;
    for locale in locales(binaries.major) {
        remove(&unfinished)?;
        let output = run_initdb(room, binaries, &unfinished, &locale).await?;
        let unknown_locale = String::from_utf8_lossy(&output.stderr).contains("invalid locale");
        let done = output.status.success() || !unknown_locale;
        outcome = Some(output);
        if done {
            break;
        }
    }
    let output = outcome.expect("there is at least one locale");
    if !output.status.success() {
        remove(&unfinished)?;
        let text = String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ");
        return Err(Error::Initialise { folder: room.folder.clone(), output: text });
    }
    let data = data_folder(&room.folder);
    fs::rename(&unfinished, &data).map_err(Error::file("renamed", &unfinished))
}

/// Everything sorts by code point, so that an order does not depend on the machine, and letters beyond ASCII still have
/// upper and lower case. PostgreSQL 17 brings that along; before, it takes a locale of the system, which Linux calls
/// `C.UTF-8` and macOS `UTF-8`. The last resort knows the case of ASCII letters only.
fn locales(major: u32) -> Vec<Vec<&'static str>> {
    if major >= 17 {
        return vec![vec!["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]];
    }
    ["--lc-ctype=C.UTF-8", "--lc-ctype=UTF-8", "--lc-ctype=C"]
        .map(|ctype| vec!["--locale=C", "--lc-collate=C", ctype])
        .to_vec()
}

async fn run_initdb(
    room: &Room,
    binaries: &Binaries,
    folder: &Path,
    locale: &[&str],
) -> Result<Output, Error> {
    let program = binaries.program("initdb");
    let mut initdb = command(&program, room.account.as_ref());
    initdb
        .arg("--pgdata")
        .arg(folder)
        .args(["--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"])
        .arg("--pwfile")
        .arg(room.folder.join("password"))
        .args(locale)
        .current_dir(&room.folder);
    let mut initdb = tokio::process::Command::from(initdb);
    // Interrupted, we leave no initdb behind.
    initdb.kill_on_drop(true).output().await.map_err(Error::file("run", &program))
}

fn write_password(room: &Room) -> Result<(), Error> {
    let file = room.folder.join("password");
    let password = uuid::Uuid::new_v4().simple().to_string();
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut file| writeln!(file, "{password}"))
        .map_err(Error::file("written", &file))?;
    give(&file, room.account.as_ref())
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file("removed", folder)(error))
        }
        _ => Ok(()),
    }
}
