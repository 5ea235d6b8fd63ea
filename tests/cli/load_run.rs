//! `callbench load` as a user meets it, against the reference server: what is offered, and what the result says of it.

use std::fs;
use std::path::Path;

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use cluster::testing::TestDatabase;
use serde_json::{Value, json};

/// A dataset of a few rows, at a level that the variants `naive` and `live` are made for.
const FEW: [&str; 4] = ["--customers=60", "--calls=300", "--workspaces=3", "--level=indexed"];

/// Runs `callbench load` to its end and returns the result that it prints.
fn load(folder: &Path, database: &TestDatabase, arguments: &[&str]) -> Value {
    let output = callbench(folder)
        .args(["load", "--json", "--page-size=5", "--database-url", database.url()])
        .args(arguments)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON and nothing else")
}

#[tokio::test]
async fn a_load_offers_just_what_was_asked_for_and_the_result_says_what_that_was() {
    let (database, folder) = (seeded("load_run", &FEW).await, folder());
    let arguments = ["first_page", "--rate=10/s..50/s", "--arrivals=constant", "--duration=1s"];
    let pool = ["--max-in-flight=8", "--when-busy=skip"];
    let run = load(folder.path(), &database, &[&arguments[..], &pool[..]].concat());
    let expected = json!({
        "loop": "open", "rate_per_second": 10.0, "ramp_to_per_second": 50.0, "process": "constant",
        "max_in_flight": 8, "when_busy": "skip", "on_overload": "offer",
    });
    assert_eq!(run["plan"]["load"], expected);
    let window = &run["windows"][0];
    assert_eq!((&window["offered_s"], &window["offered_per_second"]), (&json!(1.0), &json!(30.0)));
    let count = |field: &str| window[field].as_u64().expect("a count");
    assert_eq!(count("requests") + count("skipped"), 30);

    let run =
        load(folder.path(), &database, &["first_page", "--rate=40/s", "--arrivals=poisson", "--duration=1s"]);
    assert_eq!(run["plan"]["load"]["process"], "poisson");
    assert_eq!(run["plan"]["load"]["when_busy"], "queue");
    assert!(run["windows"][0]["requests"].as_u64() > Some(10));
}

#[tokio::test]
async fn recorded_arrivals_are_replayed_for_as_long_as_they_last() {
    let (database, folder) = (seeded("load_replay", &FEW).await, folder());
    let lines = "# a busy moment\n2026-07-01T12:00:00Z first_page\n2026-07-01T12:00:01.5Z first_page\n\
                 2026-07-01T12:00:02Z first_page\n";
    fs::write(folder.path().join("recorded.txt"), lines).expect("written");
    let run = load(folder.path(), &database, &["--replay=recorded.txt", "--speed=4x"]);
    let replay = &run["plan"]["load"]["replay"];
    assert_eq!((&replay["file"], &replay["arrivals"]), (&json!("recorded.txt"), &json!(3)));
    assert_eq!((&replay["speed"], replay["sha256"].as_str().map(str::len)), (&json!(4.0), Some(64)));
    assert_eq!(run["plan"]["operations"], json!(["first_page"]));
    // Two seconds and a gap of one, at four times the speed.
    let window = &run["windows"][0];
    assert_eq!((&window["offered_s"], &window["requests"]), (&json!(0.75), &json!(3)));
    let page =
        fs::read_dir(folder.path().join("runs")).expect("a run").next().expect("one").expect("readable");
    let page = fs::read_to_string(page.path().join("report.html")).expect("a report");
    assert!(page.contains("3 arrivals replayed from recorded.txt"), "the report names the file");
}
