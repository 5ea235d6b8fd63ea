//! `callbench profile` as a user meets it: what can't be asked, and what it says then.

use std::fs;
use std::process::Output;

mod command;

use cluster::testing::database;
use command::{callbench, folder};

const LIST: &str = "/api/v1/customers/?workspace_id=enterprise-workspace-1";

/// Runs `callbench profile`, expects a refusal that leaves nothing behind, and returns what it said.
#[track_caller]
fn refused(arguments: &[&str]) -> String {
    let folder = folder();
    let Output { status, stdout, stderr } =
        callbench(folder.path()).arg("profile").args(arguments).output().expect("the command runs");
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert_eq!(status.code(), Some(2), "{said}\n{}", String::from_utf8_lossy(&stdout));
    assert!(!said.contains("panicked") && stdout.is_empty(), "{said}");
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0, "{said}");
    said
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

#[test]
fn what_is_no_assertion_is_said_before_anything_is_asked() {
    for (assertion, word) in [
        ("query_count", "it compares nothing"),
        ("query_count = 10", "equal is `==`"),
        ("total_time_ms < 500ms", "`500ms` has a unit"),
        ("memory. < 1", "`memory.` can't be a key"),
    ] {
        let said = refused(&[LIST, "--target=http://127.0.0.1:1", "--assert", assertion]);
        assert_says(&said, &[word, assertion, "such as `query_count < 10`"]);
        assert!(!said.contains("no answer"), "{said}");
    }
}

#[test]
fn what_is_neither_a_path_nor_a_scenario_is_answered_with_the_scenarios() {
    let said = refused(&["api/v1/customers/"]);
    assert_says(&said, &["`api/v1/customers/`", "begins with `/`", "first_page, page_100"]);
    assert_says(&refused(&["frist_page"]), &["did you mean `first_page`?"]);
    assert_says(&refused(&["http://127.0.0.1:8000/api/v1/customers/"]), &["--target"]);
}

#[test]
fn a_target_where_nobody_listens_is_named() {
    for asked in [LIST, "first_page"] {
        assert_says(&refused(&[asked, "--target=http://127.0.0.1:1"]), &["no answer", "127.0.0.1:1"]);
    }
    assert_says(&refused(&[LIST, "--target=127.0.0.1:1"]), &["`127.0.0.1:1`"]);
}

#[test]
fn a_target_has_no_variant_and_no_dataset_to_choose() {
    for choice in ["--variant=naive", "--level=indexed", "--scale=tiny"] {
        let said = refused(&[LIST, "--target=http://127.0.0.1:1", choice]);
        assert_says(&said, &["--target", "cannot be used with"]);
    }
}

#[tokio::test]
async fn a_database_without_a_dataset_says_how_to_load_one() {
    let database = database("profile_unseeded").await;
    assert_says(&refused(&[LIST, "--database-url", database.url()]), &["no dataset", "callbench seed"]);
}
