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

use std::cell::{OnceCell, RefCell};
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use datagen::{LARGEST_SLUG, Scale};
use migrations::Level;
use rand::seq::SliceRandom as _;
use server::Variant;
use tokio::runtime::Runtime;

#[path = "dataset/mod.rs"]
mod dataset;
#[path = "reference/mod.rs"]
mod reference;

use dataset::Dataset;
use reference::{Client, Reference, request};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

const KINDS: [&str; 4] = ["baseline: switched off", "switched off, again", "not asked for", "asked for"];

/// A client of one server, with one request.
struct Asker {
    client: Client,
    request: String,
}

impl Asker {
    fn new(server: &Reference, path: &str) -> Self {
        Self { client: Client::connect(server.address), request: request("GET", path, "") }
    }

    /// Sends the request and reads the whole answer.
    fn ask(&mut self) -> Duration {
        let begun = Instant::now();
        self.client.ask(&self.request);
        begun.elapsed()
    }
}

/// What the requests are sent to.
struct Ground {
    askers: RefCell<[Asker; KINDS.len()]>,
    servers: [Reference; KINDS.len()],
    _dataset: Dataset,
}

impl Ground {
    async fn prepare() -> Self {
        let dataset = Dataset::open("bench_profiling", Scale::Dev, Level::Optimized).await;
        let start = |profiling| Reference::start(&dataset.url, Variant::Rollup, profiling);
        let servers = [start(false).await, start(false).await, start(true).await, start(true).await];
        let path = format!("/api/v1/customers/?workspace_id={LARGEST_SLUG}&page_size=50");
        let askers = [
            Asker::new(&servers[0], &path),
            Asker::new(&servers[1], &path),
            Asker::new(&servers[2], &path),
            Asker::new(&servers[3], &format!("{path}&_profile=true")),
        ];
        Self { askers: RefCell::new(askers), servers, _dataset: dataset }
    }
}

fn first_page(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    // Made by the first bench that runs, so that a filter which names none of these costs nothing.
    let ground: OnceCell<Ground> = OnceCell::new();
    let taken: RefCell<[Vec<Duration>; KINDS.len()]> = RefCell::default();
    let mut turns = [0, 1, 2, 3];
    let mut group = criterion.benchmark_group("first page");
    group.sampling_mode(SamplingMode::Flat).measurement_time(Duration::from_secs(20));
    for (timed, name) in KINDS.iter().enumerate() {
        group.bench_function(*name, |bencher| {
            let mut askers = ground.get_or_init(|| runtime.block_on(Ground::prepare())).askers.borrow_mut();
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
    let Some(Ground { askers, servers, _dataset }) = ground.into_inner() else { return };
    summarize(taken.into_inner());
    drop(askers);
    for server in servers {
        runtime.block_on(server.stop());
    }
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
        println!("{name:22} {:>7.3} ms  {more_us:+7.1} us  {more:+6.2} %", median.as_secs_f64() * 1e3);
    }
}

criterion_group!(benches, first_page);
criterion_main!(benches);
