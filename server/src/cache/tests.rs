//! What the cache promises, over both stores, and what Redis may do to it.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Waker};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncCommands as _, cmd};
use cluster::testing::{OwnRedis, own_redis};
use futures_util::future::join_all;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::*;
use crate::permission::Admission;

const LIFE: Duration = Duration::from_mins(1);

/// Long enough for a busy machine; where Redis must not answer in time, less is given.
const WAIT: Duration = Duration::from_secs(5);

fn in_process() -> Cache {
    Cache::over(Store::Memory(Memory::new(), Profiles::new()), Arc::default())
}

async fn in_redis(url: &str, wait: Duration) -> Cache {
    let counters = Arc::<Counters>::default();
    let identity = "database";
    let redis = Redis::open(url, wait, identity, Arc::clone(&counters)).await.unwrap();
    Cache::over(Store::Redis(redis), counters)
}

fn admission(workspace: u128, employee: Option<u128>) -> Admission {
    Admission { workspace_id: Uuid::from_u128(workspace), employee_id: employee.map(Uuid::from_u128) }
}

fn key(workspace: u128) -> Key {
    Key::new(&admission(workspace, None), "number")
}

/// What the cache gives for a key, if `now` is what the database has.
async fn number(cache: &Cache, key: Key, now: u32) -> (u32, Outcome) {
    cache.get_or_fetch(key, LIFE, async { Ok(now) }).await.unwrap()
}

/// Runs a test over both stores.
async fn over_both<F: Future<Output = ()>>(test: impl Fn(Cache) -> F) {
    let redis = own_redis().await;
    test(in_process()).await;
    test(in_redis(&redis.url(), WAIT).await).await;
}

#[tokio::test]
async fn a_value_is_kept_until_its_workspace_is_written_to_for_all_roles_and_no_other_workspace() {
    over_both(async |cache: Cache| {
        let own = || Key::new(&admission(1, Some(7)), "number");
        let other_name = || Key::new(&admission(1, None), "another number");
        for (key, now) in [(key(1), 10), (own(), 11), (other_name(), 12), (key(2), 13)] {
            assert_eq!(number(&cache, key.clone(), now).await, (now, Outcome::Miss));
            assert_eq!(number(&cache, key, 99).await, (now, Outcome::Hit));
        }
        cache.forget(Uuid::from_u128(1)).await;
        for key in [key(1), own(), other_name()] {
            assert_eq!(number(&cache, key, 20).await, (20, Outcome::Miss));
        }
        assert_eq!(number(&cache, key(2), 20).await, (13, Outcome::Hit));
        assert_eq!(cache.0.counters.counts(), [5, 7, 0, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_query_that_began_before_a_write_does_not_put_its_old_number_into_the_cache_after_it() {
    over_both(async |cache: Cache| {
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = oneshot::channel();
        let slow = cache.get_or_fetch(key(1), LIFE, async {
            begun.send(()).unwrap();
            Ok(released.await.unwrap())
        });
        let write = async {
            has_begun.await.unwrap();
            cache.forget(Uuid::from_u128(1)).await;
            release.send(1).unwrap();
        };
        let (old, ()) = tokio::join!(slow, write);
        assert_eq!(old, Ok((1, Outcome::Miss)));
        assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
        assert_eq!(number(&cache, key(1), 3).await, (2, Outcome::Hit));
    })
    .await;
}

#[tokio::test]
async fn an_old_number_that_is_kept_late_is_not_found_and_neither_is_what_it_overwrote() {
    over_both(async |cache: Cache| {
        let before = cache.look(vec![key(1)]).await;
        cache.forget(Uuid::from_u128(1)).await;
        assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
        cache.keep(&before, 0, LIFE, &1).await;
        assert_eq!(number(&cache, key(1), 3).await, (3, Outcome::Miss));
    })
    .await;
}

#[tokio::test]
async fn many_misses_at_the_same_moment_compute_once() {
    over_both(async |cache: Cache| {
        let computed = AtomicU32::new(0);
        let answers = join_all((0..100).map(|_| {
            cache.get_or_fetch(key(1), LIFE, async {
                tokio::task::yield_now().await;
                Ok(computed.fetch_add(1, SeqCst))
            })
        }))
        .await;
        assert_eq!(computed.load(SeqCst), 1);
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|(value, _)| *value == 0)));
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_after_a_write_does_not_get_what_a_query_from_before_it_finds() {
    let cache = in_process();
    let (release, released) = oneshot::channel();
    let mut old = pin!(cache.get_or_fetch(key(1), LIFE, async { Ok(released.await.unwrap()) }));
    let mut context = Context::from_waker(Waker::noop());
    assert!(old.as_mut().poll(&mut context).is_pending());
    cache.forget(Uuid::from_u128(1)).await;

    // They queue while the old query runs, and one query is enough for all of them.
    let computed = AtomicU32::new(2);
    let ask = || cache.get_or_fetch(key(1), LIFE, async { Ok(computed.fetch_add(1, SeqCst)) });
    let mut waiting: Vec<_> = (0..50).map(|_| Box::pin(ask())).collect();
    for one in &mut waiting {
        assert!(one.as_mut().poll(&mut context).is_pending());
        cache.forget(Uuid::from_u128(1)).await;
    }
    release.send(1).unwrap();
    assert_eq!(old.await, Ok((1, Outcome::Miss)));
    for answer in join_all(waiting).await {
        assert_eq!(answer, Ok((2, Outcome::Miss)));
    }
}

#[tokio::test]
async fn a_leader_that_is_given_up_leaves_the_others_to_themselves() {
    let cache = in_process();
    let mut context = Context::from_waker(Waker::noop());
    let mut leader = Box::pin(cache.get_or_fetch::<u32, _>(key(1), LIFE, std::future::pending()));
    assert!(leader.as_mut().poll(&mut context).is_pending());
    let mut follower = Box::pin(number(&cache, key(1), 2));
    assert!(follower.as_mut().poll(&mut context).is_pending());
    drop(leader);
    assert_eq!(follower.await, (2, Outcome::Miss));
}

#[tokio::test]
async fn a_failure_is_shared_with_those_who_waited_and_with_nobody_else() {
    let cache = in_process();
    let mut context = Context::from_waker(Waker::noop());
    let (release, released) = oneshot::channel();
    let failing = async {
        released.await.unwrap();
        Err::<u32, _>(Refusal::NoConnection)
    };
    let mut leader = Box::pin(cache.get_or_fetch(key(1), LIFE, failing));
    assert!(leader.as_mut().poll(&mut context).is_pending());
    let mut follower = Box::pin(cache.get_or_fetch(key(1), LIFE, async { Ok(1) }));
    assert!(follower.as_mut().poll(&mut context).is_pending());
    release.send(()).unwrap();
    assert_eq!(leader.await, Err(Refusal::NoConnection));
    assert_eq!(follower.await, Err(Refusal::NoConnection));
    assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
}

#[tokio::test]
async fn a_value_lives_as_long_as_it_was_given_and_at_most_ten_minutes() {
    over_both(async |cache: Cache| {
        let looked = cache.look(vec![key(1)]).await;
        cache.keep(&looked, 0, Duration::ZERO, &1).await;
        assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
        assert_eq!(number(&cache, key(1), 3).await, (2, Outcome::Hit));
    })
    .await;
    let redis = own_redis().await;
    let cache = in_redis(&redis.url(), WAIT).await;
    let mut direct = redis.connection().await;
    let looked = cache.look(vec![key(1)]).await;
    for (life, most_ms) in [(LIFE, 60_000), (Duration::from_hours(1), 600_000)] {
        cache.keep(&looked, 0, life, &1).await;
        let left_ms: i64 = direct.pttl(key(1).text("callbench:1:database")).await.unwrap();
        assert!((most_ms - 30_000..=most_ms).contains(&left_ms), "{left_ms}");
    }
}

#[tokio::test]
async fn servers_that_share_a_redis_share_values_and_writes_and_other_databases_do_not() {
    let redis = own_redis().await;
    let (one, two) = (in_redis(&redis.url(), WAIT).await, in_redis(&redis.url(), WAIT).await);
    let counters = Arc::<Counters>::default();
    let elsewhere = Redis::open(&redis.url(), WAIT, "another database", Arc::clone(&counters)).await.unwrap();
    let elsewhere = Cache::over(Store::Redis(elsewhere), counters);

    assert_eq!(number(&one, key(1), 1).await, (1, Outcome::Miss));
    assert_eq!(number(&two, key(1), 2).await, (1, Outcome::Hit));
    assert_eq!(number(&elsewhere, key(1), 3).await, (3, Outcome::Miss));
    one.forget(Uuid::from_u128(1)).await;
    assert_eq!(number(&two, key(1), 4).await, (4, Outcome::Miss));
    assert_eq!(number(&one, key(1), 5).await, (4, Outcome::Hit));
    assert_eq!(number(&elsewhere, key(1), 6).await, (3, Outcome::Hit));
}

/// Every kind of thing that could stand where a stamp or a value should.
async fn litter(redis: &mut MultiplexedConnection, at: &str, stamp: &[u8], kind: u32) {
    redis.del::<_, ()>(at).await.unwrap();
    match kind {
        0 => redis.set::<_, _, ()>(at, "").await.unwrap(),
        1 => redis.set::<_, _, ()>(at, "garbage").await.unwrap(),
        2 => redis.lpush::<_, _, ()>(at, "garbage").await.unwrap(),
        3 => redis.hset::<_, _, _, ()>(at, "garbage", 1).await.unwrap(),
        4 => redis.set::<_, _, ()>(at, [stamp, br#"{"of": "another version"}"#].concat()).await.unwrap(),
        5 => redis.set::<_, _, ()>(at, [stamp, &[0xff; 100]].concat()).await.unwrap(),
        6 => redis.set::<_, _, ()>(at, vec![b'x'; 1 << 20]).await.unwrap(),
        _ => redis.set::<_, _, ()>(at, stamp).await.unwrap(),
    }
}

#[tokio::test]
async fn garbage_in_redis_is_overwritten() {
    let redis = own_redis().await;
    let cache = in_redis(&redis.url(), WAIT).await;
    let mut direct = redis.connection().await;
    let value_key = key(1).text("callbench:1:database");
    let stamp_key = value_key.replace("all:number", "stamp");
    for kind in 0..8 {
        number(&cache, key(1), 1).await;
        let stamp: Vec<u8> = direct.get(&stamp_key).await.unwrap();
        assert_eq!(stamp.len(), 16);
        litter(&mut direct, &value_key, &stamp, kind).await;
        assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss), "value {kind}");
        assert_eq!(number(&cache, key(1), 3).await, (2, Outcome::Hit), "value {kind}");
        if kind < 7 {
            litter(&mut direct, &stamp_key, &stamp, kind).await;
            assert_eq!(number(&cache, key(1), 4).await, (4, Outcome::Miss), "stamp {kind}");
            assert_eq!(number(&cache, key(1), 5).await, (4, Outcome::Hit), "stamp {kind}");
        }
        cache.forget(Uuid::from_u128(1)).await;
    }
    cmd("FLUSHALL").exec_async(&mut direct).await.unwrap();
    assert_eq!(number(&cache, key(1), 6).await, (6, Outcome::Miss));
    assert_eq!(number(&cache, key(1), 7).await, (6, Outcome::Hit));
}

#[tokio::test]
async fn a_full_redis_still_serves_what_it_has_and_hears_of_writes() {
    let redis = own_redis().await;
    let cache = in_redis(&redis.url(), WAIT).await;
    let mut direct = redis.connection().await;
    number(&cache, key(1), 1).await;
    cmd("CONFIG").arg(&["SET", "maxmemory-policy", "noeviction"]).exec_async(&mut direct).await.unwrap();
    cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).exec_async(&mut direct).await.unwrap();
    assert_eq!(number(&cache, key(1), 2).await, (1, Outcome::Hit));
    assert_eq!(number(&cache, key(2), 2).await, (2, Outcome::Miss));
    cache.forget(Uuid::from_u128(1)).await;
    assert_eq!(number(&cache, key(1), 3).await, (3, Outcome::Miss));
    assert_eq!(number(&cache, key(1), 4).await, (4, Outcome::Miss));
    cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec_async(&mut direct).await.unwrap();
    assert_eq!(number(&cache, key(1), 5).await, (5, Outcome::Miss));
    assert_eq!(number(&cache, key(1), 6).await, (5, Outcome::Hit));
}

/// Asks until a value comes out of the cache, which it does some time after Redis is back.
async fn until_hit(cache: &Cache) {
    let begun = Instant::now();
    while number(cache, key(77), 1).await.1 != Outcome::Hit {
        assert!(begun.elapsed() < Duration::from_mins(1), "Redis is not used again");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_redis_that_does_not_answer_is_waited_for_once_and_then_left_alone_until_it_does() {
    let mut redis = own_redis().await;
    let cache = in_redis(&redis.url(), Duration::from_millis(200)).await;
    until_hit(&cache).await;
    let before = cache.0.counters.counts()[2];
    redis.freeze().await;
    for now in 0..500 {
        assert_eq!(number(&cache, key(1), now).await, (now, Outcome::Miss));
        cache.forget(Uuid::from_u128(now.into())).await;
    }
    assert_eq!(cache.0.counters.counts()[2], before + 1);
    redis.thaw();
    until_hit(&cache).await;
}

#[tokio::test]
async fn a_redis_that_is_not_there_when_the_server_starts_is_used_when_it_comes() {
    let mut redis = own_redis().await;
    redis.stop();
    let cache = in_redis(&redis.url(), WAIT).await;
    assert_eq!(number(&cache, key(1), 1).await, (1, Outcome::Miss));
    assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
    assert_eq!(cache.0.counters.counts()[2], 0);
    redis.start().await;
    until_hit(&cache).await;
    redis.stop();
    assert_eq!(number(&cache, key(1), 3).await, (3, Outcome::Miss));
    cache.forget(Uuid::from_u128(1)).await;
    redis.start().await;
    until_hit(&cache).await;
}

#[tokio::test]
async fn a_redis_that_turned_the_first_greeting_down_is_used_when_it_no_longer_does() {
    let redis = own_redis().await;
    let mut direct = redis.connection().await;
    cmd("CONFIG").arg(&["SET", "maxclients", "1"]).exec_async(&mut direct).await.unwrap();
    let cache = in_redis(&redis.url(), WAIT).await;
    assert_eq!(number(&cache, key(1), 1).await, (1, Outcome::Miss));
    assert_eq!(number(&cache, key(1), 2).await, (2, Outcome::Miss));
    cmd("CONFIG").arg(&["SET", "maxclients", "50"]).exec_async(&mut direct).await.unwrap();
    until_hit(&cache).await;
}

/// A way to Redis that can be cut. What was under way is lost.
async fn wire(redis: &OwnRedis) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/0", listener.local_addr().unwrap());
    let target = redis.url().replace("redis://", "").replace("/0", "");
    let (switch, state) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let (mut state, target) = (state.clone(), target.clone());
            tokio::spawn(async move {
                if *state.borrow_and_update() {
                    let mut far = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.changed() => {}
                    }
                }
            });
        }
    });
    (url, switch)
}

#[tokio::test]
async fn a_write_that_redis_did_not_hear_of_counts_here_at_once_and_elsewhere_when_redis_is_reached() {
    let redis = own_redis().await;
    let (url, switch) = wire(&redis).await;
    let (cut_off, other) = (in_redis(&url, WAIT).await, in_redis(&redis.url(), WAIT).await);
    assert_eq!(number(&cut_off, key(1), 1).await, (1, Outcome::Miss));
    assert_eq!(number(&other, key(1), 2).await, (1, Outcome::Hit));

    switch.send(false).unwrap();
    cut_off.forget(Uuid::from_u128(1)).await;
    assert_eq!(number(&cut_off, key(1), 3).await, (3, Outcome::Miss));
    assert_eq!(number(&other, key(1), 4).await, (1, Outcome::Hit));

    switch.send(true).unwrap();
    let begun = Instant::now();
    let mut now = 5;
    // From here on the other server shows the old number until it is told, and the one that wrote never does.
    loop {
        now += 1;
        let (seen, _) = number(&cut_off, key(1), now).await;
        assert!(seen > 1, "an old number after a write of its own");
        match number(&other, key(1), now).await {
            (1, Outcome::Hit) => assert!(begun.elapsed() < Duration::from_mins(1), "never told"),
            (seen, _) => {
                assert!(seen > 4);
                return;
            }
        }
    }
}
