//! `--timeout`: how long `callbench load` waits for an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::command::{callbench, folder};
use axum::Router;
use serde_json::{Value, json};

const SCENARIOS: &str = "[scenario.silence]\npath = \"/silence\"\n";

/// A server that answers its first request, so that a load begins, and no other one.
async fn reticent() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let has_answered = Arc::new(AtomicBool::new(false));
    let app = Router::new().fallback(move || {
        let first = !has_answered.swap(true, Ordering::Relaxed);
        async move {
            if !first {
                std::future::pending::<()>().await;
            }
            "{}"
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await.expect("it serves") });
    origin
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_waited_for_as_long_as_was_said_and_their_want_is_in_the_result() {
    let (origin, folder) = (reticent().await, folder());
    std::fs::write(folder.path().join("silence.toml"), SCENARIOS).expect("written");
    let output = callbench(folder.path())
        .args(["load", "silence", "--scenarios=silence.toml", "--json", "--timeout=300ms", "--rate=20/s"])
        .args(["--duration=500ms", "--warm-up=100ms", "--target", &origin])
        .output()
        .expect("the command runs");
    let run: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(run["plan"]["timeout_ms"], json!(300));
    let window = &run["windows"][0];
    assert_eq!((&window["requests"], &window["errors"]), (&json!(10), &json!({ "timeout": 10 })));
}
