//! The only way to the database: a connection out of a pool, or a transaction on one, that counts every statement.
//!
//! The connection itself is private to this module, so no statement can escape the count.

use std::ops::{Deref, DerefMut};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Describe, Either, Error, Execute, Executor, SqlStr};

use crate::database::tally;

/// A connection for as long as a request needs it; dropped, it goes back to its pool.
#[derive(Debug)]
pub(crate) struct Session(Connection);

#[derive(Debug)]
enum Connection {
    Plain(PoolConnection<Postgres>),
    Within(sqlx::Transaction<'static, Postgres>),
}

impl Session {
    /// Waits for a connection of this pool, as long as the pool allows.
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, Error> {
        Ok(Self(Connection::Plain(pool.acquire().await?)))
    }

    fn connection(&mut self) -> &mut PgConnection {
        match &mut self.0 {
            Connection::Plain(connection) => connection,
            Connection::Within(transaction) => transaction,
        }
    }
}

/// A session within a transaction. It is rolled back when it is dropped without a commit.
#[derive(Debug)]
pub(crate) struct Transaction(Session);

impl Transaction {
    /// Waits for a connection of this pool, and begins.
    pub(crate) async fn of(pool: &PgPool) -> Result<Self, Error> {
        tally::note_statement();
        Ok(Self(Session(Connection::Within(pool.begin().await?))))
    }

    /// A transaction that was begun elsewhere, for tests that have a connection of their own.
    #[cfg(test)]
    pub(crate) fn within(transaction: sqlx::Transaction<'static, Postgres>) -> Self {
        Self(Session(Connection::Within(transaction)))
    }

    /// Makes everything that was done in it durable. Only after this may a client hear of it.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        tally::note_statement();
        match self.0.0 {
            Connection::Within(transaction) => transaction.commit().await,
            Connection::Plain(_) => Ok(()),
        }
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

impl<'s> Executor<'s> for &'s mut Session {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        's: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        tally::note_statement();
        self.connection().fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        's: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        tally::note_statement();
        self.connection().fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        's: 'e,
    {
        self.connection().prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        's: 'e,
    {
        self.connection().describe(sql)
    }
}
