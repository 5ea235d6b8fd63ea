//! What can go wrong between a run and the disk.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::run::SCHEMA;

/// An error of reading or writing a run; its text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be written.
    #[error("could not write {}: {}", path.display(), reason(source, "write"))]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be read.
    #[error("could not read {}: {}", path.display(), reason(source, "read"))]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a result, or not a whole one.
    #[error("{} is not a result of callbench ({source}); run the measurement again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where the reader stopped.
        source: serde_json::Error,
    },
    /// The result was written by a newer version.
    #[error("{} has schema {schema}, and this callbench reads up to schema {SCHEMA}; update callbench to read it.", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        schema: u32,
    },
    /// The run could not be turned into JSON.
    #[error(
        "the result could not be encoded as JSON ({source}); please report this as a defect of callbench"
    )]
    Encode {
        /// What the encoder said.
        source: serde_json::Error,
    },
}

impl Error {
    pub(super) fn writing(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    pub(super) fn reading(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }
}

/// The system's reason with what to do about it.
fn reason(source: &io::Error, verb: &str) -> String {
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk is full; free some space and run it again".into()
        }
        ErrorKind::PermissionDenied => {
            format!("permission denied; choose a folder that you may {verb}, or change its permissions")
        }
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only; choose another folder".into(),
        ErrorKind::NotFound => "it does not exist; name the folder of a run, or its result.json".into(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "there is a file where a folder should be; move it away or choose another folder".into()
        }
        _ => source.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_forbidden_folder_say_what_to_do() {
        for (kind, text) in [
            (ErrorKind::StorageFull, "could not write runs/a: the disk is full; free some space"),
            (
                ErrorKind::PermissionDenied,
                "could not write runs/a: permission denied; choose a folder that you may write",
            ),
            (ErrorKind::ReadOnlyFilesystem, "could not write runs/a: the file system is read-only"),
        ] {
            let error = Error::writing(Path::new("runs/a"), kind.into()).to_string();
            assert!(error.starts_with(text), "{error}");
            assert!(!error.contains('\n'));
        }
    }
}
