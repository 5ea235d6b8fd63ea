//! The two sides of the comparison, row by row: what the database holds, and what the generator writes.
//!
//! Each connection takes the next range of pages and each thread the next chunk, so that they end together; each has a
//! sink of its own, which comes back when there is nothing left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt as _;
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Running;
use super::error::Error;
use super::snapshot::Snapshot;
use crate::encode::Writer;
use crate::entities::Table;
use crate::population::Population;
use crate::wire::Rows;

/// Pages in a range at most: 16 MB, so that progress is seen.
const MOST_PAGES: u64 = 2_048;
/// Pages in a range at least: below that, the statement costs more than the pages.
const FEWEST_PAGES: u64 = 32;
/// Bytes that the generator writes before they are summed: they stay in the cache of a core.
const PIECE_BYTES: usize = 64 * 1024;

/// Takes rows in COPY's binary format.
pub(super) trait Sink: Send + 'static {
    fn row(&mut self, row: &[u8]);
}

/// Gives every row of the database to a sink; there is one sink for each connection.
pub(super) async fn read<S: Sink>(
    table: Table,
    snapshot: &mut Snapshot,
    running: &Running<'_>,
    sink: impl Fn() -> S,
) -> Result<Vec<S>, Error> {
    let connections = std::mem::take(&mut snapshot.connections);
    let ranges = Arc::new(Ranges::new(snapshot.pages(table), connections.len()));
    let (done_range, mut done_ranges) = mpsc::unbounded_channel();
    // When one of them fails, the set is dropped, and the others with their half-done COPYs.
    let mut tasks = JoinSet::new();
    for conn in connections {
        tasks.spawn(read_ranges(table, conn, Arc::clone(&ranges), sink(), done_range.clone()));
    }
    drop(done_range);
    let mut sinks = Vec::new();
    loop {
        tokio::select! {
            Some(done) = tasks.join_next() => {
                let (conn, sink) = passed_on(done)?;
                snapshot.connections.push(conn);
                sinks.push(sink);
            }
            Some((rows, bytes)) = done_ranges.recv() => running.advanced(rows, bytes),
            else => return Ok(sinks),
        }
    }
}

async fn read_ranges<S: Sink>(
    table: Table,
    mut conn: PgConnection,
    ranges: Arc<Ranges>,
    mut sink: S,
    done_range: mpsc::UnboundedSender<(u64, u64)>,
) -> Result<(PgConnection, S), Error> {
    let while_doing = format!("reading {table}");
    let failed = Error::database(&while_doing);
    let malformed = |source| Error::Malformed { table: table.name(), source };
    while let Some(range) = ranges.next() {
        let statement = format!(
            "COPY (SELECT {} FROM public.{table} WHERE {range}) TO STDOUT (FORMAT binary)",
            table.column_list()
        );
        let mut pieces = conn.copy_out_raw(&statement).await.map_err(&failed)?;
        let mut stream = Rows::new();
        let (mut rows, mut bytes) = (0, 0);
        while let Some(piece) = pieces.next().await {
            let taken = stream.push(&piece.map_err(&failed)?, |row| {
                rows += 1;
                bytes += row.len() as u64;
                sink.row(row);
            });
            taken.map_err(malformed)?;
        }
        stream.end().map_err(malformed)?;
        // The receiver is gone only when another connection has failed.
        let _ = done_range.send((rows, bytes));
    }
    Ok((conn, sink))
}

/// Ranges of pages, handed out one after the other.
struct Ranges {
    pages: u64,
    pages_per_range: u64,
    next_page: AtomicU64,
}

impl Ranges {
    fn new(pages: u64, connections: usize) -> Self {
        // Several ranges a connection, so that none is waited for long.
        let even = pages / (4 * connections.max(1) as u64);
        let pages_per_range = even.clamp(FEWEST_PAGES, MOST_PAGES);
        Self { pages, pages_per_range, next_page: AtomicU64::new(0) }
    }

    /// The next range, as a condition. The last one has no end.
    fn next(&self) -> Option<String> {
        let from = self.next_page.fetch_add(self.pages_per_range, Ordering::Relaxed);
        let to = from + self.pages_per_range;
        if from > 0 && from >= self.pages {
            None
        } else if to >= self.pages {
            Some(format!("ctid >= '({from},0)'::tid"))
        } else {
            Some(format!("ctid >= '({from},0)'::tid AND ctid < '({to},0)'::tid"))
        }
    }
}

/// Gives every row of the generator to a sink; there is one sink for each thread.
pub(super) async fn regenerate<S: Sink>(
    table: Table,
    population: &Arc<Population>,
    threads: usize,
    sink: impl Fn() -> S,
) -> Vec<S> {
    let next_chunk = Arc::new(AtomicU64::new(0));
    let stop = CancellationToken::new();
    // A thread can't be dropped, so it has to be told when nobody wants its rows any more.
    let _guard = stop.clone().drop_guard();
    let mut threads_running = JoinSet::new();
    for _ in 0..threads.min(table.chunks_at_once()) {
        let (population, next_chunk, stop) = (Arc::clone(population), Arc::clone(&next_chunk), stop.clone());
        let mut sink = sink();
        threads_running.spawn_blocking(move || {
            write_chunks(table, &population, &next_chunk, &stop, &mut sink);
            sink
        });
    }
    let mut sinks = Vec::new();
    while let Some(done) = threads_running.join_next().await {
        sinks.push(passed_on(done));
    }
    sinks
}

/// Generates chunks until there are none left, or it is told to stop.
pub(super) fn write_chunks(
    table: Table,
    population: &Population,
    next_chunk: &AtomicU64,
    stop: &CancellationToken,
    sink: &mut impl Sink,
) {
    let chunks = table.chunks(population);
    let mut buffer = Vec::new();
    loop {
        let chunk = next_chunk.fetch_add(1, Ordering::Relaxed);
        if chunk >= chunks {
            return;
        }
        let mut stream = Rows::new();
        let mut hand_over = |piece: Vec<u8>| {
            stream.push(&piece, |row| sink.row(row)).expect("the generator writes whole rows");
            (!stop.is_cancelled()).then_some(piece)
        };
        let mut writer = Writer::new(std::mem::take(&mut buffer), PIECE_BYTES, &mut hand_over);
        if table.write_chunk(population, chunk, &mut writer).is_break() {
            return;
        }
        let Some((_, empty)) = writer.end() else { return };
        buffer = empty;
    }
}

/// What a task has returned; a panic goes on here.
pub(super) fn passed_on<T>(done: Result<T, tokio::task::JoinError>) -> T {
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pages: u64, connections: usize) -> Vec<String> {
        let ranges = Ranges::new(pages, connections);
        std::iter::from_fn(|| ranges.next()).collect()
    }

    #[test]
    fn an_empty_table_is_read_once_without_an_end() {
        assert_eq!(ranges(0, 4), ["ctid >= '(0,0)'::tid"]);
    }

    #[test]
    fn ranges_meet_and_the_last_has_no_end() {
        assert_eq!(
            ranges(80, 4),
            [
                "ctid >= '(0,0)'::tid AND ctid < '(32,0)'::tid",
                "ctid >= '(32,0)'::tid AND ctid < '(64,0)'::tid",
                "ctid >= '(64,0)'::tid"
            ]
        );
        assert_eq!(ranges(64, 1).last().unwrap(), "ctid >= '(32,0)'::tid");
    }

    #[test]
    fn large_tables_make_many_ranges_for_each_connection() {
        assert_eq!(ranges(1_280_000, 4).len(), 625);
    }
}
