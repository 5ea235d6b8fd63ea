//! Walks the ladder, in either direction, and keeps the books.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::indexes::Index;
use crate::ladder::{Change, STEPS, Step, TABLES};
use crate::lock::{lock, unlock};
use crate::{Error, Level};

/// How long `migrate` waits for another process. Long, because index builds are long.
const PATIENCE: Duration = Duration::from_mins(10);

/// The oldest server that is supported, as `server_version_num` prints it.
const OLDEST_SERVER: i32 = 150_000;

/// The books: which steps were taken.
pub(crate) const CREATE_BOOKS: &str = "\
CREATE SCHEMA IF NOT EXISTS callbench;
CREATE TABLE IF NOT EXISTS callbench.migration (
    step       text PRIMARY KEY,
    level      text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// What happens while the schema moves, for progress output.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step begins.
    Started {
        /// Name of the step: an index, or a script.
        step: String,
        /// `build`, `drop`, `apply` or `revert`.
        action: &'static str,
    },
    /// An invalid or missing index of a finished step was found and is built again.
    Repairing {
        /// Name of the index.
        index: String,
    },
    /// The step is done.
    Finished {
        /// Name of the step.
        step: String,
        /// How long it took.
        took: Duration,
    },
}

/// Called with each [`Event`].
pub type OnEvent<'a> = &'a mut (dyn FnMut(Event) + Send);

/// Brings the schema to `to`, upwards or downwards.
///
/// Nothing is touched if the database holds tables of somebody else. Steps that were done stay done when a later one
/// fails. Concurrent calls, also from other processes, wait for each other. The session's `search_path` is `public`
/// afterwards.
pub async fn migrate(conn: &mut PgConnection, to: Level, on_event: OnEvent<'_>) -> Result<(), Error> {
    refuse_old_servers(conn).await?;
    lock(conn, PATIENCE).await?;
    let outcome = walk(conn, Some(to), on_event).await;
    let released = unlock(conn).await;
    outcome.and(released)
}

/// Takes every step back, and with the last one the bookkeeping: the database is as empty as before the first
/// [`migrate`].
pub async fn unwind(conn: &mut PgConnection, on_event: OnEvent<'_>) -> Result<(), Error> {
    lock(conn, PATIENCE).await?;
    let mut outcome = walk(conn, None, on_event).await;
    if outcome.is_ok() {
        let dropped = sqlx::raw_sql("DROP SCHEMA IF EXISTS callbench CASCADE").execute(&mut *conn).await;
        outcome = dropped.map(drop).map_err(Error::from);
    }
    let released = unlock(conn).await;
    outcome.and(released)
}

/// The level that the database has reached; `None` when it is not migrated, or not even to the lowest level.
pub async fn level(conn: &mut PgConnection) -> Result<Option<Level>, Error> {
    if !has_books(conn).await? {
        return Ok(None);
    }
    let applied = applied_steps(conn).await?;
    let reached = |level: &Level| {
        STEPS.iter().filter(|step| step.level <= *level).all(|step| applied.contains(step.name))
    };
    Ok(Level::ALL.into_iter().take_while(reached).last())
}

/// Lets the migrations put their tables beside what a database already holds, which [`migrate`] refuses otherwise. What
/// has the name of one of our tables is refused all the same.
pub async fn move_in(conn: &mut PgConnection) -> Result<(), Error> {
    lock(conn, PATIENCE).await?;
    let outcome = open_books_beside_others(conn).await;
    let released = unlock(conn).await;
    outcome.and(released)
}

async fn open_books_beside_others(conn: &mut PgConnection) -> Result<(), Error> {
    if has_books(conn).await? {
        return Ok(());
    }
    refuse_names_taken(conn).await?;
    sqlx::raw_sql(CREATE_BOOKS).execute(&mut *conn).await?;
    Ok(())
}

async fn walk(conn: &mut PgConnection, to: Option<Level>, on_event: OnEvent<'_>) -> Result<(), Error> {
    // Under the lock: another process may be writing the first entry of the books right now.
    refuse_foreign_tables(conn).await?;
    // A user named `callbench` would otherwise find the schema of the books first, and the tables would end up there.
    sqlx::raw_sql("SET search_path = public").execute(&mut *conn).await?;
    sqlx::raw_sql(CREATE_BOOKS).execute(&mut *conn).await?;
    let applied = applied_steps(conn).await?;

    let too_high = |step: &&Step| to.is_none_or(|to| step.level > to);
    for step in STEPS.iter().rev().filter(too_high).filter(|step| applied.contains(step.name)) {
        take(conn, step, Direction::Down, on_event).await?;
    }
    let retired: HashSet<&str> = STEPS
        .iter()
        .filter(|step| to.is_some_and(|to| step.level <= to))
        .filter_map(|step| match step.change {
            Change::Retire(index) => Some(index.name),
            _ => None,
        })
        .collect();
    for step in STEPS.iter().filter(|step| to.is_some_and(|to| step.level <= to)) {
        if !applied.contains(step.name) {
            take(conn, step, Direction::Up, on_event).await?;
        } else if let Change::Build(index) = step.change
            && !retired.contains(index.name)
            && state(conn, &index).await? != IndexState::Valid
        {
            on_event(Event::Repairing { index: index.name.to_owned() });
            build(conn, &index, step.name).await?;
        }
    }
    Ok(())
}

/// Which way a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// What taking a step amounts to.
enum Work {
    Run(&'static str),
    Build(Index),
    Drop(Index),
}

async fn take(
    conn: &mut PgConnection,
    step: &Step,
    direction: Direction,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let (action, work) = match (step.change, direction) {
        (Change::Script { up, .. }, Direction::Up) => ("apply", Work::Run(up)),
        (Change::Script { down, .. }, Direction::Down) => ("revert", Work::Run(down)),
        (Change::Build(index), Direction::Up) | (Change::Retire(index), Direction::Down) => {
            ("build", Work::Build(index))
        }
        (Change::Retire(index), Direction::Up) | (Change::Build(index), Direction::Down) => {
            ("drop", Work::Drop(index))
        }
    };
    let begun = Instant::now();
    on_event(Event::Started { step: step.name.to_owned(), action });
    match work {
        Work::Run(script) => {
            let failed = |source| Error::Step { step: step.name.to_owned(), source };
            let mut transaction = conn.begin().await?;
            sqlx::raw_sql(script).execute(&mut *transaction).await.map_err(failed)?;
            note(&mut transaction, step, direction).await?;
            transaction.commit().await.map_err(failed)?;
        }
        Work::Build(index) => {
            build(conn, &index, step.name).await?;
            note(conn, step, direction).await?;
        }
        Work::Drop(index) => {
            drop_index(conn, &index, step.name).await?;
            note(conn, step, direction).await?;
        }
    }
    on_event(Event::Finished { step: step.name.to_owned(), took: begun.elapsed() });
    Ok(())
}

/// Writes into the books that a step was taken.
async fn note(conn: &mut PgConnection, step: &Step, direction: Direction) -> Result<(), Error> {
    match direction {
        Direction::Up => sqlx::query("INSERT INTO callbench.migration (step, level) VALUES ($1, $2)")
            .bind(step.name)
            .bind(step.level.name()),
        Direction::Down => sqlx::query("DELETE FROM callbench.migration WHERE step = $1").bind(step.name),
    }
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexState {
    Missing,
    /// Left behind by a concurrent build that failed: it costs every write and serves no read.
    Invalid,
    Valid,
}

async fn state(conn: &mut PgConnection, index: &Index) -> Result<IndexState, Error> {
    let valid: Option<bool> = sqlx::query_scalar(
        "SELECT i.indisvalid AND i.indisready
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace",
    )
    .bind(index.name)
    .fetch_optional(conn)
    .await?;
    Ok(match valid {
        None => IndexState::Missing,
        Some(false) => IndexState::Invalid,
        Some(true) => IndexState::Valid,
    })
}

/// Builds the index, unless a crash came between the last build and its entry in the books.
async fn build(conn: &mut PgConnection, index: &Index, step: &str) -> Result<(), Error> {
    let failed = |source| Error::Step { step: step.to_owned(), source };
    match state(conn, index).await? {
        IndexState::Valid => return Ok(()),
        IndexState::Invalid => drop_index(conn, index, step).await?,
        IndexState::Missing => {}
    }
    sqlx::raw_sql(index.create).execute(conn).await.map_err(failed)?;
    Ok(())
}

async fn drop_index(conn: &mut PgConnection, index: &Index, step: &str) -> Result<(), Error> {
    // The name is a constant of the registry, never input.
    let statement = format!("DROP INDEX CONCURRENTLY IF EXISTS public.{}", index.name);
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(conn)
        .await
        .map_err(|source| Error::Step { step: step.to_owned(), source })?;
    Ok(())
}

async fn has_books(conn: &mut PgConnection) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("SELECT to_regclass('callbench.migration') IS NOT NULL").fetch_one(conn).await?)
}

async fn applied_steps(conn: &mut PgConnection) -> Result<HashSet<String>, Error> {
    let steps: Vec<String> =
        sqlx::query_scalar("SELECT step FROM callbench.migration").fetch_all(conn).await?;
    if let Some(unknown) = steps.iter().find(|name| STEPS.iter().all(|step| step.name != name.as_str())) {
        return Err(Error::UnknownStep(unknown.clone()));
    }
    Ok(steps.into_iter().collect())
}

async fn refuse_old_servers(conn: &mut PgConnection) -> Result<(), Error> {
    let (number, version): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(conn)
    .await?;
    if number < OLDEST_SERVER { Err(Error::OldServer(version)) } else { Ok(()) }
}

/// Refuses a database in which a relation has the name of one of our tables.
async fn refuse_names_taken(conn: &mut PgConnection) -> Result<(), Error> {
    let (database, taken): (String, Vec<String>) = sqlx::query_as(
        "SELECT current_database()::text,
                coalesce((SELECT array_agg('public.' || relname ORDER BY relname) FROM pg_class
                          WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)), '{}')",
    )
    .bind(TABLES)
    .fetch_one(conn)
    .await?;
    if taken.is_empty() { Ok(()) } else { Err(Error::NamesTaken { database, tables: taken.join(", ") }) }
}

/// Refuses a database that was never migrated and yet holds tables. Tables and views of extensions don't count.
async fn refuse_foreign_tables(conn: &mut PgConnection) -> Result<(), Error> {
    if has_books(conn).await? {
        return Ok(());
    }
    let (database, tables): (String, Vec<String>) = sqlx::query_as(
        "SELECT current_database()::text,
                coalesce(array_agg(n.nspname || '.' || c.relname ORDER BY n.nspname, c.relname)
                         FILTER (WHERE c.oid IS NOT NULL), '{}')
         FROM (SELECT 1) AS one
         LEFT JOIN pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              ON c.relkind IN ('r', 'p', 'v', 'm', 'f')
             AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
             AND n.nspname NOT LIKE 'pg\\_temp\\_%'
             AND NOT EXISTS (SELECT FROM pg_depend d
                             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
    )
    .fetch_one(conn)
    .await?;
    if tables.is_empty() {
        return Ok(());
    }
    let mut named = tables.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if tables.len() > 5 {
        named.push_str(", …");
    }
    Err(Error::ForeignTables { database, tables: named })
}
