//! A session on disk: `profile.json` and `profile.html`, written as the files of a run are.

use std::path::{Path, PathBuf};

use super::html;
use super::session::Session;
use crate::store::{Error, folder, json, put};

/// The name of the session in its folder.
pub const RESULT: &str = "profile.json";

/// The name of the page in its folder.
pub const PAGE: &str = "profile.html";

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// All answers and verdicts.
    pub result: PathBuf,
    /// The page.
    pub page: PathBuf,
}

/// Writes a session into `path`, which is created if missing. Files of an earlier one are replaced.
pub fn write(session: &Session, path: &Path) -> Result<Written, Error> {
    folder(path)?;
    let result = put(path, RESULT, &json(session)?)?;
    let page = put(path, PAGE, html::page(session).as_bytes())?;
    Ok(Written { result, page })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::sample;
    use super::*;

    #[test]
    fn a_session_reads_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let session = sample::naive_session();
        let written = write(&session, &folder.path().join("runs/sample")).unwrap();
        let text = fs::read_to_string(&written.result).unwrap();
        assert!(serde_json::from_str::<Session>(&text).unwrap() == session);
        assert!(text.contains("\"median\": 2,") && text.ends_with("}\n"));
        assert!(fs::read_to_string(&written.page).unwrap() == html::page(&session));
        assert_eq!(fs::read_dir(folder.path().join("runs/sample")).unwrap().count(), 2);
    }

    #[test]
    fn a_file_in_the_way_of_the_folder_is_an_error_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, "mine").unwrap();
        let error = write(&sample::naive_session(), &file.join("run")).unwrap_err().to_string();
        assert!(error.contains("taken") && !error.contains('\n'), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
}
