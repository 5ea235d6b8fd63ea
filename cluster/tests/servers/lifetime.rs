//! The private PostgreSQL runs while somebody uses it and no longer, whatever happens to whom.

use crate::support::{Holder, Home, ask, connect, group_of, is_alive, programs, signal, until};
use cluster::{Cluster, Error};
use nix::sys::signal::Signal;

#[tokio::test]
async fn a_second_start_finds_the_running_server_and_the_last_release_stops_it() {
    let home = Home::new();
    let first = Cluster::start(&home.options()).await.expect("a start");
    let pid = home.pid().await;
    let second = Cluster::start(&home.options()).await.expect("the same");
    assert_eq!(home.pid().await, pid);
    assert_eq!(second.url("x"), first.url("x"));
    assert_eq!(home.status().await.users, [std::process::id(), std::process::id()]);

    first.release().await.expect("an end");
    assert_eq!(ask(&second.url("postgres"), "SELECT 'still here'").await, "still here");
    second.release().await.expect("an end");
    let status = home.status().await;
    assert!(!status.running && status.pid.is_none() && status.users.is_empty(), "{status:?}");
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_restart_keeps_the_data_the_port_and_the_password() {
    let home = Home::new();
    let first = Cluster::start(&home.options()).await.expect("a start");
    let url = first.url("postgres");
    let mut connection = connect(&url).await;
    sqlx::query("CREATE TABLE kept AS SELECT 'a row' AS what")
        .execute(&mut connection)
        .await
        .expect("a table");
    first.release().await.expect("an end, although a connection is open");

    let second = Cluster::start(&home.options()).await.expect("a start");
    assert_eq!(second.url("postgres"), url);
    assert_eq!(ask(&url, "SELECT what FROM kept").await, "a row");
    second.release().await.expect("an end");
}

#[tokio::test]
async fn a_server_whose_user_was_killed_stops_by_itself() {
    let home = Home::new();
    for with in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        let holder = Holder::start(&home);
        let server = home.pid().await;
        assert_eq!(home.status().await.users, [holder.pid()]);
        assert_ne!(
            group_of(server),
            group_of(holder.pid()),
            "the terminal's Ctrl-C must not reach the server"
        );
        holder.kill(with);
        home.until_stopped().await;
        until("the postmaster to be gone", async || !is_alive(server)).await;
    }
}

#[tokio::test]
async fn a_user_killed_among_two_leaves_the_server_to_the_other() {
    let home = Home::new();
    let first = Holder::start(&home);
    let second = Holder::start(&home);
    first.kill(Signal::SIGKILL);
    assert_eq!(ask(&second.url, "SELECT 'still here'").await, "still here");
    assert_eq!(home.status().await.users, [second.pid()]);
    second.finish();
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn users_that_come_while_others_go_always_get_a_server() {
    let home = Home::new();
    for _ in 0..5 {
        let leaving = Holder::start(&home);
        let coming = Holder::begin(&home, false);
        leaving.kill(Signal::SIGKILL);
        let coming = Holder::ready(coming);
        assert_eq!(ask(&coming.url, "SELECT 'served'").await, "served");
        coming.kill(Signal::SIGKILL);
    }
    home.until_stopped().await;
}

#[tokio::test]
async fn processes_that_start_at_once_share_one_server() {
    let home = Home::new();
    let begun: Vec<_> = (0..4).map(|_| Holder::begin(&home, false)).collect();
    let holders: Vec<Holder> = begun.into_iter().map(Holder::ready).collect();
    let mut pids: Vec<u32> = holders.iter().map(Holder::pid).collect();
    pids.sort_unstable();
    assert_eq!(home.status().await.users, pids);
    let started = ask(&holders[0].url, "SELECT pg_postmaster_start_time()::text").await;
    for holder in &holders {
        assert_eq!(ask(&holder.url, "SELECT pg_postmaster_start_time()::text").await, started);
    }
    holders.into_iter().for_each(Holder::finish);
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn tasks_that_start_at_once_share_one_server() {
    let home = Home::new();
    let options = home.options();
    let (first, second) = tokio::join!(Cluster::start(&options), Cluster::start(&options));
    let (first, second) = (first.expect("a start"), second.expect("a start"));
    assert_eq!(first.url("postgres"), second.url("postgres"));
    let (first, second) = tokio::join!(first.release(), second.release());
    first.and(second).expect("an end");
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn a_killed_postmaster_is_replaced_and_its_users_still_count() {
    let home = Home::new();
    let before = Holder::start(&home);
    let mut connection = connect(&before.url).await;
    sqlx::query("CREATE TABLE kept AS SELECT 'committed' AS what")
        .execute(&mut connection)
        .await
        .expect("a table");
    let crashed = home.pid().await;
    signal(crashed, Signal::SIGKILL);

    let after = Cluster::start(&home.options()).await.expect("a recovery");
    assert_ne!(home.pid().await, crashed);
    assert_eq!(after.url("postgres"), before.url);
    assert_eq!(ask(&before.url, "SELECT what FROM kept").await, "committed");

    after.release().await.expect("nothing to wait for");
    assert_eq!(ask(&before.url, "SELECT 'still here'").await, "still here");
    before.finish();
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn a_pid_file_is_stale_when_its_process_is_gone_or_is_another_program() {
    let home = Home::new();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let file = cluster.data_folder().join("postmaster.pid");
    let port = cluster.port();
    cluster.release().await.expect("an end");

    let mut gone = std::process::Command::new("true").spawn().expect("it runs");
    gone.wait().expect("its end");
    for pid in [gone.id(), std::process::id()] {
        let data = file.parent().expect("a folder").display();
        std::fs::write(&file, format!("{pid}\n{data}\n1700000000\n{port}\n\n127.0.0.1\n")).expect("a file");
        let cluster = Cluster::start(&home.options()).await.expect("a start in spite of it");
        assert_ne!(home.pid().await, pid);
        cluster.release().await.expect("an end");
    }
}

#[tokio::test]
async fn an_interrupted_initialisation_is_done_again() {
    let home = Home::new();
    let unfinished = home.path().join("postgres/data.unfinished");
    std::fs::create_dir_all(&unfinished).expect("a folder");
    std::fs::write(unfinished.join("PG_VERSION"), "15\n").expect("a file");
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    assert!(!unfinished.exists());
    cluster.release().await.expect("an end");
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_no_server() {
    let home = Home::new();
    Cluster::start(&home.options()).await.expect("a start").release().await.expect("an end");
    let options = home.options();
    let starting = tokio::spawn(async move { Cluster::start(&options).await });
    until("the server to be begun", async || home.status().await.running).await;
    starting.abort();
    drop(starting.await);
    home.until_stopped().await;
}

#[tokio::test]
async fn a_server_that_was_deaf_while_it_started_is_stopped_all_the_same() {
    let home = Home::new();
    Cluster::start(&home.options()).await.expect("a start").release().await.expect("an end");
    let real = home.status().await.binaries.expect("they are here");
    // Becomes a PostgreSQL only after it was told to stop, which it can't hear before that.
    let bin = home.path().join("bin");
    let closing = home.path().join("postgres/keeper/closing");
    let (version, program) = (real.version, real.folder.join("postgres"));
    programs(&bin, &version);
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) {version}' && exit\n\
         until [ -e '{}' ]; do :; done\nexec '{}' \"$@\"\n",
        closing.display(),
        program.display()
    );
    std::fs::write(bin.join("postgres"), script).expect("a file");
    let mut options = home.options();
    options.pg_bin = Some(bin);
    let starting = tokio::spawn(async move { Cluster::start(&options).await });
    until("the server to be begun", async || home.status().await.running).await;
    starting.abort();
    drop(starting.await);
    home.until_stopped().await;
}

#[tokio::test]
async fn a_server_told_to_stay_outlives_its_users_until_it_is_stopped() {
    let home = Home::new();
    let mut options = home.options();
    options.stay = true;
    Cluster::start(&options).await.expect("a start").release().await.expect("no wait");
    let status = home.status().await;
    assert!(status.running && status.staying && status.users.is_empty(), "{status:?}");
    assert_eq!(ask(&status.url("postgres").expect("a URL"), "SELECT 'stayed'").await, "stayed");

    Holder::start(&home).kill(Signal::SIGKILL);
    assert!(home.status().await.running);
    assert!(cluster::stop(&options).await.expect("a stop"));
    let status = home.status().await;
    assert!(!status.running && !status.staying, "{status:?}");
    assert!(!cluster::stop(&options).await.expect("nothing to stop"));
}

#[tokio::test]
async fn a_running_server_can_be_told_to_stay() {
    let home = Home::new();
    let user = Holder::start(&home);
    Holder::ready(Holder::begin(&home, true)).finish();
    user.finish();
    assert!(home.status().await.staying);
    assert!(cluster::stop(&home.options()).await.expect("a stop"));
}

#[tokio::test]
async fn stop_ends_a_server_that_is_in_use_and_the_next_start_is_not_confused_by_its_users() {
    let home = Home::new();
    let user = Holder::start(&home);
    assert!(cluster::stop(&home.options()).await.expect("a stop"));
    let next = Cluster::start(&home.options()).await.expect("a start");
    assert_eq!(next.url("postgres"), user.url);
    next.release().await.expect("an end");
    assert!(home.status().await.running, "the first user still holds it");
    user.finish();
    assert!(!home.status().await.running);
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_never_started() {
    let home = Home::new();
    let cluster = Cluster::start(&home.options()).await.expect("a start");
    let (data, pid) = (cluster.data_folder(), home.pid().await);
    // As if somebody had started it by hand: it runs, but nobody holds our lock.
    let lock = data.parent().expect("a folder").join("keeper/server");
    std::fs::rename(&lock, lock.with_extension("aside")).expect("a file");
    let refusal = Cluster::start(&home.options()).await.expect_err("a refusal");
    assert!(matches!(&refusal, Error::Foreign { pid: found, .. } if *found == pid), "{refusal}");
    std::fs::rename(lock.with_extension("aside"), &lock).expect("a file");
    cluster.release().await.expect("an end");
}
