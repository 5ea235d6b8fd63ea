//! What kind of server it is.

use std::os::unix::fs::MetadataExt;

use crate::support::{Home, ask, connect};
use cluster::Cluster;
use nix::unistd::geteuid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

#[tokio::test]
async fn it_is_durable_measurable_and_sorts_by_code_point() {
    let home = Home::new();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let url = cluster.url("postgres");
    let mut connection = connect(&url).await;
    for (setting, expected) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("track_io_timing", "on"),
        ("max_connections", "200"),
        ("random_page_cost", "1.1"),
        ("listen_addresses", "127.0.0.1"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("shared_preload_libraries", "pg_stat_statements"),
    ] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut connection)
            .await
            .expect("a setting");
        assert_eq!(value, expected, "{setting}");
    }
    sqlx::query("CREATE EXTENSION pg_stat_statements").execute(&mut connection).await.expect("contrib");
    let sorted = "SELECT string_agg(c, '' ORDER BY c) FROM unnest(ARRAY['a', 'B', 'ä', 'Z', '_']) AS c";
    assert_eq!(ask(&url, sorted).await, "BZ_aä");
    assert_eq!(ask(&url, "SELECT upper('straßenbär')").await, "STRAßENBÄR");
    connection.close().await.expect("an end");
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn nobody_gets_in_without_the_password_which_only_the_owner_can_read() {
    let home = Home::new();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let room = cluster.data_folder().parent().expect("a folder").to_owned();
    let tcp = PgConnectOptions::new().host("127.0.0.1");
    let socket = PgConnectOptions::new().socket(cluster.socket_folder());
    for options in [tcp, socket] {
        let options =
            options.port(cluster.port()).username("callbench").password("guess").database("postgres");
        let error = options.connect().await.expect_err("a refusal");
        assert_eq!(
            error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref(),
            Some("28P01"),
            "{error}"
        );
    }
    assert_eq!(std::fs::metadata(room.join("password")).expect("a file").mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(&room).expect("a folder").mode() & 0o777, 0o700);
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn the_socket_serves_too_and_has_a_short_path_when_the_home_has_a_long_one() {
    let home = Home::new();
    let deep = home.path().join("a-folder-with-a-name-of-some-length".repeat(3));
    let cluster = Cluster::start(&cluster::Options::new(&deep)).await.expect("a start");
    assert!(cluster.socket_folder().as_os_str().len() < 80, "{}", cluster.socket_folder().display());
    let password = cluster.url("x");
    let password = password.split(['@', ':']).nth(2).expect("a password");
    let options = PgConnectOptions::new().socket(cluster.socket_folder()).port(cluster.port());
    let options = options.username("callbench").password(password).database("postgres");
    options.connect().await.expect("a connection over the socket").close().await.expect("an end");
    let folder = cluster.socket_folder().to_owned();
    cluster.release().await.expect("an end");
    assert!(!folder.exists(), "{} is left behind", folder.display());
}

#[tokio::test]
async fn a_home_that_others_cannot_enter_works_and_root_is_told_where_the_data_went() {
    let home = Home::private();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let elsewhere = !cluster.data_folder().starts_with(home.path().canonicalize().expect("a folder"));
    assert_eq!(elsewhere, geteuid().is_root());
    assert_eq!(cluster.notes().iter().any(|note| note.starts_with("the data lies in /var/")), elsewhere);
    let folder = cluster.data_folder();
    cluster.release().await.expect("an end");

    let again = Cluster::start(&home.options()).await.expect("a start");
    assert_eq!(again.data_folder(), folder);
    again.release().await.expect("an end");

    drop(home);
    let other = Home::new();
    Cluster::start(&other.options()).await.expect("a start").release().await.expect("an end");
    assert!(!folder.exists(), "data outlives its home");
}

#[tokio::test]
async fn the_status_tells_what_runs_and_where() {
    let home = Home::new();
    let before = home.status().await;
    assert!(!before.running && before.size_bytes == 0 && before.url("postgres").is_none(), "{before:?}");
    assert!(std::fs::read_dir(home.path()).expect("a folder").next().is_none(), "looking makes nothing");

    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let status = home.status().await;
    assert!(status.running && !status.staying);
    assert_eq!(status.port, Some(cluster.port()));
    assert_eq!(status.data_folder, cluster.data_folder());
    assert_eq!(status.url("postgres"), Some(cluster.url("postgres")));
    assert!(status.size_bytes > 10 << 20, "{}", status.size_bytes);
    let version = ask(&cluster.url("postgres"), "SHOW server_version").await;
    assert!(version.starts_with(&status.binaries.expect("they are here").version), "{version}");
    cluster.release().await.expect("an end");
}
