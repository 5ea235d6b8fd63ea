//! What can't be done is said in one sentence, and leaves nothing behind.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Home, programs};
use cluster::{Cluster, Error};
use nix::unistd::geteuid;

#[tokio::test]
async fn a_port_that_is_taken_is_refused_by_its_number() {
    let home = Home::new();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = other.local_addr().expect("an address").port();
    let mut options = home.options();
    options.port = Some(port);
    let refusal = Cluster::start(&options).await.expect_err("a refusal");
    assert_eq!(
        refusal.to_string(),
        format!(
            "port {port} on 127.0.0.1 is taken by another program; stop that program, or choose another port"
        )
    );
    assert!(!home.status().await.running);

    drop(other);
    let cluster = Cluster::start(&options).await.expect("the port is free by now");
    assert_eq!(cluster.port(), port);
    options.port = Some(port - 1);
    let refusal = Cluster::start(&options).await.expect_err("it runs elsewhere").to_string();
    assert!(refusal.contains(&format!("already runs on port {port}, not on {}", port - 1)), "{refusal}");
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn a_folder_without_programs_is_named() {
    let home = Home::new();
    let mut options = home.options();
    options.pg_bin = Some(home.path().to_owned());
    let refusal = Cluster::start(&options).await.expect_err("a refusal").to_string();
    assert!(
        refusal.starts_with(&format!("{} holds no initdb and postgres", home.path().display())),
        "{refusal}"
    );
}

#[tokio::test]
async fn an_old_version_is_refused_by_its_number() {
    let home = Home::new();
    let bin = home.path().join("bin");
    programs(&bin, "14.9 (Debian 14.9-1)");
    let mut options = home.options();
    options.pg_bin = Some(bin);
    let refusal = Cluster::start(&options).await.expect_err("a refusal").to_string();
    assert!(refusal.contains("the newest PostgreSQL found is 14.9 in "), "{refusal}");
    assert!(refusal.contains("needs 15 or newer"), "{refusal}");
    assert!(!home.path().join("postgres/data").exists());
}

#[tokio::test]
async fn data_of_a_version_that_is_not_here_is_left_alone() {
    let home = Home::new();
    let data = home.path().join("postgres/data");
    std::fs::create_dir_all(&data).expect("a folder");
    std::fs::write(data.join("PG_VERSION"), "9999\n").expect("a file");
    let refusal = Cluster::start(&home.options()).await.expect_err("a refusal").to_string();
    assert!(refusal.contains("was initialised by PostgreSQL 9999, but only PostgreSQL "), "{refusal}");
    assert!(data.join("PG_VERSION").exists());
}

#[tokio::test]
async fn an_initdb_that_fails_is_quoted() {
    let home = Home::new();
    let bin = home.path().join("bin");
    programs(&bin, "15.1");
    std::fs::write(bin.join("initdb"), "#!/bin/sh\necho 'no room for initdb' >&2\nexit 1\n").expect("a file");
    let mut options = home.options();
    options.pg_bin = Some(bin);
    let refusal = Cluster::start(&options).await.expect_err("a refusal").to_string();
    assert!(refusal.ends_with(": no room for initdb"), "{refusal}");
}

#[tokio::test]
async fn a_start_that_fails_shows_the_end_of_the_log() {
    let home = Home::new();
    Cluster::start(&home.options()).await.expect("a start").release().await.expect("an end");
    let bin = home.path().join("bin");
    let version = home.status().await.binaries.expect("they are here").version;
    programs(&bin, &version);
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) {version}' && exit\necho 'FATAL: no luck' >&2\nexit 1\n"
    );
    std::fs::write(bin.join("postgres"), script).expect("a file");
    let mut options = home.options();
    options.pg_bin = Some(bin);
    let refusal = Cluster::start(&options).await.expect_err("a refusal");
    assert!(matches!(&refusal, Error::DidNotStart { tail, .. } if tail == "FATAL: no luck"), "{refusal}");
}

#[tokio::test]
async fn a_server_without_contrib_is_refused() {
    let home = Home::new();
    Cluster::start(&home.options()).await.expect("a start").release().await.expect("an end");
    let bin = home.path().join("bin");
    let version = home.status().await.binaries.expect("they are here").version;
    programs(&bin, &version);
    let message = "FATAL:  could not access file \"pg_stat_statements\": No such file or directory";
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) {version}' && exit\necho '{message}' >&2\nexit 1\n"
    );
    std::fs::write(bin.join("postgres"), script).expect("a file");
    let mut options = home.options();
    options.pg_bin = Some(bin);
    let refusal = Cluster::start(&options).await.expect_err("a refusal").to_string();
    assert!(refusal.contains("without the contrib module pg_stat_statements"), "{refusal}");
}

/// What a process with this variable has to say about its start.
fn words_of_a_start_with(home: &Home, name: &str, value: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hold-cluster"));
    let output = command.arg(home.path()).env(name, value).stdin(Stdio::null()).output().expect("it runs");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn the_variable_for_the_programs_is_obeyed() {
    let home = Home::new();
    let words = words_of_a_start_with(&home, "CALLBENCH_PG_BIN", home.path());
    assert!(words.starts_with(&format!("{} holds no initdb and postgres", home.path().display())), "{words}");
}

#[test]
fn an_account_that_does_not_exist_is_refused_where_one_is_needed() {
    let home = Home::new();
    let words = words_of_a_start_with(&home, "CALLBENCH_PG_USER", Path::new("nobody-of-that-name"));
    assert_eq!(
        words.contains("the account \"nobody-of-that-name\" to run it under does not exist"),
        geteuid().is_root(),
        "{words}"
    );
}
