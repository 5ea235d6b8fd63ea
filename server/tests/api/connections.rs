//! Connections as such: who may keep one, how long, how many, and what becomes of them at the end.

use std::future::Future;
use std::time::Duration;

use migrations::Level;
use server::{Config, Server, Variant};
use sqlx::{Connection as _, Executor as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::operation::until_blocked;
use crate::service::{Service, list};
use crate::world;

mod farewell;

/// Longer than any test runs.
const NEVER: Duration = Duration::from_hours(10);

/// A limit of time that is over soon.
const SOON: Duration = Duration::from_millis(50);

const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";

/// A connection on which a test writes bytes itself.
struct Raw(TcpStream);

impl Raw {
    async fn to(origin: &str) -> Self {
        Self(TcpStream::connect(origin.strip_prefix("http://").unwrap()).await.unwrap())
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// Reads the answer to a health check.
    async fn is_alive(&mut self) {
        let mut text = Vec::new();
        while !text.ends_with(b"{\"status\":\"ok\"}") {
            assert_ne!(self.0.read_buf(&mut text).await.unwrap(), 0, "{}", String::from_utf8_lossy(&text));
        }
        assert!(text.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&text));
    }

    /// Waits for the end of the connection; what came until then.
    async fn end(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        // Bytes that the server had not read when it closed make a reset of the end.
        let _ = self.0.read_to_end(&mut text).await;
        text
    }
}

async fn service(change: impl FnOnce(&mut Config)) -> (Service, String) {
    let service = Service::at(Level::Indexed).await;
    let mut config = service.config(Variant::Live);
    change(&mut config);
    let origin = service.start(config).await;
    (service, origin)
}

#[tokio::test]
async fn a_head_must_end_soon_after_it_began_while_an_idle_connection_is_kept() {
    let (_service, origin) = service(|config| {
        config.head_timeout = SOON;
        config.idle_timeout = NEVER;
    })
    .await;
    let mut idle = Raw::to(&origin).await;
    idle.send(ALIVE).await;
    idle.is_alive().await;

    let mut slow = Raw::to(&origin).await;
    slow.send(b"GET /healthz HTTP/1.1\r\nHost:").await;
    assert_eq!(slow.end().await, b"");
    // Also the head of a later request.
    let mut slow = Raw::to(&origin).await;
    slow.send(ALIVE).await;
    slow.is_alive().await;
    slow.send(b"G").await;
    assert_eq!(slow.end().await, b"");

    // The limit of heads was over at least twice by now.
    idle.send(ALIVE).await;
    idle.is_alive().await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_after_its_time() {
    let (_service, origin) = service(|config| {
        config.head_timeout = NEVER;
        config.idle_timeout = SOON;
    })
    .await;
    assert_eq!(Raw::to(&origin).await.end().await, b"");
    let mut used = Raw::to(&origin).await;
    used.send(ALIVE).await;
    used.is_alive().await;
    assert_eq!(used.end().await, b"");
}

/// How many connections the server says are open.
async fn open(service: &Service, origin: &str) -> u32 {
    let metrics = service.send(reqwest::Method::GET, &format!("{origin}/metrics"), None, &[]).await;
    let line = metrics.text.lines().find_map(|line| line.strip_prefix("callbench_http_connections "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answers_is_given_up() {
    let (service, origin) = service(|config| {
        config.statement_timeout = SOON;
        config.pool_wait = SOON;
        config.request_timeout = 10 * SOON;
    })
    .await;
    let others = open(&service, &origin).await;
    let mut greedy = Raw::to(&origin).await;
    // Together far more than the buffers of both ends hold.
    let many = 40;
    let wish = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: h\r\n\r\n".repeat(many);
    greedy.send(&wish).await;
    let mut was_open = false;
    loop {
        let now = open(&service, &origin).await;
        was_open |= now > others;
        if was_open && now == others {
            break;
        }
    }
    let taken = greedy.end().await.len();
    assert!((100_000..many * 1_500_000).contains(&taken), "{taken}");
}

/// Whether a future is still not done after others had many chances to run.
async fn is_pending<F: Future + Unpin>(future: &mut F, chances: impl AsyncFnOnce()) -> bool {
    tokio::select! {
        biased;
        _ = future => false,
        () = chances() => true,
    }
}

#[tokio::test]
async fn one_connection_too_many_waits_until_another_ends() {
    let (_service, origin) = service(|config| config.max_connections = 2).await;
    let (mut first, mut second) = (Raw::to(&origin).await, Raw::to(&origin).await);
    for connection in [&mut first, &mut second] {
        connection.send(ALIVE).await;
        connection.is_alive().await;
    }
    let mut third = Raw::to(&origin).await;
    third.send(ALIVE).await;
    let mut answer = Box::pin(third.is_alive());
    let waits = is_pending(&mut answer, async || {
        for _ in 0..100 {
            first.send(ALIVE).await;
            first.is_alive().await;
        }
    });
    assert!(waits.await);
    drop(second);
    answer.await;
}

#[tokio::test]
async fn the_end_finishes_what_runs_closes_what_is_idle_and_takes_nothing_new() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = format!("http://{address}");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::open(service.config(Variant::Live), listener).await.unwrap();
    let serving = tokio::spawn(server.serve(async { stopped.await.unwrap_or_default() }));
    let mut idle = Raw::to(&origin).await;
    idle.send(ALIVE).await;
    idle.is_alive().await;
    let mut silent = Raw::to(&origin).await;

    let mut holder = service.connection().await;
    let mut lock = holder.begin().await.unwrap();
    lock.execute("LOCK TABLE customer IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let url = list(&origin, "workspace_id=one");
    let running = service.get(&url, &token);
    let stopping = async {
        until_blocked(&mut db).await;
        stop.send(()).unwrap();
        assert_eq!(idle.end().await, b"");
        assert_eq!(silent.end().await, b"");
        let refused = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert!(!serving.is_finished());
        lock.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(running, stopping);
    assert_eq!(answer.status, 200);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn while_it_drains_a_server_says_that_it_stops_and_still_serves() {
    let service = Service::at(Level::Indexed).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let config = Config { drain: NEVER, ..service.config(Variant::Live) };
    let server = Server::open(config, listener).await.unwrap();
    tokio::spawn(server.serve(async { stopped.await.unwrap_or_default() }));
    let get =
        async |path: &str| service.send(reqwest::Method::GET, &format!("{origin}{path}"), None, &[]).await;
    assert_eq!(get("/readyz").await.status, 200);
    stop.send(()).unwrap();
    let told = loop {
        let ready = get("/readyz").await;
        if ready.status == 503 {
            break ready;
        }
    };
    told.is(503, &serde_json::json!({ "status": "stopping", "variant": "live", "database": "ok" }));
    let mut new = Raw::to(&origin).await;
    new.send(ALIVE).await;
    new.is_alive().await;
}
