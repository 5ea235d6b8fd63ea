//! What was answered 2xx is there after a crash, of the server or of the database; what was not is wholly there or wholly
//! not.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::command::folder;
use crate::serving::Server;
use cluster::{Cluster, Options};
use migrations::Level;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How many write at the same time.
const WRITERS: usize = 6;
/// How many answers there must be before something is killed.
const ANSWERS: usize = 60;
/// After how many requests a writer gives up on getting answers.
const MOST_TURNS: usize = 100_000;
/// Customers of a bulk, each with both labels.
const CUSTOMERS: i64 = 7;
/// Calls of a bulk.
const CALLS: i64 = 5;

/// What was sent under one name, and whether it was answered 2xx.
#[derive(Debug)]
struct Sent {
    what: What,
    name: String,
    is_answered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum What {
    Customer,
    Customers,
    Calls,
    /// The name becomes the carrier of the customers of the first bulk, whose name stands before the slash.
    Change,
}

/// Counts answers, wakes whoever waits for enough of them, and tells the writers when to stop.
#[derive(Debug, Default)]
struct Answers {
    count: AtomicUsize,
    enough: Notify,
    are_over: AtomicBool,
}

impl Answers {
    fn note(&self) {
        if self.count.fetch_add(1, Ordering::Relaxed) + 1 == ANSWERS {
            self.enough.notify_one();
        }
    }
}

/// Writes one thing after the other, whether it is answered or not, until the round is over.
async fn write(
    client: Client,
    origin: String,
    labels: Vec<Value>,
    name: String,
    answers: Arc<Answers>,
) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut ids: Vec<Value> = Vec::new();
    for turn in 0..MOST_TURNS {
        let name = format!("{name}-{turn}");
        let customer = json!({ "name": name, "phone": "1", "label_ids": labels });
        let kind = if ids.is_empty() { 0 } else { turn % 4 };
        let (what, method, path, body) = match kind {
            0 => {
                let many: Vec<_> = (0..CUSTOMERS).map(|_| &customer).collect();
                (What::Customers, Method::POST, "customers/bulk/", json!(many))
            }
            1 => {
                let call = |n: i64| {
                    json!({
                        "customer_id": ids[usize::try_from(n).expect("small")], "direction": "inbound",
                        "status": "completed", "call_type": "direct", "duration_seconds": 61,
                        "billing_rate": "0.5", "transcript": name,
                    })
                };
                (What::Calls, Method::POST, "calls/bulk/", json!((0..CALLS).map(call).collect::<Vec<_>>()))
            }
            2 => {
                let change = json!({ "ids": ids, "set": { "carrier": name } });
                (What::Change, Method::PATCH, "customers/bulk/", change)
            }
            _ => (What::Customer, Method::POST, "customers/", customer),
        };
        let url = format!("{origin}/api/v1/{path}?workspace_id=one");
        let request =
            client.request(method, url).bearer_auth("secret").header("content-type", "application/json");
        // An answer counts when it was wholly read.
        let answer = match request.body(body.to_string()).send().await {
            Ok(response) => {
                let status = response.status();
                response.text().await.ok().filter(|_| status.is_success())
            }
            Err(_) => None,
        };
        sent.push(Sent { what, name, is_answered: answer.is_some() });
        if let Some(answer) = answer {
            answers.note();
            if ids.is_empty() {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                ids.clone_from(answer["ids"].as_array().expect("ids"));
            }
        }
        if answers.are_over.load(Ordering::Relaxed) {
            return sent;
        }
    }
    panic!("hardly anything is answered: {:?}", sent.last());
}

/// Lets writers write until there are enough answers, then kills with `kill`, and gives all that was sent.
async fn write_until(origin: &str, labels: &[Value], round: &str, kill: impl FnOnce()) -> Vec<Sent> {
    let (client, answers) = (Client::new(), Arc::new(Answers::default()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let name = format!("{round}{writer}");
        writers.spawn(write(client.clone(), origin.to_owned(), labels.to_vec(), name, Arc::clone(&answers)));
    }
    tokio::select! {
        () = answers.enough.notified() => {}
        ended = writers.join_next() => panic!("a writer gave up: {ended:?}"),
    }
    kill();
    answers.are_over.store(true, Ordering::Relaxed);
    writers.join_all().await.into_iter().flatten().collect()
}

async fn rows<K: std::hash::Hash + Eq>(db: &mut PgConnection, sql: &'static str) -> HashMap<K, i64>
where
    (K, i64): for<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
{
    sqlx::query_as(sql).fetch_all(db).await.expect("rows").into_iter().collect()
}

/// Holds what is in the database against what was sent.
async fn assert_durable(url: &str, all: &[Sent]) {
    let mut db = PgConnection::connect(url).await.expect("a database");
    let customers = rows::<String>(&mut db, "SELECT name, count(*) FROM customer GROUP BY name").await;
    let labels = rows::<String>(
        &mut db,
        "SELECT c.name, count(*) FROM customer c JOIN customer_label l ON l.customer_id = c.id GROUP BY c.name",
    )
    .await;
    let calls = rows::<String>(&mut db, "SELECT transcript, count(*) FROM call GROUP BY transcript").await;
    let carriers = rows::<String>(
        &mut db,
        "SELECT carrier, count(*) FROM customer WHERE carrier IS NOT NULL GROUP BY carrier",
    )
    .await;
    let count = |found: &HashMap<String, i64>, name: &str| found.get(name).copied().unwrap_or(0);
    let mut last_answered: HashMap<&str, &str> = HashMap::new();
    for Sent { what, name, is_answered } in all {
        let (found, whole) = match what {
            What::Customer => {
                assert_eq!(count(&labels, name), 2 * count(&customers, name), "{name}");
                (count(&customers, name), 1)
            }
            What::Customers => {
                assert_eq!(count(&labels, name), 2 * count(&customers, name), "{name}");
                (count(&customers, name), CUSTOMERS)
            }
            What::Calls => (count(&calls, name), CALLS),
            What::Change => {
                let writer = name.split('-').next().expect("a writer");
                if *is_answered {
                    last_answered.insert(writer, name);
                }
                continue;
            }
        };
        if *is_answered {
            assert_eq!(found, whole, "{what:?} {name} was answered");
        } else {
            assert!([0, whole].contains(&found), "{what:?} {name} is there by halves: {found}");
        }
    }
    // Changes follow each other: the last that was answered is there, or the one that was on its way after it.
    for (writer, last) in last_answered {
        let of_writer: Vec<_> =
            carriers.iter().filter(|(carrier, _)| carrier.split('-').next() == Some(writer)).collect();
        let [(carrier, changed)] = of_writer[..] else {
            panic!("{writer} was changed by halves: {of_writer:?}")
        };
        assert_eq!(*changed, CUSTOMERS, "{carrier}");
        let turn =
            |name: &str| name.split('-').nth(1).and_then(|turn| turn.parse::<u32>().ok()).expect("a turn");
        assert!(turn(carrier) >= turn(last), "{last} was answered, but {carrier} is there");
    }
    // What is there was sent.
    let sent: std::collections::HashSet<&str> = all.iter().map(|sent| sent.name.as_str()).collect();
    assert!(
        customers.keys().chain(calls.keys()).chain(carriers.keys()).all(|name| sent.contains(name.as_str()))
    );
    let differing: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM customer_call_stats AS t FULL JOIN (
             SELECT customer_id, count(*) AS calls, sum(duration_seconds) AS seconds,
                    sum(round(billing_rate * duration_seconds / 60, 4)) AS cost
               FROM call GROUP BY customer_id) AS k USING (customer_id)
          WHERE (t.total_calls, t.total_duration_seconds, t.cost_direct) IS DISTINCT FROM (k.calls, k.seconds, k.cost)",
    )
    .fetch_one(&mut db)
    .await
    .expect("totals");
    assert_eq!(differing, 0, "totals that disagree with their calls");
}

/// A workspace with two labels and an admin, whose token is `secret`.
async fn furnish(url: &str) -> Vec<Value> {
    let mut db = PgConnection::connect(url).await.expect("a database");
    migrations::migrate(&mut db, url, Level::Optimized, &mut |_| {}).await.expect("tables");
    let labels: Vec<String> = sqlx::query_scalar(
        "WITH place AS (INSERT INTO workspace (slug, name) VALUES ('one', 'one') RETURNING id),
              who AS (INSERT INTO app_user (email, name, role, is_active)
                      VALUES ('a@example.com', 'a', 'admin', true) RETURNING id),
              token AS (INSERT INTO auth_token (token_sha256, user_id) SELECT sha256('secret'), id FROM who),
              member AS (INSERT INTO user_workspace SELECT who.id, place.id FROM who, place)
         INSERT INTO label (workspace_id, name) SELECT id, unnest(ARRAY['a', 'b']) FROM place RETURNING id::text",
    )
    .fetch_all(&mut db)
    .await
    .expect("rows");
    labels.into_iter().map(Value::from).collect()
}

/// Kills PostgreSQL as the kernel does when memory runs out: the postmaster and every process of it, at once.
fn kill_postgres(postmaster: u32) {
    let pid = |number: u32| Pid::from_raw(number.cast_signed());
    let children: Vec<u32> = std::fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let number = path.file_name()?.to_str()?.parse().ok()?;
            // pid (name) state parent
            let stat = std::fs::read_to_string(path.join("stat")).ok()?;
            let parent: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
            (parent == postmaster).then_some(number)
        })
        .collect();
    kill(pid(postmaster), Signal::SIGKILL).expect("it runs");
    for child in children {
        // May be gone already.
        let _ = kill(pid(child), Signal::SIGKILL);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_when_the_server_or_the_database_is_killed_under_load() {
    let folder = folder();
    let options = Options::new(folder.path().join(".callbench"));
    let mut cluster = Cluster::start(&options).await.expect("a start");
    let url = cluster.url("durable");
    cluster::databases::ensure(&url).await.expect("a database");
    let labels = furnish(&url).await;
    let mut sent = Vec::new();

    for round in ["a", "b", "c"] {
        let server = Server::start(folder.path(), &url, "rollup");
        let origin = server.origin.clone();
        sent.extend(write_until(&origin, &labels, round, || drop(server)).await);
        assert_durable(&url, &sent).await;
    }

    let server = Server::start(folder.path(), &url, "rollup");
    for round in ["d", "e"] {
        let postmaster = cluster::status(&options).await.expect("a status").pid.expect("it runs");
        sent.extend(write_until(&server.origin, &labels, round, || kill_postgres(postmaster)).await);
        let recovered = Cluster::start(&options).await.expect("a recovery");
        cluster.release().await.expect("one user less");
        cluster = recovered;
        assert_eq!(cluster.url("durable"), url);
        assert_durable(&url, &sent).await;
    }

    // The server has outlived its database, and finds it again.
    sent.extend(write_until(&server.origin, &labels, "f", || ()).await);
    assert_durable(&url, &sent).await;
    drop(server);
    cluster.release().await.expect("an end");
    let answered = sent.iter().filter(|sent| sent.is_answered).count();
    assert!(answered >= 6 * ANSWERS && answered < sent.len(), "{answered} of {}", sent.len());
}
