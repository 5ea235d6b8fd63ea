//! A run on disk: `result.json`, `report.html`, and one histogram log per subject and operation.
//!
//! Every file is written beside its place and then moved there, so that a crash or a full disk leaves either the old
//! file or the new one, never half of one. `result.json` is written first: everything else can be made from it again.

mod error;
mod hlog;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::Error;

use crate::run::{Run, SCHEMA};
use crate::{html, summary};

/// The name of the result in the folder of a run.
pub const RESULT: &str = "result.json";

/// The name of the page in the folder of a run.
pub const REPORT: &str = "report.html";

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The folder of the run.
    pub folder: PathBuf,
    /// The whole result.
    pub result: PathBuf,
    /// The page.
    pub report: PathBuf,
    /// The histogram logs, in the order of the report.
    pub histograms: Vec<PathBuf>,
}

/// Writes a run into `folder`, which is created if missing. Files of an earlier run of the same name are replaced.
pub fn write(run: &Run, folder: &Path) -> Result<Written, Error> {
    self::folder(folder)?;
    let result = put(folder, RESULT, &json(run)?)?;
    let report = put(folder, REPORT, html::page(run).as_bytes())?;
    let mut histograms = Vec::new();
    let mut taken = BTreeSet::new();
    for summary in summary::all(run) {
        let name =
            unique(&format!("{}.{}", plain(summary.case.operation), plain(summary.case.subject)), &mut taken);
        let log =
            hlog::log(run, summary.case).map_err(|source| Error::writing(&folder.join(&name), source))?;
        histograms.push(put(folder, &name, &log)?);
    }
    Ok(Written { folder: folder.to_owned(), result, report, histograms })
}

/// Reads a run back, from its folder or from its `result.json`.
pub fn read(path: &Path) -> Result<Run, Error> {
    let file = if path.is_dir() { path.join(RESULT) } else { path.to_owned() };
    let text = fs::read_to_string(&file).map_err(|source| Error::reading(&file, source))?;
    let malformed = |source| Error::Malformed { path: file.clone(), source };
    // The version first: a newer layout need not have the fields of this one.
    let Version { schema } = serde_json::from_str(&text).map_err(malformed)?;
    if schema > SCHEMA {
        return Err(Error::Newer { path: file, schema });
    }
    serde_json::from_str(&text).map_err(malformed)
}

#[derive(Deserialize)]
struct Version {
    schema: u32,
}

/// Makes a folder, if it is missing.
pub(crate) fn folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::writing(path, source))
}

/// JSON for people and programs, with the end of its last line.
pub(crate) fn json(result: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec_pretty(result).map_err(|source| Error::Encode { source })?;
    json.push(b'\n');
    Ok(json)
}

/// Writes a file beside its place, flushes it to the disk, and moves it there.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
    let path = folder.join(name);
    let attempt = || -> io::Result<()> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".callbench-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // Temporary files are private by default; results are for everyone whom the umask lets read.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt().map_err(|source| Error::writing(&path, source))?;
    Ok(path)
}

/// A name that every file system takes: other characters than letters, digits, `-` and `_` become `-`.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect()
}

/// `stem.hlog`, with a number when that is taken.
fn unique(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = format!("{stem}.hlog");
    let mut number = 2;
    while !taken.insert(name.to_lowercase()) {
        name = format!("{stem}-{number}.hlog");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    #[test]
    fn a_run_reads_back_as_it_was_written_from_its_folder_or_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let run = sample::run();
        let written = write(&run, &folder.path().join("runs/sample")).unwrap();
        let json = |run: &Run| serde_json::to_string(run).unwrap();
        assert!(json(&read(&written.folder).unwrap()) == json(&run));
        assert!(json(&read(&written.result).unwrap()) == json(&run));
        assert!(fs::read_to_string(&written.report).unwrap() == html::page(&run));
        let files = fs::read_dir(&written.folder).unwrap().count();
        assert_eq!(files, 2 + written.histograms.len(), "no temporary file is left");
    }

    #[test]
    fn writing_again_replaces_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let mut run = sample::run();
        write(&run, folder.path()).unwrap();
        run.command = "callbench demo --seed 8".into();
        write(&run, folder.path()).unwrap();
        assert_eq!(read(folder.path()).unwrap().command, run.command);
    }

    #[test]
    fn histogram_logs_hold_every_window_and_add_up_to_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let run = sample::run();
        let written = write(&run, folder.path()).unwrap();
        let names: Vec<_> = written.histograms.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(
            names,
            ["first_page.naive.hlog", "first_page.live.hlog", "page_100.naive.hlog", "page_100.live.hlog"]
        );
        for (summary, path) in summary::all(&run).iter().zip(&written.histograms) {
            let log = fs::read(path).unwrap();
            assert!(log.starts_with(b"#[Histogram log format version 1.3]\n"));
            let mut sum = Histogram::<u64>::new(3).unwrap();
            let mut starts = Vec::new();
            for entry in IntervalLogIterator::new(&log) {
                let LogEntry::Interval(interval) = entry.unwrap() else { continue };
                if interval.tag().unwrap().as_str() == "response" {
                    use base64::Engine as _;
                    let bytes = base64::engine::general_purpose::STANDARD
                        .decode(interval.encoded_histogram())
                        .unwrap();
                    sum.add(Deserializer::new().deserialize::<u64, _>(&mut &bytes[..]).unwrap()).unwrap();
                    starts.push(interval.start_timestamp());
                }
            }
            assert_eq!(starts.len(), summary.windows.len());
            assert!(starts.is_sorted());
            assert_eq!(sum.len(), summary.requests);
            assert_eq!(Some(sum.value_at_quantile(0.95)), summary.timings.response.quantile_us(0.95));
        }
    }

    #[test]
    fn names_that_no_file_may_have_are_made_plain_and_kept_apart() {
        let mut taken = BTreeSet::new();
        assert_eq!(unique(&plain("../a b"), &mut taken), "---a-b.hlog");
        assert_eq!(unique(&plain("../A/b"), &mut taken), "---A-b-2.hlog");
    }

    #[test]
    fn a_result_from_before_ramps_replays_and_skipped_arrivals_reads_as_what_it_was() {
        let run = sample::run();
        let mut kept = serde_json::to_value(&run).unwrap();
        kept["plan"]["load"] =
            serde_json::json!({"loop": "open", "rate_per_second": 50.0, "max_in_flight": 64});
        for window in kept["windows"].as_array_mut().unwrap() {
            assert!(window.as_object_mut().unwrap().remove("skipped").is_some());
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(RESULT), kept.to_string()).unwrap();
        let read = read(folder.path()).unwrap();
        assert_eq!(read.plan.load, run.plan.load);
        assert!(read.windows.iter().all(|window| window.skipped == 0));
    }

    #[test]
    fn a_result_of_a_newer_version_says_so() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(RESULT), r#"{"schema": 99, "runs": []}"#).unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("schema 99") && error.ends_with("update callbench to read it."), "{error}");
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(folder.path()).unwrap_err().to_string();
        assert!(missing.contains("result.json") && missing.contains("does not exist"), "{missing}");
        let broken = folder.path().join("broken.json");
        fs::write(&broken, "{\"schema\": 1,").unwrap();
        let error = read(&broken).unwrap_err().to_string();
        assert!(error.contains("broken.json") && error.contains("line 1"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_of_the_folder_is_an_error_in_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("taken");
        fs::write(&file, "mine").unwrap();
        let error = write(&sample::run(), &file.join("run")).unwrap_err().to_string();
        assert!(error.contains("taken") && !error.contains('\n'), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    }
}
