//! One table over several connections.
//!
//! Each connection takes the next chunk, one COPY and so one transaction per chunk. Rows are encoded on a thread beside
//! the connection, into pieces of half a megabyte that go back and forth between the two; the channel between them is
//! bounded, so memory is a few megabytes per connection, whatever the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::encode::{Writer, Written};
use crate::entities::Table;
use crate::error::Error;
use crate::population::Population;
use crate::progress::Progress;

/// Bytes sent at once. Each piece is one message of the protocol and one flush of the socket; the server reads a
/// message whole, so much larger ones would not help.
const PIECE_BYTES: usize = 512 * 1024;
/// Pieces that may wait for a connection.
const PIECES_AHEAD: usize = 4;

enum Message {
    /// Bytes of the current chunk.
    Piece(Vec<u8>),
    /// The current chunk is over; so many rows were in it.
    EndOfChunk(Written),
}

/// Loads `table`, and gives the connections back.
pub(crate) async fn copy(
    table: Table,
    population: &Arc<Population>,
    connections: Vec<PgConnection>,
    progress: &dyn Progress,
) -> Result<(Written, Vec<PgConnection>), Error> {
    let next_chunk = Arc::new(AtomicU64::new(0));
    let (done_chunk, mut done_chunks) = mpsc::unbounded_channel::<Written>();
    // When one of them fails, the set is dropped, and the others with their half-done COPYs.
    let mut tasks = JoinSet::new();
    for conn in connections {
        let (population, next_chunk) = (Arc::clone(population), Arc::clone(&next_chunk));
        tasks.spawn(copy_chunks(table, population, next_chunk, conn, done_chunk.clone()));
    }
    drop(done_chunk);
    let mut total = Written::default();
    let mut connections = Vec::new();
    loop {
        tokio::select! {
            Some(done) = tasks.join_next() => connections.push(passed_on(done)?),
            Some(written) = done_chunks.recv() => {
                progress.advanced(written.rows, written.bytes);
                total += written;
            }
            else => return Ok((total, connections)),
        }
    }
}

async fn copy_chunks(
    table: Table,
    population: Arc<Population>,
    next_chunk: Arc<AtomicU64>,
    mut conn: PgConnection,
    done_chunk: mpsc::UnboundedSender<Written>,
) -> Result<PgConnection, Error> {
    let while_doing = format!("copying {table}");
    let failed = |error| Error::database(&while_doing, error);
    let statement = table.copy_in();
    let (messages, mut received) = mpsc::channel(PIECES_AHEAD);
    let (give_back, empties) = std::sync::mpsc::channel();
    let encoder =
        tokio::task::spawn_blocking(move || encode(table, &population, &next_chunk, &messages, &empties));

    while let Some(first) = received.recv().await {
        let mut copy = conn.copy_in_raw(&statement).await.map_err(failed)?;
        let mut message = Some(first);
        let written = loop {
            match message {
                Some(Message::Piece(piece)) => {
                    copy.send(&piece[..]).await.map_err(failed)?;
                    // The encoder may have ended already; then the buffer is not needed any more.
                    let _ = give_back.send(piece);
                }
                Some(Message::EndOfChunk(written)) => break Some(written),
                None => break None,
            }
            message = received.recv().await;
        };
        // Without an end the encoder has panicked, which the join below passes on.
        let Some(written) = written else { break };
        let taken = copy.finish().await.map_err(failed)?;
        if taken != written.rows {
            return Err(Error::RowsLost { table: table.name(), sent: written.rows, taken });
        }
        // The receiver is gone only when another connection has failed.
        let _ = done_chunk.send(written);
    }
    passed_on(encoder.await);
    Ok(conn)
}

/// What a task has returned; a panic goes on here.
fn passed_on<T>(done: Result<T, tokio::task::JoinError>) -> T {
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// Encodes chunks until there are none left, or nobody takes them.
fn encode(
    table: Table,
    population: &Population,
    next_chunk: &AtomicU64,
    messages: &mpsc::Sender<Message>,
    empties: &std::sync::mpsc::Receiver<Vec<u8>>,
) {
    let mut buffer = Vec::new();
    loop {
        let chunk = next_chunk.fetch_add(1, Ordering::Relaxed);
        if chunk >= table.chunks(population) {
            return;
        }
        let mut hand_over = |piece| {
            messages.blocking_send(Message::Piece(piece)).ok()?;
            Some(empties.try_recv().unwrap_or_default())
        };
        let mut writer = Writer::new(buffer, PIECE_BYTES, &mut hand_over);
        if table.write_chunk(population, chunk, &mut writer).is_break() {
            return;
        }
        let Some((written, empty)) = writer.end() else { return };
        buffer = empty;
        if messages.blocking_send(Message::EndOfChunk(written)).is_err() {
            return;
        }
    }
}
