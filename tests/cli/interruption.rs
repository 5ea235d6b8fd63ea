//! Ctrl-C and worse: no process is left behind, and a dataset is either complete or known to be incomplete.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::command::{callbench, folder};
use cluster::{Cluster, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::Connection as _;

/// How long a process may take to go away before the test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads standard error until a line contains `words`; what follows is read in the background, and returned there.
fn wait_for(child: &mut Child, words: &str) -> JoinHandle<Vec<String>> {
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = Vec::new();
    for line in lines.by_ref() {
        let line = line.expect("UTF-8");
        if line.contains(words) {
            return std::thread::spawn(move || lines.map_while(Result::ok).collect());
        }
        said.push(line);
    }
    panic!("it ended before it said `{words}`: {said:#?}");
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), signal).expect("it runs");
}

/// What `callbench db status --json` says of the private server in `folder`.
fn status(folder: &Path) -> serde_json::Value {
    let output = callbench(folder).args(["db", "status", "--json"]).output().expect("runs");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Waits until no process has `folder` in its command line: the private servers name their data folder there.
fn assert_nothing_runs_in(folder: &Path) {
    let folder = folder.to_str().expect("UTF-8");
    let begun = Instant::now();
    loop {
        let left: Vec<String> = std::fs::read_dir("/proc")
            .expect("Linux")
            .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("cmdline")).ok())
            .filter(|line| line.contains(folder))
            .collect();
        if left.is_empty() {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "still there: {left:#?}");
        std::thread::yield_now();
    }
}

#[test]
fn ctrl_c_while_loading_leaves_a_dataset_that_is_known_to_be_incomplete_and_no_process() {
    let folder = folder();
    let mut seed = callbench(folder.path())
        .args(["seed", "-v", "--customers=200000", "--calls=2000000", "--workspaces=20"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    // Calls are being loaded still.
    let rest = wait_for(&mut seed, "copy customer");
    signal(&seed, Signal::SIGINT);
    assert_eq!(seed.wait().expect("ends").code(), Some(130));
    let said = rest.join().expect("it was read");
    let last = said.last().expect("a last line");
    assert!(last.starts_with("callbench: interrupted; the data set is incomplete"), "{said:#?}");
    assert_nothing_runs_in(folder.path());
    assert_eq!(status(folder.path())["running"], false);

    // What is there can't be measured, and says so.
    let output = callbench(folder.path()).args(["bench", "--scale=custom"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("incomplete") && said.contains("callbench seed"), "{said}");
    assert_nothing_runs_in(folder.path());

    // A smaller one replaces it, and is whole.
    let output = callbench(folder.path())
        .args(["seed", "--customers=100", "--calls=500", "--workspaces=4", "--drop", "--json"])
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seeded: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(seeded["dataset"]["completed_at"].is_string(), "{seeded}");
}

#[test]
fn a_load_that_was_killed_goes_on_with_the_same_command_and_ends_with_the_same_checksums() {
    let arguments = ["seed", "--customers=40000", "--calls=400000", "--workspaces=9", "--as-of=2026-03-01"];
    let tables = |folder: &Path| {
        let output = callbench(folder).args(arguments).arg("--json").output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let seeded: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        (seeded["dataset"]["tables"].clone(), seeded["dataset"]["attempts"].clone())
    };
    let whole = folder();
    let (expected, attempts) = tables(whole.path());
    assert_eq!((attempts.as_u64(), expected.as_array().map(Vec::len)), (Some(1), Some(11)));

    let killed = folder();
    let mut attempts = 1;
    // In the middle of the rows, and among the indexes.
    for moment in ["copy customer:", "index idx_call_customer_id"] {
        let mut seed = callbench(killed.path())
            .args(arguments)
            .arg("-v")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs");
        wait_for(&mut seed, moment);
        signal(&seed, Signal::SIGKILL);
        seed.wait().expect("ends");
        attempts += 1;
    }
    assert_eq!(tables(killed.path()), (expected, attempts.into()));
    assert_nothing_runs_in(killed.path());
}

#[test]
fn ctrl_c_while_measuring_keeps_what_was_measured_and_leaves_no_process() {
    let folder = folder();
    let mut demo = callbench(folder.path())
        .args(["demo", "--quick", "--name", "cut"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    wait_for(&mut demo, "round 1/");
    signal(&demo, Signal::SIGINT);
    assert_eq!(demo.wait().expect("ends").code(), Some(130));
    assert_nothing_runs_in(folder.path());
    let result = std::fs::read(folder.path().join("runs/cut/result.json")).expect("kept");
    let result: serde_json::Value = serde_json::from_slice(&result).expect("JSON");
    assert_eq!(result["complete"], false);
    // Its rows were loaded without log, but nothing is measured so.
    assert_eq!(result["environment"]["database"]["settings"]["wal_level"], "replica");
}

#[test]
fn a_killed_command_takes_its_servers_with_it() {
    let folder = folder();
    let mut demo = callbench(folder.path())
        .args(["demo", "--quick"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    wait_for(&mut demo, "prepare first_page");
    signal(&demo, Signal::SIGKILL);
    demo.wait().expect("ends");
    assert_nothing_runs_in(folder.path());
}

/// Databases of the private server in `folder` that a load wrote to.
async fn written_copies(folder: &Path) -> Vec<String> {
    let cluster = Cluster::start(&Options::new(folder.join(".callbench"))).await.expect("a cluster");
    let mut connection = sqlx::PgConnection::connect(&cluster.url("postgres")).await.expect("a connection");
    let names = sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE '%written%'")
        .fetch_all(&mut connection)
        .await
        .expect("the names");
    drop(connection);
    cluster.release().await.expect("stopped");
    names
}

#[tokio::test]
async fn a_load_that_writes_leaves_no_copy_however_it_ends() {
    let folder = folder();
    let folder = folder.path();
    let seeded = callbench(folder)
        .args(["seed", "--customers=60", "--calls=300", "--workspaces=3"])
        .output()
        .expect("runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let load = |duration: &str, words: &[&str]| {
        let mut command = callbench(folder);
        command.args(["load", "--scale=custom", "--variant=naive", "--rate=20/s", "--warm-up=100ms"]);
        command.args(["--page-size=5", "--duration", duration]).args(words);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let none: [&str; 0] = [];

    let output = load("300ms", &["single_update"]).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(written_copies(folder).await, none);

    let mut interrupted = load("10min", &["single_update"]).spawn().expect("runs");
    wait_for(&mut interrupted, "warm up");
    signal(&interrupted, Signal::SIGINT);
    assert_eq!(interrupted.wait().expect("ends").code(), Some(130));
    assert_eq!(written_copies(folder).await, none);

    // Nobody could clean up after this one but the next, even if that only reads.
    let mut killed = load("10min", &["single_update"]).spawn().expect("runs");
    wait_for(&mut killed, "warm up");
    let second = load("300ms", &["single_update"]).output().expect("runs");
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(second.status.code() == Some(2) && said.contains("another measurement writes to"), "{said}");
    let reading = load("300ms", &["detail"]).output().expect("runs");
    assert!(reading.status.success(), "{}", String::from_utf8_lossy(&reading.stderr));
    assert_eq!(written_copies(folder).await, ["callbench_custom_written"], "it is in use");
    signal(&killed, Signal::SIGKILL);
    killed.wait().expect("ends");
    let reading = load("300ms", &["detail"]).output().expect("runs");
    assert!(reading.status.success(), "{}", String::from_utf8_lossy(&reading.stderr));
    assert_eq!(written_copies(folder).await, none);

    // A server that does not start.
    let cluster = Cluster::start(&Options::new(folder.join(".callbench"))).await.expect("a cluster");
    let mut connection =
        sqlx::PgConnection::connect(&cluster.url("callbench_custom")).await.expect("a connection");
    sqlx::raw_sql("ALTER TABLE call RENAME TO elsewhere").execute(&mut connection).await.expect("renamed");
    drop(connection);
    cluster.release().await.expect("stopped");
    let output = load("300ms", &["single_update"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("did not start"), "{said}");
    assert_eq!(written_copies(folder).await, none);
    assert_nothing_runs_in(folder);
}

#[test]
fn two_seeds_at_once_share_the_private_server_and_leave_none() {
    let folder = folder();
    let seeds: Vec<Child> = [["--scale=tiny", "--json"], ["--scale=tiny", "--json"]]
        .into_iter()
        .map(|arguments| {
            callbench(folder.path())
                .arg("seed")
                .args(arguments)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("runs")
        })
        .collect();
    let mut found = Vec::new();
    for seed in seeds {
        let output = seed.wait_with_output().expect("ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let seeded: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        found.push(seeded["found"].as_bool().expect("a bool"));
    }
    found.sort_unstable();
    assert_eq!(found, vec![false, true], "one loads, the other finds");
    assert_nothing_runs_in(folder.path());
}
