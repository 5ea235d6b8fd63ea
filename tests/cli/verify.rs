//! `callbench db verify` as a user meets it: what it prints, and its exit codes.

use std::process::Output;

use crate::command::{callbench, folder};
use cluster::testing::database;
use sqlx::{Connection as _, PgConnection};

#[track_caller]
fn verify(url: &str, arguments: &[&str], code: i32) -> String {
    let Output { status, stdout, stderr } = callbench(folder().path())
        .args(["db", "verify", "--database-url", url])
        .args(arguments)
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&stderr);
    assert!(!said.contains("panicked"), "{said}");
    let printed = String::from_utf8(stdout).expect("UTF-8");
    assert_eq!(status.code(), Some(code), "{said}\n{printed}");
    if code == 2 { said.into_owned() } else { printed }
}

#[tokio::test]
async fn the_exit_code_tells_what_is_as_loaded_from_what_changed_and_what_can_not_be_told() {
    let database = database("verify_command").await;
    let url = database.url();
    assert!(verify(url, &[], 2).contains("callbench seed"));

    let seeded = callbench(folder().path())
        .args(["seed", "--customers=600", "--calls=3000", "--workspaces=3", "--level=optimized"])
        .args(["--database-url", url])
        .output()
        .expect("the command runs");
    assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
    let printed = verify(url, &[], 0);
    assert!(printed.ends_with("The data set is exactly as loaded.\n"), "{printed}");
    assert!(verify(url, &["--level", "indexed"], 2).contains("no clone"));

    let mut conn = PgConnection::connect(url).await.expect("connects");
    sqlx::raw_sql("DELETE FROM customer WHERE id = (SELECT customer_id FROM call LIMIT 1)")
        .execute(&mut conn)
        .await
        .expect("deleted");
    let printed = verify(url, &["--connections", "1"], 1);
    for words in [
        "customer: 1 row was removed; ",
        "  removed, for example: ",
        "  call.customer_id without its customer of the same workspace: ",
    ] {
        assert!(printed.contains(words), "`{words}` is missing in: {printed}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&verify(url, &["--json", "--quick"], 1)).expect("JSON and nothing else");
    assert_eq!(json["passed"], false);
    assert_eq!(json["tables"][7]["held"]["rows"], 719);
    assert!(json["sentence"].as_str().expect("a sentence").starts_with("customer: 1 row fewer than loaded"));
}
