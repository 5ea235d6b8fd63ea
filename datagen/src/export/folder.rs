//! The folder of an export: which of its files are ours, and how a file gets its name.
//!
//! A file is written as `<name>.inprogress` and renamed when it is whole and on the disk. So a name without that ending
//! is a promise, whatever happens to the process or to the machine. The manifest grows as `manifest.json.inprogress`
//! with each part, and gets its own name when nothing is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::manifest::{Manifest, Part};
use crate::entities::Table;

/// The names of the scripts.
pub(super) const SCRIPTS: [&str; 4] = ["tables.sql", "indexes.sql", "finish.sql", LOAD_SCRIPT];
/// The one that runs the others.
pub(super) const LOAD_SCRIPT: &str = "load.sh";
/// The ending of a file that is not whole.
const IN_PROGRESS: &str = ".inprogress";
/// The manifest of a whole export.
const MANIFEST: &str = "manifest.json";
/// The manifest of an export that is not whole yet, and its next version while it is written.
const JOURNAL: &str = "manifest.json.inprogress";
const NEXT_JOURNAL: &str = "manifest.json.inprogress.next";

/// A folder that this process alone exports into.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// What the folder held when it was opened: files and their sizes.
    found: BTreeMap<String, u64>,
    /// What it held by its own account.
    pub(super) manifest: Option<Manifest>,
    /// Whether it was made by us just now.
    is_new: bool,
    /// Holds the lock, which ends with the process.
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none, and refuses one that holds files of others.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let is_new = !path.exists();
        fs::create_dir_all(path).map_err(Error::file("made a folder", path))?;
        let lock = File::open(path).map_err(Error::file("opened", path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(Error::file("locked", path)(error)),
        }
        let (mut found, mut foreign) = (BTreeMap::new(), Vec::new());
        for entry in fs::read_dir(path).map_err(Error::file("read", path))? {
            let entry = entry.map_err(Error::file("read", path))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            match entry.metadata() {
                Ok(metadata) if metadata.is_file() && is_ours(&name) => {
                    found.insert(name, metadata.len());
                }
                _ => foreign.push(name),
            }
        }
        let manifest = read(path, JOURNAL)?.or(read(path, MANIFEST)?);
        if manifest.is_none() {
            // Names alone don't prove that a file is ours; only the first file that we write can be there without.
            foreign.extend(found.keys().filter(|name| *name != NEXT_JOURNAL).cloned());
        }
        if !foreign.is_empty() {
            foreign.sort();
            foreign.dedup();
            let more = if foreign.len() > 5 { ", …" } else { "" };
            foreign.truncate(5);
            let files = format!("{}{more}", foreign.join(", "));
            return Err(Error::ForeignFiles { folder: path.to_owned(), files });
        }
        Ok(Self { path: path.to_owned(), found, manifest, is_new, _lock: lock })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the part is there, as far as its size tells.
    pub(super) fn has(&self, part: &Part) -> bool {
        self.found.get(&part.file) == Some(&part.bytes)
    }

    /// Whether everything was written that was to be.
    pub(super) fn is_whole(&self) -> bool {
        self.found.contains_key(MANIFEST) && SCRIPTS.iter().all(|script| self.found.contains_key(*script))
    }

    /// Bytes that its disk takes.
    pub(super) fn free_bytes(&self) -> Result<u64, Error> {
        let disk = nix::sys::statvfs::statvfs(&self.path)
            .map_err(|errno| Error::file("measured", &self.path)(errno.into()))?;
        // Block counts are 32 bits wide on macOS and 64 bits on Linux.
        let bytes = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// Begins, or goes on: notes what is kept, and removes everything else that is ours.
    pub(super) fn begin(&self, kept: &Manifest) -> Result<(), Error> {
        self.save_journal(kept)?;
        // The manifest of an export that is no longer whole goes before its files do.
        self.remove(MANIFEST)?;
        self.not_in(kept).try_for_each(|(name, _)| self.remove(name))
    }

    /// Bytes that [`Folder::begin`] sets free.
    pub(super) fn removable_bytes(&self, kept: &Manifest) -> u64 {
        self.not_in(kept).map(|(_, bytes)| bytes).sum()
    }

    /// The files that are neither the journal nor a part that is kept.
    fn not_in(&self, kept: &Manifest) -> impl Iterator<Item = (&str, u64)> {
        let parts = kept.tables.iter().flat_map(|table| &table.parts);
        let kept: BTreeSet<&str> = parts.map(|part| part.file.as_str()).chain([JOURNAL]).collect();
        self.found
            .iter()
            .map(|(name, &bytes)| (name.as_str(), bytes))
            .filter(move |(name, _)| !kept.contains(name))
    }

    /// Replaces the account of what is there so far.
    pub(super) fn save_journal(&self, manifest: &Manifest) -> Result<(), Error> {
        let next = self.path.join(NEXT_JOURNAL);
        let saved = write_durably(&next, as_json(manifest).as_bytes())
            .and_then(|()| fs::rename(&next, self.path.join(JOURNAL)));
        saved.map_err(Error::file("written", &next))
    }

    /// Everything is there.
    pub(super) fn complete(self, manifest: &Manifest) -> Result<(), Error> {
        self.save_journal(manifest)?;
        self.give_name(JOURNAL, MANIFEST)
    }

    /// Nothing will be written; a folder that was made for it goes away again.
    pub(super) fn give_up(self) {
        if self.is_new {
            // Fails if it is not empty, and then it is to stay.
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// A new file that will be called `name`.
    pub(super) fn create(&self, name: &str) -> Result<Unfinished<'_>, Error> {
        let path = self.path.join(format!("{name}{IN_PROGRESS}"));
        let file = File::create(&path).map_err(Error::file("written", &path))?;
        Ok(Unfinished { folder: self, name: name.to_owned(), path, file, bytes: 0 })
    }

    fn give_name(&self, from: &str, to: &str) -> Result<(), Error> {
        let to = self.path.join(to);
        fs::rename(self.path.join(from), &to).map_err(Error::file("written", &to))
    }

    fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::file("removed", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

/// A file that is being written. Dropped without [`Unfinished::finish`] it stays unfinished, and the next export
/// removes it.
#[derive(Debug)]
pub(super) struct Unfinished<'a> {
    folder: &'a Folder,
    name: String,
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Unfinished<'_> {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Error::file("written", &self.path))
    }

    /// Makes it executable.
    pub(super) fn set_executable(&self) -> Result<(), Error> {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = fs::Permissions::from_mode(0o755);
        self.file.set_permissions(permissions).map_err(Error::file("made executable", &self.path))
    }

    /// Waits until the disk has it, and gives it its name. Returns its bytes.
    pub(super) fn finish(self) -> Result<u64, Error> {
        self.file.sync_data().map_err(Error::file("written", &self.path))?;
        self.folder.give_name(&format!("{}{IN_PROGRESS}", self.name), &self.name)?;
        Ok(self.bytes)
    }
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn as_json(manifest: &Manifest) -> String {
    let mut json = serde_json::to_string_pretty(manifest).expect("a manifest has no keys but texts");
    json.push('\n');
    json
}

/// A manifest that can't be read is not one of ours.
fn read(folder: &Path, name: &str) -> Result<Option<Manifest>, Error> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("read", &path)(error)),
    }
}

/// Whether an export writes files of this name.
fn is_ours(name: &str) -> bool {
    let whole = name.strip_suffix(IN_PROGRESS).unwrap_or(name);
    name == NEXT_JOURNAL || whole == MANIFEST || SCRIPTS.contains(&whole) || is_part(whole)
}

/// `<table>.<four digits or more>.<format>`
fn is_part(name: &str) -> bool {
    let mut words = name.split('.');
    let (table, number, ending) = (words.next(), words.next(), words.next());
    words.next().is_none()
        && table.is_some_and(|table| Table::ALL.iter().any(|known| known.name() == table))
        && number.is_some_and(|number| number.len() >= 4 && number.bytes().all(|byte| byte.is_ascii_digit()))
        && ending.is_some_and(|ending| super::Format::ALL.iter().any(|format| format.ending() == ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_files_are_known_by_their_names() {
        for ours in [
            "call.0001.bin",
            "call_campaign_customer.12345.csv",
            "call.0001.bin.inprogress",
            "manifest.json",
            "manifest.json.inprogress",
            "load.sh",
            "tables.sql.inprogress",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for foreign in [
            "orders.0001.csv",
            "call.1.csv",
            "call.0001.txt",
            "call.0001.csv.gz",
            "call.csv",
            "notes.txt",
            "load.sh~",
            ".inprogress",
            "",
        ] {
            assert!(!is_ours(foreign), "{foreign}");
        }
    }
}
