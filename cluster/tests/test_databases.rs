//! The databases that tests are given.

use cluster::{Cluster, Options, databases, testing};

/// One test and not two: clearing up happens at the first use in a process.
#[tokio::test]
async fn test_databases_go_away_with_their_test_and_those_of_killed_tests_at_the_next_start() {
    let mut killed = std::process::Command::new("true").spawn().expect("it runs");
    killed.wait().expect("its end");
    let by_hand = Cluster::start(&Options::new(testing::home())).await.expect("a start");
    let left = by_hand.url(&format!("test_of_{}_0_left", killed.id()));
    let in_use = by_hand.url(&format!("test_of_{}_999_in_use", std::process::id()));
    databases::ensure(&left).await.expect("a database");
    databases::ensure(&in_use).await.expect("a database");

    let first = testing::database("same_name").await;
    assert!(!databases::exists(&left).await.expect("an answer"));
    assert!(databases::exists(&in_use).await.expect("an answer"));
    databases::drop(&in_use).await.expect("gone");

    let second = testing::database("same_name").await;
    assert_ne!(first.url(), second.url());
    let url = first.url().to_owned();
    drop(first);
    assert!(!databases::exists(&url).await.expect("an answer"));
    assert!(databases::exists(second.url()).await.expect("an answer"));
}
