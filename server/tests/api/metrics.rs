//! `/metrics` is well formed, and its numbers are those of what happened.

use std::collections::{BTreeMap, BTreeSet};

use migrations::Level;
use reqwest::Method;
use server::{Config, Variant};
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;

use crate::operation::until_blocked;
use crate::service::{Service, list};
use crate::work;
use crate::world;

/// A scrape: samples by their name with labels, as they are written.
#[derive(Debug)]
struct Scrape {
    samples: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads the text format of `OpenMetrics` 1.0, and asserts what it demands.
    fn parse(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the text ends with # EOF");
        let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
        let mut samples = BTreeMap::new();
        let mut family = "";
        for line in body.lines() {
            if let Some(meta) = line.strip_prefix("# ") {
                let [keyword, name, value] = *meta.splitn(3, ' ').collect::<Vec<_>>() else {
                    panic!("{line}")
                };
                match keyword {
                    "TYPE" => assert!(kinds.insert(name, value).is_none(), "{name} is there twice"),
                    "HELP" => assert!(!value.is_empty(), "{name} is not explained"),
                    "UNIT" => assert!(name.ends_with(&format!("_{value}")), "{name} has the unit {value}"),
                    _ => panic!("{line}"),
                }
                family = name;
                continue;
            }
            let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let name = key.split('{').next().unwrap();
            let suffixes: &[&str] = match kinds[family] {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_bucket", "_sum", "_count"],
                "info" => &["_info"],
                kind => panic!("{family} is a {kind}"),
            };
            let is_ours = name.strip_prefix(family).is_some_and(|rest| suffixes.contains(&rest));
            assert!(is_ours, "{name} stands among the samples of {family}");
            assert!(samples.insert(key.to_owned(), value.parse().unwrap()).is_none(), "{key} is there twice");
        }
        let scrape = Self { samples };
        for (family, _) in kinds.iter().filter(|(_, kind)| **kind == "histogram") {
            scrape.check_histogram(family);
        }
        scrape
    }

    /// Classes are cumulative, and the last one holds everything.
    fn check_histogram(&self, family: &str) {
        let mut classes: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
        for (key, count) in self.of(&format!("{family}_bucket{{")) {
            let labels = key.split_once('{').unwrap().1.trim_end_matches('}');
            let (bound, others): (Vec<_>, Vec<_>) =
                labels.split(',').partition(|label| label.starts_with("le="));
            let bound = bound[0].trim_start_matches("le=\"").trim_end_matches('"').parse().unwrap();
            classes.entry(others.join(",")).or_default().push((bound, count));
        }
        for (labels, mut classes) in classes {
            classes.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(classes.is_sorted_by(|a, b| a.1 <= b.1), "{family}{{{labels}}}: {classes:?}");
            let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let (bound, all) = *classes.last().unwrap();
            assert!(bound.is_infinite());
            assert!(
                (all - self.get(&format!("{family}_count{braces}"))).abs() < f64::EPSILON,
                "{family}{braces}"
            );
        }
    }

    fn of<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.samples
            .iter()
            .map(|(key, value)| (key.as_str(), *value))
            .filter(move |(key, _)| key.starts_with(prefix))
    }

    /// A sample; zero when there is none yet.
    fn get(&self, key: &str) -> f64 {
        self.samples.get(key).copied().unwrap_or_default()
    }

    /// A sample that is a count.
    fn whole(&self, key: &str) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a count")]
        let whole = self.get(key) as i64;
        whole
    }

    /// How much a count has grown since another scrape.
    fn grown(&self, before: &Self, key: &str) -> i64 {
        self.whole(key) - before.whole(key)
    }
}

async fn scrape(service: &Service, origin: &str) -> Scrape {
    let answer = service.send(Method::GET, &format!("{origin}/metrics"), None, &[]).await;
    assert_eq!(answer.status, 200);
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(answer.header("content-type"), kind);
    Scrape::parse(&answer.text)
}

const LIST: &str = "/api/v1/customers/";

#[tokio::test]
async fn counts_agree_with_what_was_sent_and_with_what_the_database_saw() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    for query in ["workspace_id=one", "workspace_id=one&status=active"] {
        assert_eq!(service.get(&list(&origin, query), &token).await.status, 200);
    }

    let before = scrape(&service, &origin).await;
    work::reset(&mut db).await;
    for _ in 0..5 {
        assert_eq!(service.get(&list(&origin, "workspace_id=one"), &token).await.status, 200);
    }
    assert_eq!(service.get(&list(&origin, "workspace_id=one&status=active"), &token).await.status, 200);
    for _ in 0..3 {
        assert_eq!(service.get(&list(&origin, "workspace_id=one"), "unknown").await.status, 401);
    }
    assert_eq!(service.send(Method::GET, &format!("{origin}/readyz"), None, &[]).await.status, 200);
    for number in 0..4 {
        let url = format!("{origin}/nothing/{number}?x={number}");
        assert_eq!(service.send(Method::GET, &url, None, &[]).await.status, 404);
    }
    let invented = Method::from_bytes(b"BREW").unwrap();
    assert_eq!(service.send(invented, &list(&origin, ""), None, &[]).await.status, 401);
    let after = scrape(&service, &origin).await;

    let requests = |method: &str, route: &str, status: u16| {
        let labels = format!("{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}");
        after.grown(&before, &format!("callbench_http_requests_total{labels}"))
    };
    assert_eq!(requests("GET", LIST, 200), 6);
    assert_eq!(requests("GET", LIST, 401), 3);
    assert_eq!(requests("other", LIST, 401), 1);
    assert_eq!(requests("GET", "/readyz", 200), 1);
    assert_eq!(requests("GET", "unmatched", 404), 4);
    // The scrape before.
    assert_eq!(requests("GET", "/metrics", 200), 1);
    let seconds = |route: &str| {
        let key = format!("callbench_http_request_duration_seconds_count{{route=\"{route}\"}}");
        after.grown(&before, &key)
    };
    assert_eq!((seconds(LIST), seconds("/readyz"), seconds("unmatched")), (10, 1, 4));

    let statements = after.grown(&before, "callbench_db_statements_total");
    assert_eq!(statements, work::statements(&mut db).await);
    assert_eq!(statements, 6 * 2 + 3 + 1);
    let sum = after.grown(&before, "callbench_http_request_statements_sum");
    let of_two =
        |le| after.grown(&before, &format!("callbench_http_request_statements_bucket{{le=\"{le}\"}}"));
    assert_eq!((sum, of_two("0.0"), of_two("1.0"), of_two("2.0")), (statements, 6, 10, 16));

    let waits =
        |pool| after.grown(&before, &format!("callbench_db_pool_wait_seconds_count{{pool=\"{pool}\"}}"));
    // A search lets its member in on a connection of the pages.
    assert_eq!((waits("pages"), waits("searches")), (10, 1));
    // A connection goes back to its pool in a task of its own, so it may be on its way: ask until it is there.
    loop {
        let now = scrape(&service, &origin).await;
        let of = |pool, state| {
            now.whole(&format!("callbench_db_pool_connections{{pool=\"{pool}\",state=\"{state}\"}}"))
        };
        let states = ["pages", "searches"].map(|pool| (of(pool, "idle"), of(pool, "in_use")));
        assert!(states.iter().all(|(idle, in_use)| idle + in_use == 1), "{states:?}");
        if states == [(1, 0), (1, 0)] {
            break;
        }
    }
    for pool in ["pages", "searches"] {
        assert_eq!(after.whole(&format!("callbench_db_pool_connections_max{{pool=\"{pool}\"}}")), 1);
    }
    // The one that asks.
    assert_eq!(after.whole("callbench_http_requests_in_flight"), 1);
    let build = format!("callbench_build_info{{version=\"{}\",variant=\"live\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(after.whole(&build), 1);
    if cfg!(target_os = "linux") {
        assert!(after.get("process_resident_memory_bytes") > 1e6);
        assert!(after.get("process_cpu_seconds_total") >= before.get("process_cpu_seconds_total"));
        // Between 2020 and 2100.
        assert!((1.57e9..4.1e9).contains(&after.get("process_start_time_seconds")));
    }
}

#[tokio::test]
async fn admissions_of_a_moment_ago_are_counted() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let config = Config { admission_ttl: Duration::from_secs(5), ..service.config(Variant::Live) };
    let origin = service.start(config).await;
    let before = scrape(&service, &origin).await;
    for _ in 0..2 {
        assert_eq!(service.get(&list(&origin, "workspace_id=one"), "unknown").await.status, 401);
    }
    assert_eq!(service.get(&list(&origin, "workspace_id=one"), &token).await.status, 200);
    let after = scrape(&service, &origin).await;
    let grown = |name: &str| after.grown(&before, &format!("callbench_admission_{name}_total"));
    assert_eq!((grown("hits"), grown("misses")), (0, 3));
}

#[tokio::test]
async fn a_wait_that_was_given_up_and_a_client_that_went_away_are_counted() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let pool_wait = Duration::from_millis(100);
    let origin = service.start(Config { pool_wait, ..service.config(Variant::Live) }).await;
    let url = list(&origin, "workspace_id=one");
    assert_eq!(service.get(&url, &token).await.status, 200);

    let mut holder = service.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE").await.unwrap();
    {
        // Dropped with its connection as soon as the second request was turned away.
        let stuck = service.get(&url, &token);
        let crowd = async {
            until_blocked(&mut db).await;
            assert_eq!(service.get(&url, &token).await.status, 503);
            let meanwhile = scrape(&service, &origin).await;
            assert_eq!(meanwhile.whole("callbench_http_requests_in_flight"), 2);
            assert_eq!(meanwhile.whole("callbench_db_pool_timeouts_total{pool=\"pages\"}"), 1);
            let in_use = "callbench_db_pool_connections{pool=\"pages\",state=\"in_use\"}";
            assert_eq!(meanwhile.whole(in_use), 1);
        };
        tokio::select! {
            answer = stuck => panic!("{answer:?} in spite of the lock"),
            () = crowd => (),
        }
    }
    // The server notices when it next looks at the connection, which is its own affair: ask until it has.
    let abandoned = format!("callbench_http_requests_abandoned_total{{route=\"{LIST}\"}}");
    loop {
        let scrape = scrape(&service, &origin).await;
        if scrape.get(&abandoned) > 0.0 {
            assert_eq!(scrape.whole(&abandoned), 1);
            assert_eq!(scrape.whole("callbench_http_requests_in_flight"), 1);
            break;
        }
    }
    lock.rollback().await.unwrap();
}

#[tokio::test]
async fn nothing_that_a_client_sends_makes_the_metrics_grow() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let send = async |number: usize| {
        let method = Method::from_bytes(format!("M{number}").as_bytes()).unwrap();
        for path in
            [format!("/{number}"), format!("/api/v1/customers/?a={number}"), format!("/docs/{number}")]
        {
            service.send(method.clone(), &format!("{origin}{path}"), None, &[]).await;
            service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await;
        }
    };
    send(0).await;
    scrape(&service, &origin).await;
    let keys = |scrape: Scrape| scrape.samples.into_keys().collect::<BTreeSet<_>>();
    let before = keys(scrape(&service, &origin).await);
    for number in 1..20 {
        send(number).await;
    }
    assert_eq!(keys(scrape(&service, &origin).await), before);
}
