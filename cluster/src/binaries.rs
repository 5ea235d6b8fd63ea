//! Which PostgreSQL of this machine to run: the newest one that can read the data, unless one was named.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::command;

/// What callbench needs: `CREATE DATABASE … STRATEGY` and the statistics views that it reads.
const OLDEST_MAJOR: u32 = 15;

/// The server programs of one PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder that holds `initdb` and `postgres`.
    pub folder: PathBuf,
    /// The version as the program prints it, `15.13` or `18beta1`.
    pub version: String,
    /// The first number of the version.
    pub major: u32,
    /// The second number, 0 for a version that is not released yet.
    pub minor: u32,
}

impl fmt::Display for Binaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL {} in {}", self.version, self.folder.display())
    }
}

impl Binaries {
    /// Finds the programs to run `data` with: in the folder that was named (as an option, or in `CALLBENCH_PG_BIN`),
    /// else wherever they usually are. `data_major` is the version that wrote an existing data folder.
    pub(crate) fn find(
        named: Option<&Path>,
        data: &Path,
        data_major: Option<u32>,
    ) -> Result<Binaries, Error> {
        let variable =
            std::env::var_os("CALLBENCH_PG_BIN").filter(|value| !value.is_empty()).map(PathBuf::from);
        let found = match named.map(Path::to_owned).or(variable) {
            Some(folder) => vec![Binaries::in_folder(&folder).ok_or(Error::NoBinariesIn(folder))?],
            None => candidates().iter().filter_map(|folder| Binaries::in_folder(folder)).collect(),
        };
        choose(found, data, data_major)
    }

    fn in_folder(folder: &Path) -> Option<Binaries> {
        let output = command(&folder.join("postgres"), None).arg("--version").output().ok()?;
        if !output.status.success() || !folder.join("initdb").is_file() {
            return None;
        }
        let (version, major, minor) = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Binaries { folder: folder.to_owned(), version, major, minor })
    }

    /// The path of one of the programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The newest of `found` that can be used; for existing data only the major version that wrote it can.
fn choose(mut found: Vec<Binaries>, data: &Path, data_major: Option<u32>) -> Result<Binaries, Error> {
    found.sort_by_key(|binaries| std::cmp::Reverse((binaries.major, binaries.minor)));
    let newest = found.first().cloned().ok_or(Error::NoBinaries)?;
    if newest.major < OLDEST_MAJOR {
        return Err(Error::OldVersion { version: newest.version, folder: newest.folder });
    }
    let Some(wanted) = data_major else { return Ok(newest) };
    let same = found.iter().find(|binaries| binaries.major == wanted).cloned();
    same.ok_or_else(|| Error::OtherMajor {
        folder: data.to_owned(),
        data: wanted,
        found: found.iter().map(Binaries::to_string).collect::<Vec<_>>().join(", "),
    })
}

/// Reads `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`.
fn parse_version(output: &str) -> Option<(String, u32, u32)> {
    let version = output.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
    let digits = |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
    let major = digits(version);
    let minor = version[major.len()..].strip_prefix('.').map(digits).unwrap_or_default();
    Some((version.to_owned(), major.parse().ok()?, minor.parse().unwrap_or(0)))
}

/// Every folder that may hold server programs, each once.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = command(Path::new("pg_config"), None).arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.extend(inside("/usr/lib/postgresql", "", "bin"));
    folders.extend(inside("/opt/homebrew/opt", "postgresql@", "bin"));
    folders.extend(inside("/usr/local/opt", "postgresql@", "bin"));
    folders.extend(inside("/usr", "pgsql-", "bin"));
    folders.push(PathBuf::from("/usr/local/pgsql/bin"));
    let mut once = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.join("postgres").is_file()) {
        if !once.contains(&folder) {
            once.push(folder);
        }
    }
    once
}

/// `parent/<prefix>*/child`.
fn inside(parent: &str, prefix: &str, child: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path().join(child))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(version: &str) -> Binaries {
        let (version, major, minor) =
            parse_version(&format!("postgres (PostgreSQL) {version}")).expect("one");
        Binaries { folder: PathBuf::from(format!("/opt/{version}")), version, major, minor }
    }

    fn chosen(versions: &[&str], data_major: Option<u32>) -> Result<String, String> {
        let found = versions.iter().map(|version| binaries(version)).collect();
        choose(found, Path::new("/data"), data_major)
            .map(|binaries| binaries.version)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn versions_are_read_as_debian_homebrew_and_betas_print_them() {
        let read = |text: &str| parse_version(text).map(|(_, major, minor)| (major, minor));
        assert_eq!(read("postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n"), Some((15, 13)));
        assert_eq!(read("postgres (PostgreSQL) 17.5 (Homebrew)"), Some((17, 5)));
        assert_eq!(read("postgres (PostgreSQL) 18beta1"), Some((18, 0)));
        assert_eq!(read("command not found"), None);
    }

    #[test]
    fn the_newest_version_is_taken_and_minor_versions_count_as_numbers() {
        assert_eq!(chosen(&["15.9", "16.2", "15.13"], None), Ok("16.2".to_owned()));
        assert_eq!(chosen(&["15.9", "15.13"], None), Ok("15.13".to_owned()));
    }

    #[test]
    fn existing_data_is_run_by_the_version_that_wrote_it() {
        assert_eq!(chosen(&["17.1", "15.13"], Some(15)), Ok("15.13".to_owned()));
        let refusal = chosen(&["17.1"], Some(16)).expect_err("no 16 at hand");
        assert!(refusal.contains("/data was initialised by PostgreSQL 16"), "{refusal}");
        assert!(refusal.contains("only PostgreSQL 17.1 in /opt/17.1"), "{refusal}");
    }

    #[test]
    fn nothing_found_says_what_to_install_and_an_old_version_is_named() {
        assert!(chosen(&[], None).expect_err("nothing").contains("install PostgreSQL 15 or newer"));
        assert!(
            chosen(&["13.4", "14.12"], None).expect_err("old").contains("newest PostgreSQL found is 14.12")
        );
    }
}
