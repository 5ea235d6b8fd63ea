//! Every scenario against the reference server: all requests are answered, and answered rightly.

use std::collections::BTreeSet;
use std::process::Stdio;

use datagen::LARGEST_SLUG;
use datagen::entities::staff::EMPLOYEE_TOKEN;
use serde_json::Value;

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use crate::windows::windows;

/// A few requests of each, one after the other: whether they are right is looked at, not how fast they are.
const FEW: [&str; 2] = ["--rate=40/s", "--duration=500ms"];

/// Runs a load in a database with a tiny dataset at the highest level, and gives its result.
async fn load(name: &str, scenarios: &[&str], pressure: &[&str]) -> Value {
    let (database, folder) = (seeded(name, &["--scale=tiny", "--level=optimized"]).await, folder());
    let loaded = callbench(folder.path())
        .arg("load")
        .args(scenarios)
        .args(["--variant=rollup", "--name=run"])
        .args(["--warm-up=100ms", "--page-size=20"])
        .args(pressure)
        .env("CALLBENCH_DATABASE_URL", database.url())
        .stdin(Stdio::null())
        .output()
        .expect("runs");
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    let result = std::fs::read(folder.path().join("runs/run/result.json")).expect("kept");
    serde_json::from_slice(&result).expect("JSON")
}

#[tokio::test]
async fn every_scenario_is_answered_rightly() {
    let scenarios = [
        "first_page",
        "deep_walk",
        "filters",
        "worst_filters",
        "detail",
        "metadata",
        "single_insert",
        "batch_insert",
        "single_update",
        "batch_update",
        "soft_delete",
        "calls",
        "contention",
        "mixed",
    ];
    let run = load("scenarios", &scenarios, &FEW).await;
    // Their windows come in a drawn order.
    let names: BTreeSet<&str> =
        windows(&run).map(|(name, ..)| name).filter(|name| !name.contains('/')).collect();
    assert_eq!(names, BTreeSet::from(scenarios));
    for (name, requests, errors) in windows(&run) {
        assert!(requests > 0 && errors == &serde_json::json!({}), "{name}: {requests} requests, {errors}");
    }
    // What they cost the database was counted for each part, and what writes has written log. (What reads may write some,
    // too: the first who sees a row that was just written marks it.)
    let work = run["work"].as_array().expect("work");
    assert_eq!(work.len(), scenarios.len() - 1 + 8, "the parts of mixed are counted, not mixed itself");
    for work in work {
        let name = work["operation"].as_str().expect("a name");
        let operation = name.split('/').next_back().expect("a part");
        let writes = ["single_", "batch_", "soft_delete", "calls", "contention"];
        let (wal, statements) = (&work["wal_bytes_per_request"], &work["statements_per_request"]);
        if writes.iter().any(|word| operation.starts_with(word)) {
            assert!(
                wal.as_f64().expect("bytes") > 100.0 && statements.as_f64().expect("a count") > 1.0,
                "{work}"
            );
        }
    }
}

#[tokio::test]
async fn the_parts_of_a_mix_are_its_whole_in_the_shares_that_were_asked_for() {
    let mix = ["detail=75", "metadata=25"];
    let run = load("mix", &mix, &["--rate=400/s", "--duration=1s"]).await;
    let of = |name: &str| windows(&run).find(|(of, ..)| *of == name).expect("a window").1;
    let (whole, detail, metadata) = (of("mix"), of("mix/detail"), of("mix/metadata"));
    assert_eq!((whole, detail + metadata), (400, 400));
    // Four standard deviations of a binomial with n = 400 and p = 3/4 are 35.
    assert!(detail.abs_diff(300) <= 35, "{detail} of 400");
}

#[tokio::test]
async fn others_ask_too_each_for_their_own_workspace() {
    let employee = format!("--as={EMPLOYEE_TOKEN}@{LARGEST_SLUG}=2");
    let run = load("crowd", &["detail", "filters"], &[&employee, FEW[0], FEW[1]]).await;
    for (name, requests, errors) in windows(&run) {
        assert!(requests > 0 && errors == &serde_json::json!({}), "{name}: {requests} requests, {errors}");
    }
}
