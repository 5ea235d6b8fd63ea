//! The loop that takes connections, and its end.
//!
//! axum's own loop waits for slow clients for ever and takes any number of them. This one is the same around hyper, with
//! limits: how many connections are open, and how long each may be kept without use (`patience`).

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

mod farewell;
mod patience;

use self::farewell::Unread;
pub(crate) use patience::Patience;

/// How long to wait when the system has no more sockets for us, before it is asked again.
const OUT_OF_SOCKETS: Duration = Duration::from_secs(1);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Open at a time. Further ones wait in the queue of the listener until one of these ends.
    pub(crate) connections: usize,
    pub(crate) patience: Patience,
}

/// Serves until `stop` completes; then no connection is taken any more, those that are idle are closed, and the requests
/// that run are waited for.
pub(crate) async fn serve(
    router: Router,
    listener: TcpListener,
    limits: Limits,
    open: Gauge,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, accept(&listener).await)
        };
        let (slot, tcp) = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = next => accepted,
        };
        let unread = Unread::default();
        let (line, timer) = patience::attend(tcp, limits.patience, unread.clone());
        let router = router.clone();
        let service = service_fn(move |request| {
            farewell::answer(router.clone(), request, unread.clone(), limits.patience.linger)
        });
        let connection = http1::Builder::new()
            .timer(timer)
            .header_read_timeout(limits.patience.idle)
            .serve_connection(TokioIo::new(line), service);
        let connection = connections.watch(connection);
        open.inc();
        let open = open.clone();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            open.dec();
            drop(slot);
        });
    }
    drop(listener);
    connections.shutdown().await;
}

/// The next connection. A client that gave up while it waited is nothing to speak of; a system without sockets is.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                // Answers are small and written at once; waiting for more to send would only delay them.
                if let Err(error) = tcp.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY can't be set");
                }
                return tcp;
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; trying again in a second");
                tokio::time::sleep(OUT_OF_SOCKETS).await;
            }
        }
    }
}
