//! What is told of a run while it runs: lines of JSON, metrics, and nothing that a log would be flooded with.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::command::{callbench, folder};
use crate::serving::Server;
use cluster::testing::{TestDatabase, database};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Two requests of a mix: one is answered as it should be, the other is not what it is expected to be.
const SCENARIOS: &str = r#"
[scenario.right]
path = "/api/v1/customers/?workspace_id={workspace}&page_size=2"
expect = { status = 200 }
[scenario.wrong]
path = "/api/v1/customers/?workspace_id={workspace}&page_size=3"
expect = { status = 200, json = { "/results" = { type = "array", at_most = 2 } } }
"#;

const ERROR: &str = "wrong reply: /results has another length";

/// A process that is killed if the test ends before it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server on a few rows, which lives as long as its database.
async fn served(folder: &Path, name: &str) -> (TestDatabase, Server) {
    let database = database(name).await;
    let seeded = callbench(folder)
        .args(["seed", "--customers=60", "--calls=300", "--workspaces=3", "--level=indexed"])
        .args(["--database-url", database.url()])
        .output()
        .expect("runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    fs::write(folder.join("mix.toml"), SCENARIOS).expect("written");
    let server = Server::start(folder, database.url(), "live");
    (database, server)
}

/// A load of the mix: 150 requests in three seconds, some of which fail.
fn load(folder: &Path, server: &Server, database: &TestDatabase) -> Command {
    let mut command = callbench(folder);
    command.args(["load", "right=60", "wrong=40", "--scenarios=mix.toml", "--rate=50/s", "--duration=3s"]);
    command.args(["--warm-up=200ms", "--name=run", "--target", &server.origin]);
    command.args(["--database-url", database.url()]);
    command
}

fn result(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("runs/run/result.json")).expect("kept")).expect("JSON")
}

/// The windows of a result: the mix and its two parts.
fn windows(run: &Value) -> BTreeMap<&str, &Value> {
    let windows = run["windows"].as_array().expect("windows");
    let windows: BTreeMap<_, _> =
        windows.iter().map(|window| (window["operation"].as_str().expect("a name"), window)).collect();
    assert_eq!(windows.keys().copied().collect::<Vec<_>>(), ["mix", "mix/right", "mix/wrong"]);
    windows
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no count"))
}

#[tokio::test]
async fn the_lines_of_a_run_add_up_to_its_result_and_nothing_else_is_printed() {
    let folder = folder();
    let (database, server) = served(folder.path(), "live_lines").await;
    let output = load(folder.path(), &server, &database).arg("--json=lines").output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let event = |line: &Value| line["event"].as_str().expect("a name").to_owned();
    let of = |name: &str| lines.iter().filter(|line| event(line) == name).collect::<Vec<_>>();
    for line in &lines {
        assert_eq!(line["schema"], 1, "{line}");
        assert!(chrono::DateTime::parse_from_rfc3339(line["at"].as_str().expect("a time")).is_ok());
    }
    assert_eq!(
        (event(&lines[0]), of("measuring").len(), of("window_started").len()),
        ("started".into(), 1, 1)
    );

    let run = result(folder.path());
    let windows = windows(&run);
    let seconds = of("second");
    assert!(seconds.len() >= 3, "{}", seconds.len());
    let sum =
        |pointer: &str| -> u64 { seconds.iter().filter_map(|line| line.pointer(pointer)).map(number).sum() };
    assert_eq!(number(&windows["mix"]["requests"]), 150);
    assert_eq!((sum("/lately/requests"), sum("/lately/due")), (150, 150));
    let failed = number(&windows["mix/wrong"]["requests"]);
    assert!(failed > 0 && failed == number(&windows["mix"]["errors"][ERROR]), "{}", windows["mix"]);
    assert_eq!(sum("/lately/failed"), failed);
    for (place, operation) in ["mix/right", "mix/wrong"].into_iter().enumerate() {
        assert_eq!(seconds[0].pointer(&format!("/operations/{place}/operation")), Some(&operation.into()));
        assert_eq!(sum(&format!("/operations/{place}/requests")), number(&windows[operation]["requests"]));
    }
    let last = seconds.last().expect("one");
    assert_eq!(last["so_far"]["errors"], windows["mix"]["errors"]);
    assert_eq!((&last["in_flight"], &last["queued"]), (&0.into(), &0.into()));
    assert!(last["client_cores"].is_number() && last["waiting_for_lock"].is_number(), "{last}");
    assert_eq!(last["server_cores"], Value::Null, "the process behind a URL is not known");

    let finished = lines.last().expect("a line");
    assert_eq!((event(finished), &finished["verdict"]), ("finished".into(), &"not_judged".into()));
    assert_eq!((&finished["exit_code"], &finished["name"]), (&0.into(), &"run".into()));
    assert!(
        folder.path().join(finished["result"].as_str().expect("a path")).ends_with("runs/run/result.json")
    );
}

#[tokio::test]
async fn a_run_that_fails_ends_its_lines_with_the_reason() {
    let folder = folder();
    let output = callbench(folder.path())
        .args(["load", "first_page", "--target=http://127.0.0.1:9", "--json=lines"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(last["event"], "failed");
    assert!(said.contains(last["sentence"].as_str().expect("words")), "{said}\n{last}");
}

#[tokio::test]
async fn without_a_terminal_a_window_has_one_line_and_its_seconds_have_none() {
    let folder = folder();
    let (database, server) = served(folder.path(), "live_quiet").await;
    let output = load(folder.path(), &server, &database).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("round 1/1").count(), 1, "{said}");
    for word in ["in flight", "last second", "cores", "\u{1b}["] {
        assert!(!said.contains(word), "`{word}` in: {said}");
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains("Report: runs/run/report.html"));
}

/// What `/metrics` says, read as strictly as `OpenMetrics` 1.0 has it.
struct Scrape {
    samples: BTreeMap<String, f64>,
    kinds: BTreeMap<String, String>,
}

impl Scrape {
    fn parse(text: &str) -> Self {
        let (mut samples, mut kinds) = (BTreeMap::new(), BTreeMap::<String, String>::new());
        let mut helped = Vec::new();
        let body = text.strip_suffix("# EOF\n").expect("the text ends with # EOF");
        for line in body.lines() {
            match line.strip_prefix("# ").map(|meta| meta.splitn(3, ' ').collect::<Vec<_>>()).as_deref() {
                Some(["HELP", family, words]) => {
                    assert!(!words.is_empty());
                    helped.push((*family).to_owned());
                }
                Some(["TYPE", family, kind]) => {
                    assert!(kinds.insert((*family).to_owned(), (*kind).to_owned()).is_none(), "{line}");
                }
                Some(["UNIT", family, unit]) => assert!(family.ends_with(&format!("_{unit}")), "{line}"),
                Some(_) => panic!("{line}"),
                None => {
                    let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                    let family = kinds.keys().find(|family| Self::is_of(sample, family, &kinds[*family]));
                    assert!(family.is_some(), "{sample} belongs to no family");
                    let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
                    assert!(samples.insert(sample.to_owned(), value).is_none(), "{sample} is there twice");
                }
            }
        }
        assert_eq!(helped.len(), kinds.len());
        Self { samples, kinds }
    }

    fn is_of(sample: &str, family: &str, kind: &str) -> bool {
        let name = sample.split('{').next().unwrap_or(sample);
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "gauge" => &[""],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            kind => panic!("{family} is a {kind}"),
        };
        endings.iter().any(|ending| name.strip_suffix(ending) == Some(family))
    }

    /// Samples that may only grow.
    fn growing(&self) -> impl Iterator<Item = (&String, f64)> {
        let grows = |sample: &str| {
            let kinds =
                self.kinds.iter().filter(|(_, kind)| matches!(kind.as_str(), "counter" | "histogram"));
            kinds.into_iter().any(|(family, kind)| Self::is_of(sample, family, kind))
        };
        self.samples.iter().filter(move |(sample, _)| grows(sample)).map(|(sample, value)| (sample, *value))
    }

    fn get(&self, sample: &str) -> Option<u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        self.samples.get(sample).map(|value| *value as u64)
    }
}

async fn scrape(url: &str) -> Scrape {
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Scrape::parse(&answer.text().await.expect("text"))
}

#[tokio::test]
async fn metrics_grow_while_a_window_runs_and_end_as_the_result_has_them() {
    let folder = folder();
    let (database, server) = served(folder.path(), "live_metrics").await;
    let mut running = Running(
        load(folder.path(), &server, &database)
            .args(["--metrics=0", "--metrics-linger=10min"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs"),
    );
    let mut said = BufReader::new(running.0.stderr.take().expect("piped")).lines();
    let url = said
        .find_map(|line| line.expect("UTF-8").strip_prefix("metrics at ").map(str::to_owned))
        .expect("an address");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/metrics"), "{url}");

    let mix = "subject=\"target\",scenario=\"mix\"";
    let deadline = Instant::now() + Duration::from_mins(2);
    let (mut before, mut while_open): (Option<Scrape>, _) = (None, 0);
    let last = loop {
        assert!(
            Instant::now() < deadline,
            "the run has not ended: {:?}",
            before.map(|scrape| scrape.samples)
        );
        let scrape = scrape(&url).await;
        for (sample, value) in before.iter().flat_map(Scrape::growing) {
            assert!(scrape.samples[sample] >= value, "{sample} went back from {value}");
        }
        let is_open = scrape.samples.contains_key(&format!("callbench_load_requests_in_flight{{{mix}}}"));
        let is_over = scrape.get(&format!("callbench_load_windows_total{{{mix}}}")) == Some(1);
        if is_open {
            let right = format!("callbench_load_requests_total{{{mix},operation=\"mix/right\"}}");
            assert!(scrape.get(&right).is_some());
            while_open += 1;
        }
        if is_over {
            assert!(!is_open, "a gauge of a window that is over");
            break scrape;
        }
        before = Some(scrape);
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(while_open > 0, "it was never scraped while the window was open");

    // The command waits for the last scrape, until it is told to end; by then the result is there.
    while !folder.path().join("runs/run/result.json").exists() {
        assert!(Instant::now() < deadline, "there is no result");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(said.by_ref().map_while(Result::ok).any(|line| line.contains("round 1/1")));
    let pid = Pid::from_raw(i32::try_from(running.0.id()).expect("a process"));
    kill(pid, Signal::SIGINT).expect("it runs");
    let status = loop {
        assert!(Instant::now() < deadline, "it goes on");
        if let Some(status) = running.0.try_wait().expect("a child") {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");

    let run = result(folder.path());
    let windows = windows(&run);
    for operation in ["mix/right", "mix/wrong"] {
        let labels = format!("{mix},operation=\"{operation}\"");
        let requests = number(&windows[operation]["requests"]);
        let of = |name: &str| last.get(&format!("callbench_load_{name}{{{labels}}}"));
        assert_eq!(of("requests_total"), Some(requests));
        assert_eq!(of("response_seconds_count"), Some(requests));
        let all = last.get(&format!("callbench_load_response_seconds_bucket{{le=\"+Inf\",{labels}}}"));
        assert_eq!(all, Some(requests));
        let errors = last.get(&format!("callbench_load_errors_total{{{labels},kind=\"{ERROR}\"}}"));
        assert_eq!(errors, windows[operation]["errors"].get(ERROR).map(number));
    }
    assert_eq!(last.get(&format!("callbench_load_due_total{{{mix}}}")), Some(150));
    assert_eq!(last.get("callbench_load_deadlocks_total{subject=\"target\"}"), Some(0));
}

#[test]
fn a_reader_who_wants_only_the_beginning_is_no_error() {
    let folder = folder();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = callbench(folder.path())
        .args(["db", "status", "--json"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .and_then(Child::wait_with_output)
        .expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
