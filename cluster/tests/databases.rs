//! Databases on a server: made, copied, measured, dropped.

use cluster::{Error, databases, testing};
use sqlx::{Connection, PgConnection};

#[tokio::test]
async fn a_database_is_made_once_and_dropped_once() {
    let test = testing::database("made").await;
    let url = databases::with_database(test.url(), "made \"here\" 100%/ß?").expect("a URL");
    databases::drop(&url).await.expect("what an earlier run left");
    assert!(!databases::exists(&url).await.expect("an answer"));
    assert!(databases::ensure(&url).await.expect("a database"));
    assert!(!databases::ensure(&url).await.expect("the same"));
    assert!(databases::exists(&url).await.expect("an answer"));
    let connected = PgConnection::connect(&url).await.expect("a connection");
    assert!(databases::drop(&url).await.expect("gone, although somebody is connected"));
    assert!(!databases::drop(&url).await.expect("nothing"));
    assert!(!databases::exists(&url).await.expect("an answer"));
    drop(connected);
}

#[tokio::test]
async fn a_database_made_by_two_at_once_is_there_for_both() {
    let test = testing::database("at_once").await;
    let url = databases::with_database(test.url(), &format!("{}_x", test.name())).expect("a URL");
    let (first, second) = tokio::join!(databases::ensure(&url), databases::ensure(&url));
    let made = [first.expect("there"), second.expect("there")];
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    databases::drop(&url).await.expect("gone");
}

#[tokio::test]
async fn a_clone_holds_the_same_rows_and_goes_its_own_way() {
    let test = testing::database("clone").await;
    let mut connection = PgConnection::connect(test.url()).await.expect("a connection");
    sqlx::raw_sql("CREATE TABLE t AS SELECT i FROM generate_series(1, 1000) AS i")
        .execute(&mut connection)
        .await
        .expect("a table");
    let name = format!("{}_copy", test.name());

    let refusal = databases::clone(test.url(), &name).await.expect_err("somebody is connected");
    assert!(
        matches!(&refusal, Error::TemplateInUse { connections, .. } if connections.contains("process")),
        "{refusal}"
    );
    connection.close().await.expect("an end");

    let copy = databases::clone(test.url(), &name).await.expect("a copy");
    let refusal = databases::clone(test.url(), &name).await.expect_err("it is there already");
    assert!(matches!(&refusal, Error::DatabaseExists(existing) if *existing == name), "{refusal}");
    let mut connection = PgConnection::connect(&copy).await.expect("a connection");
    sqlx::query("DELETE FROM t WHERE i <= 10").execute(&mut connection).await.expect("fewer rows");
    let rows = "SELECT count(*) FROM t";
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&mut connection).await.expect("a count"), 990);
    let mut original = PgConnection::connect(test.url()).await.expect("a connection");
    assert_eq!(sqlx::query_scalar::<_, i64>(rows).fetch_one(&mut original).await.expect("a count"), 1000);
    assert!(databases::drop(&copy).await.expect("gone"));
}

#[tokio::test]
async fn a_database_grows_with_its_rows() {
    let test = testing::database("size").await;
    let before = databases::size_bytes(test.url()).await.expect("a size");
    let mut connection = PgConnection::connect(test.url()).await.expect("a connection");
    sqlx::raw_sql("CREATE TABLE t AS SELECT repeat('x', 100) AS x FROM generate_series(1, 100000)")
        .execute(&mut connection)
        .await
        .expect("a table");
    let after = databases::size_bytes(test.url()).await.expect("a size");
    assert!(after > before + 10_000_000, "{before} {after}");
    let folder = testing::cluster().await.data_folder();
    assert!(databases::free_bytes(&folder).expect("a disk") > 0);
}

#[tokio::test]
async fn a_wrong_password_and_a_server_that_is_not_there_are_told_without_the_password() {
    let test = testing::database("wrong").await;
    let wrong = test.url().replacen("callbench:", "callbench:secret", 1);
    let refusal = databases::exists(&wrong).await.expect_err("a refusal").to_string();
    assert!(refusal.contains("password authentication failed") && !refusal.contains("secret"), "{refusal}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let nowhere = format!("postgres://me:secret@127.0.0.1:{port}/db");
    let refusal = databases::ensure(&nowhere).await.expect_err("a refusal").to_string();
    assert!(refusal.contains(&format!("127.0.0.1:{port}/db")) && !refusal.contains("secret"), "{refusal}");
}
