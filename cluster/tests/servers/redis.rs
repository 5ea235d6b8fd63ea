//! The private Redis.

use crate::support::Home;
use cluster::Redis;

async fn ask(url: &str, command: &[&str]) -> ::redis::RedisResult<Vec<String>> {
    let mut connection = ::redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let mut asked = ::redis::cmd(command[0]);
    command[1..].iter().for_each(|word| {
        asked.arg(word);
    });
    asked.query_async(&mut connection).await
}

#[tokio::test]
async fn it_is_a_bounded_cache_behind_a_password_and_gone_after_its_last_user() {
    let home = Home::new();
    let first = Redis::start(home.path()).await.expect("a start");
    let second = Redis::start(home.path()).await.expect("the same");
    assert_eq!(first.url(), second.url());
    let url = first.url().to_owned();
    let setting = async |name: &str| ask(&url, &["CONFIG", "GET", name]).await.expect("a setting")[1].clone();
    assert_eq!(setting("maxmemory-policy").await, "allkeys-lru");
    assert_eq!(setting("maxclients").await, "50");
    assert_eq!(setting("save").await, "");
    assert_eq!(setting("appendonly").await, "no");
    assert_eq!(setting("bind").await, "127.0.0.1");
    let memory: u64 = setting("maxmemory").await.parse().expect("bytes");
    assert!((64 << 20..=2 << 30).contains(&memory), "{memory}");

    let without_password = format!("redis://{}", url.split('@').nth(1).expect("an address"));
    let refusal = ask(&without_password, &["KEYS", "*"]).await.expect_err("a refusal").to_string();
    assert!(refusal.to_lowercase().contains("auth"), "{refusal}");

    first.stop().await.expect("nothing to wait for");
    assert_eq!(ask(&url, &["KEYS", "*"]).await.expect("it still runs"), Vec::<String>::new());
    second.stop().await.expect("an end");
    assert!(ask(&url, &["KEYS", "*"]).await.is_err());
}
