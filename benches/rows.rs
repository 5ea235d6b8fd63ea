//! Rows on one core: generating and encoding a chunk of calls and of customers for binary COPY, beside the copying of the
//! same bytes once they are encoded. The loader can't be faster than the first, and the first not than the second. What lies
//! between them is the making of values and their encoding; `encode rows` has the encoding of ready values alone.
//!
//! `cargo bench --bench rows`; scale `demo`, chunks from the middle of the tables, checksums included. How the same bytes
//! fare in PostgreSQL is in `copy_against_psql.sh`, and the draws behind the values alone in the bench `parts`.

use std::hint::black_box;

use chrono::DateTime;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use datagen::encode::{Fields, Writer};
use datagen::population::Population;
use datagen::{DEFAULT_SEED, Scale, Spec, Table};

/// Bytes of a piece, as the loader sends them.
const PIECE_BYTES: usize = 512 << 10;

/// Rows of ready values that are encoded at a time.
const READY_ROWS: u64 = 10_000;

fn chunk(population: &Population, table: Table) -> (u64, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut keep = |piece: Vec<u8>| {
        bytes.extend_from_slice(&piece);
        Some(piece)
    };
    let mut writer = Writer::new(Vec::new(), PIECE_BYTES, &mut keep);
    let whole = table.write_chunk(population, table.chunks(population) / 2, &mut writer);
    assert!(whole.is_continue(), "the chunk was given up");
    let (written, rest) = writer.end().expect("the writer has its buffer");
    bytes.extend_from_slice(&rest);
    (written.rows, bytes)
}

fn rows(criterion: &mut Criterion) {
    let as_of = DateTime::from_timestamp(1_780_000_000, 0).expect("a time");
    let population = Population::new(&Spec::of(Scale::Demo, DEFAULT_SEED, as_of));
    for table in [Table::Call, Table::Customer] {
        let (rows, encoded) = chunk(&population, table);
        let mut group = criterion.benchmark_group(table.name());
        group.throughput(Throughput::ElementsAndBytes { elements: rows, bytes: encoded.len() as u64 });
        group.bench_function("generate and encode", |bencher| {
            let mut buffer = Vec::with_capacity(2 * PIECE_BYTES);
            bencher.iter(|| {
                let mut reuse = |piece: Vec<u8>| Some(black_box(piece));
                let mut writer = Writer::new(std::mem::take(&mut buffer), PIECE_BYTES, &mut reuse);
                let whole = table.write_chunk(&population, table.chunks(&population) / 2, &mut writer);
                assert!(whole.is_continue(), "the chunk was given up");
                let (written, piece) = writer.end().expect("the writer has its buffer");
                buffer = piece;
                written.rows
            });
        });
        copy(&mut group, &encoded);
        group.finish();
    }
}

/// The least that could be done: the bytes are ready.
fn copy(group: &mut BenchmarkGroup<'_, WallTime>, encoded: &[u8]) {
    group.bench_function("baseline: copy the encoded bytes", |bencher| {
        let mut buffer = vec![0; PIECE_BYTES];
        bencher.iter(|| {
            for piece in encoded.chunks(PIECE_BYTES) {
                buffer[..piece.len()].copy_from_slice(black_box(piece));
                black_box(&mut buffer);
            }
        });
    });
}

/// The values of a row: one of each type that the tables have.
struct Ready {
    id: [u8; 16],
    name: &'static str,
    attributes: &'static [u8],
    count: i32,
    total: i64,
    seconds: f64,
    cost_ten_thousandths: u64,
    is_deleted: bool,
    created_us: i64,
}

impl Ready {
    const COLUMNS: u16 = 10;

    fn encode(&self, fields: &mut Fields<'_>) {
        fields.uuid(&self.id);
        fields.text(self.name);
        fields.jsonb_with(|out| out.extend_from_slice(self.attributes));
        fields.integer(self.count);
        fields.bigint(self.total);
        fields.double(self.seconds);
        fields.numeric_4(self.cost_ten_thousandths);
        fields.boolean(self.is_deleted);
        fields.time(self.created_us);
        fields.null();
    }
}

fn ready_rows(criterion: &mut Criterion) {
    let ready = Ready {
        id: [7; 16],
        name: "Nguyễn Thị Minh Khai",
        attributes: br#"{"city": "Hue", "age": 41, "vip": false}"#,
        count: 17,
        total: 86_400,
        seconds: 61.25,
        cost_ten_thousandths: 1_234_567,
        is_deleted: false,
        created_us: 1_780_000_000_000_000,
    };
    let encode = |buffer: Vec<u8>, hand_over: &mut dyn FnMut(Vec<u8>) -> Option<Vec<u8>>| {
        let mut writer = Writer::new(buffer, PIECE_BYTES, hand_over);
        for _ in 0..READY_ROWS {
            let whole = writer.row(Ready::COLUMNS, |fields| black_box(&ready).encode(fields));
            assert!(whole.is_continue(), "the rows were given up");
        }
        writer.end().expect("the writer has its buffer").1
    };
    let mut encoded = Vec::new();
    encode(Vec::new(), &mut |piece| {
        encoded.extend_from_slice(&piece);
        Some(piece)
    });
    let mut group = criterion.benchmark_group("encode rows");
    group.throughput(Throughput::ElementsAndBytes { elements: READY_ROWS, bytes: encoded.len() as u64 });
    group.bench_function("ready values", |bencher| {
        let mut buffer = Vec::with_capacity(2 * PIECE_BYTES);
        bencher.iter(|| {
            buffer = encode(std::mem::take(&mut buffer), &mut |piece| Some(black_box(piece)));
        });
    });
    copy(&mut group, &encoded);
    group.finish();
}

criterion_group!(benches, rows, ready_rows);
criterion_main!(benches);
