//! A price list on disk: one JSON file and one page, written as the files of a run are.

use std::path::{Path, PathBuf};

use super::{PriceList, html};
use crate::store::{Error, folder, json, put};

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All data.
    pub result: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Writes `indexes.json` and `indexes.html` into `path`, which is created if missing.
pub fn write(list: &PriceList, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, "indexes.json", &json(list)?)?;
    let page = put(path, "indexes.html", html::page(list).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_price_list_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let list = sample::list();
        let written = write(&list, &folder.path().join("a/b")).unwrap();
        let again: PriceList = serde_json::from_slice(&std::fs::read(written.result).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), serde_json::to_string(&list).unwrap());
        assert!(std::fs::read_to_string(written.page).unwrap() == html::page(&list));
    }
}
