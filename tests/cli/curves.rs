//! The commands that draw curves, as the README has them, on a few rows: what they find is looked at, not how fast it is.

use std::fs;
use std::path::Path;

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use crate::serving::Server;
use cluster::{Cluster, Options};
use serde_json::Value;
use sqlx::Connection as _;

/// A dataset of a few rows, at a level that the variants `naive` and `live` are made for.
const FEW: [&str; 4] = ["--customers=120", "--calls=300", "--workspaces=3", "--level=indexed"];

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

#[tokio::test]
async fn a_capacity_is_searched_confirmed_and_kept() {
    let (database, folder) = (seeded("curve_capacity", &FEW).await, folder());
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
    // Three steps of three seconds, looked into once a second.
    let probes = &found["probes"][0];
    let looks = probes["database"].as_array().map(Vec::len).zip(probes["skipped"].as_u64());
    assert!(looks.is_some_and(|(seen, skipped)| seen > 0 && seen as u64 + skipped >= 9), "{probes}");
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
    let (database, folder) = (seeded("curve_nothing", &FEW).await, folder());
    let search = |scenario: &str, slo: &str, more: &[&str]| {
        callbench(folder.path())
            .args([
                "capacity",
                scenario,
                "--from=20/s",
                "--step-duration=1s",
                "--database-url",
                database.url(),
            ])
            .args(["--slo", slo])
            .args(more)
            .output()
            .expect("the command runs")
    };
    // No answer takes a microsecond.
    let output = search("first_page", "p50 < 2us", &[]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}{}", String::from_utf8_lossy(&output.stderr));
    assert!(table.starts_with("FAIL") && table.contains("breaks"), "{table}");
    for (slo, says) in [("p99 > 1ms", "no upper limit"), ("p9x < 1ms", "unknown metric `p9x`")] {
        let output = search("first_page", slo, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
    }
    // Everybody who will ask is known before the search begins.
    let output = search("detail", "p50 < 5s", &["--as=nobody@enterprise-workspace-1"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("401"), "{said}");
}

/// A server with a list of customers, though nobody is in it, and one path that is none of the contract's; its address.
async fn shop() -> String {
    let page = serde_json::json!({ "results": [], "next": null, "previous": null, "count": null });
    let products = axum::Json(serde_json::json!({ "results": [{ "id": 1 }, { "id": 2 }] }));
    let router = axum::Router::new()
        .route("/api/v1/customers/", axum::routing::get(async move || axum::Json(page)))
        .route("/products/", axum::routing::get(async move || products))
        .fallback(async || axum::http::StatusCode::NOT_FOUND);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    origin
}

const SHOP: &str = r#"
[scenario.search]
path = "/products/?q=lamp"
expect = { status = 200, json = { "/results" = { type = "array", at_least = 1 } } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_capacity_of_any_api_is_searched_without_what_that_does_not_offer() {
    let (origin, folder) = (shop().await, folder());
    fs::write(folder.path().join("shop.toml"), SHOP).expect("written");
    let search = |scenarios: &[&str], code: i32| {
        let output = callbench(folder.path())
            .args(["capacity", "--scenarios=shop.toml", "--slo=p50 < 5s", "--name=shop", "--json"])
            .args(["--from=20/s", "--max-rate=20/s", "--step-duration=2s", "--confirm-duration=2s"])
            .args(["--target", &origin])
            .args(scenarios)
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let output = search(&["search=9", "metadata=1"], 0);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&found["scenario"], &found["end"]), (&"mix".into(), &"confirmed".into()));
    let steps = found["steps"].as_array().expect("steps");
    assert!(steps.iter().all(|step| step["failed"] == 0), "{steps:?}");
    let warning = found["warnings"][0].as_str().expect("a warning");
    assert!(warning.starts_with("metadata is left out, because the server does not offer it"), "{warning}");

    let said = search(&["metadata"], 2).stderr;
    assert!(String::from_utf8_lossy(&said).contains("the server offers none of the scenarios"));
}

#[tokio::test]
async fn a_depth_has_times_buffers_and_exponents_of_each_variant() {
    let (database, folder) = (seeded("curve_depth", &FEW).await, folder());
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
async fn the_lines_of_a_depth_have_its_warnings_and_no_verdict() {
    let (database, folder) = (seeded("curve_lines", &FEW).await, folder());
    let output = callbench(folder.path())
        .args([
            "depth",
            "--variants=live",
            "--pages=1,5,1000",
            "--page-size=5",
            "--rounds=1",
            "--window=100ms",
        ])
        .args(["--json=lines", "--database-url", database.url()])
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let warned = lines.iter().filter_map(|line| line["sentence"].as_str());
    assert_eq!(warned.filter(|sentence| sentence.contains("serves no page 1000")).count(), 1, "{text}");
    let last = lines.last().expect("a last one");
    assert_eq!((&last["event"], &last["verdict"]), (&"finished".into(), &"not_judged".into()), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_depth_of_somebodys_server_is_refused_without_pages_and_measured_with_them() {
    let (database, folder) = (seeded("curve_target", &FEW).await, folder());
    let server = Server::start(folder.path(), database.url(), "live");
    let depth = |target: &str| {
        callbench(folder.path())
            .args([
                "depth",
                "--pages=1,5",
                "--page-size=5",
                "--rounds=1",
                "--window=100ms",
                "--target",
                target,
            ])
            .output()
            .expect("the command runs")
    };
    let output = depth(&server.origin);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    // A first page that is the one after another.
    let id = "11111111-1111-1111-1111-111111111111";
    let row = serde_json::json!({ "id": id, "workspace_id": id });
    let link = format!("{origin}/api/v1/customers/?cursor=same");
    let page = serde_json::json!({ "results": [row], "next": link, "previous": link, "count": null });
    let list = axum::routing::get(async move || axum::Json(page));
    let router = axum::Router::new().route("/api/v1/customers/", list);
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    let output = depth(&origin);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("the server does not offer a list with pages") && said.contains("conform"),
        "{said}"
    );
}

#[tokio::test]
async fn a_growth_seeds_each_size_measures_it_and_leaves_nothing_behind() {
    let folder = folder();
    let described = "[scenario.list]\npath = \"/api/v1/customers/?workspace_id={workspace}\"\n";
    fs::write(folder.path().join("list.toml"), format!("{described}expect = {{ status = 200 }}\n"))
        .expect("written");
    let small = ["--customers=40,160", "--rounds=1", "--window=100ms", "--page-size=5"];
    let scenarios = ["list", "worst_filters", "--scenarios=list.toml"];
    let small = [&small[..], &scenarios].concat();
    let (curve, page) = run(folder.path(), "growth", &small);
    let series = curve["series"].as_array().expect("series");
    let text = |series: &Value, field: &str| series[field].as_str().expect("a name").to_owned();
    let names: Vec<_> = series.iter().map(|one| (text(one, "operation"), text(one, "subject"))).collect();
    let expected =
        [("list", "naive"), ("list", "live"), ("worst_filters", "naive"), ("worst_filters", "live")];
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
}

#[test]
fn sizes_that_make_no_curve_or_fit_on_no_disk_are_refused_before_anything_is_seeded() {
    for (customers, says) in [
        ("40,700000000", "these sizes need about"),
        ("1000", "1000 customers are one size, and a curve needs several"),
        ("1000,1000", "--customers 1000,10000"),
    ] {
        let folder = folder();
        let output =
            callbench(folder.path()).args(["growth", "--customers", customers]).output().expect("runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
        assert!(!folder.path().join(".callbench/postgres").exists(), "a server was made for {customers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growth_of_somebodys_server_is_over_the_workspaces_that_it_has() {
    let (database, folder) = (seeded("curve_workspaces", &FEW).await, folder());
    let mut connection = sqlx::PgConnection::connect(database.url()).await.expect("a connection");
    let (small, live): (String, i64) = sqlx::query_as(
        "WITH everywhere AS (INSERT INTO user_workspace (user_id, workspace_id)
                             SELECT user_id, w.id FROM auth_token, workspace w WHERE token_sha256 = sha256('token123')
                             ON CONFLICT DO NOTHING)
         SELECT w.slug, count(*) FROM workspace w JOIN customer c ON c.workspace_id = w.id AND NOT c.is_deleted
          WHERE w.slug <> 'enterprise-workspace-1' GROUP BY w.slug ORDER BY count(*) DESC LIMIT 1",
    )
    .fetch_one(&mut connection)
    .await
    .expect("another workspace");
    drop(connection);
    let server = Server::start(folder.path(), database.url(), "live");
    let growth = |target: &str, workspaces: &[&str]| {
        callbench(folder.path())
            .args(["growth", "first_page", "--rounds=1", "--window=100ms", "--page-size=5", "--json"])
            .args(["--name=workspaces", "--target", target])
            .args(workspaces.iter().map(|workspace| format!("--workspace={workspace}")))
            .env("CALLBENCH_DATABASE_URL", database.url())
            // Each workspace has a token of its own.
            .env("CALLBENCH_TOKEN", "nobody")
            .output()
            .expect("the command runs")
    };
    let small_one = format!("token123@{small}");
    // The largest as an employee sees it, who is asked nothing; the other one as it is.
    let output = growth(&server.origin, &["employee123@enterprise-workspace-1=100000", &small_one]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let curve: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let [series] = curve["series"].as_array().expect("series").as_slice() else { panic!("{curve}") };
    assert_eq!((&series["subject"], &series["operation"]), (&"target".into(), &"first_page".into()));
    let points = series["points"].as_array().expect("points");
    let sizes: Vec<_> = points.iter().map(|point| point["size"].as_i64().expect("a size")).collect();
    assert_eq!(sizes, [live, 100_000]);
    assert!(
        points.iter().all(|point| point["failed"] == 0 && point["buffers"].as_f64() > Some(0.0)),
        "{points:?}"
    );
    assert_eq!(curve["workspace"], format!("enterprise-workspace-1, {small}"));
    assert!(curve["warnings"][0].as_str().expect("a warning").contains("share the tables of one server"));
    let command = curve["command"].as_str().expect("a command");
    assert!(
        command.contains("--workspace=…@enterprise-workspace-1=100000") && !command.contains("employee123")
    );

    let (shop, again) = (shop().await, format!("token123@{small}={live}"));
    for (target, workspaces, says) in [
        (&server.origin, &[small_one.as_str()][..], "and a curve needs several"),
        (&server.origin, &[&small_one, &again], "both have"),
        (&shop, &["a=5", "b"], "answered 404; say it yourself: --workspace b=CUSTOMERS"),
        (&server.origin, &[], "--workspace <WORKSPACE[=CUSTOMERS]>"),
    ] {
        let output = growth(target, workspaces);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{said}");
    }
}
