//! `callbench locks`: controls deadlock, what keeps an order does not, nothing is left behind; and the monitor alone.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use cluster::{Cluster, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// A dataset of a few rows; the lab makes its own.
const FEW: [&str; 3] = ["--customers=60", "--calls=300", "--workspaces=3"];

fn interrupt(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("it runs");
}

/// Holds every trial against what has to be true of it, with 60 transactions each in order.
fn assert_proven(result: &Value, cases: &[&str], ways: &[&str]) {
    for case in result["cases"].as_array().expect("cases") {
        let figures = (&case["transactions"], &case["deadlocks"], &case["outcome"]);
        assert_eq!(figures, (&60.into(), &0.into(), &"pass".into()), "{case}");
        assert!(case["control_deadlocks"].as_u64() > Some(0), "{case}");
    }
    let trials = result["trials"].as_array().expect("trials");
    let names: Vec<(&str, &str)> = trials
        .iter()
        .map(|trial| (trial["case"].as_str().expect("a name"), trial["way"].as_str().expect("a way")))
        .collect();
    let expected: Vec<(&str, &str)> =
        cases.iter().flat_map(|case| ways.iter().map(move |way| (*case, *way))).collect();
    assert_eq!(names, expected);
    for trial in trials {
        let number = |field: &str| trial[field].as_u64().unwrap_or_else(|| panic!("{field} of {trial}"));
        assert_eq!(number("deadlocks"), number("counted_by_server"), "{trial}");
        assert_eq!(trial["judgement"]["outcome"], "pass", "{trial}");
        if trial["way"] == "control" {
            assert!(number("deadlocks") > 0 && number("retries") > 0, "{trial}");
            assert!(!trial["watch"]["worst"]["waits"].as_array().expect("waits").is_empty(), "{trial}");
        } else {
            assert_eq!(
                (number("deadlocks"), number("transactions"), number("commits")),
                (0, 60, 60),
                "{trial}"
            );
            assert!(number("overlapped") > 0 && trial["met"] != 0, "{trial}");
        }
        // Whatever was committed is in the rows, however often it was tried.
        let counter = &trial["counter"];
        assert_eq!(counter["expected"], counter["found"], "{trial}");
    }
}

/// Databases of the private server in `folder` that a lab wrote to.
async fn written_copies(folder: &Path) -> Vec<String> {
    let cluster = Cluster::start(&Options::new(folder.join(".callbench"))).await.expect("a cluster");
    let mut connection = PgConnection::connect(&cluster.url("postgres")).await.expect("a connection");
    let names = sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE '%written%'")
        .fetch_all(&mut connection)
        .await
        .expect("the names");
    drop(connection);
    cluster.release().await.expect("stopped");
    names
}

#[tokio::test]
async fn controls_deadlock_and_what_is_in_order_does_not_in_a_copy_that_goes_away() {
    let folder = folder();
    let folder = folder.path();
    let seeded = callbench(folder).arg("seed").args(FEW).output().expect("runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let cases = ["insert", "update_5", "update_32", "delete_update", "calls"];
    let output = callbench(folder)
        .args(["locks", "--scale=custom", "--transactions=60", "--name=lab", "--json", "--case"])
        .args(cases)
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kept =
        |ending: &str| fs::read_to_string(folder.join(format!("runs/lab/locks.{ending}"))).expect("kept");
    assert_eq!(String::from_utf8_lossy(&output.stdout), kept("json"), "JSON and nothing else");
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_proven(&result, &cases, &["control", "sql", "api"]);
    for trial in result["trials"].as_array().expect("trials") {
        assert!(trial["counter"]["found"].as_i64() > Some(0), "counted in every way: {trial}");
    }
    assert!(kept("html").contains("Who blocked whom"));

    // Cut short, it keeps what it has.
    let mut cut = callbench(folder)
        .args(["locks", "--scale=custom", "--transactions=10000000", "--case=update_5", "--name=cut"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut said = BufReader::new(cut.stderr.take().expect("piped")).lines();
    assert!(said.any(|line| line.expect("UTF-8").starts_with("update_5       control")));
    std::thread::spawn(move || said.for_each(drop));
    interrupt(&cut);
    let output = cut.wait_with_output().expect("ends");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(130), "{table}");
    assert!(table.contains("update_5") && table.contains("Page: "), "{table}");
    let result = fs::read_to_string(folder.join("runs/cut/locks.json")).expect("kept");
    assert!(result.contains("\"complete\": false"));
    let none: [&str; 0] = [];
    assert_eq!(written_copies(folder).await, none);
}

#[tokio::test]
async fn a_database_of_ones_own_is_written_to_only_when_asked_and_left_as_it_was() {
    let (database, folder) = (seeded("locks", &FEW).await, folder());
    let migrated = callbench(folder.path())
        .args(["db", "migrate", "--to=optimized", "--database-url", database.url()])
        .output()
        .expect("runs");
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    let mut state = async || -> String {
        sqlx::query_scalar(
            "SELECT format('%s %s %s %s %s', (SELECT count(*) FROM customer), (SELECT count(*) FROM call),
                           (SELECT sum(total_calls) FROM customer_call_stats),
                           (SELECT string_agg(indexname, ' ' ORDER BY 1) FROM pg_indexes WHERE schemaname = 'public'),
                           (SELECT count(*) FROM pg_trigger))",
        )
        .fetch_one(&mut connection)
        .await
        .expect("a state")
    };
    let before = state().await;
    let lab = |words: &[&str]| {
        let url = format!("--database-url={}", database.url());
        let output = callbench(folder.path())
            .args(["locks", "--transactions=60", "--json", &url])
            .args(words)
            .output()
            .expect("runs");
        (output.status.code(), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (words, says) in [
        (vec![], "--yes-write"),
        (vec!["--yes-write", "--workspace=nowhere"], "there is no workspace `nowhere`"),
        (vec!["--yes-write", "--case=index_build", "--token=nobody's"], "status 401"),
    ] {
        let (code, told, said) = lab(&words);
        let told = format!("{said}{}", String::from_utf8_lossy(&told));
        assert!(code == Some(2) && told.contains(says), "{words:?}: {told}");
    }
    let cases = ["opposite", "index_build"];
    let (code, told, said) = lab(&["--yes-write", "--case", cases[0], cases[1]]);
    assert_eq!(code, Some(0), "{said}");
    let result: Value = serde_json::from_slice(&told).expect("JSON");
    assert_proven(&result, &cases, &["control", "sql", "api"]);
    for trial in result["trials"].as_array().expect("trials") {
        assert_eq!(trial["index_builds"].as_u64() > Some(0), trial["case"] == "index_build", "{trial}");
        assert_eq!(
            trial["counter"].is_null(),
            trial["way"] == "api",
            "no trigger is put on somebody's table"
        );
    }

    // A counter that is read and written back without a lock loses updates, and that is found.
    let (code, told, said) = lab(&["--yes-write", "--case=counter"]);
    assert_eq!(code, Some(0), "{said}");
    let result: Value = serde_json::from_slice(&told).expect("JSON");
    let lost = |place: usize| {
        let counter = &result["trials"][place]["counter"];
        counter["expected"].as_i64().expect("a number") - counter["found"].as_i64().expect("a number")
    };
    assert!(lost(0) > 0 && lost(1) == 0, "{result}");
    assert_eq!(state().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_monitor_names_who_waits_and_who_is_in_the_way_and_ends_with_a_summary() {
    let database = cluster::testing::database("locks_watch").await;
    let session = async |name: &str| {
        let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
        PgConnection::connect_with(&options.application_name(name)).await.expect("a connection")
    };
    let run = async |connection: &mut PgConnection, sql: &str| {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.expect("it runs");
    };
    let mut holder = session("the holder").await;
    run(&mut holder, "CREATE TABLE seat (id int PRIMARY KEY, taken bool); INSERT INTO seat VALUES (1)").await;
    run(&mut holder, "BEGIN; UPDATE seat SET taken = true").await;
    let mut waiter = session("the waiter").await;
    let waiter = tokio::spawn(async move {
        sqlx::raw_sql("UPDATE seat SET taken = false").execute(&mut waiter).await.expect("it runs");
    });

    let folder = folder();
    let watch = |words: &[&str]| {
        callbench(folder.path())
            .args(["locks", "watch", "--every=20ms", "--database-url", database.url()])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("runs")
    };
    let mut json = watch(&["--json"]);
    let mut lines = BufReader::new(json.stdout.take().expect("piped")).lines();
    let mut event = |name: &str| -> Value {
        let events =
            lines.by_ref().map(|line| serde_json::from_str::<Value>(&line.expect("UTF-8")).expect("JSON"));
        events.into_iter().find(|event| event["event"] == name).expect("an event")
    };
    assert_eq!(event("started")["hidden"], serde_json::json!([]));
    let seen = &event("waits")["waits"][0];
    assert_eq!(
        (&seen["waiting_application"], &seen["blocking_application"], &seen["relation"]),
        (&"the waiter".into(), &"the holder".into(), &"seat".into())
    );
    interrupt(&json);
    let finished = event("finished");
    assert_eq!((&finished["waits"], &finished["worst"]["waiting"]), (&1.into(), &1.into()), "{finished}");
    assert_eq!(json.wait().expect("ends").code(), Some(0));

    let text = watch(&["--for=500ms"]).wait_with_output().expect("ends");
    let told = String::from_utf8_lossy(&text.stdout);
    assert_eq!(text.status.code(), Some(0), "{}", String::from_utf8_lossy(&text.stderr));
    for words in [
        "the holder",
        "idle in transaction: BEGIN; UPDATE seat SET taken = true",
        "the waiter",
        "Most waited after",
    ] {
        assert!(told.contains(words), "{words}\n{told}");
    }
    run(&mut holder, "COMMIT").await;
    waiter.await.expect("it goes on");

    let nowhere = callbench(folder.path())
        .args(["locks", "watch", "--database-url=postgres://nobody@127.0.0.1:1/nothing"])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&nowhere.stderr);
    assert!(nowhere.status.code() == Some(2) && said.contains("the database can't be asked"), "{said}");
}
