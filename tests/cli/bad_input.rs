//! What a user gets for a mistake: one clear sentence, exit code 2, and nothing of theirs touched.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::command::{callbench, folder};
use crate::seeding::seeded;
use cluster::testing::{cluster, database};
use sqlx::{Connection as _, PgConnection};

/// A dataset of a few rows, at a level that the variants `naive` and `live` are made for.
const FEW: [&str; 4] = ["--customers=60", "--calls=300", "--workspaces=3", "--level=indexed"];

/// Runs it and expects a refusal: exit code 2 and one sentence on standard error, which is returned.
#[track_caller]
fn refused(command: &mut Command) -> String {
    let Output { status, stderr, stdout } = command.output().expect("the command runs");
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert_eq!(status.code(), Some(2), "stderr: {said}\nstdout: {}", String::from_utf8_lossy(&stdout));
    assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{said}");
    let sentences: Vec<&str> = said.lines().filter(|line| line.starts_with("callbench: ")).collect();
    assert_eq!(sentences.len(), 1, "{said}");
    sentences[0].to_owned()
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

/// Something that a folder holds after a command that should have left it alone.
fn leftovers(folder: &Path) -> Vec<String> {
    fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn an_unknown_scenario_is_answered_with_the_known_ones() {
    let folder = folder();
    let said = refused(callbench(folder.path()).args(["load", "frist_page"]));
    assert_says(&said, &["frist_page", "first_page", "page_100"]);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn a_mistake_in_a_file_of_scenarios_is_shown_with_line_and_column_before_anything_runs() {
    let folder = folder();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("shop.toml", "[scenario.search]\npath = \"/products/\"\n");
    write("other.toml", "[scenario.search]\npath = \"/products/{prodct}\"\n\n[data.product]\nvalues = [1]\n");
    let load = |words: &[&str]| refused(callbench(folder.path()).arg("load").args(words));
    let said = load(&["search", "--scenarios=other.toml"]);
    assert_says(&said, &["other.toml:2:19: unknown placeholder `{prodct}`", "did you mean `product`?"]);
    // Names stand for one scenario each, wherever they are described.
    let said = load(&["search", "--scenarios=shop.toml", "--scenarios=other.toml"]);
    assert_says(&said, &["other.toml:1:11: name that is taken `search`"]);
    let said = load(&["serch", "--scenarios=shop.toml"]);
    assert_says(&said, &["`serch`", "did you mean `search`?", "first_page"]);
    let said = load(&["search", "--scenarios=nowhere.toml"]);
    assert_says(&said, &["nowhere.toml", "No such file"]);
    let mut left = leftovers(folder.path());
    left.sort();
    assert_eq!(left, ["other.toml", "shop.toml"]);
}

#[test]
fn an_address_for_metrics_that_is_in_use_is_told_before_anything_runs() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    for command in [&["demo", "--quick"][..], &["bench"], &["load", "first_page"], &["depth"], &["growth"]] {
        let said = refused(callbench(folder.path()).args(command).args(["--metrics", &address]));
        assert_says(&said, &["the metrics can't be served at", &address, "in use", "port 0"]);
    }
    let said = refused(callbench(folder.path()).args([
        "capacity",
        "first_page",
        "--slo=p99 < 1s",
        "--metrics",
        &address,
    ]));
    assert_says(&said, &[&address, "in use"]);
    assert_eq!(leftovers(folder.path()), Vec::<String>::new());
}

#[test]
fn a_malformed_budget_is_shown_with_line_and_column_before_anything_runs() {
    let folder = folder();
    fs::write(
        folder.path().join("mine.toml"),
        "schema = 1\n\n[first_page]\noperation = \"first_page\"\nlatency = [\"p95 < 500\"]\n",
    )
    .expect("written");
    let said = refused(callbench(folder.path()).args(["demo", "--quick", "--budgets", "mine.toml"]));
    assert_says(&said, &["mine.toml:5:", "500"]);
    assert_eq!(leftovers(folder.path()), vec!["mine.toml"]);
}

#[test]
fn a_budget_file_that_is_not_there_is_named() {
    let said = refused(callbench(folder().path()).args(["bench", "--budgets", "nowhere.toml"]));
    assert_says(&said, &["nowhere.toml"]);
}

#[test]
fn a_folder_without_postgresql_is_named_with_the_way_to_find_the_right_one() {
    let folder = folder();
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).expect("made");
    let said = refused(callbench(folder.path()).args(["demo", "--quick"]).env("CALLBENCH_PG_BIN", &empty));
    assert_says(&said, &[empty.to_str().expect("UTF-8"), "initdb", "pg_config --bindir"]);
}

#[test]
fn a_postgresql_that_is_too_old_is_refused_with_its_version() {
    let folder = folder();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("made");
    for program in ["postgres", "initdb", "pg_ctl", "pg_controldata"] {
        let path = bin.join(program);
        fs::write(&path, format!("#!/bin/sh\necho '{program} (PostgreSQL) 13.4'\n")).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    let said = refused(callbench(folder.path()).args(["db", "start"]).env("CALLBENCH_PG_BIN", &bin));
    assert_says(&said, &["13", "15"]);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = folder();
    let said = refused(callbench(folder.path()).args(["db", "start", "--port", &port]));
    assert_says(&said, &[&port]);
}

#[tokio::test]
async fn the_address_of_a_server_that_is_taken_is_named() {
    let database = seeded("serve_port", &FEW).await;
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let said = refused(callbench(folder().path()).args([
        "serve",
        "--listen",
        &address,
        "--database-url",
        database.url(),
    ]));
    assert_says(&said, &[&address, "--listen"]);
}

#[test]
fn a_url_of_something_else_is_refused_with_an_example() {
    let said = refused(callbench(folder().path()).args([
        "seed",
        "--scale",
        "tiny",
        "--database-url",
        "mysql://localhost/x",
    ]));
    assert_says(&said, &["postgres://user:password@host:5432/database"]);
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let url = "postgres://me:hunter2@127.0.0.1:1/x";
    let said = refused(callbench(folder().path()).args(["bench", "--database-url", url]));
    assert_says(&said, &["127.0.0.1:1"]);
    assert!(!said.contains("hunter2"), "{said}");
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_database_are_told_apart() {
    let url = cluster().await.url("postgres");
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (user, host) = rest.split_once('@').expect("a password");
    let user = user.split(':').next().expect("a user");
    let wrong = format!("{scheme}://{user}:wrong@{host}");
    let said =
        refused(callbench(folder().path()).args(["seed", "--scale", "tiny", "--database-url", &wrong]));
    assert_says(&said, &["refuses the user", user]);

    let missing = cluster().await.url("no_such_database");
    let said =
        refused(callbench(folder().path()).args(["seed", "--scale", "tiny", "--database-url", &missing]));
    assert_says(&said, &["no database `no_such_database`", "createdb"]);
}

#[tokio::test]
async fn a_database_with_other_tables_is_refused_and_not_touched() {
    let database = database("foreign").await;
    let mut conn = PgConnection::connect(database.url()).await.expect("connects");
    sqlx::raw_sql("CREATE TABLE orders (id int); INSERT INTO orders VALUES (7)")
        .execute(&mut conn)
        .await
        .expect("made");
    for command in [["seed", "--scale", "tiny"], ["db", "migrate", "--to=indexed"]] {
        let said = refused(callbench(folder().path()).args(command).args(["--database-url", database.url()]));
        assert_says(&said, &["orders", "nothing was changed"]);
    }
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    )
    .fetch_all(&mut conn)
    .await
    .expect("listed");
    assert_eq!(tables, vec!["public.orders"]);
}

#[tokio::test]
async fn a_database_without_a_dataset_says_how_to_load_one() {
    let database = database("unseeded").await;
    let said = refused(callbench(folder().path()).args(["bench", "--database-url", database.url()]));
    assert_says(&said, &["no dataset", "callbench seed"]);
    let said = refused(callbench(folder().path()).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database-url",
        database.url(),
    ]));
    assert_says(&said, &["callbench db migrate"]);
}

#[tokio::test]
async fn a_dataset_that_does_not_fit_the_disk_is_refused_with_both_numbers() {
    let folder = folder();
    let said = refused(callbench(folder.path()).args([
        "seed",
        "--customers=1000000000",
        "--calls=4000000000",
        "--workspaces=10000",
    ]));
    assert_says(&said, &["needs about", "free"]);
}

#[tokio::test]
async fn a_workspace_that_does_not_exist_is_named() {
    let database = seeded("no_slug", &FEW).await;
    let said = refused(callbench(folder().path()).args([
        "load",
        "first_page",
        "--workspace",
        "no-such-workspace",
        "--database-url",
        database.url(),
    ]));
    assert_says(&said, &["no-such-workspace"]);
}

#[test]
fn a_database_on_another_machine_is_not_loaded_without_force() {
    // An address for documentation (RFC 5737), which nobody answers: the refusal needs no answer.
    let url = "postgres://me@192.0.2.1:5432/shop";
    let said = refused(callbench(folder().path()).args(["seed", "--scale=tiny", "--database-url", url]));
    assert_says(&said, &["on another machine", "--force"]);
}

#[tokio::test]
async fn another_dataset_is_not_overwritten_without_being_asked_to() {
    let database = seeded("other_spec", &FEW).await;
    let said = refused(callbench(folder().path()).args([
        "seed",
        "--scale=tiny",
        "--seed=2",
        "--database-url",
        database.url(),
    ]));
    assert_says(&said, &["seed"]);
}

#[test]
fn a_target_where_nobody_listens_is_named() {
    let said =
        refused(callbench(folder().path()).args(["load", "first_page", "--target", "http://127.0.0.1:1"]));
    assert_says(&said, &["127.0.0.1:1"]);
}

#[test]
fn a_run_that_is_not_there_is_named() {
    let said = refused(callbench(folder().path()).args(["report", "runs/nowhere"]));
    assert_says(&said, &["runs/nowhere"]);
}

#[test]
fn a_mistake_in_recorded_arrivals_is_shown_with_its_line_before_anything_is_done() {
    let home = folder();
    let file = home.path().join("arrivals.txt");
    for (text, words) in [
        ("0\n0.4\n0.2\n", ["line 3 of arrivals.txt", "before the line above"]),
        ("# head\nyesterday\n", ["line 2 of arrivals.txt", "`yesterday` is not a time"]),
        ("# nothing\n", ["arrivals.txt", "holds no arrival"]),
        ("0 frist_page\n", ["no scenario `frist_page`", "did you mean `first_page`?"]),
        ("0\n", ["can't be carried out", "no scenario"]),
    ] {
        fs::write(&file, text).expect("the file is written");
        let said = refused(callbench(home.path()).args(["load", "--replay", "arrivals.txt"]));
        assert_says(&said, &words);
    }
    let said = refused(callbench(home.path()).args(["bench", "--replay", "absent.txt"]));
    assert_says(&said, &["absent.txt", "No such file"]);
    assert_eq!(leftovers(home.path()), vec!["arrivals.txt"]);
}

#[test]
fn loads_that_contradict_themselves_are_refused_by_name() {
    for (arguments, flag) in [
        (["--rate=5/s", "--replay=a.txt"], "--replay"),
        (["--arrivals=poisson", "--replay=a.txt"], "--replay"),
        (["--users=4", "--when-busy=skip"], "--when-busy"),
        (["--users=4", "--max-in-flight=8"], "--max-in-flight"),
        (["--rate=5/s", "--speed=2x"], "--speed"),
        (["--speed=2x", "--duration=1s"], "--replay"),
        (["--users=4", "--speed=2x"], "--speed"),
        (["--rate=0/s..0/s", "--duration=1s"], "--rate"),
        (["--rate=1/s..nan/s", "--duration=1s"], "--rate"),
    ] {
        let output = callbench(folder().path()).args(["load", "first_page"]).args(arguments).output();
        let output = output.expect("the command runs");
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(flag), "{said}");
    }
}

#[test]
fn a_mistake_in_a_profile_is_shown_with_its_place_or_its_key_before_anything_is_done() {
    let home = folder();
    let file = home.path().join("mine.toml");
    for (text, words) in [
        ("[calls]\ndaze = 30", ["line 2, column 1", "daze"]),
        ("[calls]\ndays = 3", ["`calls.days` is 3", "between 30 and 3650"]),
    ] {
        std::fs::write(&file, text).expect("the file is written");
        let said = refused(callbench(home.path()).args(["seed", "--scale=tiny", "--profile"]).arg(&file));
        assert_says(&said, &["mine.toml"]);
        assert_says(&said, &words);
    }
    let said = refused(callbench(home.path()).args(["seed", "--scale=tiny", "--profile=absent.toml"]));
    assert_says(&said, &["absent.toml"]);
    let output = callbench(home.path()).args(["seed", "--print-profile"]).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).expect("UTF-8").contains("median_talk_seconds = 72"));
}
