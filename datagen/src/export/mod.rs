//! The rows as files, with a script that loads them: for databases that this program can't reach, and for other tools.
//!
//! The folder of an export holds the rows that [`crate::seed()`] would COPY, the SQL around them, a load script that
//! needs nothing but `psql`, and a manifest. Rows are cut into parts (`part`); each part is a whole COPY stream, so
//! that several can be loaded at once. Several threads write a part each; a thread needs a few pieces of a part in
//! memory, whatever the scale. What was written when an export ended early is kept (`folder`), and the next one with
//! the same options goes on.

pub mod csv;
mod error;
mod folder;
mod manifest;
mod part;
mod scripts;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use self::error::Error;
pub use self::manifest::{ExportedTable, Manifest, Part};

use self::folder::Folder;
use self::part::Cut;
use crate::entities::Table;
use crate::loader::schedule::Grain;
use crate::plan::{Loading, PlannedTable, plan};
use crate::population::Population;
use crate::progress::{Phase, Progress, Unit, seconds};
use crate::spec::Spec;

/// Bytes of rows in a part, about: small enough to be sent again after an error, large enough that the start of a COPY
/// costs nothing.
pub const PART_BYTES: u64 = 256 << 20;

/// The form of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// `PostgreSQL`'s binary COPY format: the smallest, and the fastest to load.
    Binary,
    /// CSV with the names of the columns in the first line, see [`csv`].
    Csv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 2] = [Self::Binary, Self::Csv];

    /// What the names of its files end with.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Binary => "bin",
            Self::Csv => "csv",
        }
    }

    /// Bytes of its files for so many bytes of rows on the wire, about.
    fn file_bytes(self, copy_bytes: u64) -> u64 {
        match self {
            Self::Binary => copy_bytes,
            Self::Csv => copy_bytes / 100 * CSV_PERCENT,
        }
    }
}

/// Bytes of CSV for a hundred bytes on the wire. Measured at scale `dev`: 118, of which 115 for `call`, 117 for
/// `customer`, and 179 for tables of little but ids.
const CSV_PERCENT: u64 = 120;

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Binary => "binary",
            Self::Csv => "csv",
        })
    }
}

/// How to export.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder, which is made if there is none.
    pub folder: PathBuf,
    /// The form of the files.
    pub format: Format,
    /// The tables; none for all that the level has.
    pub tables: Vec<Table>,
    /// Parts that are written at the same time.
    pub threads: usize,
    /// Bytes of rows in a part, about, as the binary format has them; see [`PART_BYTES`].
    pub part_bytes: u64,
    /// Allows to overwrite another export. Files that are not of an export are never touched.
    pub drop: bool,
    /// An export of another date is another export. Otherwise one that differs only in its date is taken as it is, or
    /// completed as it was begun.
    pub exact_date: bool,
    /// Ends the export early, with [`Error::Interrupted`]; what is whole stays.
    pub stop: CancellationToken,
}

impl Options {
    /// All tables in binary form, with a thread for each core.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            format: Format::Binary,
            tables: Vec::new(),
            threads: std::thread::available_parallelism().map_or(2, usize::from),
            part_bytes: PART_BYTES,
            drop: false,
            exact_date: false,
            stop: CancellationToken::new(),
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// What the folder holds now.
    pub manifest: Manifest,
    /// What was written this time: a phase for each table, none if everything was there already. Bytes are those of
    /// rows on the wire, whatever the format.
    pub phases: Vec<Phase>,
}

/// Exports the data set into a folder, unless it is there already.
///
/// Blocks until it is done. Whatever interrupts it, a file without the ending `.inprogress` is whole, and the next call
/// with the same options keeps it.
pub fn export(
    spec: &Spec,
    level: migrations::Level,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Exported, Error> {
    spec.check()?;
    let tables = tables(level, &options.tables)?;
    let folder = Folder::open(&options.folder)?;
    let export = match Export::prepare(&folder, spec, level, options, tables) {
        Ok(export) => export,
        Err(error) => {
            folder.give_up();
            return Err(error);
        }
    };
    if export.todo.is_empty() && folder.is_whole() {
        return Ok(Exported { manifest: export.manifest, phases: Vec::new() });
    }
    export.run(&folder, options, progress).and_then(|done| {
        folder.complete(&done.manifest)?;
        Ok(done)
    })
}

/// The tables that are to be exported, in the order of loading.
fn tables(level: migrations::Level, chosen: &[Table]) -> Result<Vec<Table>, Error> {
    let script = migrations::Script::of(level);
    let exists = |table: &Table| script.tables.iter().any(|made| made.table.as_deref() == Some(table.name()));
    let all: Vec<Table> = Table::ALL.into_iter().filter(exists).collect();
    if let Some(absent) = chosen.iter().find(|table| !all.contains(table)) {
        let tables = all.iter().map(|table| table.name()).collect::<Vec<_>>().join(", ");
        return Err(Error::NotAtLevel { table: absent.name(), level, tables });
    }
    Ok(all.into_iter().filter(|table| chosen.is_empty() || chosen.contains(table)).collect())
}

/// An export that can begin, or go on.
struct Export {
    population: Population,
    tables: Vec<Table>,
    /// What is there already.
    manifest: Manifest,
    /// What is to be written: tables, each with its number in the manifest, and their parts.
    todo: Vec<(usize, PlannedTable, Vec<Cut>)>,
}

impl Export {
    fn prepare(
        folder: &Folder,
        spec: &Spec,
        level: migrations::Level,
        options: &Options,
        tables: Vec<Table>,
    ) -> Result<Self, Error> {
        let manifest_of = |spec: &Spec| {
            let whole = tables.len() == self::tables(level, &[])?.len();
            Ok::<_, Error>(Manifest::new(spec, options.format, level, options.part_bytes, &tables, whole))
        };
        let asked = manifest_of(spec)?;
        let found = folder.manifest.as_ref();
        let same = found.filter(|found| found.is_same(&asked, options.exact_date));
        if let (Some(other), None, false) = (found, same, options.drop) {
            let [folder, found, asked] =
                [folder.path().display().to_string(), other.to_string(), asked.to_string()];
            return Err(Error::OtherExport { folder: folder.into(), found, asked });
        }
        // What was begun with another date is completed with that date.
        let spec = same.map_or(spec, |same| &same.spec);
        let mut manifest = manifest_of(spec)?;
        let population = Population::new(spec);
        let planned =
            plan(spec, level, &Loading { connections: options.threads, grain: Grain::Table })?.tables;
        let (mut todo, mut needed_bytes) = (Vec::new(), 0);
        for (number, &table) in tables.iter().enumerate() {
            let Some(planned) = planned.iter().find(|planned| planned.table == table) else { continue };
            let cuts = Cut::all(
                table,
                table.chunks(&population),
                planned.copy_bytes,
                options.part_bytes,
                options.format,
            );
            let there = |cut: &Cut| {
                let parts = same.and_then(|same| same.tables.iter().find(|old| old.table == table.name()))?;
                let is_cut = |part: &&Part| part.file == cut.file && part.chunks == cut.chunks;
                parts.parts.iter().find(is_cut).filter(|part| folder.has(part)).cloned()
            };
            let of = cuts.len() as u64;
            let mut missing = Vec::new();
            for cut in cuts {
                match there(&cut) {
                    Some(part) => manifest.add(number, part),
                    None => missing.push(cut),
                }
            }
            if !missing.is_empty() {
                needed_bytes += options.format.file_bytes(planned.copy_bytes) / of * missing.len() as u64;
                todo.push((number, planned.clone(), missing));
            }
        }
        let free_bytes = folder.free_bytes()?.saturating_add(folder.removable_bytes(&manifest));
        if needed_bytes > free_bytes {
            let folder = folder.path().to_owned();
            return Err(Error::NoRoom { folder, needed_bytes, free_bytes });
        }
        Ok(Self { population, tables, manifest, todo })
    }

    fn run(self, folder: &Folder, options: &Options, progress: &dyn Progress) -> Result<Exported, Error> {
        folder.begin(&self.manifest)?;
        let began = Instant::now();
        let mut phases = Vec::new();
        let manifest = Mutex::new(self.manifest);
        for (number, planned, cuts) in self.todo {
            let table = planned.table;
            let name = format!("export {table}");
            let before = kept_rows(&manifest, number);
            progress.phase_started(&name, planned.rows.saturating_sub(before), Unit::Rows);
            let clock = Instant::now();
            let counter = Counter { rows: Mutex::new([0, 0]), progress };
            write_parts(&self.population, cuts, options, &counter, folder, &|part| {
                let mut manifest = manifest.lock().expect("no panic while held");
                manifest.add(number, part);
                folder.save_journal(&manifest)
            })?;
            let [rows, bytes] = counter.rows.into_inner().expect("no panic while held");
            let phase = Phase {
                name,
                began_seconds: seconds(clock.duration_since(began)),
                seconds: seconds(clock.elapsed()),
                rows: Some(rows),
                bytes: Some(bytes),
            };
            progress.phase_finished(&phase);
            phases.push(phase);
        }
        let manifest = manifest.into_inner().expect("no panic while held");
        if options.stop.is_cancelled() {
            return Err(Error::Interrupted);
        }
        scripts::write(folder, &manifest, &self.tables)?;
        Ok(Exported { manifest, phases })
    }
}

fn kept_rows(manifest: &Mutex<Manifest>, number: usize) -> u64 {
    manifest.lock().expect("no panic while held").tables[number].rows
}

/// Adds up what a phase has done, and passes it on.
struct Counter<'a> {
    /// Rows and bytes.
    rows: Mutex<[u64; 2]>,
    progress: &'a dyn Progress,
}

impl Progress for Counter<'_> {
    fn advanced(&self, name: &str, units: u64, bytes: u64) {
        let mut done = self.rows.lock().expect("no panic while held");
        done[0] += units;
        done[1] += bytes;
        self.progress.advanced(name, units, bytes);
    }
}

/// Writes parts, each on one of several threads. The first error ends all.
fn write_parts(
    population: &Population,
    cuts: Vec<Cut>,
    options: &Options,
    progress: &dyn Progress,
    folder: &Folder,
    note: &(dyn Fn(Part) -> Result<(), Error> + Sync),
) -> Result<(), Error> {
    let at_once = cuts.iter().map(|cut| cut.table.chunks_at_once()).min().unwrap_or(1);
    let threads = options.threads.clamp(1, cuts.len().max(1)).min(at_once);
    let queue = Mutex::new(VecDeque::from(cuts));
    let has_failed = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let work = || {
        loop {
            let next = queue.lock().expect("no panic while held").pop_front();
            let Some(cut) = next else { return };
            let outcome = cut
                .write(population, folder, options, &|| has_failed.load(Ordering::Acquire), progress)
                .and_then(note);
            if let Err(error) = outcome {
                // The others end because of this one, so it has to be there before they know.
                failure.lock().expect("no panic while held").get_or_insert(error);
                has_failed.store(true, Ordering::Release);
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    failure.into_inner().expect("no panic while held").map_or(Ok(()), Err)
}
