//! What a level of the schema does to each kind of request: reads at the top, deep in the list and under the worst filter,
//! and writes one by one and in batches, through the reference server, on each level in the variant that is measured on it.
//! Beside them the answer of `/healthz`, which asks no database: what the way there and back takes of all others.
//!
//! ```text
//! cargo bench --bench database                             # scale dev, in the private PostgreSQL for tests
//! cargo bench --bench database -- 'first page'
//! CALLBENCH_BENCH_SCALE=demo cargo bench --bench database  # has a page 10,000
//! CALLBENCH_DATABASE_URL=$(callbench db url --scale demo) cargo bench --bench database
//! ```
//!
//! Throughput is customers: the rows of a page, or those that are written. A page that the dataset does not have is left
//! out, and it says so; `last page` is the deepest full one of any dataset.
//!
//! Each level is a copy of the dataset, which is dropped when its benches are over: nothing is written to the dataset
//! itself, and nobody may be connected to it while it is copied. A database that is named is measured at its own level and
//! those above.
//!
//! Each iteration does equal work. What is inserted is deleted by its id, what was deleted softly comes back, and what is
//! updated gets another value than it has, each time; the table is vacuumed before the next sample begins. None of that is
//! timed. So every sample meets as many rows, and what the iterations of one sample leave for each other is at most that
//! sample's own rows, as dead ones.
//!
//! A request that was not timed goes before each sample: everything is warm. One request at a time, over a bare socket, and
//! nobody's admission is remembered. Criterion's `--quick` counts the making of a level as time of its first bench, and
//! leaves that one a single request: it shows that all works, and no figures.
//!
//! The benches `parts` and `page` have the parts of a read one by one, and `customer_api` has distributions on a large
//! tenant instead of medians.

use std::cell::OnceCell;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use datagen::Scale;
use migrations::Level;
use reports::quantity;
use server::Variant;
use tokio::runtime::Runtime;

#[path = "../dataset/mod.rs"]
mod dataset;
mod ground;
mod reads;
#[path = "../reference/mod.rs"]
mod reference;
mod writes;

use dataset::Dataset;
use ground::Ground;

/// The scale of a fresh dataset, unless another one is asked for.
const USUAL: Scale = Scale::Dev;

/// Rows of a page. Fewer when benches are only tried, so that the smallest dataset has a page 100.
fn page_size() -> u32 {
    if dataset::is_test() { 10 } else { 50 }
}

/// The variant that is measured on a level.
fn variant_of(level: Level) -> Variant {
    match level {
        Level::Before => Variant::Naive,
        Level::Indexed => Variant::Live,
        Level::Optimized => Variant::Rollup,
    }
}

/// What is known before there is anything to measure.
struct Prospect {
    /// The levels that are measured: all of a fresh dataset, those from its own upwards of one that is named.
    levels: Vec<Level>,
    /// Full pages of the largest workspace, at least.
    pages: u64,
}

impl Prospect {
    async fn of_the_dataset() -> anyhow::Result<Self> {
        let Some(url) = dataset::named() else {
            // More than nine of ten customers are not deleted.
            let customers = dataset::fresh(USUAL).customers * 9 / 10;
            return Ok(Self { levels: Level::ALL.to_vec(), pages: customers / u64::from(page_size()) });
        };
        let mut connection = migrations::connect(&url, "callbench").await?;
        let own = migrations::level(&mut connection).await?.unwrap_or(Level::Before);
        let customers: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM customer AS c JOIN workspace AS w ON w.id = c.workspace_id
              WHERE w.slug = $1 AND NOT c.is_deleted",
        )
        .bind(datagen::LARGEST_SLUG)
        .fetch_one(&mut connection)
        .await?;
        Ok(Self {
            levels: Level::ALL.into_iter().filter(|level| *level >= own).collect(),
            pages: u64::try_from(customers)? / u64::from(page_size()),
        })
    }
}

/// The benches of one level. Its copy is made by the first of them that runs, so that a filter which names none of them
/// costs nothing.
struct Rung<'a, 'c> {
    group: BenchmarkGroup<'c, WallTime>,
    level: Level,
    runtime: &'a Runtime,
    dataset: &'a OnceCell<Dataset>,
    ground: OnceCell<Ground<'a>>,
}

impl<'a> Rung<'a, '_> {
    /// Times what `sample` does so many times; it says how long that took. Each time is about so
    /// many customers; what is about none counts as one.
    fn bench(&mut self, name: &str, customers: usize, mut sample: impl FnMut(&Ground<'a>, u64) -> Duration) {
        let Self { group, level, runtime, dataset, ground } = self;
        group.throughput(Throughput::Elements(customers as u64));
        group.bench_function(BenchmarkId::new(name, level.name()), |bencher| {
            let ground = ground.get_or_init(|| {
                let dataset = dataset
                    .get_or_init(|| runtime.block_on(Dataset::open("bench_database", USUAL, Level::Before)));
                Ground::prepare(runtime, dataset, *level)
            });
            bencher.iter_custom(|iterations| sample(ground, iterations));
        });
    }
}

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new()?;
    if let Some(url) = dataset::named() {
        runtime.spawn(ground::drop_when_interrupted(url));
    }
    let dataset = OnceCell::new();
    let prospect = runtime.block_on(Prospect::of_the_dataset())?;
    for left_out in reads::NUMBERED.into_iter().filter(|number| *number > prospect.pages) {
        eprintln!(
            "page {} is left out: this dataset has about {} pages of {}; CALLBENCH_BENCH_SCALE=demo has more",
            quantity::count(left_out),
            quantity::count(prospect.pages),
            page_size()
        );
    }
    for level in prospect.levels {
        let mut group = criterion.benchmark_group("database");
        group
            .sampling_mode(SamplingMode::Flat)
            .sample_size(20)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(3));
        let ground = OnceCell::new();
        let mut rung = Rung { group, level, runtime: &runtime, dataset: &dataset, ground };
        reads::bench(&mut rung, prospect.pages);
        writes::bench(&mut rung);
        rung.group.finish();
        if let Some(ground) = rung.ground.into_inner() {
            ground.leave();
        }
    }
    criterion.final_summary();
    Ok(())
}
