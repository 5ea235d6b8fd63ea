//! The commands that draw curves, as the README has them, on a few rows: what they find is looked at, not how fast it is.

use std::fs;
use std::path::Path;

use crate::command::{callbench, folder};
use cluster::{Cluster, Options};
use serde_json::Value;
use sqlx::Connection as _;

/// The words of the one line of the README that runs this command, without the remark behind it.
fn words(command: &str) -> Vec<String> {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("a README");
    let opening = format!("callbench {command}");
    let lines: Vec<&str> = readme.lines().filter(|line| line.starts_with(&opening)).collect();
    let [line] = lines[..] else { panic!("{command}: {lines:?}") };
    let line = line.split(" # ").next().expect("a line");
    // Every second piece between single quotes is one word.
    let pieces = line.split('\'').enumerate().flat_map(|(at, piece)| -> Vec<String> {
        if at % 2 == 1 {
            vec![piece.to_owned()]
        } else {
            piece.split_whitespace().map(str::to_owned).collect()
        }
    });
    pieces.skip(1).collect()
}

/// Runs the line of the README with arguments that make it small; its result, and its page.
fn run(folder: &Path, command: &str, small: &[&str]) -> (Value, String) {
    let output = callbench(folder)
        .args(words(command))
        .args(small)
        .args(["--json", "--name=curve"])
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let kept = |ending: &str| {
        fs::read_to_string(folder.join(format!("runs/curve/{command}.{ending}"))).expect("kept")
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout), kept("json"), "JSON and nothing else");
    (serde_json::from_str(&kept("json")).expect("JSON"), kept("html"))
}

/// A database with a few rows, at a level that serves every variant.
async fn seeded(name: &str) -> cluster::testing::TestDatabase {
    let database = cluster::testing::database(name).await;
    let output = callbench(folder().path())
        .args(["seed", "--customers=120", "--calls=300", "--workspaces=3", "--level=indexed"])
        .args(["--database-url", database.url()])
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    database
}

#[tokio::test]
async fn a_capacity_is_searched_confirmed_and_kept() {
    let (database, folder) = (seeded("curve_capacity").await, folder());
    let url = format!("--database-url={}", database.url());
    // A rate that any machine holds, so that it is the answer.
    let small = [
        "--from=15/s",
        "--max-rate=25/s",
        "--step-duration=3s",
        "--confirm-duration=3s",
        "--page-size=5",
        &url,
    ];
    let output = callbench(folder.path())
        .args(["capacity", "first_page", "--slo=p50 < 5s", "--name=curve", "--json"])
        .args(small)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&found["end"], &found["lower"], &found["upper"]),
        (&"confirmed".into(), &25.0.into(), &Value::Null)
    );
    let steps = found["steps"].as_array().expect("steps");
    let stages: Vec<&str> = steps.iter().filter_map(|step| step["stage"].as_str()).collect();
    assert_eq!(stages, ["ladder", "ladder", "confirming"]);
    for step in steps {
        assert_eq!((&step["verdict"], &step["failed"]), (&"holds".into(), &0.into()));
        for party in ["client_s", "server_s", "database_s"] {
            assert!(step["cpu"][party].is_number(), "{party}: {}", step["cpu"]);
        }
    }
    let page = fs::read_to_string(folder.path().join("runs/curve/capacity.html")).expect("a page");
    assert!(page.contains("`live` holds first_page at 25/s") && page.contains("<svg"));

    // The objectives of the README are read, and its scenario is known.
    let words = words("capacity");
    assert_eq!(words[..2], ["capacity", "first_page"]);
    let output =
        callbench(folder.path()).args(&words).arg("--precision=0%").output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("'--precision <SHARE>'") && !said.contains("--slo"), "{said}");
}

#[tokio::test]
async fn objectives_that_hold_at_no_rate_are_told_with_exit_code_1_and_mistakes_with_2() {
    let (database, folder) = (seeded("curve_nothing").await, folder());
    let search = |slo: &str| {
        callbench(folder.path())
            .args([
                "capacity",
                "first_page",
                "--from=20/s",
                "--step-duration=1s",
                "--database-url",
                database.url(),
            ])
            .args(["--slo", slo])
            .output()
            .expect("the command runs")
    };
    // No answer takes a microsecond.
    let output = search("p50 < 2us");
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.starts_with("FAIL") && table.contains("breaks"), "{table}");
    for (slo, says) in [("p99 > 1ms", "no upper limit"), ("p9x < 1ms", "unknown metric `p9x`")] {
        let output = search(slo);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn a_depth_has_times_buffers_and_exponents_of_each_variant() {
    let (database, folder) = (seeded("curve_depth").await, folder());
    let url = format!("--database-url={}", database.url());
    let small = ["--rounds=1", "--window=100ms", "--page-size=1", &url];
    let (curve, page) = run(folder.path(), "depth", &small);
    let series = curve["series"].as_array().expect("series");
    let names: Vec<&str> = series.iter().filter_map(|series| series["subject"].as_str()).collect();
    assert_eq!(names, ["naive", "live"]);
    for series in series {
        let points = series["points"].as_array().expect("points");
        let sizes: Vec<u64> = points.iter().filter_map(|point| point["size"].as_u64()).collect();
        assert_eq!(sizes, [1, 10, 100], "120 customers have no page 1000");
        assert!(points.iter().all(|point| point["buffers"].as_f64() > Some(0.0) && point["failed"] == 0));
        assert!(series["latency"]["exponent"].is_number() && series["buffers"]["points"] == 3);
    }
    assert!(curve["warnings"][0].as_str().expect("a warning").contains("serves no page 1000"));
    assert!(curve["checks"].as_array().expect("checks").iter().all(|check| check["passed"] == true));
    assert!(page.contains("number of the page") && page.contains("<svg"));
}

#[tokio::test]
async fn a_growth_seeds_each_size_measures_it_and_leaves_nothing_behind() {
    let folder = folder();
    let small = ["--customers=40,160", "--rounds=1", "--window=100ms", "--page-size=5"];
    let (curve, page) = run(folder.path(), "growth", &small);
    let series = curve["series"].as_array().expect("series");
    let text = |series: &Value, field: &str| series[field].as_str().expect("a name").to_owned();
    let names: Vec<_> = series.iter().map(|one| (text(one, "operation"), text(one, "subject"))).collect();
    let expected = [
        ("first_page", "naive"),
        ("first_page", "live"),
        ("worst_filters", "naive"),
        ("worst_filters", "live"),
    ];
    assert_eq!(names, expected.map(|(operation, subject)| (operation.to_owned(), subject.to_owned())));
    for series in series {
        let sizes: Vec<_> =
            series["points"].as_array().expect("points").iter().map(|point| &point["size"]).collect();
        assert_eq!(sizes, [40, 160]);
        assert_eq!((&series["latency"]["points"], &series["buffers"]["points"]), (&2.into(), &2.into()));
    }
    assert!(page.contains("customers in the workspace"));
    let cluster = Cluster::start(&Options::new(folder.path().join(".callbench"))).await.expect("a cluster");
    let mut connection = sqlx::PgConnection::connect(&cluster.url("postgres")).await.expect("a connection");
    let left: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE '%growth%'")
            .fetch_all(&mut connection)
            .await
            .expect("the names");
    assert_eq!(left, Vec::<String>::new());
    drop(connection);
    cluster.release().await.expect("stopped");
    // Too large for any disk: refused before anything is seeded.
    let output =
        callbench(folder.path()).args(["growth", "--customers=40,700000000"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("these sizes need about"), "{said}");
}
