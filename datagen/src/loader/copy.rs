//! One run of rows over one connection, in one transaction with its row in the ledger.
//!
//! Rows are encoded on a thread beside the connection, into pieces of half a megabyte that go back and forth between the
//! two; the channel between them is bounded, so memory is a few megabytes per connection, whatever the table.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::mpsc;

use super::schedule::Run;
use super::set_aside::run as execute;
use crate::encode::{Writer, Written};
use crate::error::Error;
use crate::ledger::{self, LoadedRun};
use crate::population::Population;

/// Bytes sent at once. Each piece is one message of the protocol and one flush of the socket; the server reads a
/// message whole, so much larger ones would not help.
const PIECE_BYTES: usize = 512 * 1024;
/// Pieces that may wait for a connection.
const PIECES_AHEAD: usize = 4;

enum Message {
    /// Bytes of the stream.
    Piece(Vec<u8>),
    /// A chunk is over; so much was written until now.
    Reached(Written),
    /// The stream is over, and so much was in it.
    End(Written),
}

/// Loads a run. `advance` hears of each chunk: its rows and bytes.
pub(crate) async fn copy(
    conn: &mut PgConnection,
    run: &Run,
    population: &Arc<Population>,
    advance: impl Fn(u64, u64),
) -> Result<(), Error> {
    let while_doing = format!("copying {}", run.table);
    let failed = |error| Error::database(&while_doing, error);
    let mut transaction = conn.begin().await.map_err(failed)?;
    if run.is_whole {
        execute(&mut transaction, &while_doing, &format!("TRUNCATE public.{}", run.table)).await?;
    }
    let (messages, mut received) = mpsc::channel(PIECES_AHEAD);
    let (give_back, empties) = std::sync::mpsc::channel();
    let encoder = {
        let (run, population) = (run.clone(), Arc::clone(population));
        tokio::task::spawn_blocking(move || encode(&run, &population, &messages, &empties))
    };
    let statement = run.table.copy_in(run.is_whole);
    let mut copy = transaction.copy_in_raw(&statement).await.map_err(failed)?;
    let mut told = Written::default();
    let mut tell = |reached: Written| {
        advance(reached.rows - told.rows, reached.bytes - told.bytes);
        told = reached;
    };
    let mut ended = None;
    while let Some(message) = received.recv().await {
        match message {
            Message::Piece(piece) => {
                copy.send(&piece[..]).await.map_err(failed)?;
                // The encoder may have ended already; then the buffer is not needed any more.
                let _ = give_back.send(piece);
            }
            Message::Reached(written) => tell(written),
            Message::End(written) => ended = Some(written),
        }
    }
    encoder.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let written = ended.expect("an encoder that has not panicked comes to its end");
    let taken = copy.finish().await.map_err(failed)?;
    if taken != written.rows {
        return Err(Error::RowsLost { table: run.table.name(), sent: written.rows, taken });
    }
    let loaded = LoadedRun { chunks: run.chunks.clone(), written };
    ledger::note_run(&mut transaction, run.table, &loaded).await?;
    transaction.commit().await.map_err(failed)
}

/// Encodes the chunks of a run as one stream, unless nobody takes it.
fn encode(
    run: &Run,
    population: &Population,
    messages: &mpsc::Sender<Message>,
    empties: &std::sync::mpsc::Receiver<Vec<u8>>,
) {
    let mut hand_over = |piece| {
        messages.blocking_send(Message::Piece(piece)).ok()?;
        Some(empties.try_recv().unwrap_or_default())
    };
    let mut writer = Writer::new(Vec::new(), PIECE_BYTES, &mut hand_over);
    for chunk in run.chunks.clone() {
        let ControlFlow::Continue(()) = run.table.write_chunk(population, chunk, &mut writer) else { return };
        if messages.blocking_send(Message::Reached(writer.written())).is_err() {
            return;
        }
    }
    if let Some((written, _)) = writer.end() {
        // When the receiver is gone, the load has failed elsewhere.
        let _ = messages.blocking_send(Message::End(written));
    }
}
