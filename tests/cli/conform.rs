//! `callbench conform`: the reference server keeps to the contract, and whoever does not is told in what.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use cluster::testing::TestDatabase;
use futures_util::future::join_all;
use reports::conformance::{Conformance, Outcome};
use sqlx::{Connection as _, PgConnection};

mod breaking;
mod differences;
mod original;

use crate::command::{callbench, folder};
use breaking::{Break, EMPLOYEE, STRANGER, WORKSPACE};
use original::{Original, proxied};

#[track_caller]
fn run(folder: &Path, arguments: &[&str], code: i32) -> Output {
    let output = callbench(folder).args(arguments).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}\n{told}");
    output
}

/// The live customers of all workspaces.
async fn customers(database: &TestDatabase) -> i64 {
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let count = sqlx::query_scalar("SELECT count(*) FROM customer WHERE NOT is_deleted");
    count.fetch_one(&mut connection).await.expect("a count")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_server_conforms_in_all_its_variants_and_is_left_as_it_was() {
    let original = Original::get().await;
    join_all([("live", &[][..]), ("rollup", &[]), ("naive", &["the server pages by number"])].map(
        |(variant, skipped)| {
            let original = Arc::clone(&original);
            async move { expect_conformance(&original, variant, skipped).await }
        },
    ))
    .await;
}

/// All checks on a variant, of which those may be skipped whose reason begins in one of these ways. The database is given
/// back, because dropping it blocks, and PostgreSQL does not drop one while somebody whom that keeps from answering logs in.
async fn expect_conformance(original: &Original, variant: &'static str, skipped: &[&str]) -> TestDatabase {
    let database = original.copy().await;
    let before = customers(&database).await;
    let (url, other) = (database.url().to_owned(), original.other.clone());
    let examined = tokio::task::spawn_blocking(move || {
        let folder = folder();
        let arguments = [
            "conform",
            "--json",
            "--writes",
            "--variant",
            variant,
            "--database-url",
            &url,
            "--employee-token",
            EMPLOYEE,
            "--other-token",
            STRANGER,
            "--other-workspace",
            &other,
        ];
        run(folder.path(), &arguments, 0)
    });
    let output = examined.await.expect("an examination");
    let conformance: Conformance = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert!(conformance.counts().conforms > 90, "{:?}", conformance.counts());
    for check in &conformance.checks {
        match &check.outcome {
            Outcome::Conforms => assert!(!check.asked.is_empty(), "{} asked nothing", check.name),
            Outcome::Skipped { reason } => {
                assert!(skipped.iter().any(|known| reason.starts_with(known)), "{}: {reason}", check.name);
            }
            other => panic!("{} on {variant}: {other:?}", check.name),
        }
    }
    for offer in conformance.all_offers() {
        assert_eq!(offer.reason, None, "{} on {variant}", offer.scenario);
    }
    assert_eq!(conformance.left_behind, [""; 0], "{variant}");
    assert_eq!(customers(&database).await, before, "{variant}");
    database
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_and_the_table_say_what_differs() {
    let database = Original::get().await.copy().await;
    let proxy = proxied(&database).await;
    let folder = folder();
    let common = ["conform", proxy.base_url.as_str(), "--only=metadata,links", "--workspace", WORKSPACE];
    let output = run(folder.path(), &common, 0);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.starts_with("PASS  0 differ, 0 missing, 9 conform, 1 skipped\n"), "{text}");
    assert!(output.stderr.is_empty(), "it is quiet without a terminal");

    proxy.breaks(breaking::named("no Link header"));
    let text = String::from_utf8(run(folder.path(), &common, 1).stdout).expect("UTF-8");
    assert!(text.starts_with("FAIL  1 differ, 0 missing, 8 conform, 1 skipped\n"), "{text}");
    for words in [
        "the_link_header_repeats_the_links  (links, contract 3 Cursors)",
        "expected  `<http",
        "no such header",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    proxy.breaks(breaking::named("no metadata"));
    let text = String::from_utf8(run(folder.path(), &common, 1).stdout).expect("UTF-8");
    assert!(text.starts_with("FAIL  0 differ, 5 missing, 4 conform, 1 skipped\n"), "{text}");

    proxy.breaks(Break::NOTHING);
    let json = [&common[..], &["--json"]].concat();
    let output = run(folder.path(), &json, 0);
    let conformance: Conformance = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    let mut groups: Vec<&str> = conformance.checks.iter().map(|check| check.group.as_str()).collect();
    groups.dedup();
    assert_eq!(groups, ["links", "metadata"]);
    assert!(!String::from_utf8_lossy(&output.stdout).contains("token123"), "a token is not for the result");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_readme_run_as_written() {
    let database = Original::get().await.copy().await;
    let proxy = proxied(&database).await;
    let folder = folder();
    let readme = include_str!("../../README.md");
    let commands = readme.lines().filter_map(|line| line.strip_prefix("callbench conform "));
    let mut ran = 0;
    for command in commands {
        let words =
            command.split('#').next().unwrap_or_default().replace("http://127.0.0.1:8000", &proxy.base_url);
        let words = words.replace("--scale dev", &format!("--database-url {}", database.url()));
        let arguments: Vec<&str> = std::iter::once("conform").chain(words.split_whitespace()).collect();
        run(folder.path(), &arguments, 0);
        ran += 1;
    }
    assert_eq!(ran, 3);
}

#[test]
fn what_can_not_be_examined_exits_with_2_and_says_why() {
    let folder = folder();
    for (arguments, words) in [
        (&["conform", "http://127.0.0.1:1"][..], &["no answer from http://127.0.0.1:1/"][..]),
        (&["conform", "127.0.0.1:8000"], &["`127.0.0.1:8000`", "URL"]),
        (&["conform", "http://127.0.0.1:1", "--only=filter"], &["invalid value 'filter'", "filters"]),
        (&["conform", "http://127.0.0.1:1", "--variant=naive"], &["cannot be used with"]),
    ] {
        let said = String::from_utf8(run(folder.path(), arguments, 2).stderr).expect("UTF-8");
        for word in words {
            assert!(said.contains(word), "`{word}` is missing in: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_leaves_out_what_the_server_does_not_offer_and_says_so() {
    let database = Original::get().await.copy().await;
    let proxy = proxied(&database).await;
    proxy.breaks(breaking::named("no metadata"));
    let folder = folder();
    let pressure = ["--rate=20/s", "--duration=300ms", "--warm-up=100ms", "--name=run"];
    let arguments = |scenarios: &[&'static str]| {
        let target = ["--target", proxy.base_url.as_str()].map(str::to_owned);
        let words = ["load"].iter().chain(scenarios).chain(&pressure).map(|&word| word.to_owned());
        words.chain(target).collect::<Vec<_>>()
    };
    let load = |scenarios: &[&'static str], status| {
        let arguments = arguments(scenarios);
        run(folder.path(), &arguments.iter().map(String::as_str).collect::<Vec<_>>(), status)
    };
    let said = String::from_utf8(load(&["metadata", "first_page", "detail=1", "metadata=1"], 0).stderr);
    assert!(said.expect("UTF-8").contains("warning: metadata is left out"));
    let result = std::fs::read(folder.path().join("runs/run/result.json")).expect("kept");
    let result: serde_json::Value = serde_json::from_slice(&result).expect("JSON");
    let windows = result["windows"].as_array().expect("windows");
    let mut measured: Vec<&str> = windows.iter().filter_map(|window| window["operation"].as_str()).collect();
    measured.sort_unstable();
    assert_eq!(measured, ["first_page", "mix"]);
    assert!(result["warnings"][0].as_str().expect("a sentence").starts_with("metadata is left out"));
    let said = String::from_utf8(load(&["metadata"], 2).stderr).expect("UTF-8");
    assert!(said.contains("offers none of the scenarios"), "{said}");
}
