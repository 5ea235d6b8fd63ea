//! From what was measured to what is kept and printed.

use std::fs;
use std::io::{ErrorKind, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::Utc;
use reports::budgets::{Budgets, Evidence};
use reports::run::{Run, Verdict};

use crate::cli::Output;
use crate::live::{Finished, Live, Print};
use crate::stop::INTERRUPTED;

/// What a run is judged by.
pub(crate) enum Limits {
    /// The built-in budgets, as far as they speak of what the run set out to measure.
    BuiltIn(Budgets),
    /// A file that the user named: judged whole, so that a misspelt name fails instead of dropping out.
    File(Budgets),
}

impl Limits {
    /// The budgets of a file, or the built-in ones. Read before anything runs, so that a mistake costs no time.
    pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(file) = file else {
            return Ok(Self::BuiltIn(reports::budgets::parse("budgets.toml", reports::budgets::DEFAULT)?));
        };
        let name = file.display().to_string();
        let text =
            fs::read_to_string(file).with_context(|| format!("the budget file {name} can't be read"))?;
        Ok(Self::File(reports::budgets::parse(&name, &text)?))
    }

    /// Judges a run, or what a lab has found.
    pub(crate) fn judge(&self, run: &dyn Evidence) -> Vec<Verdict> {
        match self {
            Self::BuiltIn(budgets) => reports::budgets::judge(&budgets.applicable_to(run), run),
            Self::File(budgets) => reports::budgets::judge(budgets, run),
        }
    }
}

/// The name of a run: the one that was given, or the command and the time.
pub(crate) fn run_name(output: &Output, command: &str) -> String {
    output.name.clone().unwrap_or_else(|| fresh_name(command))
}

/// The command and the time.
pub(crate) fn fresh_name(command: &str) -> String {
    format!("{command}-{}", Utc::now().format("%Y%m%d-%H%M%S"))
}

/// Judges a fresh run, if there are budgets, keeps it under the folder of results, and prints it.
///
/// Without budgets the exit code says whether the run can be used at all: 0, or 2. A run that was interrupted is kept,
/// and exits as interrupted.
pub(crate) fn judge_and_keep(
    run: Run,
    limits: Option<&Limits>,
    output: &Output,
    live: &Live,
) -> anyhow::Result<u8> {
    let folder = output.runs.join(&run.name);
    judge_and_keep_in(&folder, run, limits, live.print())
}

/// The same, in a folder of one's choice.
pub(crate) fn judge_and_keep_in(
    folder: &Path,
    mut run: Run,
    limits: Option<&Limits>,
    print: Print<'_>,
) -> anyhow::Result<u8> {
    if let Some(limits) = limits {
        run.verdicts = limits.judge(&run);
    }
    let (verdict, code) = if !run.complete {
        ("interrupted", INTERRUPTED)
    } else if limits.is_none() {
        let usable = run.checks.iter().all(|check| check.passed);
        ("not_judged", if usable { 0 } else { 2 })
    } else {
        let code = reports::exit_code(&run);
        (verdict(code), code)
    };
    store_and_print(&run, folder, print, verdict, code)?;
    Ok(code)
}

/// The word for an exit code of what was judged.
pub(crate) fn verdict(code: u8) -> &'static str {
    match code {
        0 => "pass",
        1 => "fail",
        INTERRUPTED => "interrupted",
        _ => "inconclusive",
    }
}

/// Writes the folder of a run, and prints it in one way or another.
pub(crate) fn store_and_print(
    run: &Run,
    folder: &Path,
    print: Print<'_>,
    verdict: &'static str,
    exit_code: u8,
) -> anyhow::Result<()> {
    let written = reports::store::write(run, folder)?;
    match print {
        Print::Table => {
            let table = reports::terminal::table(run, std::io::stdout().is_terminal());
            put(&format!("{table}\nReport: {}\n", written.report.display()))?;
        }
        Print::Document => {
            put(&format!("{}\n", read_back(&written.result)?))?;
        }
        Print::Line(lines) => {
            let (result, report) = (&written.result, &written.report);
            lines.finished(Finished { name: &run.name, verdict, exit_code, result, report });
        }
    }
    Ok(())
}

/// Prints what is kept of a result that has a page, in one way or another.
pub(crate) fn print_kept(
    kept: Finished<'_>,
    print: Print<'_>,
    table: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    match print {
        Print::Table => put(&format!("{}\nPage: {}\n", table(), kept.report.display())),
        Print::Document => put(&read_back(kept.result)?),
        Print::Line(lines) => {
            lines.finished(kept);
            Ok(())
        }
    }
}

fn read_back(result: &Path) -> anyhow::Result<String> {
    fs::read_to_string(result).context("the result could not be read back")
}

/// Writes to standard output.
pub(crate) fn put(text: &str) -> anyhow::Result<()> {
    put_into(&mut std::io::stdout().lock(), text)
}

/// A reader who goes away before the end, as `head` does, has read what it wanted.
fn put_into(out: &mut impl Write, text: &str) -> anyhow::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("standard output could not be written")
        }
        _ => Ok(()),
    }
}

/// The folder of a `result.json`.
pub(crate) fn folder_of(result: &Path) -> PathBuf {
    result.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// The command line of this process, as one would type it again; secrets are left out.
pub(crate) fn command_line() -> String {
    without_secrets(std::env::args().skip(1))
}

/// The words of a command line, with `…` for each secret.
fn without_secrets(words: impl Iterator<Item = String>) -> String {
    let mut secret: Option<String> = None;
    let shown = words.map(|word| {
        if let Some(flag) = secret.take() {
            return hidden(&flag, &word);
        }
        match word.split_once('=') {
            Some((flag, value)) if SECRETS.contains(&flag) => format!("{flag}={}", hidden(flag, value)),
            _ => {
                secret = SECRETS.contains(&word.as_str()).then(|| word.clone());
                word
            }
        }
    });
    ["callbench".to_owned()].into_iter().chain(shown).collect::<Vec<_>>().join(" ")
}

/// What is followed by something that is nobody else's business, or may be.
const SECRETS: [&str; 4] = ["--token", "--database-url", "--as", "--workspace"];

/// Of `TOKEN@WORKSPACE` only the token is secret.
fn hidden(flag: &str, value: &str) -> String {
    match (flag, value.rsplit_once('@')) {
        ("--as" | "--workspace", Some((_, workspace))) => format!("…@{workspace}"),
        ("--workspace", None) => value.to_owned(),
        _ => "…".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing, for one reason.
    struct Closed(ErrorKind);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_who_goes_away_is_no_error_and_a_full_disk_is_one() {
        assert!(put_into(&mut Closed(ErrorKind::BrokenPipe), "a table").is_ok());
        let error = put_into(&mut Closed(ErrorKind::StorageFull), "a table").unwrap_err();
        assert!(error.to_string().contains("standard output"), "{error:#}");
    }

    #[test]
    fn a_command_line_is_kept_without_its_secrets() {
        for (typed, kept) in [
            ("load detail --token s3cret --rate=5/s", "load detail --token … --rate=5/s"),
            (
                "load --token=s3cret --database-url postgres://me:s3cret@h/d",
                "load --token=… --database-url …",
            ),
            ("load --as s3cret@acme=0.5 --as=s3cret@umbrella", "load --as …@acme=0.5 --as=…@umbrella"),
            ("growth --workspace acme --workspace=s3cret@w=5", "growth --workspace acme --workspace=…@w=5"),
        ] {
            let words = typed.split(' ').map(str::to_owned);
            assert_eq!(without_secrets(words), format!("callbench {kept}"));
        }
    }
}
