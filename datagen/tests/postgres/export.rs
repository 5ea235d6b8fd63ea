//! The export: files that load into what a load would have made, whole or in pieces, and that nobody loses by it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Output;
use std::sync::Mutex;

use cluster::testing::{self, TestDatabase};
use datagen::export::{Error, Exported, Format, Manifest, Options, export};
use datagen::{Phase, Progress, Scale, Spec, Table, Unit};
use migrations::Level;
use sqlx::PgConnection;
use tempfile::TempDir;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use crate::support::{Listener, as_of, connect, connections, load, number, read_back, schema, spec};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Small parts, so that there are several of a table.
fn options(folder: &Path) -> Options {
    Options { part_bytes: 3_000_000, threads: 2, ..Options::new(folder) }
}

fn tiny() -> Spec {
    Spec::of(Scale::Tiny, 1, as_of())
}

/// Every file with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// Runs the script of an export as a user would, with the `psql` that lies beside the server.
async fn load_script(folder: &Path, url: &str) -> Output {
    let status = cluster::status(&cluster::Options::new(testing::home())).await.unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = status.binaries.into_iter().map(|binaries| binaries.folder);
    let path = std::env::join_paths(programs.chain(std::env::split_paths(&path))).unwrap();
    Command::new("bash")
        .arg(folder.join("load.sh"))
        .args([url, "3"])
        .env("PATH", path)
        .output()
        .await
        .unwrap()
}

async fn loaded(folder: &Path, prefix: &str) -> TestDatabase {
    let database = testing::database(prefix).await;
    let output = load_script(folder, database.url()).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for step in ["tables", "rows", "indexes", "finish", "vacuum", "in all"] {
        assert!(said.lines().any(|line| line.starts_with(step) && line.ends_with(" s")), "{said}");
    }
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    database
}

/// Runs the script, which must refuse, and returns what it said.
async fn refused_by_script(folder: &Path, url: &str) -> String {
    let output = load_script(folder, url).await;
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn sums(manifest: &Manifest) -> Vec<(String, u64, String)> {
    manifest.tables.iter().map(|table| (table.table.clone(), table.rows, table.checksum.clone())).collect()
}

/// Names, types, defaults and NOT NULL of all columns.
async fn columns(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT concat_ws(' ', table_name, ordinal_position, column_name, data_type, character_maximum_length,
                          numeric_precision, numeric_scale, is_nullable, column_default)
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

#[tokio::test]
async fn both_formats_load_what_the_loader_loads() {
    let seeded = testing::database("export_seeded").await;
    let present = load(seeded.url(), &spec(), Level::Before, &connections(2)).await;
    let expected: Vec<(String, u64, String)> = present
        .tables
        .iter()
        .map(|table| (table.table.clone(), table.rows, table.checksum.clone()))
        .collect();
    for format in Format::ALL {
        let folder = folder();
        let Exported { manifest, .. } =
            export(&spec(), Level::Before, &Options { format, ..options(folder.path()) }, &()).unwrap();
        assert_eq!(sums(&manifest), expected, "{format}");
        let of_calls = &manifest.tables.iter().find(|table| table.table == "call").unwrap().parts;
        assert!(of_calls.len() > 1, "{of_calls:?}");

        let database = loaded(folder.path(), "export").await;
        let mut conn = connect(database.url()).await;
        for (name, rows, checksum) in &expected {
            let table = Table::ALL.into_iter().find(|table| table.name() == name).unwrap();
            let (found, sum) = read_back(&mut conn, table).await;
            assert_eq!((found, &format!("{:016x}", sum.0)), (*rows, checksum), "{format} {table}");
        }
        // The ledger knows what was loaded, so that it can be verified later.
        let verified =
            datagen::verify::verify(database.url(), &datagen::verify::Options::default(), &()).await.unwrap();
        assert!(verified.passed(), "{verified:#?}");
    }
}

#[tokio::test]
async fn the_loaded_schema_is_that_of_the_migrations_at_every_level() {
    const TOTALS: &str =
        "SELECT md5(string_agg(stats::text, E'\n' ORDER BY customer_id)) FROM customer_call_stats stats";
    for level in Level::ALL {
        let folder = folder();
        export(&tiny(), level, &options(folder.path()), &()).unwrap();
        let database = loaded(folder.path(), "export_level").await;
        let seeded = testing::database("seeded_level").await;
        load(seeded.url(), &tiny(), level, &connections(2)).await;
        let (mut by_script, mut by_loader) = (connect(database.url()).await, connect(seeded.url()).await);
        assert_eq!(schema(&mut by_script).await, schema(&mut by_loader).await, "{level}");
        assert_eq!(columns(&mut by_script).await, columns(&mut by_loader).await, "{level}");
        if level == Level::Optimized {
            let totals: String = sqlx::query_scalar(TOTALS).fetch_one(&mut by_script).await.unwrap();
            let expected: String = sqlx::query_scalar(TOTALS).fetch_one(&mut by_loader).await.unwrap();
            assert_eq!(totals, expected);
        }
        // The migrations know the level, and can go on from there.
        assert_eq!(migrations::level(&mut by_script).await.unwrap(), Some(level));
        migrations::migrate(&mut by_script, database.url(), Level::Before, &mut |_| {}).await.unwrap();
        migrations::migrate(&mut by_script, database.url(), level, &mut |_| {}).await.unwrap();
        assert_eq!(schema(&mut by_script).await, schema(&mut by_loader).await, "{level}");
    }
}

#[test]
fn one_and_four_threads_write_the_same_bytes() {
    for format in Format::ALL {
        let by = |threads| {
            let folder = folder();
            let options = Options { threads, format, ..options(folder.path()) };
            export(&spec(), Level::Optimized, &options, &()).unwrap();
            files(folder.path())
        };
        let (one, four) = (by(1), by(4));
        assert!(one.keys().eq(four.keys()), "{:?} {:?}", one.keys(), four.keys());
        assert!(one == four, "{format}");
    }
}

/// Ends the export as soon as a chunk of a phase is done.
struct StopIn(&'static str, CancellationToken, Mutex<String>);

impl Progress for StopIn {
    fn phase_started(&self, name: &str, _total: u64, _unit: Unit) {
        name.clone_into(&mut self.2.lock().unwrap());
    }

    fn advanced(&self, _name: &str, _units: u64, _bytes: u64) {
        if *self.2.lock().unwrap() == self.0 {
            self.1.cancel();
        }
    }
}

#[test]
fn an_export_that_was_stopped_goes_on_and_ends_with_the_same_files() {
    let whole = folder();
    let Exported { manifest, .. } = export(&spec(), Level::Before, &options(whole.path()), &()).unwrap();
    let interrupted = folder();
    let options = options(interrupted.path());
    let ender = StopIn("export call", options.stop.clone(), Mutex::default());
    let stopped = export(&spec(), Level::Before, &options, &ender);
    assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
    let left: Vec<String> = files(interrupted.path()).into_keys().collect();
    assert!(left.iter().any(|name| name == "customer.0001.bin"), "{left:?}");
    assert!(left.iter().any(|name| name.starts_with("call.") && name.ends_with(".inprogress")), "{left:?}");
    assert!(!left.iter().any(|name| name == "manifest.json" || name == "load.sh"), "{left:?}");

    let listener = Listener::default();
    let again = Options { stop: CancellationToken::new(), threads: 3, ..options };
    let resumed = export(&spec(), Level::Before, &again, &listener).unwrap();
    assert_eq!(resumed.manifest, manifest);
    assert!(files(interrupted.path()) == files(whole.path()));
    let phases: Vec<&str> = resumed.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(phases, ["export call"], "what was there is kept");
    assert!(resumed.phases[0].rows < Some(120_000), "parts of the table too: {:?}", resumed.phases);

    let nothing_left = export(&spec(), Level::Before, &again, &()).unwrap();
    assert_eq!(nothing_left, Exported { manifest, phases: Vec::new() });
}

#[test]
fn a_part_that_is_missing_or_cut_off_is_written_again() {
    let folder = folder();
    let options = options(folder.path());
    export(&spec(), Level::Before, &options, &()).unwrap();
    let before = files(folder.path());
    fs::remove_file(folder.path().join("label.0001.bin")).unwrap();
    File::options().write(true).open(folder.path().join("call.0002.bin")).unwrap().set_len(1_000).unwrap();
    let repaired = export(&spec(), Level::Before, &options, &()).unwrap();
    let phases: Vec<&str> = repaired.phases.iter().map(|phase| phase.name.as_str()).collect();
    assert_eq!(phases, ["export label", "export call"]);
    assert!(repaired.phases[1].rows < Some(120_000), "{:?}", repaired.phases[1]);
    assert!(files(folder.path()) == before);
}

#[test]
fn another_export_in_the_same_folder_is_refused_and_named_until_it_may_be_dropped() {
    let folder = folder();
    let options = options(folder.path());
    export(&spec(), Level::Before, &options, &()).unwrap();
    let before = files(folder.path());
    let csv = Options { format: Format::Csv, ..options.clone() };
    let some = Options { tables: vec![Table::Call], ..options.clone() };
    for (spec, level, options, named) in [
        (tiny(), Level::Before, &options, "tiny (seed 1"),
        (spec(), Level::Indexed, &options, "level indexed"),
        (spec(), Level::Before, &csv, "as csv"),
        (spec(), Level::Before, &some, "only call"),
    ] {
        let refused = export(&spec, level, options, &()).unwrap_err();
        assert!(matches!(refused, Error::OtherExport { .. }), "{refused}");
        let text = refused.to_string();
        assert!(text.contains(named) && text.contains("custom (seed 7") && text.contains("--drop"), "{text}");
    }
    assert!(files(folder.path()) == before);
    let replaced =
        export(&tiny(), Level::Before, &Options { drop: true, ..options.clone() }, &()).unwrap().manifest;
    let alone = self::folder();
    export(&tiny(), Level::Before, &self::options(alone.path()), &()).unwrap();
    assert_eq!(replaced.spec, tiny());
    assert!(files(folder.path()) == files(alone.path()), "nothing of the other export is left");
}

#[test]
fn another_date_is_the_same_export_unless_it_was_asked_for() {
    let folder = folder();
    let options = options(folder.path());
    let first = export(&tiny(), Level::Before, &options, &()).unwrap().manifest;
    let later = Spec::of(Scale::Tiny, 1, as_of() + chrono::TimeDelta::days(1));
    fs::remove_file(folder.path().join("call.0001.bin")).unwrap();
    assert_eq!(export(&later, Level::Before, &options, &()).unwrap().manifest, first);
    let exact = Options { exact_date: true, ..options };
    let refused = export(&later, Level::Before, &exact, &()).unwrap_err().to_string();
    assert!(refused.contains("2026-03-01") && refused.contains("2026-03-02"), "{refused}");
}

#[test]
fn files_of_others_are_never_touched() {
    for name in ["notes.txt", "customer.0001.bin", "manifest.json", "load.sh"] {
        let folder = folder();
        fs::write(folder.path().join(name), "{\"mine\": true}").unwrap();
        for drop in [false, true] {
            let options = Options { drop, ..options(folder.path()) };
            let refused = export(&tiny(), Level::Before, &options, &()).unwrap_err();
            assert!(matches!(refused, Error::ForeignFiles { .. }), "{refused}");
            assert!(refused.to_string().contains(name), "{refused}");
        }
        assert_eq!(files(folder.path()).into_keys().collect::<Vec<_>>(), [name]);
    }
    // Not beside an export of ours either.
    let folder = folder();
    export(&tiny(), Level::Before, &options(folder.path()), &()).unwrap();
    fs::create_dir(folder.path().join("backup")).unwrap();
    let drop = Options { drop: true, ..options(folder.path()) };
    let refused = export(&spec(), Level::Before, &drop, &()).unwrap_err();
    assert!(refused.to_string().contains("backup"), "{refused}");
    assert!(folder.path().join("call.0001.bin").exists());
}

#[test]
fn a_folder_that_another_process_writes_to_is_refused() {
    let folder = folder();
    let other = File::open(folder.path()).unwrap();
    other.lock().unwrap();
    let refused = export(&tiny(), Level::Before, &options(folder.path()), &()).unwrap_err();
    assert!(matches!(refused, Error::Busy(_)), "{refused}");
    drop(other);
    export(&tiny(), Level::Before, &options(folder.path()), &()).unwrap();
}

#[test]
fn an_export_that_does_not_fit_the_disk_is_refused_with_both_numbers() {
    let parent = folder();
    let folder = parent.path().join("new");
    // Some 1.5 TB. Where that fits, nothing is written either, and the test fails.
    let huge = Spec::custom(700_000_000, 4_000_000_000, 100, 1, as_of());
    let options = options(&folder);
    options.stop.cancel();
    let refused = export(&huge, Level::Before, &options, &()).unwrap_err();
    assert!(matches!(refused, Error::NoRoom { .. }), "{refused}");
    assert!(refused.to_string().contains("needs about") && refused.to_string().contains("free"), "{refused}");
    assert!(!folder.exists(), "nothing stays behind");
}

#[tokio::test]
async fn chosen_tables_come_alone_and_two_such_exports_go_into_one_database() {
    let (people, calls) = (folder(), folder());
    let only = |folder: &TempDir, tables: &[Table]| Options {
        tables: tables.to_vec(),
        format: Format::Csv,
        ..options(folder.path())
    };
    let level = Level::Indexed;
    // In the order of loading, however they were named.
    let manifest =
        export(&tiny(), level, &only(&people, &[Table::Customer, Table::Workspace]), &()).unwrap().manifest;
    let names: Vec<&str> = manifest.tables.iter().map(|table| table.table.as_str()).collect();
    assert_eq!(names, ["workspace", "customer"]);
    export(&tiny(), level, &only(&calls, &[Table::Call]), &()).unwrap();
    let database = loaded(people.path(), "export_some").await;
    let output = load_script(calls.path(), database.url()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut conn = connect(database.url()).await;
    assert_eq!(
        number(&mut conn, "SELECT count(*) FROM call JOIN customer c ON c.id = customer_id").await,
        30_000
    );
    assert_eq!(number(&mut conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 3);
    assert_eq!(number(&mut conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'callbench'").await, 0);
    let migrated = testing::database("migrated_some").await;
    let mut whole = connect(migrated.url()).await;
    migrations::migrate(&mut whole, migrated.url(), level, &mut |_| {}).await.unwrap();
    let indexes = "SELECT count(*) FROM pg_indexes WHERE tablename IN ('workspace', 'customer', 'call')
                   AND schemaname = 'public'";
    assert_eq!(number(&mut conn, indexes).await, number(&mut whole, indexes).await);
}

#[test]
fn a_table_that_the_level_does_not_have_is_named() {
    for table in Table::ALL.into_iter().filter(|table| table.name() == "customer_call_stats") {
        let folder = folder();
        let options = Options { tables: vec![table], ..options(folder.path()) };
        let refused = export(&tiny(), Level::Indexed, &options, &()).unwrap_err().to_string();
        assert!(refused.contains("level indexed has no table `customer_call_stats`"), "{refused}");
        export(&tiny(), Level::Optimized, &options, &()).unwrap();
    }
}

#[tokio::test]
async fn the_script_refuses_tables_that_are_there_and_parts_that_are_not_whole() {
    let folder = folder();
    export(&tiny(), Level::Before, &Options { format: Format::Csv, ..options(folder.path()) }, &()).unwrap();
    let database = loaded(folder.path(), "export_twice").await;
    let said = refused_by_script(folder.path(), database.url()).await;
    assert!(said.contains("a table app_user already, which has rows"), "{said}");
    let mut conn = connect(database.url()).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM call").await, 30_000);

    let empty = testing::database("export_refused").await;
    let part = folder.path().join("call.0001.csv");
    let whole = fs::read(&part).unwrap();
    fs::write(&part, &whole[..whole.len() - 100]).unwrap();
    let said = refused_by_script(folder.path(), empty.url()).await;
    assert!(said.contains("call.0001.csv has") && said.contains("instead of"), "{said}");
    fs::remove_file(&part).unwrap();
    let said = refused_by_script(folder.path(), empty.url()).await;
    assert!(said.contains("the part call.0001.csv is missing"), "{said}");
    let mut conn = connect(empty.url()).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 0);

    // As long as before, with a field too few in the middle: the load stops and says what to do.
    let mut broken = whole;
    let comma = broken.iter().skip(500_000).position(|&byte| byte == b',').unwrap() + 500_000;
    broken[comma] = b'x';
    fs::write(&part, &broken).unwrap();
    let said = refused_by_script(folder.path(), empty.url()).await;
    assert!(said.contains("rows failed") && said.contains("drop the tables"), "{said}");
    assert_eq!(number(&mut conn, "SELECT count(*) FROM pg_index WHERE indrelid = 'call'::regclass").await, 0);
}

#[test]
fn progress_hears_of_every_row_and_table() {
    #[derive(Default)]
    struct Heard(Mutex<[u64; 2]>, Mutex<Vec<Phase>>);
    impl Progress for Heard {
        fn advanced(&self, _name: &str, units: u64, bytes: u64) {
            let mut sum = self.0.lock().unwrap();
            *sum = [sum[0] + units, sum[1] + bytes];
        }
        fn phase_finished(&self, phase: &Phase) {
            self.1.lock().unwrap().push(phase.clone());
        }
    }
    let (folder, heard) = (folder(), Heard::default());
    let Exported { manifest, phases } =
        export(&spec(), Level::Before, &options(folder.path()), &heard).unwrap();
    let [rows, bytes] = *heard.0.lock().unwrap();
    let parts: usize = manifest.tables.iter().map(|table| table.parts.len()).sum();
    assert_eq!(rows, manifest.rows());
    // A part has a header of 19 and a trailer of 2 bytes.
    assert_eq!(bytes + 21 * parts as u64, manifest.bytes());
    assert_eq!(*heard.1.lock().unwrap(), phases);
    assert_eq!(phases.len(), manifest.tables.len());
    assert_eq!(phases[10].rows, Some(120_000));
    for table in &manifest.tables {
        for part in &table.parts {
            assert_eq!(
                fs::metadata(folder.path().join(&part.file)).unwrap().len(),
                part.bytes,
                "{}",
                part.file
            );
        }
    }
}
