//! `callbench profile` as a user meets it: what can't be asked, and what it says then.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Output;
use std::thread;

use crate::command::{callbench, folder};
use crate::serving::Server;
use cluster::testing::database;
use migrations::Level;
use sqlx::{Connection as _, PgConnection};

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

/// Somebody else's server: its address, without a slash. It serves until the tests end.
fn elsewhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.expect("a connection");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).is_ok_and(|read| read == 1) {
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head);
            let path = head.split([' ', '?']).nth(1).unwrap_or_default();
            let (first, body) = match path {
                "/moved" => ("302 Found\r\nLocation: /page", ""),
                "/page" | "/api/v1/customers/" => {
                    ("200 OK\r\nContent-Type: text/html", "<!doctype html>\n<h1>Welcome</h1>")
                }
                "/json" => {
                    ("200 OK\r\nContent-Type: application/json", r#"{"results": [], "_profiling": null}"#)
                }
                "/word" => ("200 OK\r\nContent-Type: application/json", r#"{"_profiling": "on"}"#),
                "/nothing" => ("204 No Content", ""),
                "/half" => ("200 OK\r\nContent-Length: 100", r#"{"_profiling": "#),
                "/refused" => ("400 Bad Request", r#"{"status": ["No."], "_profiling": {"query_count": 1}}"#),
                _ => ("404 Not Found\r\nContent-Type: text/html", "<h1>\r\n\u{1b}[31mNot found\u{7}</h1>"),
            };
            let answer = format!("HTTP/1.1 {first}\r\nConnection: close\r\n\r\n{body}");
            connection.write_all(answer.as_bytes()).expect("the client listens");
        }
    });
    address
}

#[test]
fn somebody_elses_server_is_quoted_on_one_line() {
    let address = elsewhere();
    for (asked, words) in [
        (
            "/page",
            &["`text/html` instead of JSON (<!doctype html> <h1>Welcome</h1>)", "a callbench server"][..],
        ),
        ("/none", &["answered 404: <h1> [31mNot found </h1>;", "check the path"]),
        ("/json", &["JSON without `_profiling`", "profiling switched on", "admin"]),
        ("/word", &["gives a profile that can't be read", "of one version"]),
        ("/nothing", &["answered 204: nothing;", "check the path"]),
        ("/moved", &["/page, where ", "/moved?_profile=explain leads to, answered with `text/html`"]),
        ("/half", &["no answer from", "/half"]),
        // What it did is not what was wrong with it.
        ("/refused", &[r#"answered 400: {"status":["No."]};"#]),
        ("first_page", &["/api/v1/customers/", "does not answer like a customer list"]),
    ] {
        let said = refused(&[asked, "--target", &address]);
        assert_says(&said, words);
        assert!(said.trim_end().chars().all(|c| !c.is_control()), "{said:?}");
    }
}

#[test]
fn a_target_with_a_password_is_refused_without_telling_it() {
    let said = refused(&[LIST, "--target=http://me:secret@127.0.0.1:1"]);
    assert_says(&said, &["`http://127.0.0.1:1/`", "a password in it"]);
    assert!(!said.contains("secret"), "{said}");
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

#[tokio::test]
async fn a_database_that_is_gone_is_named() {
    let database = database("profile_gone").await;
    let url = database.url().to_owned();
    drop(database);
    assert_says(&refused(&[LIST, "--database-url", &url]), &["has no database", "createdb"]);
    let nobody = refused(&[LIST, "--database-url=postgres://me:secret@127.0.0.1:1/x"]);
    assert_says(&nobody, &["no PostgreSQL answers at 127.0.0.1:1"]);
    assert!(!nobody.contains("secret"), "{nobody}");
}

#[tokio::test]
async fn a_server_whose_database_is_gone_refers_to_its_log() {
    let database = database("profile_serving").await;
    let mut db = PgConnection::connect(database.url()).await.expect("it answers");
    migrations::migrate(&mut db, database.url(), Level::Indexed, &mut |_| {})
        .await
        .expect("an empty database");
    let home = folder();
    let server = Server::start(home.path(), database.url(), "live");
    assert_says(&refused(&[LIST, "--target", &server.origin]), &["answered 401", "check the token"]);
    drop(database);
    for asked in [LIST, "first_page"] {
        assert_says(
            &refused(&[asked, "--target", &server.origin]),
            &["answered 50", "the server's log says more"],
        );
    }
}
