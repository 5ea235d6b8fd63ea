//! The example of `docs/scenarios.md` against the reference server.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use crate::windows::windows;

const GUIDE: &str = include_str!("../../docs/scenarios.md");

/// The first TOML file in a text.
fn example_of(text: &'static str) -> &'static str {
    let (_, behind) = text.split_once("```toml\n").expect("an example");
    behind.split_once("```").expect("its end").0
}

fn example() -> &'static str {
    example_of(GUIDE)
}

#[test]
fn the_example_of_the_first_page_can_be_read() {
    let text = example_of(include_str!("../../README.md"));
    let scenarios = loadgen::described::parse("README.md", text, Path::new(""), &[]).expect("sound");
    let names: Vec<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names, ["search", "buy"]);
}

fn load(folder: &Path, database_url: &str, name: &str, scenarios: &[&str]) -> Value {
    let loaded = callbench(folder)
        .arg("load")
        .args(scenarios)
        .args(["--scenarios=customers.toml", "--variant=rollup", "--rate=60/s", "--duration=500ms"])
        .args(["--warm-up=100ms", &format!("--name={name}")])
        .env("CALLBENCH_DATABASE_URL", database_url)
        .output()
        .expect("runs");
    succeeded(&loaded);
    let result = std::fs::read(folder.join("runs").join(name).join("result.json")).expect("kept");
    serde_json::from_slice(&result).expect("JSON")
}

fn succeeded(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn the_example_of_the_guide_describes_the_reference_server_and_a_broken_expectation_is_counted() {
    let (database, folder) = (seeded("described", &["--scale=tiny", "--level=optimized"]).await, folder());
    let file = folder.path().join("customers.toml");
    std::fs::write(&file, example()).expect("written");

    let asked = ["list", "show", "change", "add", "day", "show=9", "metadata=1"];
    let run = load(folder.path(), database.url(), "right", &asked);
    let names: BTreeSet<&str> = windows(&run).map(|(name, ..)| name).collect();
    let parts = ["day/list", "day/show", "day/change", "day/add", "mix/show", "mix/metadata"];
    let expected: BTreeSet<&str> = asked[..5].iter().copied().chain(["mix"]).chain(parts).collect();
    assert_eq!(names, expected);
    for (name, requests, errors) in windows(&run) {
        // A rare part of a mix may get no request in so short a time.
        assert!((requests > 0 || name.contains('/')) && errors == &json!({}), "{name}: {requests}, {errors}");
    }
    let warnings = run["warnings"].to_string();
    assert!(!warnings.contains("failed"), "{warnings}");

    let broken = example().replace("type = \"array\", at_most = 20", "type = \"array\", at_most = 2");
    assert_ne!(broken, example());
    std::fs::write(&file, broken).expect("written");
    let run = load(folder.path(), database.url(), "wrong", &["list", "show"]);
    for (name, requests, errors) in windows(&run) {
        let expected = match name {
            "list" => json!({ "wrong reply: /results has another length": requests }),
            _ => json!({}),
        };
        assert!(requests > 0);
        assert_eq!(errors, &expected, "{name}");
    }
}
