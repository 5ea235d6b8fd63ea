//! Benches on disk: one JSON file and one page, written as the files of a run are.

use std::path::{Path, PathBuf};

use super::{Benches, html};
use crate::store::{Error, folder, json, put};

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All data.
    pub result: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Writes `benches.json` and `benches.html` into `path`, which is created if missing. Earlier ones are replaced.
pub fn write(benches: &Benches, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, "benches.json", &json(benches)?)?;
    let page = put(path, "benches.html", html::page(benches).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sample;
    use super::*;

    #[test]
    fn benches_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let benches = sample::benches();
        let written = write(&benches, &folder.path().join("a/b")).unwrap();
        let again: Benches = serde_json::from_slice(&fs::read(written.result).unwrap()).unwrap();
        assert_eq!(again, benches);
        assert_eq!(fs::read_to_string(written.page).unwrap(), html::page(&benches));
    }
}
