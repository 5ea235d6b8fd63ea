//! Where a server lives on the disk.
//!
//! Each server has a room in the home folder (`.callbench/postgres`, `.callbench/redis`). When root hands a server to
//! an unprivileged account that can't reach the home folder, as in a clone under `/root` or in a `mktemp -d` folder,
//! the room lies in a folder outside whose name is derived from the path of the home, so that the next start finds it.
//! Such a folder goes away at the next start of any cluster after its home did.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use sha2::{Digest, Sha256};

use crate::Error;
use crate::account::{Account, give};
use crate::keeper::Keeper;

/// Where rooms go that can't lie in their home.
const OUTSIDE: [&str; 2] = ["/var/lib/callbench", "/var/tmp/callbench"];

/// The folder of one server and the account that it runs under.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) folder: PathBuf,
    /// `None`: the server runs as this process does.
    pub(crate) account: Option<Account>,
    /// What the user should know about the choice.
    pub(crate) notes: Vec<String>,
}

impl Room {
    /// Finds or makes the room called `name` of `home`.
    pub(crate) fn prepare(home: &Path, name: &str) -> Result<Room, Error> {
        let Some(account) = Account::for_servers()? else {
            let home = make_home(home)?;
            return Ok(Room { folder: make_room(&home, name, None)?, account: None, notes: Vec::new() });
        };
        sweep();
        let home = make_home(home)?;
        // What was initialised by another account, say before the package with `postgres` was installed, stays with it.
        let account = owner_of(&home.join(name)).and_then(Account::owning).unwrap_or(account);
        let mut notes = vec![format!("servers run as {}, because they must not run as root", account.name)];
        if account.reaches(&home) {
            let folder = make_room(&home, name, Some(&account))?;
            return Ok(Room { folder, account: Some(account), notes });
        }
        let shelter = make_shelter(&home, &account)?;
        let account = owner_of(&shelter.join(name)).and_then(Account::owning).unwrap_or(account);
        let folder = make_room(&shelter, name, Some(&account))?;
        notes.push(format!(
            "the data lies in {}, because {} can't reach {}",
            folder.display(),
            account.name,
            home.display()
        ));
        Ok(Room { folder, account: Some(account), notes })
    }

    /// The folder of an existing room. Makes nothing.
    pub(crate) fn find(home: &Path, name: &str) -> Option<PathBuf> {
        let home = home.canonicalize().ok()?;
        let inside = home.join(name);
        if inside.is_dir() {
            return Some(inside);
        }
        let mut outside = OUTSIDE.iter().map(|base| Path::new(base).join(shelter_name(&home)).join(name));
        if geteuid().is_root() { outside.find(|room| room.is_dir()) } else { None }
    }
}

fn make_home(home: &Path) -> Result<PathBuf, Error> {
    if !home.is_dir() {
        fs::create_dir_all(home).map_err(Error::file("created", home))?;
        if geteuid().is_root() {
            set_mode(home, 0o755)?;
        }
    }
    home.canonicalize().map_err(Error::file("found", home))
}

fn make_room(parent: &Path, name: &str, account: Option<&Account>) -> Result<PathBuf, Error> {
    let folder = parent.join(name);
    match fs::DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::file("created", &folder)(error));
        }
        _ => {}
    }
    give(&folder, account)?;
    Ok(folder)
}

/// Makes the folder outside of `home` that stands in for it.
fn make_shelter(home: &Path, account: &Account) -> Result<PathBuf, Error> {
    let mut refusal = None;
    for base in OUTSIDE.map(Path::new) {
        let shelter = base.join(shelter_name(home));
        let made = fs::create_dir_all(&shelter).map_err(Error::file("created", &shelter)).and_then(|()| {
            // In a folder that everybody may write to, somebody else may have put theirs first.
            if owner_of(base) != Some(0) || owner_of(&shelter) != Some(0) {
                return Err(Error::file("used", &shelter)(io::Error::other("it does not belong to root")));
            }
            set_mode(base, 0o755)?;
            set_mode(&shelter, 0o755)?;
            let note = shelter.join("home");
            fs::write(&note, home.as_os_str().as_encoded_bytes()).map_err(Error::file("written", &note))
        });
        match made {
            Ok(()) if account.reaches(&shelter) => return Ok(shelter),
            Ok(()) => {}
            Err(error) => refusal = Some(error),
        }
    }
    let unreachable = format!("the account {} can't reach any folder for its data", account.name);
    Err(refusal.unwrap_or_else(|| Error::file("used", home)(io::Error::other(unreachable))))
}

/// Removes the shelters of homes that are gone, unless a server still runs there.
fn sweep() {
    for base in OUTSIDE {
        let shelters = fs::read_dir(base).into_iter().flatten().flatten();
        for shelter in shelters.map(|entry| entry.path()) {
            let Ok(home) = fs::read_to_string(shelter.join("home")) else { continue };
            let rooms = fs::read_dir(&shelter).into_iter().flatten().flatten().map(|entry| entry.path());
            let in_use = rooms.filter(|room| room.is_dir()).any(|room| Keeper::of(&room).is_running());
            if Path::new(&home).exists() || in_use {
                continue;
            }
            if let Err(error) = fs::remove_dir_all(&shelter) {
                tracing::warn!(folder = %shelter.display(), %error, "data of a home that is gone can't be removed");
            }
        }
    }
}

fn shelter_name(home: &Path) -> String {
    use std::fmt::Write;
    let digest = Sha256::digest(home.as_os_str().as_encoded_bytes());
    digest.iter().take(8).fold(String::new(), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

fn owner_of(path: &Path) -> Option<u32> {
    fs::symlink_metadata(path).ok().map(|metadata| metadata.uid())
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(Error::file("opened up", path))
}

/// A folder for sockets that the length limit of socket paths allows: `room` itself, or a short one in the folder for
/// temporary files. `longest` is the longest file name in it.
pub(crate) fn socket_folder(room: &Room, longest: &str) -> Result<PathBuf, Error> {
    /// 107 bytes on Linux, 103 on macOS.
    const LIMIT: usize = 103;
    let fits = |folder: &Path| {
        folder.as_os_str().len() + 1 + longest.len() <= LIMIT
            // PostgreSQL reads a list of folders, separated by commas.
            && !folder.as_os_str().as_encoded_bytes().iter().any(|byte| b",\"\n".contains(byte))
    };
    if fits(&room.folder) {
        return Ok(room.folder.clone());
    }
    let name = format!("callbench-{}", shelter_name(&room.folder));
    let short = std::env::temp_dir();
    let short = if fits(&short.join(&name)) { short } else { PathBuf::from("/tmp") };
    let folder = make_room(&short, &name, room.account.as_ref())?;
    let expected = room.account.as_ref().map_or_else(|| geteuid().as_raw(), |account| account.uid);
    if owner_of(&folder) != Some(expected) || !folder.is_dir() {
        return Err(Error::file("used", &folder)(io::Error::other("it belongs to another user")));
    }
    Ok(folder)
}
