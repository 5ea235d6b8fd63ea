//! Reads the folders of criterion: `GROUP/FUNCTION/PARAMETER/new/{benchmark,estimates}.json`.
//!
//! Criterion does not promise the layout of these files, but it has been the same from 0.3 to 0.8. What is not as it was is
//! told as an error that names the file, and never guessed. Names come from `benchmark.json`, because those of the folders
//! are shortened. `new` holds the last measurement; `base` and saved baselines are of the past and not read.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::baseline::{groups, is_baseline};
use super::{Bench, Estimate, Group, Throughput};

/// Folders between that of criterion and a `new`, at most: group, function, parameter.
const LEVELS: usize = 3;

/// Why there are no benches to show; the text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such folder.
    #[error("there is no folder {}; run `cargo bench` first, or name the folder of criterion, which is usually target/criterion", path.display())]
    Missing {
        /// What was named.
        path: PathBuf,
    },
    /// The folder holds something else.
    #[error("{} holds no estimates of criterion, which would lie in GROUP/FUNCTION/new/estimates.json; run `cargo bench` first, or name the folder of criterion, which is usually target/criterion", path.display())]
    Foreign {
        /// What was named.
        path: PathBuf,
    },
    /// A bench has begun and never ended.
    #[error("{} is missing; the bench was interrupted: run it again, or delete its folder", path.display())]
    Unfinished {
        /// The file that should be there.
        path: PathBuf,
    },
    /// A file or folder can't be read.
    #[error("could not read {}: {source}; make it readable or name another folder", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what criterion writes.
    #[error("{} is not a file of criterion as its versions 0.3 to 0.8 write it ({source}); run the bench again, or delete its folder", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where the reader stopped.
        source: serde_json::Error,
    },
}

/// `benchmark.json`.
#[derive(Deserialize)]
struct Name {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    throughput: Option<Amount>,
}

/// What one iteration is about. `BytesDecimal` differs from `Bytes` only in how criterion prints it.
#[derive(Clone, Copy, Deserialize)]
enum Amount {
    Bits(u64),
    Bytes(u64),
    BytesDecimal(u64),
    Elements(u64),
    ElementsAndBytes { elements: u64, bytes: u64 },
}

/// `estimates.json`, in nanoseconds.
#[derive(Deserialize)]
struct Estimates {
    mean: Stored,
    median: Stored,
    slope: Option<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    confidence_level: f64,
    lower_bound: f64,
    upper_bound: f64,
}

impl From<&Stored> for Estimate {
    fn from(stored: &Stored) -> Self {
        let Interval { confidence_level, lower_bound, upper_bound } = stored.confidence_interval;
        Self {
            value: stored.point_estimate,
            lower: lower_bound,
            upper: upper_bound,
            confidence: confidence_level,
        }
    }
}

impl Amount {
    fn in_time(self, time_ns: f64) -> Throughput {
        let (elements, bytes) = match self {
            Self::Bits(bits) => (None, Some(bits / 8)),
            Self::Bytes(bytes) | Self::BytesDecimal(bytes) => (None, Some(bytes)),
            Self::Elements(elements) => (Some(elements), None),
            Self::ElementsAndBytes { elements, bytes } => (Some(elements), Some(bytes)),
        };
        Throughput::of(elements, bytes, time_ns)
    }
}

/// Reads all benches below criterion's folder, or below the `criterion` of a target folder. There is at least one.
pub fn read(folder: &Path) -> Result<Vec<Group>, Error> {
    if !folder.is_dir() {
        return Err(Error::Missing { path: folder.to_owned() });
    }
    let within = folder.join("criterion");
    let root = if within.is_dir() && !within.join("new").is_dir() { &within } else { folder };
    let mut folders = Vec::new();
    newest(root, LEVELS, &mut folders)?;
    if folders.is_empty() {
        return Err(Error::Foreign { path: folder.to_owned() });
    }
    Ok(groups(folders.iter().map(|folder| bench(folder)).collect::<Result<_, _>>()?))
}

/// The folders `new` that hold a bench, so many levels down.
fn newest(folder: &Path, levels: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if !entry.file_type().map_err(unreadable)?.is_dir() {
            continue;
        }
        let path = entry.path();
        if entry.file_name() == "new" && path.join("benchmark.json").is_file() {
            found.push(path);
        } else if levels > 0 {
            newest(&path, levels - 1, found)?;
        }
    }
    Ok(())
}

fn bench(folder: &Path) -> Result<(String, Bench), Error> {
    let Name { group_id, function_id, value_str, throughput } = json(&folder.join("benchmark.json"))?;
    let file = folder.join("estimates.json");
    let Estimates { mean, median, slope } = json(&file)?;
    let written = fs::metadata(&file).and_then(|facts| facts.modified());
    let written = written.map_err(|source| Error::Unreadable { path: file, source })?;
    let function = function_id.unwrap_or_else(|| group_id.clone());
    let time_ns = Estimate::from(slope.as_ref().unwrap_or(&mean));
    let bench = Bench {
        is_baseline: is_baseline(&function),
        function,
        parameter: value_str,
        time_ns,
        mean_ns: Estimate::from(&mean),
        median_ns: Estimate::from(&median),
        slope_ns: slope.as_ref().map(Estimate::from),
        throughput: throughput.map(|amount| amount.in_time(time_ns.value)),
        beside_baseline: None,
        measured_at: DateTime::<Utc>::from(written),
    };
    Ok((group_id, bench))
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::Unfinished { path: path.to_owned() },
        _ => Error::Unreadable { path: path.to_owned(), source },
    })?;
    serde_json::from_str(&text).map_err(|source| Error::Malformed { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn estimate(value: f64) -> String {
        let (lower, upper) = (value - 1.0, value + 1.0);
        format!(
            r#"{{"confidence_interval":{{"confidence_level":0.95,"lower_bound":{lower},"upper_bound":{upper}}},
                 "point_estimate":{value},"standard_error":0.5}}"#
        )
    }

    /// The estimates of a bench with this mean and slope; the median is half the mean.
    fn estimates(mean: f64, slope: Option<f64>) -> String {
        let slope = slope.map_or("null".to_owned(), estimate);
        let [mean, median] = [mean, mean / 2.0].map(estimate);
        format!(
            r#"{{"mean":{mean},"median":{median},"median_abs_dev":{median},"slope":{slope},"std_dev":{median}}}"#
        )
    }

    /// A folder of criterion with a baseline, a bench beside it, one with a parameter, and a past.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, benchmark: &str, estimates: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(&path).unwrap();
            fs::write(path.join("benchmark.json"), benchmark).unwrap();
            fs::write(path.join("estimates.json"), estimates).unwrap();
        };
        put(
            "decode/baseline_ a copy/new",
            r#"{"group_id":"decode","function_id":"baseline: a copy","value_str":null,"throughput":{"ElementsAndBytes":
                {"elements":10,"bytes":400}},"full_id":"","directory_name":"","title":""}"#,
            &estimates(20.0, Some(10.0)),
        );
        put(
            "decode/a page/new",
            r#"{"group_id":"decode","function_id":"a page","value_str":null,"throughput":{"Bits":80}}"#,
            &estimates(40.0, None),
        );
        put("decode/a page/base", r#"{"group_id":"of the past"}"#, "{}");
        put(
            "database/first page/before/new",
            r#"{"group_id":"database","function_id":"first page","value_str":"before","throughput":{"Elements":50}}"#,
            &estimates(1_000.0, None),
        );
        put(
            "alone/new",
            r#"{"group_id":"alone","function_id":null,"value_str":null,"throughput":null}"#,
            &estimates(3.0, None),
        );
        fs::create_dir_all(folder.path().join("report")).unwrap();
        folder
    }

    #[test]
    fn names_times_and_throughput_are_those_that_criterion_wrote() {
        let folder = folder();
        let groups = read(folder.path()).unwrap();
        let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["alone", "database", "decode"]);
        assert_eq!(groups[0].benches[0].name(), "alone");
        assert_eq!(groups[1].benches[0].name(), "first page/before");
        let first_page = groups[1].benches[0].throughput.unwrap();
        assert_eq!(
            (first_page.elements, first_page.elements_per_second, first_page.bytes),
            (Some(50), Some(5e7), None)
        );
        let [baseline, page] = &groups[2].benches[..] else { panic!("{groups:?}") };
        assert_eq!(baseline.function, "baseline: a copy");
        assert_eq!(baseline.time_ns, Estimate { value: 10.0, lower: 9.0, upper: 11.0, confidence: 0.95 });
        assert_eq!((baseline.mean_ns.value, baseline.median_ns.value), (20.0, 10.0));
        assert_eq!(baseline.throughput.unwrap().bytes_per_second, Some(4e10));
        assert_eq!((page.time_ns, page.slope_ns), (page.mean_ns, None));
        assert_eq!(page.throughput.unwrap().bytes, Some(10));
        assert_eq!(page.beside_baseline.as_ref().map(|ratio| ratio.ratio), Some(4.0));
    }

    #[test]
    fn a_target_folder_will_do() {
        let target = tempfile::tempdir().unwrap();
        fs::rename(folder().keep(), target.path().join("criterion")).unwrap();
        assert_eq!(read(target.path()).unwrap().len(), 3);
    }

    #[test]
    fn a_folder_of_something_else_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("none")).unwrap_err().to_string();
        assert!(
            missing.starts_with("there is no folder ") && missing.contains("run `cargo bench` first"),
            "{missing}"
        );
        fs::create_dir_all(folder.path().join("a/new")).unwrap();
        let foreign = read(folder.path()).unwrap_err();
        assert!(matches!(foreign, Error::Foreign { .. }), "{foreign}");
        assert!(foreign.to_string().contains("usually target/criterion"), "{foreign}");
    }

    #[test]
    fn a_file_that_is_not_whole_is_named() {
        let folder = folder();
        let file = folder.path().join("alone/new/estimates.json");
        fs::write(&file, r#"{"mean":{"point_estimate":null}}"#).unwrap();
        let malformed = read(folder.path()).unwrap_err().to_string();
        assert!(
            malformed.starts_with(&format!("{} is not a file of criterion", file.display())),
            "{malformed}"
        );
        fs::remove_file(&file).unwrap();
        let unfinished = read(folder.path()).unwrap_err().to_string();
        assert!(unfinished.contains("estimates.json is missing; the bench was interrupted"), "{unfinished}");
    }
}
