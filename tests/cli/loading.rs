//! The private PostgreSQL while rows are loaded into it: who uses that, and who refuses to measure it.

use cluster::{Cluster, Mode, Options};

use crate::command::{callbench, folder};

#[tokio::test]
async fn a_seed_loads_without_log_and_leaves_a_server_that_has_one() {
    let home = folder();
    let run = |arguments: &[&str]| {
        let mut command = callbench(home.path());
        let output = command.args(arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    run(&["seed", "--scale", "tiny", "--as-of", "2026-05-01"]);
    let status: serde_json::Value = serde_json::from_slice(&run(&["db", "status", "--json"])).expect("JSON");
    let settings = format!("{}/postgresql.conf", status["data"].as_str().expect("a folder"));
    let settings = std::fs::read_to_string(settings).expect("the settings of the last start");
    assert!(settings.contains("wal_level = 'minimal'"), "{settings}");

    let cluster = Cluster::start(&Options::new(home.path().join(".callbench"))).await.expect("a start");
    assert!(!cluster.is_loading());
    let mut conn = migrations::connect(&cluster.url("callbench_tiny"), "test").await.expect("a connection");
    let calls: i64 =
        sqlx::query_scalar("SELECT count(*) FROM call").fetch_one(&mut conn).await.expect("a count");
    assert!(calls >= 20_000, "{calls}");
    drop(conn);
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn a_server_that_loads_is_joined_but_not_measured() {
    let home = folder();
    let options = Options { mode: Mode::Loading, ..Options::new(home.path().join(".callbench")) };
    let loader = Cluster::start(&options).await.expect("a start");
    // The data set is there, so that this is no reason to refuse.
    let seeded = callbench(home.path()).args(["seed", "--scale", "tiny"]).output().expect("runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    for arguments in [
        ["bench", "--scale", "tiny"].as_slice(),
        &["load", "first_page", "--scale", "tiny"],
        &["profile", "first_page", "--scale", "tiny"],
    ] {
        let output = callbench(home.path()).args(arguments).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("note: PostgreSQL runs with wal_level minimal, for another process"), "{said}");
        assert!(said.contains("try again when the load is done"), "{said}");
    }
    loader.release().await.expect("an end");
}
