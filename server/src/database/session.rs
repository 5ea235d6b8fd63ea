//! The only way to the database: a connection out of a pool, or a transaction on one, that counts every statement.
//!
//! The connection itself is private to this module, so no statement can escape the count.

use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready as some};

use deadpool::managed::Object;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, Stream};
use sqlx::postgres::{PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Connection as _, Describe, Either, Error, Execute, Executor, SqlStr};

use crate::database::pool::Connector;
use crate::database::tally;

/// A connection for as long as a request needs it; dropped, it goes back to its pool, where the next request finds it at
/// once. A request that is given up leaves a statement or a transaction behind; then a task of its own puts that right
/// before anybody else gets the connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// There until the session is dropped.
    lease: Option<Object<Connector>>,
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
    pub(super) fn on(lease: Object<Connector>) -> Self {
        Self { lease: Some(lease), state: State::Ready, in_transaction: false }
    }

    /// The connection, and where to say what it is doing.
    fn parts(&mut self) -> (&mut PgConnection, &mut State) {
        let lease = self.lease.as_mut().expect("a session has its connection until it is dropped");
        (lease, &mut self.state)
    }

    /// Sends a word about transactions, which has no values and no rows.
    async fn say(&mut self, word: &'static str) -> Result<(), Error> {
        tally::note_statement();
        let (connection, state) = self.parts();
        *state = State::Busy;
        let outcome = connection.execute(sqlx::raw_sql(word)).await;
        *state = State::after(outcome.as_ref().err());
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

/// The rows of a statement, and the end of it noted.
struct Rows<'e> {
    rows: BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>,
    state: &'e mut State,
}

impl Stream for Rows<'_> {
    type Item = Result<Either<PgQueryResult, PgRow>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = some!(self.rows.as_mut().poll_next(context));
        match &item {
            None => *self.state = State::Ready,
            Some(Err(error)) => *self.state = State::after(Some(error)),
            Some(Ok(_)) => {}
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
        tally::note_statement();
        let (connection, state) = self.parts();
        *state = State::Busy;
        Box::pin(Rows { rows: connection.fetch_many(query), state })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        's: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        tally::note_statement();
        let (connection, state) = self.parts();
        *state = State::Busy;
        let row = connection.fetch_optional(query);
        Box::pin(async move {
            let outcome = row.await;
            *state = State::after(outcome.as_ref().err());
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
