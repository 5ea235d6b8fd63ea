//! The totals of level `optimized`, brought into being while others write.
//!
//! 1. One short transaction makes the table and its triggers. Its lock on `call` waits for those who are writing; while it
//!    is held, nobody writes, and every call that its snapshot sees was written without triggers.
//! 2. Before it commits, a second connection takes over that snapshot. So it sees exactly the calls that no trigger has
//!    counted, and from the commit on every other change is counted by a trigger.
//! 3. The second connection counts what it sees, a third one adds that to what the triggers have counted since, batch by
//!    batch. As both only add, the order doesn't matter; a row may well be less than nothing for a while, when calls that
//!    the snapshot sees were deleted before their batch came.
//!
//! The snapshot can't be had again. So a table that is not finished bears a mark, from its first moment to the entry in the
//! books, and the next run drops it and begins anew.

use std::ops::Range;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::types::Uuid;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::books::{Direction, note};
use crate::connection::connect;
use crate::ladder::Step;
use crate::patience::{self, Patience};
use crate::{Error, Event, OnEvent, lock};

/// The statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Makes table, functions and triggers, under a lock.
    pub(crate) up: &'static str,
    /// Takes them back.
    pub(crate) down: &'static str,
    /// Fills the table in one statement, where nobody else writes.
    pub(crate) fill: &'static str,
}

pub(crate) const TOTALS: Totals = Totals {
    up: include_str!("../sql/totals/up.sql"),
    down: include_str!("../sql/totals/down.sql"),
    fill: include_str!("../sql/totals/fill.sql"),
};

/// The table that is filled.
pub(crate) const TABLE: &str = "customer_call_stats";

/// What a table that is not finished bears as its comment.
const MARK: &str = "callbench: not finished, still to be filled by a migration";

/// Customers that are written in one transaction. Whoever writes calls of one of them waits for it.
const BATCH_CUSTOMERS: usize = 2_000;

/// How long to wait for a row that somebody else holds: hardly while we hold others, see [`open_writer`].
const AMONG_OTHERS: &str = "SET lock_timeout = '100ms'";
/// And when it is the only one.
const ALONE: &str = "SET lock_timeout = '5s'";

/// How long the sessions of a run that was killed may take to end.
const ORPHANS_PATIENCE: Duration = Duration::from_mins(1);

const APPLICATION: &str = "callbench migrate";

/// Makes the table and fills it, over further connections to `url`, which leads to the database of `conn`.
pub(crate) async fn fill(
    conn: &mut PgConnection,
    url: &str,
    step: &Step,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let failed = |source| Error::Step { step: step.name.to_owned(), source };
    let mut writer = open_writer(url, step).await?;
    let mut reader = connect(url, APPLICATION).await?;
    // A snapshot is held while batches are written, and no session that waits for us may be ended for it.
    sqlx::raw_sql(
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0",
    )
    .execute(&mut reader)
    .await
    .map_err(failed)?;

    let mut patience = Patience::default();
    while let Err(failure) = make(conn, &mut reader).await {
        sqlx::raw_sql("ROLLBACK").execute(&mut reader).await.map_err(failed)?;
        patience.endure(failure, step.name, on_event).await?;
    }
    add_what_was_there(&mut reader, &mut writer, step, on_event).await?;
    // Only now: as long as the reader holds its lock, nobody can truncate calls that are still to be added.
    sqlx::raw_sql("COMMIT").execute(&mut reader).await.map_err(failed)?;
    for conn in [reader, writer] {
        conn.close().await.map_err(failed)?;
    }

    sqlx::raw_sql("VACUUM (ANALYZE) public.customer_call_stats").execute(&mut *conn).await.map_err(failed)?;
    let mut transaction = conn.begin().await.map_err(failed)?;
    sqlx::raw_sql("COMMENT ON TABLE public.customer_call_stats IS NULL")
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
    note(&mut transaction, step, Direction::Up).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)
}

/// Drops a table that a run which broke off has left half-filled.
pub(crate) async fn drop_unfinished(conn: &mut PgConnection, on_event: OnEvent<'_>) -> Result<(), Error> {
    let is_unfinished: bool = sqlx::query_scalar(
        "SELECT obj_description(to_regclass('public.customer_call_stats')::oid, 'pg_class') IS NOT DISTINCT FROM $1",
    )
    .bind(MARK)
    .fetch_one(&mut *conn)
    .await?;
    if is_unfinished {
        on_event(Event::Leftover { name: TABLE.to_owned() });
        patience::run(conn, TOTALS.down, &[], TABLE, on_event).await?;
    }
    Ok(())
}

/// Makes the table and its triggers, and lets `reader` see what was there before them.
async fn make(conn: &mut PgConnection, reader: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = conn.begin().await?;
    patience::be_brief(&mut transaction).await?;
    sqlx::raw_sql(TOTALS.up).execute(&mut *transaction).await?;
    let mark = format!("COMMENT ON TABLE public.{TABLE} IS '{MARK}'");
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *transaction).await?;
    let snapshot: String =
        sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut *transaction).await?;
    // The lock keeps TRUNCATE and its like away until all is added. It is waited for only if one of these is queueing
    // behind our own lock, and then neither would come to an end.
    let take_over = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
         SET TRANSACTION SNAPSHOT '{snapshot}';
         SET LOCAL lock_timeout = '500ms';
         LOCK TABLE call IN ACCESS SHARE MODE;
         SET LOCAL lock_timeout = 0"
    );
    sqlx::raw_sql(AssertSqlSafe(take_over)).execute(reader).await?;
    transaction.commit().await
}

/// The connection that writes batches.
///
/// It gives up a row that somebody else holds long before the server looks for deadlocks, so that in a circle of waiting
/// sessions it is never the other one that fails; then it tries half as many rows at a time, down to one, which can be
/// waited for because nothing else is held meanwhile. Its commits need not wait for the disk: the entry in the books
/// comes after them in the log, and does.
///
/// No two runs write at once, not even when the first was killed and the server is still busy with its last batch.
async fn open_writer(url: &str, step: &Step) -> Result<PgConnection, Error> {
    let failed = |source| Error::Step { step: step.name.to_owned(), source };
    let mut writer = connect(url, APPLICATION).await?;
    lock::lock_as(&mut writer, lock::FILLER, ORPHANS_PATIENCE).await?;
    sqlx::raw_sql(
        "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = off",
    )
    .execute(&mut writer)
    .await
    .map_err(failed)?;
    sqlx::raw_sql(AMONG_OTHERS).execute(&mut writer).await.map_err(failed)?;
    Ok(writer)
}

async fn add_what_was_there(
    reader: &mut PgConnection,
    writer: &mut PgConnection,
    step: &Step,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let failed = |source| Error::Step { step: step.name.to_owned(), source };
    // Nearly every customer has calls. A table that was never analysed has -1 rows.
    let expected: i64 = sqlx::query_scalar(
        "SELECT greatest(least(sum(reltuples) FILTER (WHERE relname = 'customer'),
                               sum(reltuples) FILTER (WHERE relname = 'call')), 0)::bigint
         FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname IN ('customer', 'call')",
    )
    .fetch_one(&mut *writer)
    .await
    .map_err(failed)?;
    let mut done = 0;
    let mut told = |customers: usize, on_event: OnEvent<'_>| {
        done += customers as u64;
        on_event(Event::Counted { customers: done, expected: expected.unsigned_abs() });
    };
    let mut batch = Batch::default();
    let mut counted = sqlx::query_as(include_str!("../sql/totals/read.sql")).fetch(reader);
    while let Some(customer) = counted.try_next().await.map_err(failed)? {
        batch.push(customer);
        if batch.len() == BATCH_CUSTOMERS {
            batch.add(writer, step, on_event).await?;
            told(batch.len(), on_event);
            batch.clear();
        }
    }
    if batch.len() > 0 {
        batch.add(writer, step, on_event).await?;
        told(batch.len(), on_event);
    }
    Ok(())
}

/// The totals of one customer, as the snapshot has them.
#[derive(Debug, sqlx::FromRow)]
struct Counted {
    workspace_id: Uuid,
    customer_id: Uuid,
    total_calls: i64,
    total_duration_seconds: i64,
    successful_calls: i64,
    missed_calls: i64,
    campaign_calls: i64,
    cost_campaign: String,
    cost_direct: String,
    cost_callback: String,
}

/// Totals that are written together, column by column.
#[derive(Debug, Default)]
struct Batch {
    workspaces: Vec<Uuid>,
    customers: Vec<Uuid>,
    /// `total_calls`, `total_duration_seconds`, `successful_calls`, `missed_calls`, `campaign_calls`.
    counts: [Vec<i64>; 5],
    /// `cost_campaign`, `cost_direct`, `cost_callback`.
    costs: [Vec<String>; 3],
}

impl Batch {
    fn len(&self) -> usize {
        self.customers.len()
    }

    fn push(&mut self, counted: Counted) {
        self.workspaces.push(counted.workspace_id);
        self.customers.push(counted.customer_id);
        let counts = [
            counted.total_calls,
            counted.total_duration_seconds,
            counted.successful_calls,
            counted.missed_calls,
            counted.campaign_calls,
        ];
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.push(count));
        let costs = [counted.cost_campaign, counted.cost_direct, counted.cost_callback];
        self.costs.iter_mut().zip(costs).for_each(|(column, cost)| column.push(cost));
    }

    fn clear(&mut self) {
        self.workspaces.clear();
        self.customers.clear();
        self.counts.iter_mut().for_each(Vec::clear);
        self.costs.iter_mut().for_each(Vec::clear);
    }

    /// Writes the batch, in as many transactions as it takes.
    async fn add(&self, writer: &mut PgConnection, step: &Step, on_event: OnEvent<'_>) -> Result<(), Error> {
        let mut parts: Vec<_> = std::iter::once(0..self.len()).collect();
        while let Some(part) = parts.pop() {
            match self.add_some(part.clone(), writer).await {
                Ok(()) => {}
                Err(failure) if part.len() == 1 && patience::is_conflict(&failure) => {
                    self.add_one(part.start, writer, step, on_event).await?;
                }
                Err(failure) if patience::is_conflict(&failure) => {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Err(source) => return Err(Error::Step { step: step.name.to_owned(), source }),
            }
        }
        Ok(())
    }

    /// Waits for a row that somebody holds.
    async fn add_one(
        &self,
        at: usize,
        writer: &mut PgConnection,
        step: &Step,
        on_event: OnEvent<'_>,
    ) -> Result<(), Error> {
        let failed = |source| Error::Step { step: step.name.to_owned(), source };
        sqlx::raw_sql(ALONE).execute(&mut *writer).await.map_err(failed)?;
        let mut patience = Patience::default();
        while let Err(failure) = self.add_some(at..at + 1, writer).await {
            patience.endure(failure, step.name, on_event).await?;
        }
        sqlx::raw_sql(AMONG_OTHERS).execute(&mut *writer).await.map_err(failed)?;
        Ok(())
    }

    /// Writes a part of the batch in one transaction.
    async fn add_some(&self, part: Range<usize>, writer: &mut PgConnection) -> Result<(), sqlx::Error> {
        let mut query = sqlx::query(include_str!("../sql/totals/add.sql"))
            .bind(&self.workspaces[part.clone()])
            .bind(&self.customers[part.clone()]);
        for column in &self.counts {
            query = query.bind(&column[part.clone()]);
        }
        for column in &self.costs {
            query = query.bind(&column[part.clone()]);
        }
        query.execute(writer).await?;
        Ok(())
    }
}
