//! What can be typed after `callbench seed`.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, Utc};
use clap::{Args, ValueEnum};
use reports::spelling;

use super::Place;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  callbench seed --scale dev
  callbench seed --customers 200000 --calls 3000000 --workspaces 50 --seed 7
  callbench seed --scale dev --database-url postgres://me@localhost/scratch --level indexed
  callbench seed --scale enterprise --dry-run
  callbench seed --print-profile > mine.toml; callbench seed --scale dev --profile mine.toml
  callbench seed --scale dev --export out && out/load.sh postgres://me@localhost/scratch
  callbench seed --scale dev --export out --format csv --only customer --only call
An interrupted load, even by kill -9, goes on where it was with the same command.")]
#[expect(clippy::struct_field_names, reason = "the flag is called --seed")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is typed or not")]
pub(crate) struct Seed {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Customers of the largest workspace.
    #[arg(long, value_name = "N", requires_all = ["calls", "workspaces"], conflicts_with = "scale")]
    pub(crate) customers: Option<u64>,
    /// Calls of the largest workspace.
    #[arg(long, value_name = "N", requires = "customers")]
    pub(crate) calls: Option<u64>,
    /// Number of workspaces, the largest included.
    #[arg(long, value_name = "N", requires = "customers")]
    pub(crate) workspaces: Option<u32>,
    /// Seed of the generator: the same seed gives the same rows on any machine.
    #[arg(long, default_value_t = datagen::DEFAULT_SEED, value_name = "N")]
    pub(crate) seed: u64,
    /// The instant that the rows take for now: a date, or an RFC 3339 time. Default: today, 00:00 UTC.
    #[arg(long, value_name = "DATE", value_parser = as_of)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// A TOML file with the shape of the rows; what it does not name stays as --print-profile shows it.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// Print the profile (of --profile, or the default), each value with what it means, and stop.
    #[arg(long)]
    pub(crate) print_profile: bool,
    /// What is kept of each completed call: none, short (a summary) or full (a dialogue as long as the call).
    #[arg(long, default_value_t = datagen::Transcripts::None, value_name = "LENGTH")]
    pub(crate) transcripts: datagen::Transcripts,
    /// The level of the schema to load into.
    #[arg(long, default_value_t = migrations::Level::Before)]
    pub(crate) level: migrations::Level,
    /// Write the rows into files in this folder, with a script that loads them; no database is used.
    #[arg(long, value_name = "DIR")]
    pub(crate) export: Option<PathBuf>,
    /// The form of the files: COPY's binary format, or CSV with the names of the columns in the first line.
    #[arg(long, value_enum, default_value_t = ExportFormat::Binary, requires = "export")]
    pub(crate) format: ExportFormat,
    /// Only this table; can be given several times.
    #[arg(long, value_name = "TABLE")]
    pub(crate) only: Vec<String>,
    /// Connections that load at once, or files that are written at once. Default: one per core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: Option<u16>,
    /// Print the plan (rows, bytes and time of each table and index) and stop.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Load into a database on another machine, or one that holds something else beside the dataset.
    #[arg(long)]
    pub(crate) force: bool,
    /// Throw away the dataset that is there, if it is another one; with --force also rows that callbench did not write.
    #[arg(long)]
    pub(crate) drop: bool,
    /// Print the outcome as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl Seed {
    /// The tables that `--only` names; none if it was not given.
    pub(crate) fn tables(&self) -> anyhow::Result<Vec<datagen::Table>> {
        self.only.iter().map(|name| table(name)).collect()
    }
}

/// The forms of files, as `datagen` knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// PostgreSQL's binary COPY format: the smallest, and the fastest to load.
    Binary,
    /// CSV, for other tools.
    Csv,
}

/// The table of a name; an unknown one is answered with the known ones, and the one that may have been meant.
fn table(name: &str) -> anyhow::Result<datagen::Table> {
    let known = datagen::Table::ALL;
    if let Some(table) = known.into_iter().find(|table| table.name() == name) {
        return Ok(table);
    }
    let names: Vec<&str> = known.into_iter().map(datagen::Table::name).collect();
    let meant = spelling::aside(spelling::nearest(name, names.iter().copied()));
    anyhow::bail!("there is no table `{name}`{meant}; the tables are {}", names.join(", "))
}

fn as_of(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    text.parse::<DateTime<Utc>>()
        .map_err(|_| "expected a date such as 2026-07-01, or an RFC 3339 time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_table_is_answered_with_the_known_ones() {
        assert_eq!(table("call").unwrap(), datagen::Table::Call);
        let meant = table("Custmer").unwrap_err().to_string();
        assert!(meant.contains("`Custmer` (did you mean `customer`?); the tables are workspace,"), "{meant}");
        let unlike = table("xyz").unwrap_err().to_string();
        assert!(unlike.starts_with("there is no table `xyz`; the tables are"), "{unlike}");
    }

    #[test]
    fn dates_and_times_are_both_understood() {
        assert_eq!(as_of("2026-07-01").unwrap(), as_of("2026-07-01T00:00:00Z").unwrap());
        assert!(as_of("yesterday").is_err());
    }
}
