//! A database with rows, loaded by the command itself.

use cluster::testing::{TestDatabase, database};

use crate::command::{callbench, folder};

/// A database of its own, seeded with these arguments.
pub(crate) async fn seeded(name: &str, arguments: &[&str]) -> TestDatabase {
    let database = database(name).await;
    let output = callbench(folder().path())
        .arg("seed")
        .args(arguments)
        .args(["--database-url", database.url()])
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    database
}
