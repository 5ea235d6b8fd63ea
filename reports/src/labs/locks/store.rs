//! The result of the lock lab on disk: one JSON file and one page, written as the files of a run are.

use std::path::Path;

use super::{Locks, html};
use crate::curves::store::Written;
use crate::store::{Error, folder, json, put};

/// Writes `locks.json` and `locks.html` into `path`, which is created if missing. Files of an earlier result are replaced.
pub fn locks(locks: &Locks, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, "locks.json", &json(locks)?)?;
    let page = put(path, "locks.html", html::locks(locks).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sample;
    use super::*;

    #[test]
    fn a_result_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let found = sample::locks();
        let written = locks(&found, &folder.path().join("a/b")).unwrap();
        let again: Locks = serde_json::from_slice(&fs::read(written.result).unwrap()).unwrap();
        assert_eq!(again.trials, found.trials);
        assert!(fs::read_to_string(written.page).unwrap() == html::locks(&found));
    }
}
