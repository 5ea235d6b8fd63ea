//! What becomes of the rows that PostgreSQL has sent: a page of 50 customers decoded, and written as JSON. Both are work of
//! the server that no index takes away, on every request for a list; beside each stands the least that could be done.
//!
//! ```text
//! cargo bench --bench page       # scale tiny, in the private PostgreSQL for tests
//! ```
//!
//! The statement is that of variant `rollup` at level `optimized`, the first page, without filters. The rows are fetched
//! once, before anything is timed, and lie in memory: no connection takes part. Throughput is customers, and bytes of the
//! values as PostgreSQL sent them, or of the JSON.
//!
//! - `decode a page`: rows to customers as the API shows them, beside a copy of the same values as they came.
//! - `serialise a page`: those customers as JSON text, beside a copy of the ready text; and `serde_json` with the same page as
//!   a ready tree of values, whose making is not timed.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datagen::{LARGEST_SLUG, Scale};
use migrations::Level;
use server::Variant;
use server::page::{Rows, Statement};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use tokio::runtime::Runtime;
use uuid::Uuid;

#[path = "dataset/mod.rs"]
mod dataset;

use dataset::Dataset;

/// Rows of the page.
const PAGE_SIZE: u32 = 50;

/// The rows of the first page, twice: once for the server, once as they are.
async fn fetched() -> (Rows, Vec<PgRow>) {
    let dataset = Dataset::open("bench_page", Scale::Tiny, Level::Optimized).await;
    let mut connection = migrations::connect(&dataset.url, "callbench").await.expect("the dataset is there");
    let workspace: Uuid = sqlx::query_scalar("SELECT id FROM workspace WHERE slug = $1")
        .bind(LARGEST_SLUG)
        .fetch_one(&mut connection)
        .await
        .expect("the dataset has its largest workspace");
    let mut pages = Vec::new();
    for _ in 0..2 {
        let Statement { sql, values } =
            Statement::of(Variant::Rollup, workspace, &format!("page_size={PAGE_SIZE}")).expect("a page");
        let found = sqlx::query_with(AssertSqlSafe(sql), values).fetch_all(&mut connection).await;
        pages.push(found.expect("the level has what the variant reads"));
    }
    connection.close().await.expect("the connection is closed");
    let raw = pages.pop().expect("two were fetched");
    (Rows::new(pages.pop().expect("two were fetched")), raw)
}

/// Appends the values of the rows as they came. A NULL has no bytes.
fn copy(rows: &[PgRow], out: &mut Vec<u8>) {
    for row in rows {
        for column in 0..row.len() {
            let value = row.try_get_raw(column).expect("the row has the column");
            out.extend_from_slice(value.as_bytes().unwrap_or_default());
        }
    }
}

fn page(criterion: &mut Criterion) {
    let (rows, raw) = Runtime::new().expect("a runtime").block_on(fetched());
    let customers = rows.customers().expect("rows of this statement");
    let elements = customers.len() as u64;
    assert_eq!(elements, u64::from(PAGE_SIZE), "the dataset has a full page");

    let mut bytes = Vec::new();
    copy(&raw, &mut bytes);
    let mut group = criterion.benchmark_group("decode a page");
    group.throughput(Throughput::ElementsAndBytes { elements, bytes: bytes.len() as u64 });
    group.bench_function("rows to customers", |bencher| {
        bencher.iter_with_large_drop(|| black_box(&rows).customers().expect("rows of this statement"));
    });
    group.bench_function("baseline: copy the values", |bencher| {
        bencher.iter(|| {
            bytes.clear();
            copy(black_box(&raw), &mut bytes);
            bytes.len()
        });
    });
    group.finish();

    let text = serde_json::to_vec(&customers).expect("customers are JSON");
    let tree = serde_json::to_value(&customers).expect("customers are JSON");
    let mut out = Vec::with_capacity(2 * text.len());
    let mut group = criterion.benchmark_group("serialise a page");
    group.throughput(Throughput::ElementsAndBytes { elements, bytes: text.len() as u64 });
    group.bench_function("customers", |bencher| {
        bencher.iter(|| {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&customers)).expect("a buffer takes everything");
            out.len()
        });
    });
    group.bench_function("a ready tree", |bencher| {
        bencher.iter(|| {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&tree)).expect("a buffer takes everything");
            out.len()
        });
    });
    group.bench_function("baseline: copy the ready text", |bencher| {
        bencher.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(&text));
            out.len()
        });
    });
    group.finish();
}

criterion_group!(benches, page);
criterion_main!(benches);
