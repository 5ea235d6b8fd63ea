//! `callbench seed --export` as a user meets it: interrupted, gone on with, refused; never with a database.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Output, Stdio};

use crate::command::{callbench, folder};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const SIZES: [&str; 6] =
    ["seed", "--customers=30000", "--calls=1500000", "--workspaces=20", "--as-of=2026-03-01", "--export=out"];

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable"));
    entries
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

#[test]
fn an_export_goes_on_after_ctrl_c_and_after_a_kill() {
    let whole = folder();
    let output = callbench(whole.path()).args(SIZES).arg("--json").output().expect("runs");
    assert!(output.status.success(), "{}", said(&output));
    let manifest = output.stdout;
    assert_eq!(fs::read(whole.path().join("out/manifest.json")).expect("there"), manifest);

    for (signal, code) in [(Signal::SIGINT, Some(130)), (Signal::SIGKILL, None)] {
        let folder = folder();
        let out = folder.path().join("out");
        let mut export = callbench(folder.path())
            .args(SIZES)
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        // The customers are written; calls are being written.
        let mut stderr = BufReader::new(export.stderr.take().expect("piped"));
        let mut line = String::new();
        while !line.contains("export call_campaign_customer:") {
            line.clear();
            assert!(stderr.read_line(&mut line).expect("UTF-8") > 0, "it ended before it came to calls");
        }
        kill(Pid::from_raw(i32::try_from(export.id()).expect("a pid")), signal).expect("it runs");
        assert_eq!(export.wait().expect("ends").code(), code);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!(rest.contains("callbench: interrupted"), code.is_some(), "{rest}");
        assert!(!out.join("manifest.json").exists() && out.join("customer.0001.bin").exists());

        let output = callbench(folder.path()).args(SIZES).args(["--json", "-v"]).output().expect("runs");
        let told = said(&output);
        assert!(output.status.success(), "{told}");
        assert_eq!(output.stdout, manifest);
        assert!(told.contains("export call:") && !told.contains("export customer:"), "{told}");
        assert!(files(&out) == files(&whole.path().join("out")), "the same files");
        assert_eq!(files_of(folder.path()), ["out"], "no private server was made");
    }
}

fn files_of(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable"));
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn an_unknown_table_is_answered_with_the_known_ones_and_nothing_is_written() {
    let folder = folder();
    let output =
        callbench(folder.path()).args(["seed", "--export=out", "--only=custmer"]).output().expect("runs");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in ["`custmer`", "did you mean `customer`?", "call_campaign_customer"] {
        assert!(said.contains(word), "{said}");
    }
    assert_eq!(files_of(folder.path()), Vec::<String>::new());
}

#[test]
fn a_dry_run_plans_the_chosen_tables_and_writes_nothing() {
    let folder = folder();
    let output = callbench(folder.path())
        .args(["seed", "--scale=tiny", "--export=out", "--only=call", "--only=label", "--dry-run", "--json"])
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", said(&output));
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let tables: Vec<&str> = plan["tables"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|table| table["table"].as_str())
        .collect();
    assert_eq!(tables, ["label", "call"]);
    assert_eq!(files_of(folder.path()), Vec::<String>::new());
}
