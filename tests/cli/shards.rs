//! Three processes that send one schedule together, and what `callbench merge` makes of them.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use crate::serving::Server;
use serde_json::{Value, json};

/// Of a Poisson schedule, so that another seed or a shift would be seen in the counts of its seconds.
const LOAD: [&str; 6] =
    ["load", "detail=70", "metadata=30", "--rate=60/s", "--arrivals=poisson", "--duration=3s"];

fn result(folder: &Path, name: &str) -> Value {
    let kept = fs::read(folder.join("runs").join(name).join("result.json")).expect("kept");
    serde_json::from_slice(&kept).expect("JSON")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn merge(folder: &Path, shards: &[&str], arguments: &[&str]) -> Output {
    let shards = shards.iter().map(|name| format!("runs/{name}"));
    callbench(folder).arg("merge").args(shards).args(arguments).output().expect("runs")
}

/// The windows as far as the schedule decides them: operation, requests, and those of each second.
fn scheduled(run: &Value) -> Vec<(&str, u64, Vec<u64>)> {
    let mut windows: Vec<_> = run["windows"]
        .as_array()
        .expect("windows")
        .iter()
        .map(|window| {
            assert_eq!(window["errors"], json!({}), "{window}");
            let seconds = window["series"].as_array().expect("seconds").iter();
            let of = |value: &Value| value.as_u64().expect("a count");
            let counts = seconds.map(|second| of(&second["requests"])).collect();
            (window["operation"].as_str().expect("a name"), of(&window["requests"]), counts)
        })
        .collect();
    windows.sort();
    windows
}

#[tokio::test]
async fn three_shards_together_send_what_one_process_sends() {
    let few = ["--customers=60", "--calls=300", "--workspaces=3", "--level=indexed"];
    let (database, folder) = (seeded("shards", &few).await, folder());
    let server = Server::start(folder.path(), database.url(), "live");
    let load = |name: &str| {
        let mut command = callbench(folder.path());
        command.args(LOAD).args(["--target", &server.origin, "--seed=7", "--warm-up=100ms", "--no-probes"]);
        command.args(["--page-size=5", &format!("--name={name}")]);
        command
    };
    let whole = load("whole").output().expect("runs");
    assert!(whole.status.success(), "{}", said(&whole));

    // Time to look at the server and to warm up, on a machine with other things to do.
    let start_at = (chrono::Utc::now() + Duration::from_secs(15)).to_rfc3339();
    let spawn = |index: u32| {
        let mut command = load(&format!("shard-{index}"));
        command.args(["--start-at", &start_at]).stdout(Stdio::null()).stderr(Stdio::piped());
        // One of them as a pod of a job is told.
        if index == 2 {
            command.env("JOB_COMPLETION_INDEX", "2").env("CALLBENCH_SHARDS", "3");
        } else {
            command.arg(format!("--shard={index}/3"));
        }
        command.spawn().expect("it runs")
    };
    let running: Vec<_> = (0..3).map(spawn).collect();
    for child in running {
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", said(&output));
    }
    let merged = merge(folder.path(), &["shard-2", "shard-0", "shard-1"], &["--name=merged"]);
    assert!(merged.status.success(), "{}", said(&merged));

    let (whole, merged) = (result(folder.path(), "whole"), result(folder.path(), "merged"));
    assert_eq!(scheduled(&merged), scheduled(&whole));
    assert_eq!(scheduled(&whole).len(), 3, "the mix and its two parts");
    let offered = |run: &Value| run["windows"][0]["offered_per_second"].as_f64().expect("a rate");
    assert!((offered(&merged) - offered(&whole)).abs() < 1e-9);
    assert_eq!(merged["plan"].get("shard"), None);
    for index in 0..3_u64 {
        let run = result(folder.path(), &format!("shard-{index}"));
        let shard = &run["plan"]["shard"];
        assert_eq!((&shard["index"], &shard["of"]), (&json!(index), &json!(3)));
        assert!(shard["late_ms"].as_f64().is_some_and(|late| late.abs() <= 1000.0), "{shard}");
    }

    let refused = |shards: &[&str], words: &str| {
        let output = merge(folder.path(), shards, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    };
    refused(&["shard-0", "shard-2"], "of 3 shards 2 are given; 1 is missing");
    refused(&["shard-0", "shard-1", "shard-1", "shard-2"], "shard-1 and shard-1 are both shard 1 of 3");
    refused(&["shard-0", "whole"], "the run whole is no shard");

    let late = load("late").args(["--shard=0/3", "--start-at=2026-01-01T00:00:00Z"]).output().expect("runs");
    assert_eq!(late.status.code(), Some(2), "{}", said(&late));
    assert!(said(&late).contains("was to start at 2026-01-01 00:00:00 UTC"), "{}", said(&late));
}

#[tokio::test(flavor = "multi_thread")]
async fn shards_of_files_that_differ_in_one_check_are_refused() {
    let folder = folder();
    let router = axum::Router::new().route("/search/", axum::routing::get(async || "{\"results\": [1]}"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let start_at = (chrono::Utc::now() + Duration::from_secs(10)).to_rfc3339();
    let most = [("a", 0, 20), ("b", 1, 20), ("c", 1, 21)];
    let running = most.map(|(name, index, most)| {
        let check = format!("expect = {{ json = {{ \"/results\" = {{ at_most = {most} }} }} }}");
        let text = format!("[scenario.search]\npath = \"/search/\"\n{check}\n");
        fs::write(folder.path().join(format!("{name}.toml")), text).expect("written");
        callbench(folder.path())
            .args(["load", "search", "--rate=20/s", "--duration=1s", "--warm-up=100ms", "--no-probes"])
            .args(["--target", &target, "--start-at", &start_at, "--name", name])
            .args([format!("--scenarios={name}.toml"), format!("--shard={index}/2")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs")
    });
    for child in running {
        let output = child.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", said(&output));
    }
    let merged = merge(folder.path(), &["a", "b"], &["--name=merged"]);
    assert!(merged.status.success(), "{}", said(&merged));
    let refused = merge(folder.path(), &["a", "c"], &[]);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("differ in their plans (SHA-256)"), "{}", said(&refused));

    // Both had requests in its second, and the median of both is in neither.
    let seconds = &result(folder.path(), "merged")["windows"][0]["series"];
    assert_eq!((&seconds[0]["requests"], &seconds[0]["p50_us"]), (&json!(20), &Value::Null));
    assert!(result(folder.path(), "a")["windows"][0]["series"][0]["p50_us"].is_u64());
    let page = fs::read_to_string(folder.path().join("runs/merged/report.html")).expect("a report");
    assert!(page.contains("so that its median is not known"), "the chart says what it does not show");
}
