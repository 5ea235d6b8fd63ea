//! Answers that are sent before the body of their request was read: they arrive, also at a client that reads nothing before
//! it has sent everything.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{NEVER, Raw, SOON, open, service};
use crate::tenants::Tenants;

const LIMIT: usize = 10 * 1024 * 1024;

/// How often an answer that is lost now and then is asked for.
const OFTEN: usize = 40;

const REFUSED: &str = "HTTP/1.1 413 Payload Too Large\r\n";

/// The head of a request that would make a customer, with more headers.
fn head(token: &str, more: &str) -> String {
    format!(
        "POST /api/v1/customers/?workspace_id=one HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\n{more}\r\n\r\n"
    )
}

/// Sends everything before it reads anything; what was answered until the end, or where that broke off.
async fn say_it_all(origin: &str, parts: &[&[u8]]) -> Result<String, std::io::Error> {
    let Raw(mut tcp) = Raw::to(origin).await;
    for part in parts {
        tcp.write_all(part).await?;
    }
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Asserts that each of many clients gets this answer, whole, and is told that the connection ends with it.
async fn expect_each(origin: &str, parts: &[&[u8]], status: &str, end: &str) {
    let mut lost = Vec::new();
    for _ in 0..OFTEN {
        match say_it_all(origin, parts).await {
            Ok(answer) => {
                assert!(answer.starts_with(status), "{answer}");
                assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
                assert!(answer.ends_with(end), "{answer}");
            }
            Err(error) => lost.push(error.to_string()),
        }
    }
    assert!(lost.is_empty(), "{} of {OFTEN} answers were lost: {lost:?}", lost.len());
}

#[tokio::test]
async fn a_client_that_sends_a_body_to_its_end_is_told_that_it_is_too_large() {
    let tenants = Tenants::new().await;
    let body = vec![b' '; LIMIT + 1];
    let head = head(&tenants.admin, &format!("content-length: {}", body.len()));
    let end = r#"{"detail":"The request body is larger than 10 MB."}"#;
    expect_each(&tenants.origin, &[head.as_bytes(), &body], REFUSED, end).await;
}

#[tokio::test]
async fn so_is_one_that_has_not_announced_how_much_it_sends() {
    let tenants = Tenants::new().await;
    let head = head(&tenants.admin, "transfer-encoding: chunked");
    let piece = [b"100000\r\n", &vec![b' '; 1 << 20][..], b"\r\n"].concat();
    let body = [&piece.repeat(20)[..], b"0\r\n\r\n"].concat();
    let end = r#"{"detail":"The request body is larger than 10 MB."}"#;
    expect_each(&tenants.origin, &[head.as_bytes(), &body], REFUSED, end).await;
}

#[tokio::test]
async fn whoever_is_refused_for_another_reason_is_told_so_after_a_large_body_too() {
    let tenants = Tenants::new().await;
    let body = vec![b' '; LIMIT];
    let head = head("nobody", &format!("content-length: {LIMIT}"));
    let end = r#"{"detail":"Invalid token."}"#;
    expect_each(&tenants.origin, &[head.as_bytes(), &body], "HTTP/1.1 401 Unauthorized\r\n", end).await;
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_is_refused_at_once() {
    let tenants = Tenants::new().await;
    let length = format!("content-length: {}", LIMIT + 1);
    for more in [length.clone(), format!("{length}\r\nexpect: 100-continue")] {
        let mut asking = Raw::to(&tenants.origin).await;
        asking.send(head(&tenants.admin, &more).as_bytes()).await;
        // The end is the server's, since the client waits.
        let answer = String::from_utf8(asking.end().await).unwrap();
        assert!(answer.starts_with(REFUSED), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_refused_client_with_a_small_body_keeps_its_connection() {
    let (_service, origin) = service(|_| ()).await;
    let mut client = Raw::to(&origin).await;
    let head = head("nobody", "content-length: 2");
    for _ in 0..3 {
        // In a packet of its own, which is there before the body: the answer waits for that.
        client.send(head.as_bytes()).await;
        tokio::task::yield_now().await;
        client.send(b"{}").await;
        let mut answer = Vec::new();
        while !answer.ends_with(br#"{"detail":"Invalid token."}"#) {
            assert_ne!(client.0.read_buf(&mut answer).await.unwrap(), 0);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn whoever_never_sends_the_rest_is_waited_for_only_so_long() {
    let (service, origin) = service(|config| {
        config.linger_timeout = SOON;
        config.idle_timeout = NEVER;
    })
    .await;
    let others = open(&service, &origin).await;
    let mut silent = Raw::to(&origin).await;
    silent.send(head("nobody", "content-length: 1000000").as_bytes()).await;
    silent.send(b"{").await;
    let closed = async { while open(&service, &origin).await > others {} };
    tokio::time::timeout(Duration::from_mins(1), closed).await.unwrap();
    assert!(silent.end().await.starts_with(b"HTTP/1.1 401"));
}

#[tokio::test]
async fn whoever_never_stops_sending_is_listened_to_only_so_long() {
    let (_service, origin) = service(|config| config.linger_timeout = NEVER).await;
    let Raw(mut tcp) = Raw::to(&origin).await;
    tcp.write_all(head("nobody", "content-length: 1000000000000").as_bytes()).await.unwrap();
    let piece = vec![b' '; 1 << 20];
    let mut pieces = 0;
    while tcp.write_all(&piece).await.is_ok() {
        pieces += 1;
    }
    // What is listened to, and what the buffers of both ends hold.
    assert!((64..128).contains(&pieces), "{pieces} MiB");
}
