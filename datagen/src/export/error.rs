//! What can go wrong with an export, in sentences for the user.

use std::io;
use std::path::{Path, PathBuf};

/// An error of an export.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data set can't be generated.
    #[error(transparent)]
    Dataset(#[from] crate::Error),
    /// A table was asked for that the level does not have.
    #[error("level {level} has no table `{table}`; its tables are {tables}")]
    NotAtLevel {
        /// The table.
        table: &'static str,
        /// The level.
        level: migrations::Level,
        /// The tables that it has.
        tables: String,
    },
    /// The folder holds something else.
    #[error(
        "the folder {} holds files that are not of an export by this version of callbench: {files}; nothing was changed; \
         export into another folder",
        folder.display()
    )]
    ForeignFiles {
        /// The folder.
        folder: PathBuf,
        /// Some of the files.
        files: String,
    },
    /// The folder holds another export.
    #[error(
        "the folder {} holds another export, {found}; asked for was {asked}; export into another folder, or let this \
         one be overwritten (--drop)",
        folder.display()
    )]
    OtherExport {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        found: String,
        /// What was asked for.
        asked: String,
    },
    /// Another process exports into the same folder.
    #[error("another process is exporting into the folder {}; wait for its end, or choose another folder", .0.display())]
    Busy(PathBuf),
    /// The files would not fit.
    #[error(
        "the export needs about {} and the disk of {} has {} free; make room, choose a smaller scale, or export fewer \
         tables (--only)",
        gigabytes(*.needed_bytes),
        folder.display(),
        gigabytes(*.free_bytes)
    )]
    NoRoom {
        /// The folder.
        folder: PathBuf,
        /// What is still to be written, estimated.
        needed_bytes: u64,
        /// What the disk takes.
        free_bytes: u64,
    },
    /// The disk is full after all.
    #[error(
        "the disk of {} is full; the parts that are whole stay; make room, and the same command goes on",
        .0.display()
    )]
    DiskFull(PathBuf),
    /// Stopped by the user.
    #[error("interrupted; the parts that are whole stay, and the same command goes on")]
    Interrupted,
    /// Anything else that the file system said.
    #[error("{} can't be {done}: {source}", path.display())]
    File {
        /// What was being done to it: "written".
        done: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Sorts an error of the file system, which came up when `path` was being `done`.
    pub(super) fn file(done: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::File { done, path: path.to_owned(), source },
        }
    }
}

fn gigabytes(bytes: u64) -> String {
    let (unit, name) = if bytes < 1_000_000_000 { (1e6, "MB") } else { (1e9, "GB") };
    format!("{:.1} {name}", bytes as f64 / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let sorted =
            |kind: io::ErrorKind| Error::file("written", Path::new("out/call.0001.bin"))(kind.into());
        assert!(matches!(sorted(io::ErrorKind::StorageFull), Error::DiskFull(_)));
        assert!(matches!(sorted(io::ErrorKind::QuotaExceeded), Error::DiskFull(_)));
        let said = sorted(io::ErrorKind::PermissionDenied).to_string();
        assert_eq!(said, "out/call.0001.bin can't be written: permission denied");
    }

    #[test]
    fn numbers_of_bytes_are_readable() {
        assert_eq!([gigabytes(1_500_000), gigabytes(12_340_000_000)], ["1.5 MB", "12.3 GB"]);
    }
}
