//! The parts of a request and of a measurement that need no database, each beside the least that could be done instead.
//!
//! - `cursor encode`, `cursor decode`: a list has two links, so every answer writes up to two cursors, and every page but
//!   the first reads one. Beside them base64 alone: what is left is JSON and the proof that no other spelling is accepted.
//! - `filter to SQL`: a query string to the statement and its values, on every request for a list. Beside it a copy of the
//!   ready statement, which is what a cache of statements could save at most, and why there is none.
//! - `generator kernel`: 64 random bits that are a function of their coordinates, the price of rows that no thread or chunk
//!   can change. Beside it the generator of `rand` that is made for speed, which has an order and so can't do that.
//! - `histogram record`: one time into the histogram of the load generator. Beside it a push to a `Vec`, which would have to
//!   be sorted later and grows for as long as the load lasts; and `hdrhistogram` without our bounds around it.
//! - `recorder`: what the load generator keeps of a request after its answer: in a warm-up, and in a measured window, where a
//!   line for the next look at it is kept as well. Beside it a push of the four times to a `Vec`. The load generator takes
//!   this time from the server when both have the same processor; what else a request costs it, the check of the answer and
//!   goose's own books among it, is in `client_overhead`. What a server pays for explaining requests has a bench of its own,
//!   `profiling`.
//!
//! ```text
//! cargo bench --bench parts
//! ```

use std::hint::black_box;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::DateTime;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use datagen::kernel::Scope;
use hdrhistogram::Histogram;
use loadgen::recorder::{Instants, Recorder};
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use reports::latency::{Latency, MAX_US};
use server::Variant;
use server::page::{Cursor, Direction, Place, Statement};
use uuid::Uuid;

/// Requests of a sample of the recorder: those of a second at a rate that one machine can offer.
const REQUESTS: usize = 10_000;

/// Entities and fields of each that the kernel draws for.
const ENTITIES: u64 = 1_000;
const FIELDS: u64 = 16;

fn cursor(criterion: &mut Criterion) {
    let created_at = DateTime::from_timestamp_micros(1_780_000_000_123_456).expect("a time");
    let cursor = Cursor::beyond(Place { created_at, id: Uuid::from_u128(0x1234 << 96) }, Direction::Next);
    let text = cursor.encode().expect("a cursor has a text");
    let json = URL_SAFE_NO_PAD.decode(&text).expect("the text is base64");

    let mut group = criterion.benchmark_group("cursor encode");
    group.throughput(Throughput::Elements(1));
    group.bench_function("cursor", |bencher| bencher.iter(|| black_box(cursor).encode()));
    group.bench_function("baseline: base64 alone", |bencher| {
        bencher.iter(|| URL_SAFE_NO_PAD.encode(black_box(&json)));
    });
    group.finish();

    let mut group = criterion.benchmark_group("cursor decode");
    group.throughput(Throughput::Elements(1));
    group.bench_function("cursor", |bencher| bencher.iter(|| Cursor::decode(black_box(&text))));
    group.bench_function("baseline: base64 alone", |bencher| {
        bencher.iter(|| URL_SAFE_NO_PAD.decode(black_box(&text)));
    });
    group.finish();
}

/// Query strings of a list: as it opens, as it is commonly narrowed down, and with everything at once.
const QUERIES: [(&str, &str); 3] = [
    ("no filters", "page_size=50"),
    ("three filters", "page_size=50&status=active&quality__in=hot%2Cwarm&carrier=Viettel"),
    (
        "every filter",
        "page_size=50&status=active&status__in=active%2Cpending&status__neq=blocked&quality=hot&quality__in=hot%2Cwarm\
         &quality__neq=cold&call_status=completed&call_status__in=completed%2Cfailed&call_status__neq=calling\
         &carrier=Viettel&carrier__in=Viettel%2CMobifone&is_test=false&checked=true&duration__gt=10&duration__lt=1000\
         &duration__gte=11&duration__lte=999&duration__neq=12&labels__id=5b1c8f0e-3a52-4c83-9d8a-0c1f3f1d2e4b\
         &labels__id__neq=5b1c8f0e-3a52-4c83-9d8a-0c1f3f1d2e4c&other_attributes=city%3DHue",
    ),
];

fn filter_to_sql(criterion: &mut Criterion) {
    let workspace = Uuid::from_u128(1);
    let of =
        |query: &str| Statement::of(Variant::Rollup, workspace, query).expect("the filters are accepted");
    let mut group = criterion.benchmark_group("filter to SQL");
    group.throughput(Throughput::Elements(1));
    for (name, query) in QUERIES {
        let ready = of(query);
        group.bench_function(BenchmarkId::new("query string", name), |bencher| {
            bencher.iter(|| of(black_box(query)));
        });
        group.bench_function(BenchmarkId::new("baseline: ready statement", name), |bencher| {
            bencher.iter(|| black_box(&ready).clone());
        });
    }
    group.finish();
}

fn kernel(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generator kernel");
    group.throughput(Throughput::Elements(ENTITIES * FIELDS));
    let scope = Scope::new(42, "call@1").workspace(7);
    group.bench_function("draws", |bencher| {
        bencher.iter(|| {
            let scope = black_box(scope);
            let draws = (0..ENTITIES).flat_map(|ordinal| {
                let entity = scope.entity(ordinal);
                (0..FIELDS).map(move |field| entity.draw(field))
            });
            // Added, so that each is made.
            draws.fold(0, u64::wrapping_add)
        });
    });
    let mut generator = SmallRng::seed_from_u64(42);
    group.bench_function("baseline: rand's SmallRng", |bencher| {
        bencher.iter(|| (0..ENTITIES * FIELDS).fold(0, |sum: u64, _| sum.wrapping_add(generator.next_u64())));
    });
    group.finish();
}

/// Service times between 0.2 ms and 2 s, most of them short.
fn times() -> Vec<Duration> {
    let mut generator = SmallRng::seed_from_u64(7);
    let mut time = || Duration::from_secs_f64(2e-4 * 10_f64.powf(4.0 * generator.random::<f64>().powi(3)));
    (0..REQUESTS).map(|_| time()).collect()
}

fn histogram(criterion: &mut Criterion) {
    let times = times();
    let mut group = criterion.benchmark_group("histogram record");
    group.throughput(Throughput::Elements(REQUESTS as u64));
    group.bench_function("latency", |bencher| {
        let mut latency = Latency::new();
        bencher.iter(|| {
            for &time in &times {
                latency.record(black_box(time));
            }
        });
    });
    group.bench_function("bare hdrhistogram", |bencher| {
        let times_us: Vec<u64> =
            times.iter().map(|time| u64::try_from(time.as_micros()).expect("a short time")).collect();
        let mut histogram = Histogram::<u64>::new_with_bounds(1, MAX_US, 3).expect("valid bounds");
        bencher.iter(|| {
            for &time_us in &times_us {
                histogram.saturating_record(black_box(time_us));
            }
        });
    });
    group.bench_function("baseline: push to a Vec", |bencher| {
        let mut kept = Vec::with_capacity(REQUESTS);
        bencher.iter(|| {
            kept.clear();
            for &time in &times {
                kept.push(black_box(time));
            }
            kept.len()
        });
    });
    group.finish();
}

fn recorder(criterion: &mut Criterion) {
    let opened = Instant::now();
    let gap = Duration::from_secs(1) / u32::try_from(REQUESTS).expect("a count");
    let mut due = opened;
    let mut requests = Vec::new();
    for time in times() {
        due += gap;
        let sent = due + Duration::from_micros(50);
        requests.push(Instants { free: due, due, sent, done: sent + time });
    }
    let record = |recorder: &Recorder| {
        for &instants in &requests {
            recorder.record(0, black_box(instants), None);
        }
    };
    let mut group = criterion.benchmark_group("recorder");
    group.throughput(Throughput::Elements(REQUESTS as u64));
    group.bench_function("warm-up", |bencher| {
        let recorder = || Recorder::new(1, opened, true);
        bencher.iter_batched_ref(recorder, |recorder| record(recorder), BatchSize::LargeInput);
    });
    group.bench_function("measured", |bencher| {
        let mut news = Vec::new();
        let recorder = || Recorder::new(1, opened, true).followed();
        bencher.iter_batched_ref(
            recorder,
            |recorder| {
                record(recorder);
                recorder.news(&mut news);
                news.len()
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("baseline: push to a Vec", |bencher| {
        bencher.iter_batched_ref(
            || Vec::with_capacity(REQUESTS),
            |kept| {
                for &Instants { free, due, sent, done } in &requests {
                    kept.push(black_box([sent - due, sent - due.max(free), done - sent, done - due]));
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, cursor, filter_to_sql, kernel, histogram, recorder);
criterion_main!(benches);
