//! Write amplification on disk: `writes.json` and `writes.html`, written as the files of a run are.

use std::path::{Path, PathBuf};

use super::{Writes, html};
use crate::store::{Error, folder, json, put};

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All data.
    pub result: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Writes both into `path`, which is created if missing. Files of an earlier measurement are replaced.
pub fn write(writes: &Writes, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, "writes.json", &json(writes)?)?;
    let page = put(path, "writes.html", html::page(writes).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sample;
    use super::*;

    #[test]
    fn a_measurement_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let writes = sample::writes();
        let written = write(&writes, &folder.path().join("a/b")).unwrap();
        let again: Writes = serde_json::from_slice(&fs::read(written.result).unwrap()).unwrap();
        assert_eq!(again.measurements, writes.measurements);
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&writes).unwrap());
        assert_eq!(fs::read_to_string(written.page).unwrap(), html::page(&writes));
    }
}
