//! What it costs that a request can explain itself: the first page from a server that is not allowed to, from another one
//! like it (the difference of the two is the noise), from one that may and is not asked, and with the profile asked for.
//!
//! ```text
//! cargo bench --bench profiling
//! CALLBENCH_DATABASE_URL=$(callbench db url --scale enterprise) cargo bench --bench profiling
//! ```
//!
//! Without a database it loads scale `dev` into the private one for tests. The servers run in this process, on a runtime of
//! their own, with the allocator that counts, as in the program; variant `rollup`, pages of 50, one request at a time over
//! a bare socket, everything warm. Nobody's admission is remembered, because a profiled request is always let in anew.
//!
//! Whatever is timed, one request of each kind is sent, in an order that is drawn: what the machine does meanwhile it does to
//! all, and who comes after itself finds a warmer server than who does not. So the lines of criterion can be compared, and
//! the summary at the end has the medians over all of them.

use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use datagen::entities::staff::ADMIN_TOKEN;
use datagen::{DEFAULT_SEED, LARGEST_SLUG, Scale, Spec};
use migrations::Level;
use rand::seq::SliceRandom as _;
use server::{Config, Server, Variant};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const KINDS: [&str; 4] = ["switched off", "switched off, again", "not asked for", "asked for"];

/// A client of one server, with one request.
struct Asker {
    stream: TcpStream,
    request: String,
    buffer: Vec<u8>,
}

impl Asker {
    fn new(server: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(server).expect("the server listens");
        stream.set_nodelay(true).expect("an open socket takes options");
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n");
        Self { stream, request, buffer: vec![0; 1 << 20] }
    }

    /// Sends the request and reads the whole answer.
    fn ask(&mut self) -> Duration {
        let begun = Instant::now();
        self.stream.write_all(self.request.as_bytes()).expect("the server reads");
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).expect("the server answers");
            let Some(head) = self.buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
                continue;
            };
            let text = std::str::from_utf8(&self.buffer[..head]).expect("the head is text");
            assert!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let body: usize = length.and_then(|digits| digits.parse().ok()).expect("the answer has a length");
            if filled < head + 4 + body {
                self.stream.read_exact(&mut self.buffer[filled..head + 4 + body]).expect("the body is whole");
            }
            return begun.elapsed();
        }
    }
}

/// A database with a dataset: the one that is named, or a fresh one.
async fn database() -> (String, Option<cluster::testing::TestDatabase>) {
    if let Ok(url) = std::env::var("CALLBENCH_DATABASE_URL") {
        return (url, None);
    }
    let database = cluster::testing::database("bench_profiling").await;
    let as_of = DateTime::<Utc>::from_timestamp(1_780_000_000, 0).expect("a time");
    let spec = Spec::of(Scale::Dev, DEFAULT_SEED, as_of);
    let options = datagen::Options::default();
    datagen::seed(database.url(), &spec, Level::Optimized, &options, &())
        .await
        .expect("the dataset is loaded");
    (database.url().to_owned(), Some(database))
}

/// Starts a server.
async fn serve(database_url: &str, profiling: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let config = Config {
        profiling,
        admission_ttl: Duration::ZERO,
        // Criterion thinks between the kinds.
        idle_timeout: Duration::from_hours(1),
        ..Config::new(database_url, Variant::Rollup)
    };
    let server = Server::open(config, listener).await.expect("the server starts");
    tokio::spawn(server.serve(std::future::pending()));
    address
}

fn first_page(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let (url, fresh) = runtime.block_on(database());
    let start = |profiling| runtime.block_on(serve(&url, profiling));
    let path = format!("/api/v1/customers/?workspace_id={LARGEST_SLUG}&page_size=50");
    let mut askers = [
        Asker::new(start(false), &path),
        Asker::new(start(false), &path),
        Asker::new(start(true), &path),
        Asker::new(start(true), &format!("{path}&_profile=true")),
    ];
    let taken: RefCell<[Vec<Duration>; KINDS.len()]> = RefCell::default();
    let mut turns = [0, 1, 2, 3];
    let mut group = criterion.benchmark_group("first page");
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(20));
    for (timed, name) in KINDS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut sum = Duration::ZERO;
                for _ in 0..iterations {
                    turns.shuffle(&mut rand::rng());
                    for kind in turns {
                        let time = askers[kind].ask();
                        taken.borrow_mut()[kind].push(time);
                        sum += if kind == timed { time } else { Duration::ZERO };
                    }
                }
                sum
            });
        });
    }
    group.finish();
    summarize(taken.into_inner());
    drop(fresh);
}

/// The medians beside the first one. The first tenth, in which caches fill, is left out.
fn summarize(taken: [Vec<Duration>; KINDS.len()]) {
    let medians = taken.map(|times| {
        let mut warm = times[times.len() / 10..].to_vec();
        warm.sort();
        (warm.len(), warm[warm.len() / 2])
    });
    let off = medians[0].1;
    println!("medians of {} requests of each kind", medians[0].0);
    for (name, (_, median)) in KINDS.iter().zip(medians) {
        let more_us = (median.as_secs_f64() - off.as_secs_f64()) * 1e6;
        let more = (median.div_duration_f64(off) - 1.0) * 100.0;
        println!("{name:20} {:>7.3} ms  {more_us:+7.1} us  {more:+6.2} %", median.as_secs_f64() * 1e3);
    }
}

criterion_group!(benches, first_page);
criterion_main!(benches);
