//! The only way to the database: a connection out of a pool, or a transaction on one, that counts every statement, and
//! hands it to the recorder of a request that is profiled.
//!
//! The connection itself is private to this module, so no statement can escape.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as some};

use deadpool::managed::Object;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Connection as _, Describe, Either, Error, Execute, Executor, SqlStr};

use crate::database::found::{Found, Reads};
use crate::database::pool::Connector;
use crate::database::tally;
use crate::profile::Recorder;

/// A connection for as long as a request needs it; dropped, it goes back to its pool, where the next request finds it at
/// once. A request that is given up leaves a statement or a transaction behind; then a task of its own puts that right
/// before anybody else gets the connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// There until the session is dropped.
    lease: Option<Object<Connector>>,
    /// The name of its pool.
    pool: &'static str,
    state: State,
    in_transaction: bool,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing, or what is left of an answer that nobody waits for.
    Ready,
    /// A statement runs.
    Busy,
    /// It can't be used any more.
    Broken,
}

impl State {
    fn after(error: Option<&Error>) -> Self {
        match error {
            Some(Error::Io(_) | Error::Protocol(_) | Error::Tls(_) | Error::WorkerCrashed) => Self::Broken,
            // The server is going down, and ends the connection with these words.
            Some(Error::Database(said)) if said.code().is_some_and(|code| code.starts_with("57P")) => {
                Self::Broken
            }
            _ => Self::Ready,
        }
    }
}

impl Session {
    /// A session on this connection.
    pub(super) fn on(lease: Object<Connector>, pool: &'static str) -> Self {
        Self { lease: Some(lease), pool, state: State::Ready, in_transaction: false }
    }

    /// The connection, and where to say what it is doing.
    fn parts(&mut self) -> (&mut PgConnection, &mut State) {
        let lease = self.lease.as_mut().expect("a session has its connection until it is dropped");
        (lease, &mut self.state)
    }

    /// Reads all rows of a statement. What is read of them is noted for a request that is profiled.
    pub(crate) async fn find<'q, E>(&mut self, query: E) -> Result<Vec<Found>, Error>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let rows = Executor::fetch_all(&mut *self, query).await?;
        let reads = tally::recorder().map(|recorder| {
            let reads = Reads::of(&rows);
            recorder.brought(reads.clone());
            reads
        });
        Ok(rows.into_iter().map(|row| Found::new(row, reads.clone())).collect())
    }

    /// Sends a word about transactions, which has no values and no rows.
    async fn say(&mut self, word: &'static str) -> Result<(), Error> {
        let recorder = tally::note_statement();
        let note = recorder.map(|recorder| Note::begin(recorder, word, None, self.pool));
        let (connection, state) = self.parts();
        *state = State::Busy;
        let outcome = connection.execute(sqlx::raw_sql(word)).await;
        *state = State::after(outcome.as_ref().err());
        drop(note);
        outcome.map(drop)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        match (self.state, tokio::runtime::Handle::try_current()) {
            (State::Ready, _) if !self.in_transaction => drop(lease),
            (State::Ready | State::Busy, Ok(runtime)) => {
                runtime.spawn(put_right(lease, self.in_transaction));
            }
            // The server notices that the connection is gone, and rolls back.
            (State::Ready | State::Busy | State::Broken, _) => drop(Object::take(lease)),
        }
    }
}

/// Ends what was left running on a connection, and gives it back. A statement that runs is waited for: the database's
/// own timeout ends it.
async fn put_right(mut lease: Object<Connector>, in_transaction: bool) {
    let outcome = if in_transaction {
        lease.execute(sqlx::raw_sql("ROLLBACK")).await.map(drop)
    } else {
        lease.ping().await
    };
    if let Err(error) = outcome {
        tracing::warn!(%error, "a connection broke after its request was given up");
        drop(Object::take(lease));
    }
}

/// A session within a transaction. It is rolled back when it is dropped without a commit.
#[derive(Debug)]
pub(crate) struct Transaction(Session);

impl Transaction {
    /// Begins.
    pub(super) async fn begin(mut session: Session) -> Result<Self, Error> {
        session.in_transaction = true;
        session.say("BEGIN").await?;
        Ok(Self(session))
    }

    /// Makes everything that was done in it durable. Only after this may a client hear of it.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.0.say("COMMIT").await?;
        self.0.in_transaction = false;
        Ok(())
    }

    /// Undoes everything, and gives the connection for what comes after.
    pub(crate) async fn roll_back(mut self) -> Result<Session, Error> {
        self.0.say("ROLLBACK").await?;
        self.0.in_transaction = false;
        Ok(self.0)
    }
}

impl Deref for Transaction {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}

/// A statement that is noted: from when this is made until it is dropped.
#[derive(Debug)]
struct Note {
    recorder: Arc<Recorder>,
    number: usize,
    rows: u64,
}

impl Note {
    fn begin(
        recorder: Arc<Recorder>,
        sql: &str,
        arguments: Option<&PgArguments>,
        pool: &'static str,
    ) -> Self {
        let number = recorder.begin_statement(sql, arguments, pool);
        Self { recorder, number, rows: 0 }
    }

    /// Takes a statement apart, to see its values, and gives what is sent in its place.
    fn of<'q, E: Execute<'q, Postgres>>(
        recorder: Arc<Recorder>,
        mut query: E,
        pool: &'static str,
    ) -> (Self, TakenApart) {
        let (arguments, is_kept) = (query.take_arguments(), query.persistent());
        let sql = query.sql();
        let seen = arguments.as_ref().ok().and_then(Option::as_ref);
        let note = Self::begin(recorder, sql.as_str(), seen, pool);
        (note, TakenApart { sql, arguments, is_kept })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.recorder.end_statement(self.number, self.rows);
    }
}

/// A statement with its values at hand. It is sent as it would have been.
struct TakenApart {
    sql: SqlStr,
    arguments: Result<Option<PgArguments>, BoxDynError>,
    is_kept: bool,
}

impl Execute<'_, Postgres> for TakenApart {
    fn sql(self) -> SqlStr {
        self.sql
    }

    /// Nobody here prepares a statement by hand.
    fn statement(&self) -> Option<&PgStatement> {
        None
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        std::mem::replace(&mut self.arguments, Ok(None))
    }

    fn persistent(&self) -> bool {
        self.is_kept
    }
}

/// The rows of a statement, and the end of it noted.
struct Rows<'e> {
    stream: BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>,
    state: &'e mut State,
    note: Option<Note>,
}

impl Stream for Rows<'_> {
    type Item = Result<Either<PgQueryResult, PgRow>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = some!(self.stream.as_mut().poll_next(context));
        match &item {
            None => {
                *self.state = State::Ready;
                self.note = None;
            }
            Some(Err(error)) => {
                *self.state = State::after(Some(error));
                self.note = None;
            }
            Some(Ok(Either::Right(_))) => {
                if let Some(note) = &mut self.note {
                    note.rows += 1;
                }
            }
            Some(Ok(Either::Left(_))) => {}
        }
        Poll::Ready(item)
    }
}

impl<'s> Executor<'s> for &'s mut Session {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        's: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (recorder, pool) = (tally::note_statement(), self.pool);
        let (connection, state) = self.parts();
        *state = State::Busy;
        Box::pin(match recorder {
            None => Rows { stream: connection.fetch_many(query), state, note: None },
            Some(recorder) => {
                let (note, query) = Note::of(recorder, query, pool);
                Rows { stream: connection.fetch_many(query), state, note: Some(note) }
            }
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        's: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (recorder, pool) = (tally::note_statement(), self.pool);
        let (connection, state) = self.parts();
        *state = State::Busy;
        let (row, mut note) = match recorder {
            None => (connection.fetch_optional(query), None),
            Some(recorder) => {
                let (note, query) = Note::of(recorder, query, pool);
                (connection.fetch_optional(query), Some(note))
            }
        };
        Box::pin(async move {
            let outcome = row.await;
            *state = State::after(outcome.as_ref().err());
            if let Some(note) = &mut note {
                note.rows = u64::from(matches!(outcome, Ok(Some(_))));
            }
            outcome
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        's: 'e,
    {
        self.parts().0.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        's: 'e,
    {
        self.parts().0.describe(sql)
    }
}
