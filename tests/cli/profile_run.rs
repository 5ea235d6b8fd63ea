//! `callbench profile` as a user meets it, against the reference server: what it finds, keeps and answers with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use crate::command::{callbench, folder};
use serde_json::Value;
use tempfile::TempDir;

const LIST: &str = "/api/v1/customers/?workspace_id=enterprise-workspace-1&page_size=20";

/// Runs `callbench profile` in a folder that holds a private cluster, and expects an exit code.
#[track_caller]
fn profile(home: &Path, arguments: &[&str], code: i32) -> Output {
    let output =
        callbench(home).args(["profile", "--scale=tiny"]).args(arguments).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(code), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    output
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// A folder with a private cluster, which ends with it however the test ends.
struct Home(TempDir);

impl Drop for Home {
    fn drop(&mut self) {
        let stopped = callbench(self.0.path()).args(["db", "stop"]).output();
        // A second panic would hide the first one.
        if !std::thread::panicking() {
            assert!(stopped.is_ok_and(|output| output.status.success()), "the private cluster stops");
        }
    }
}

/// The profile that is shown of a session as `--json` prints it.
fn shown(session: &Value) -> &Value {
    let median = session["median"].as_u64().expect("a place");
    &session["repeats"][usize::try_from(median).expect("small")]
}

#[test]
fn naive_is_found_to_ask_once_for_each_row_and_live_is_not() {
    let guard = Home(folder());
    let home = guard.0.path();
    let missing = stderr(&profile(home, &[LIST], 2));
    assert!(missing.contains("callbench seed"), "{missing}");
    let seeded = callbench(home).args(["seed", "--scale=tiny"]).output().expect("the command runs");
    assert!(seeded.status.success(), "{}", stderr(&seeded));
    // The server stays up between the commands.
    let started = callbench(home).args(["db", "start"]).output().expect("the command runs");
    assert!(started.status.success(), "{}", stderr(&started));

    for (variant, detected) in [("naive", true), ("live", false), ("rollup", false)] {
        let holds = format!("queries.n_plus_one_detected == {detected}");
        let output =
            profile(home, &[LIST, "--variant", variant, "--json", "--out", variant, "--assert", &holds], 0);
        let session: Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
        let profile = shown(&session);
        assert_eq!(profile["queries"]["n_plus_one_detected"], detected, "{variant}");
        assert_eq!(profile["variant"], variant);
        assert_eq!(session["repeats"].as_array().map(Vec::len), Some(5));
        assert!(session["warm_up"].is_object());
        // The two files are what was printed, and a page with the plans.
        let folder = home.join(variant);
        assert_eq!(fs::read(folder.join("profile.json")).expect("written"), output.stdout);
        let page = fs::read_to_string(folder.join("profile.html")).expect("written");
        assert!(page.contains("id=\"plans\"") && page.contains(" Scan"), "{variant}");
        assert_eq!(page.contains("id=\"repeated\""), detected, "{variant}");
        // Whoever finds an N+1 has to say which statements, how often, and what to do.
        let repeated = profile["queries"]["n_plus_one"].as_array().expect("a list");
        assert_eq!(repeated.is_empty(), !detected, "{variant}");
        assert!(repeated.iter().all(|texts| texts["count"].as_u64() >= Some(5)), "{repeated:?}");
        if detected {
            assert!(!profile["recommendations"].as_array().expect("a list").is_empty());
            assert!(profile["query_count"].as_u64() > Some(100), "{}", profile["query_count"]);
        } else {
            assert!(profile["query_count"].as_u64() < Some(10), "{}", profile["query_count"]);
        }
    }

    exit_codes(home);
    scenarios(home);
    refusals(home);
}

/// What the exit code says of assertions.
fn exit_codes(home: &Path) {
    let few = ["--repeat=2", "--no-explain"];
    let passed = profile(home, &[&["first_page", "--assert=query_count < 10"], &few[..]].concat(), 0);
    let text = stdout(&passed).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.starts_with("PASS ") && text.contains("one request after a warm-up that is not counted"),
        "{text}"
    );
    for heading in [
        "Assertions",
        "Layers",
        "Slowest statements",
        "N+1",
        "Permission",
        "Serializer",
        "Memory",
        "Page: runs/profile-",
    ] {
        assert!(text.contains(heading), "{heading}: {text}");
    }
    let failed = profile(
        home,
        &[
            &["first_page", "--variant=naive", "--assert=query_count < 10", "--assert=qeury_count < 1"],
            &few[..],
        ]
        .concat(),
        1,
    );
    let text = stdout(&failed);
    assert!(text.starts_with("FAIL  ") && text.contains("near it are `query_count`"), "{text}");
    let open = profile(home, &[&["first_page", "--assert=allocated_bytes < 1"], &few[..]].concat(), 2);
    assert!(stdout(&open).contains("`memory.allocated_bytes`"), "{}", stdout(&open));
    // Page 100 of a small workspace; plans are not there unless they are asked for.
    let deep =
        profile(home, &[&["page_100", "--page-size=10", "--variant=naive", "--json"], &few[..]].concat(), 0);
    let session: Value = serde_json::from_slice(&deep.stdout).expect("JSON");
    assert!(session["path"].as_str().expect("a path").contains("page=100"), "{}", session["path"]);
    assert_eq!(shown(&session).get("plans").and_then(Value::as_array).map_or(0, Vec::len), 0);
}

/// The requests of scenarios that have several.
fn scenarios(home: &Path) {
    let few = ["--repeat=2", "--no-explain", "--json"];
    let sessions = |arguments: &[&str]| -> Vec<Value> {
        let output = profile(home, &[arguments, &few].concat(), 0);
        serde_json::from_slice(&output.stdout).expect("a list")
    };
    let text = |session: &Value, key: &str| session[key].as_str().expect("a text").to_owned();
    // As many as are asked for, and no two alike.
    for (arguments, count) in [(&["detail"][..], 5), (&["worst_filters", "--requests=3"], 3)] {
        let sessions = sessions(arguments);
        let paths: BTreeSet<String> = sessions.iter().map(|session| text(session, "path")).collect();
        assert_eq!((sessions.len(), paths.len()), (count, count), "{paths:?}");
        assert!(sessions.iter().all(|session| text(session, "asked") == arguments[0]));
    }
    // One of each part that reads.
    let arguments = ["mixed", "--repeat=2", "--no-explain", "--out=mixed", "--assert=query_count < 1"];
    let output = profile(home, &arguments, 1);
    let printed = stdout(&output);
    for word in
        ["FAIL  4 requests", "mixed/metadata", "1 fail query_count < 1", "Pages: mixed/*/profile.html"]
    {
        assert!(printed.contains(word), "`{word}` is missing in: {printed}");
    }
    let said = stderr(&output);
    for part in ["single_update", "calls", "single_insert", "soft_delete"] {
        assert!(said.contains(&format!("`mixed/{part}` writes")), "{said}");
    }
    let parts = ["01-mixed-first_page", "02-mixed-filters", "03-mixed-detail", "04-mixed-metadata"];
    for part in parts {
        let kept = fs::read(home.join("mixed").join(part).join("profile.json")).expect("kept");
        let session: Value = serde_json::from_slice(&kept).expect("JSON");
        assert_eq!(shown(&session)["status"], 200, "{part}");
        assert!(home.join("mixed").join(part).join("profile.html").exists(), "{part}");
    }
    assert_eq!(fs::read_dir(home.join("mixed")).expect("kept").count(), parts.len());
    // One that a file describes, with its own headers.
    let file = "[scenario.two]\npath = \"/api/v1/customers/?workspace_id={workspace}&page_size={size}\"\n\
                [data.size]\nvalues = [2, 3]\n";
    fs::write(home.join("two.toml"), file).expect("written");
    let sessions = sessions(&["two", "--scenarios=two.toml"]);
    let sizes: BTreeSet<bool> =
        sessions.iter().map(|session| text(session, "path").contains("page_size=2")).collect();
    assert_eq!((sessions.len(), sizes.len()), (2, 2), "there are no more than two");
    let said = stderr(&profile(home, &["single_update"], 2));
    assert!(said.contains("`single_update` writes"), "{said}");
}

/// What can't be profiled, and what the user is told.
fn refusals(home: &Path) {
    for (arguments, words) in [
        (&[LIST, "--token=employee123"][..], &["admin", "manager"][..]),
        (&["/api/v1/custmers/"], &["answered 404", "check the path"]),
        (&["/healthz"], &["`_profiling`", "admin"]),
        (&[LIST, "--token=wrong"], &["answered 401", "check the token"]),
    ] {
        let said = stderr(&profile(home, arguments, 2));
        for word in words {
            assert!(said.contains(word), "`{word}` is missing in: {said}");
        }
    }
}
