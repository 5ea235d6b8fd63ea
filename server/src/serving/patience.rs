//! How long a client may keep a connection without using it.
//!
//! hyper has one limit for the time from the end of an answer to the end of the next request's head. Two are wanted: a
//! proxy may keep an idle connection for a minute, and must not find it closed when it uses it again; but once the first
//! byte of a head is there, the rest has to follow at once. So the timer that hyper waits with is ours, and becomes
//! shorter with the first byte. The third limit is for answers that nobody takes, the last one for what nobody wants to read
//! (`farewell`).

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::farewell::{Farewell, Unread};

/// How long is waited for a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From the first byte of a request's head to its last.
    pub(crate) head: Duration,
    /// Without a request, from the last answer to the next head's end.
    pub(crate) idle: Duration,
    /// For a client that takes no byte of its answer.
    pub(crate) write: Duration,
    /// For the rest of a request that was answered without it.
    pub(crate) linger: Duration,
}

/// A connection and the timer that belongs to it.
pub(super) fn attend(tcp: TcpStream, patience: Patience, unread: Unread) -> (Line, HeadTimer) {
    let heard = Arc::new(AtomicBool::new(false));
    let timer = HeadTimer { heard: Arc::clone(&heard), head: patience.head };
    let farewell = Farewell::new(unread, patience.linger);
    (Line { tcp, heard, write_limit: patience.write, stalled: None, farewell }, timer)
}

/// A connection that notes when it is heard of, and breaks when its client takes nothing any more.
#[derive(Debug)]
pub(super) struct Line {
    tcp: TcpStream,
    heard: Arc<AtomicBool>,
    write_limit: Duration,
    stalled: Option<Pin<Box<tokio::time::Sleep>>>,
    farewell: Farewell,
}

impl Line {
    /// Passes on what a write said, unless it has been said for too long that there is no room.
    fn bounded<T>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let limit = self.write_limit;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        stalled.as_mut().poll(cx).map(|()| Err(io::Error::from(io::ErrorKind::TimedOut)))
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.heard.store(true, Relaxed);
        }
        outcome
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.bounded(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { tcp, farewell, .. } = &mut *self;
        farewell.poll(tcp, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.tcp).poll_write_vectored(cx, parts);
        self.bounded(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}

/// What hyper waits with for the next head.
#[derive(Debug, Clone)]
pub(super) struct HeadTimer {
    heard: Arc<AtomicBool>,
    head: Duration,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.heard.store(false, Relaxed);
        let sleep = Box::pin(tokio::time::sleep_until(deadline.into()));
        Box::pin(HeadSleep { timer: self.clone(), sleep, is_short: false })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

#[derive(Debug)]
struct HeadSleep {
    timer: HeadTimer,
    sleep: Pin<Box<tokio::time::Sleep>>,
    is_short: bool,
}

impl Future for HeadSleep {
    type Output = ();

    /// hyper asks again after each read, so this sees the first byte as soon as it is there.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.is_short && self.timer.heard.load(Relaxed) {
            self.is_short = true;
            let short = tokio::time::Instant::now() + self.timer.head;
            let deadline = short.min(self.sleep.deadline());
            self.sleep.as_mut().reset(deadline);
        }
        self.sleep.as_mut().poll(cx)
    }
}

impl Sleep for HeadSleep {}
