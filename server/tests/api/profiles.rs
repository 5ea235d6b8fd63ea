//! What a request says of itself when it is asked to, and who may know.

use std::collections::BTreeMap;

use cluster::testing::own_redis;
use migrations::Level;
use reqwest::Method;
use serde_json::{Value, json};
use server::{Config, Variant};
use sqlx::{Executor as _, PgConnection};
use uuid::Uuid;

use crate::service::{Answer, Service, list};
use crate::work::{reset, statements};
use crate::world;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// Sixty customers with an employee, of whom a page shows fifty.
const ROWS: &str = "
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at, employee_id)
    SELECT $1, 'c', '090', 'active', 'hot', 'pending', now() - g * interval '1 minute',
           (SELECT id FROM employee WHERE workspace_id = $1)
      FROM generate_series(1, 60) g";

/// A call of each, with what no list shows of it.
const CALLS: &str = "
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate,
                      transcript)
    SELECT workspace_id, id, 'inbound', 'completed', 1, 1, 'direct', 1, 'Alo?' FROM customer WHERE workspace_id = $1";

/// A workspace with customers, and the tokens of a manager and of an employee.
async fn world(db: &mut PgConnection, slug: &str) -> (Uuid, String, String) {
    let workspace = world::workspace(db, slug).await;
    let employee = world::employee(db, workspace, slug).await;
    world::fill(db, workspace, ROWS).await;
    world::fill(db, workspace, CALLS).await;
    let manager = world::user(db, "manager", None, &[workspace]).await;
    (workspace, manager, world::user(db, "employee", Some(employee), &[workspace]).await)
}

fn profile(answer: &Answer) -> Value {
    let profile = answer.json()["_profiling"].clone();
    assert!(profile.is_object(), "{}", answer.text);
    profile
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The answer without what depends on the question.
fn rows(answer: &Answer) -> Vec<Value> {
    answer.json()["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_list_accounts_for_itself_in_every_variant_and_only_naive_asks_for_each_customer() {
    let service = Service::at(Level::Optimized).await;
    let mut db = service.connection().await;
    let (workspace, manager, _) = world(&mut db, "one").await;
    for (variant, queries) in [(Variant::Naive, 3 + 50 * 15), (Variant::Live, 2), (Variant::Rollup, 2)] {
        let origin = service.serve(variant).await;
        let plain = service.get(&list(&origin, "workspace_id=one"), &manager).await;
        assert!(plain.json().get("_profiling").is_none());
        let answer = service.get(&list(&origin, "workspace_id=one&_profile=true"), &manager).await;
        assert_eq!(rows(&answer), rows(&plain));
        assert_eq!(answer.header("cache-control"), "no-store");

        let profile = profile(&answer);
        for (key, value) in [
            ("request_id", json!(answer.header("x-request-id"))),
            ("method", json!("GET")),
            ("endpoint", json!("/api/v1/customers/")),
            ("query", json!("workspace_id=one&_profile=true")),
            ("variant", json!(variant.to_string())),
            ("workspace_id", json!(workspace)),
            ("status", json!(200)),
            ("query_count", json!(queries)),
        ] {
            assert_eq!(profile[key], value, "{variant}: {key}");
        }
        // Four layers, each cut off at a microsecond.
        let layers: f64 = profile["breakdown"].as_object().unwrap().values().map(number).sum();
        let total = number(&profile["total_time_ms"]);
        assert!((total - 0.005..=total + 0.001).contains(&layers), "{layers} of {total}");
        assert_eq!(profile["response_time_ms"], profile["total_time_ms"]);
        assert_eq!(profile["serialization_time_ms"], profile["breakdown"]["serializer_time_ms"]);
        assert_eq!(profile["permission"]["statements"], 1);
        assert_eq!(profile["serializer"]["records"], 50);
        let timing = answer.header("server-timing");
        assert!(timing.contains(&format!("total;dur={total}")), "{timing}");
        assert!(timing.contains(&format!("desc=\"{queries} statements\"")), "{timing}");
        // At least the bytes of the answer, and never more at once than in all.
        let memory = |key: &str| profile["memory"][key].as_u64().unwrap();
        assert!(memory("allocated_bytes") > plain.text.len() as u64);
        assert!((1..memory("allocated_bytes")).contains(&memory("peak_bytes")));
        let cpu = number(&profile["cpu_time_ms"]);
        let waits = number(&profile["total_query_time_ms"]) + number(&profile["pool_wait_ms"]);
        assert!(cpu > 0.0);
        assert_eq!(profile["bottleneck_type"], if waits > cpu { "io" } else { "cpu" });

        let seen = &profile["queries"];
        assert_eq!(seen["total_queries"], queries);
        assert_eq!(seen["n_plus_one_detected"], variant == Variant::Naive);
        let asked_for_each: BTreeMap<_, _> = seen["n_plus_one"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| (group["sql"].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap()))
            .collect();
        let one_by_one = profile["serializer"]["loaded_one_by_one"].as_array().unwrap();
        if variant == Variant::Naive {
            assert_eq!(profile["bottleneck_layer"], "serializer");
            // Two of the counts by status, and three of the costs by type, are one text with other values.
            assert_eq!((asked_for_each.len(), asked_for_each.values().sum::<u64>()), (12, 50 * 15));
            assert!(
                asked_for_each.keys().any(|sql| sql.contains("FROM call WHERE customer_id = $1 ORDER BY"))
            );
            assert_eq!(one_by_one.len(), 12);
            // All customers have one employee, who is read for each of them.
            assert_eq!(seen["duplicates"], 49);
        } else {
            assert!(asked_for_each.is_empty() && one_by_one.is_empty());
            assert_eq!((&seen["similar"], &seen["duplicates"]), (&json!(0), &json!(0)));
        }
        let advice = profile["recommendations"].as_array().unwrap();
        let says = |words: &str| advice.iter().any(|sentence| sentence.as_str().unwrap().contains(words));
        if variant == Variant::Naive {
            assert!(says("N+1 in the serializer") && says("transcript"), "{advice:#?}");
        } else {
            assert_eq!(advice, &[] as &[Value]);
        }
        let unused: BTreeMap<_, _> = seen["unused_columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|unused| (unused["sql"].as_str().unwrap().to_owned(), unused["columns"].clone()))
            .collect();
        let of = |table: &str| {
            unused.iter().find(|(sql, _)| sql.contains(table)).map(|(_, columns)| columns.clone())
        };
        if variant == Variant::Naive {
            // What is null in every row is not held against anybody.
            assert_eq!(of("FROM employee"), Some(json!(["created_at", "workspace_id"])));
            assert_eq!(
                of("FROM call "),
                Some(json!(["billing_rate", "customer_id", "transcript", "workspace_id"]))
            );
            assert_eq!(unused.len(), 2, "{unused:#?}");
        } else {
            assert_eq!(unused, BTreeMap::new());
        }
        let sent = profile["statements"].as_array().unwrap();
        assert_eq!((sent.len(), &sent[0]["layer"]), (queries, &json!("permission")));
        assert_eq!(sent.last().unwrap()["rows"], if variant == Variant::Naive { 1 } else { 50 });
        assert!(sent.is_sorted_by_key(|statement| number(&statement["start_ms"])));
    }
}

/// The counts of the statements of a profile.
fn counts(profile: &Value) -> i64 {
    i64::try_from(profile["statements"].as_array().unwrap().len()).unwrap()
}

#[tokio::test]
async fn no_statement_escapes_whatever_a_request_does() {
    let service = Service::at(Level::Optimized).await;
    let mut db = service.connection().await;
    db.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements").await.unwrap();
    let (workspace, manager, _) = world(&mut db, "one").await;
    let customer: Uuid =
        sqlx::query_scalar("SELECT id FROM customer LIMIT 1").fetch_one(&mut db).await.unwrap();
    let call = json!({ "customer_id": customer, "direction": "inbound", "status": "completed", "call_type": "direct",
                       "duration": 1, "duration_seconds": 1, "billing_rate": "0.5" });
    let new =
        json!({ "name": "n", "phone": "1", "status": "active", "quality": "hot", "call_status": "pending" });
    for variant in [Variant::Naive, Variant::Live, Variant::Rollup] {
        let origin = service.serve(variant).await;
        let scope = "workspace_id=one&_profile=true";
        for (method, path, body) in [
            (Method::GET, format!("customers/?{scope}"), None),
            (Method::GET, format!("customers/?{scope}&status=active&checked=false&count=estimated"), None),
            (Method::GET, format!("customers/{customer}/?{scope}"), None),
            (Method::GET, format!("customers/{}/?{scope}", Uuid::nil()), None),
            (Method::GET, "workspaces/one/?_profile=true".to_owned(), None),
            (Method::PATCH, format!("customers/{customer}/?{scope}"), Some(json!({ "checked": true }))),
            (Method::PATCH, format!("customers/{customer}/?{scope}"), Some(json!({ "checked": 7 }))),
            (Method::POST, format!("customers/?{scope}"), Some(new.clone())),
            (Method::POST, format!("calls/?{scope}"), Some(call.clone())),
        ] {
            let url = format!("{origin}/api/v1/{path}");
            let body = body.map(|body| body.to_string()).unwrap_or_default();
            // The first time, connections are made, which asks things of its own.
            service.write(method.clone(), &url, &manager, body.clone()).await;
            sqlx::query("UPDATE customer SET is_deleted = false").execute(&mut db).await.unwrap();
            reset(&mut db).await;
            let answer = service.write(method.clone(), &url, &manager, body).await;
            assert!(answer.status.as_u16() < 500, "{}", answer.text);
            let profile = profile(&answer);
            assert_eq!(
                counts(&profile),
                statements(&mut db).await,
                "{variant}: {method} {path}: {profile:#}"
            );
            assert_eq!(profile["workspace_id"], json!(workspace));
        }
    }
}

#[tokio::test]
async fn employees_and_strangers_get_the_answer_that_they_would_have_got_and_so_does_everybody_without_profiling()
 {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let (_, manager, employee) = world(&mut db, "one").await;
    let origin = service.serve(Variant::Live).await;
    let without = Config { profiling: false, ..service.config(Variant::Live) };
    let off = service.start(without).await;
    for (origin, token, query) in [
        (&origin, Some(employee.as_str()), "workspace_id=one"),
        (&origin, Some("unknown"), "workspace_id=one"),
        (&origin, None, "workspace_id=one"),
        (&origin, Some(&manager), "workspace_id=two"),
        (&off, Some(&manager), "workspace_id=one"),
    ] {
        let ask = async |query: &str| service.send(Method::GET, &list(origin, query), token, &[]).await;
        let (plain, profiled) = (ask(query).await, ask(&format!("{query}&_profile=explain")).await);
        assert_eq!(profiled.status, plain.status);
        assert_eq!(profiled.json().get("results"), plain.json().get("results"));
        assert!(!profiled.text.contains("_profiling") && profiled.headers.get("server-timing").is_none());
    }
    assert!(
        service
            .get(&list(&origin, "workspace_id=one&_profile=1"), &manager)
            .await
            .text
            .contains("_profiling")
    );
}

#[tokio::test]
async fn a_profile_is_kept_for_the_managers_of_its_workspace_in_the_process_and_in_redis() {
    let redis = own_redis().await;
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let (one, manager, employee) = world(&mut db, "one").await;
    let (_, stranger, _) = world(&mut db, "two").await;
    for redis_url in [None, Some(redis.url())] {
        let config = Config { redis_url, ..service.config(Variant::Live) };
        let origin = service.start(config).await;
        let ask = async |token: &str, name: &str, query: &str| {
            let headers = [("x-request-id", name)];
            service.send(Method::GET, &list(&origin, query), Some(token), &headers).await
        };
        let read = async |path: &str, token: &str| {
            service.get(&format!("{origin}/api/v1/profiles/{path}"), token).await
        };
        for name in ["first", "second", "third"] {
            ask(&manager, name, "workspace_id=one&_profile=true&status=active").await;
        }
        let of_two = profile(&ask(&stranger, "other", "workspace_id=two&_profile=true").await);

        let kept = read("second/", &manager).await;
        assert_eq!((kept.status.as_u16(), &kept.json()["request_id"]), (200, &json!("second")));
        assert_eq!(kept.json()["workspace_id"], json!(one));
        assert!(kept.json()["statements"].as_array().unwrap().len() == 2);
        assert_eq!(read("other/", &stranger).await.json(), of_two);
        let listed = read("?workspace_id=one", &manager).await.results();
        let names: Vec<_> = listed.iter().map(|line| line["request_id"].as_str().unwrap()).collect();
        assert_eq!(names, ["third", "second", "first"]);
        assert_eq!(
            (&listed[0]["query_count"], &listed[0]["endpoint"]),
            (&json!(2), &json!("/api/v1/customers/"))
        );

        for (path, token, status) in [
            ("second/", employee.as_str(), 404),
            ("second/", &stranger, 404),
            ("fourth/", &manager, 404),
            ("second/", "unknown", 401),
            ("?workspace_id=one", &employee, 403),
            ("?workspace_id=one", &stranger, 403),
            ("", &manager, 400),
        ] {
            assert_eq!(read(path, token).await.status, status, "{path}");
        }
        // A name that another workspace has taken stays with it.
        ask(&stranger, "second", "workspace_id=two&_profile=true").await;
        assert_eq!(read("second/", &manager).await.json(), kept.json());
        assert_eq!(read("?workspace_id=two", &stranger).await.results().len(), 1);
        // Who asks twice under one name has the last one.
        ask(&manager, "second", "workspace_id=one&_profile=true").await;
        assert_eq!(read("second/", &manager).await.json()["query"], "workspace_id=one&_profile=true");
        let listed = read("?workspace_id=one", &manager).await.results();
        let names: Vec<_> = listed.iter().map(|line| line["request_id"].as_str().unwrap()).collect();
        assert_eq!(names, ["second", "third", "first"]);
    }
}

#[tokio::test]
async fn the_plans_are_those_that_ran_and_explaining_changes_nothing() {
    let service = Service::at(Level::Optimized).await;
    let mut db = service.connection().await;
    let (_, manager, _) = world(&mut db, "one").await;
    for variant in [Variant::Naive, Variant::Live, Variant::Rollup] {
        let origin = service.serve(variant).await;
        let scope = "workspace_id=one&_profile=explain";
        for (query, is_planned_once) in [(scope.to_owned(), true), (format!("{scope}&status=active"), false)]
        {
            let profile = profile(&service.get(&list(&origin, &query), &manager).await);
            let plans = profile["plans"].as_array().unwrap();
            let groups = profile["queries"]["slowest_queries"].as_array().unwrap();
            assert_eq!(plans.len(), groups.len());
            for (explained, group) in plans.iter().zip(groups) {
                assert_eq!(explained["sql"], group["sql"]);
                assert_eq!(explained["error"], Value::Null, "{explained:#}");
                // What is found does not depend on the plan. A statement for each customer finds what it finds for one.
                let rows = explained["plan"][0]["Plan"]["Actual Rows"].as_f64().unwrap();
                if group["count"] == 1 {
                    assert!((rows - number(&group["rows"])).abs() < 0.5, "{explained:#}");
                }
                let is_page = group["layer"] == "queryset" && variant != Variant::Naive;
                if is_page {
                    assert_eq!(explained["custom_plan"].is_array(), is_planned_once, "{explained:#}");
                }
            }
        }
        let customer = "SELECT (id, updated_at, name)::text FROM customer ORDER BY id LIMIT 1";
        let id: Uuid = sqlx::query_scalar("SELECT id FROM customer ORDER BY id LIMIT 1")
            .fetch_one(&mut db)
            .await
            .unwrap();
        let url = format!("{origin}/api/v1/customers/{id}/?{scope}");
        let answer = service.write(Method::PATCH, &url, &manager, r#"{"name": "new"}"#).await;
        let written = answer.json()["updated_at"].as_str().unwrap().to_owned();
        let plans = profile(&answer)["plans"].as_array().unwrap().clone();
        let write =
            plans.iter().find(|plan| plan["sql"].as_str().unwrap().contains("UPDATE customer")).unwrap();
        assert!(
            write["plan"][0]["Plan"].is_object() && write["plan"][0]["Plan"].get("Actual Rows").is_none()
        );
        let row: String = sqlx::query_scalar(customer).fetch_one(&mut db).await.unwrap();
        assert!(
            row.contains("new") && row.contains(written[20..26].trim_end_matches('0')),
            "{row} {written}"
        );
    }
    // No connection was left within a transaction.
    let idle: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
    )
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(idle, 0);
}

#[tokio::test]
async fn a_client_that_knows_only_the_old_tools_finds_their_fields() {
    let service = Service::at(Level::Before).await;
    let mut db = service.connection().await;
    let (_, manager, _) = world(&mut db, "one").await;
    let origin = service.serve(Variant::Naive).await;
    let profile = profile(&service.get(&list(&origin, "workspace_id=one&_profile=true"), &manager).await);
    // What `profile_request` and `_profiling` gave.
    for key in
        ["query_count", "total_query_time_ms", "serialization_time_ms", "total_time_ms", "response_time_ms"]
    {
        assert!(number(&profile[key]) > 0.0, "{key}");
    }
    // The query analyzer.
    let queries = &profile["queries"];
    assert!(queries["total_queries"].is_u64() && queries["total_time_ms"].is_f64());
    assert_eq!(queries["n_plus_one_detected"], true);
    let slowest = queries["slowest_queries"].as_array().unwrap();
    assert!(
        slowest.iter().all(|query| {
            query["sql"].is_string() && query["time_ms"].is_f64() && query["count"].is_u64()
        })
    );
    assert!(slowest.is_sorted_by(|one, next| number(&one["time_ms"]) >= number(&next["time_ms"])));
    // The layer analyzer.
    assert!(["request_id", "endpoint", "workspace_id"].iter().all(|key| profile[*key].is_string()));
    for layer in ["middleware", "permission", "queryset", "serializer"] {
        assert!(profile["breakdown"][format!("{layer}_time_ms")].is_f64(), "{layer}");
    }
    assert!(["io", "cpu"].contains(&profile["bottleneck_type"].as_str().unwrap()));
    assert_eq!(profile["bottleneck_layer"], "serializer");
    assert!(profile["recommendations"].as_array().unwrap().iter().all(Value::is_string));
}

#[tokio::test]
async fn what_is_cached_never_has_a_profile() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let (_, manager, _) = world(&mut db, "one").await;
    let origin = service.serve(Variant::Live).await;
    let url = format!("{origin}/api/v1/workspaces/one/");
    let first = service.get(&format!("{url}?_profile=true"), &manager).await;
    assert_eq!((first.header("x-cache"), first.header("cache-control")), ("miss", "no-store"));
    let statements = |answer: &Answer| profile(answer)["query_count"].as_u64().unwrap();
    let plain = service.get(&url, &manager).await;
    assert_eq!(plain.header("x-cache"), "hit");
    assert!(!plain.text.contains("_profiling") && plain.headers.get("cache-control").is_none());
    // A profile tells of this request, not of the one that filled the cache.
    let again = service.get(&format!("{url}?_profile=true"), &manager).await;
    assert_eq!((again.header("x-cache"), statements(&again)), ("hit", 1));
    assert!(statements(&first) > 1);
}
