//! Rows on one core: generating and encoding a chunk of calls and of customers for binary COPY, beside the copying of the
//! same bytes once they are encoded. The loader can't be faster than the first, and the first not than the second.
//!
//! `cargo bench --bench rows`; scale `demo`, chunks from the middle of the tables, checksums included.

use std::hint::black_box;

use chrono::DateTime;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datagen::encode::Writer;
use datagen::population::Population;
use datagen::{DEFAULT_SEED, Scale, Spec, Table};

/// Bytes of a piece, as the loader sends them.
const PIECE_BYTES: usize = 512 << 10;

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
        group.bench_function("copy the encoded bytes", |bencher| {
            let mut buffer = vec![0; PIECE_BYTES];
            bencher.iter(|| {
                for piece in encoded.chunks(PIECE_BYTES) {
                    buffer[..piece.len()].copy_from_slice(black_box(piece));
                    black_box(&mut buffer);
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, rows);
criterion_main!(benches);
