//! What criterion has estimated, as the command reports it: from folders like those that `cargo bench` leaves.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::command::{callbench, folder};

/// A bench as criterion writes it, of so many nanoseconds.
fn bench(folder: &Path, function: &str, time_ns: f64) {
    let new = folder.join("cursor").join(function.replace(':', "_")).join("new");
    fs::create_dir_all(&new).expect("a folder");
    let estimate = json!({
        "confidence_interval": { "confidence_level": 0.95, "lower_bound": time_ns, "upper_bound": time_ns },
        "point_estimate": time_ns,
        "standard_error": 0.0,
    });
    let benchmark = json!({
        "group_id": "cursor", "function_id": function, "value_str": null, "throughput": { "Elements": 1 },
    });
    let estimates = json!({ "mean": estimate, "median": estimate, "slope": null });
    fs::write(new.join("benchmark.json"), benchmark.to_string()).expect("written");
    fs::write(new.join("estimates.json"), estimates.to_string()).expect("written");
}

fn said(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn benches_are_printed_and_kept_beside_their_baseline_and_nothing_is_measured() {
    let folder = folder();
    let estimated = folder.path().join("target/criterion");
    bench(&estimated, "baseline: base64 alone", 50.0);
    bench(&estimated, "cursor", 150.0);
    let run = |words: &[&str]| {
        let Output { status, stdout, stderr } = callbench(folder.path())
            .env_remove("CRITERION_HOME")
            .env_remove("CARGO_TARGET_DIR")
            // It measures nothing, so it asks no database either.
            .env("CALLBENCH_DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
            .args(["bench", "--criterion"])
            .args(words)
            .output()
            .expect("the command runs");
        assert_eq!(status.code(), Some(0), "{}", said(&stderr));
        stdout
    };
    let table = run(&["--name=first"]);
    let lines: Vec<&str> = said(&table).lines().collect();
    assert!(lines[0].starts_with("2 benches in 1 group of target/criterion;"), "{lines:?}");
    let cursor = lines.iter().find(|line| line.starts_with("  cursor ")).expect("a line");
    assert!(cursor.contains("150 ns") && cursor.contains("3x"), "{cursor}");
    let result: Value =
        serde_json::from_slice(&run(&["target/criterion", "--name=second", "--json"])).expect("JSON");
    assert_eq!(result["groups"][0]["benches"][1]["beside_baseline"]["ratio"], json!(3.0));
    for name in ["first", "second"] {
        let kept = folder.path().join("runs").join(name);
        assert!(kept.join("benches.json").is_file() && kept.join("benches.html").is_file(), "{name}");
    }
    assert!(!folder.path().join(".callbench").exists(), "no PostgreSQL was needed");
}

#[test]
fn a_folder_without_estimates_is_refused_and_nothing_is_kept() {
    let folder = folder();
    for (named, words) in
        [("nowhere", "there is no folder nowhere; run `cargo bench` first"), (".", ". holds no estimates")]
    {
        let output = callbench(folder.path())
            .args(["bench", "--criterion", named])
            .output()
            .expect("the command runs");
        let stderr = said(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(words), "{stderr}");
    }
    assert!(!folder.path().join("runs").exists());
}
