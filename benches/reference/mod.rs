//! The reference server within a bench, on a runtime of its own threads, and a client of it that is a bare socket: one
//! request at a time, with as little work around it as can be.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use datagen::entities::staff::ADMIN_TOKEN;
use server::{Config, Server, Variant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server.
pub(crate) struct Reference {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), server::Error>>,
}

impl Reference {
    /// Starts one. What is remembered of an admission would make some requests cheaper than others, so nothing is.
    pub(crate) async fn start(database_url: &str, variant: Variant, profiling: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let config = Config {
            profiling,
            admission_ttl: Duration::ZERO,
            // Criterion thinks between the benches.
            idle_timeout: Duration::from_hours(1),
            ..Config::new(database_url, variant)
        };
        let server = Server::open(config, listener).await.expect("the server starts");
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(async {
            // A bench that is gone wants no server either.
            let _ = stopped.await;
        }));
        Self { address, stop, task }
    }

    /// Ends it; its connections to the database are closed afterwards.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.expect("the server does not panic").expect("the server ends well");
    }
}

/// A request of the administrator, with a body or none.
pub(crate) fn request(method: &str, path: &str, body: &str) -> String {
    let typed = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n{typed}Content-Length: \
         {length}\r\n\r\n{body}"
    )
}

/// One connection to a server.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_nodelay(true).expect("an open socket takes options");
        Self { stream, buffer: vec![0; 1 << 20] }
    }

    /// Sends a request and reads the whole answer, which must be a good one; gives its body.
    pub(crate) fn ask(&mut self, request: &str) -> &[u8] {
        self.stream.write_all(request.as_bytes()).expect("the server reads");
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            assert!(read > 0, "the server closed the connection after {request}");
            filled += read;
            let Some(head) = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("the head is text");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let body: usize = length.and_then(|digits| digits.parse().ok()).expect("the answer has a length");
            let is_good = text.starts_with("HTTP/1.1 2");
            let (begin, end) = (head + 4, head + 4 + body);
            if filled < end {
                self.stream.read_exact(&mut self.buffer[filled..end]).expect("the body is whole");
            }
            let body = &self.buffer[begin..end];
            assert!(is_good, "{request}: {}", String::from_utf8_lossy(body));
            return body;
        }
    }
}
