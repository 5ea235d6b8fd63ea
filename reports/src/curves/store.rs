//! Curves on disk: one JSON file and one page, written as the files of a run are.

use std::path::{Path, PathBuf};

use super::html;
use super::{Capacity, Curve};
use crate::store::{Error, folder, json, put};

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All data.
    pub result: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Writes `capacity.json` and `capacity.html` into `path`, which is created if missing. Files of an earlier search are
/// replaced.
pub fn capacity(capacity: &Capacity, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, "capacity.json", &json(capacity)?)?;
    let page = put(path, "capacity.html", html::capacity(capacity).as_bytes())?;
    Ok(Written { result, page })
}

/// Writes `depth.json` and `depth.html`, or `growth.json` and `growth.html`, into `path`, which is created if missing.
pub fn curve(curve: &Curve, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let name = curve.axis.command();
    let result = put(path, &format!("{name}.json"), &json(curve)?)?;
    let page = put(path, &format!("{name}.html"), html::curve(curve).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sample;
    use super::*;

    #[test]
    fn a_search_and_a_curve_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let found = sample::capacity();
        let written = capacity(&found, &folder.path().join("a/b")).unwrap();
        let again: Capacity = serde_json::from_slice(&fs::read(written.result).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&found).unwrap());
        assert!(fs::read_to_string(written.page).unwrap() == html::capacity(&found));

        let depth = sample::depth();
        let written = curve(&depth, folder.path()).unwrap();
        assert!(written.result.ends_with("depth.json") && written.page.ends_with("depth.html"));
        let again: Curve = serde_json::from_slice(&fs::read(written.result).unwrap()).unwrap();
        assert!(again.series == depth.series);
    }
}
