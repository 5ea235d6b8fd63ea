//! Walks the ladder, in either direction.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use sqlx::PgConnection;

use crate::books::{self, CREATE_BOOKS, Direction, applied_steps, note};
use crate::ladder::{Change, STEPS, Step, indexes_after, later_definition, pending};
use crate::lock::{lock, unlock};
use crate::neighbours::{refuse_foreign_tables, refuse_names_taken};
use crate::{Error, Level, builds, patience, totals};

/// How long `migrate` waits for another process. Long, because index builds are long.
const PATIENCE: Duration = Duration::from_mins(10);

/// The oldest server that is supported, as `server_version_num` prints it.
const OLDEST_SERVER: i32 = 150_000;

/// What happens while the schema moves, for progress output.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step begins.
    Started {
        /// Name of the step: an index, an extension, or a script.
        step: String,
        /// `build`, `replace`, `drop`, `apply` or `revert`.
        action: &'static str,
    },
    /// What a migration that broke off has left behind was found, and is dropped.
    Leftover {
        /// Name of the index or table.
        name: String,
    },
    /// An invalid or missing index of a finished step was found and is built again.
    Repairing {
        /// Name of the index.
        index: String,
    },
    /// Others hold what the step needs. It has given up, so that nobody waits behind it, and will try again.
    Waiting {
        /// Name of the step.
        step: String,
        /// Tries until now.
        tries: u32,
    },
    /// Totals of some more customers are in the database.
    Counted {
        /// Customers until now.
        customers: u64,
        /// Customers in the end, about; zero when nobody knows.
        expected: u64,
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

/// Where a walk up leads, and how to get further connections on the way.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    level: Level,
    url: &'a str,
}

/// Brings the schema to `to`, upwards or downwards. `url` leads to the database of `conn`, for the steps that need further
/// connections.
///
/// Nothing is touched if the database holds tables of somebody else. Steps that were done stay done when a later one
/// fails. Concurrent calls, also from other processes, wait for each other. The session's `search_path` is `public`
/// afterwards, and its time-outs are off.
pub async fn migrate(
    conn: &mut PgConnection,
    url: &str,
    to: Level,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    refuse_old_servers(conn).await?;
    lock(conn, PATIENCE).await?;
    let outcome = walk(conn, Some(Target { level: to, url }), on_event).await;
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

/// Lets the migrations put their tables beside what a database already holds, which [`migrate`] refuses otherwise. What
/// has the name of one of our tables is refused all the same.
pub async fn move_in(conn: &mut PgConnection) -> Result<(), Error> {
    lock(conn, PATIENCE).await?;
    let outcome = open_books_beside_others(conn).await;
    let released = unlock(conn).await;
    outcome.and(released)
}

async fn open_books_beside_others(conn: &mut PgConnection) -> Result<(), Error> {
    if books::exist(conn).await? {
        return Ok(());
    }
    refuse_names_taken(conn).await?;
    sqlx::raw_sql(CREATE_BOOKS).execute(&mut *conn).await?;
    Ok(())
}

async fn walk(conn: &mut PgConnection, to: Option<Target<'_>>, on_event: OnEvent<'_>) -> Result<(), Error> {
    // Under the lock: another process may be writing the first entry of the books right now.
    refuse_foreign_tables(conn).await?;
    // A user named `callbench` would otherwise find the schema of the books first, and the tables would end up there.
    // The time-outs of usual users are too short for an index.
    sqlx::raw_sql(
        "SET search_path = public; SET statement_timeout = 0; SET lock_timeout = 0;
         SET idle_in_transaction_session_timeout = 0",
    )
    .execute(&mut *conn)
    .await?;
    sqlx::raw_sql(CREATE_BOOKS).execute(&mut *conn).await?;
    let mut applied = applied_steps(conn).await?;
    if let Some(to) = to {
        refuse_missing_extensions(conn, &applied, to.level).await?;
    }
    totals::drop_unfinished(conn, on_event).await?;
    builds::drop_leftovers(conn, on_event).await?;

    let too_high = |step: &&Step| to.is_none_or(|to| step.level > to.level);
    for step in STEPS.iter().rev().filter(too_high).filter(|step| applied.contains(step.name)) {
        take_back(conn, step, on_event).await?;
    }
    match to {
        None => Ok(()),
        Some(to) => {
            repair(conn, &applied, to.level, on_event).await?;
            climb(conn, &mut applied, to, on_event).await
        }
    }
}

/// Before anything is changed: a level that can't be reached is not begun.
async fn refuse_missing_extensions(
    conn: &mut PgConnection,
    applied: &HashSet<String>,
    level: Level,
) -> Result<(), Error> {
    for step in pending(applied, level) {
        if let Change::Install(extension) = step.change {
            extension.require(conn).await?;
        }
    }
    Ok(())
}

/// Builds again what the steps that were taken have built, except what a step to come does away with.
async fn repair(
    conn: &mut PgConnection,
    applied: &HashSet<String>,
    level: Level,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let is_taken = |step: &&Step| step.level <= level && applied.contains(step.name);
    for index in indexes_after(STEPS.iter().filter(is_taken)) {
        let is_outdated = pending(applied, level).any(|step| match step.change {
            Change::Retire(other) | Change::Replace { old: other, .. } => other.name == index.name,
            _ => false,
        });
        if !is_outdated && !builds::is_usable(conn, &index).await? {
            on_event(Event::Repairing { index: index.name.to_owned() });
            builds::build(conn, &index, index.name).await?;
        }
    }
    Ok(())
}

async fn climb(
    conn: &mut PgConnection,
    applied: &mut HashSet<String>,
    to: Target<'_>,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    // Extensions come first: an index may be built as a higher level defines it.
    let installs = |step: &&&Step| matches!(step.change, Change::Install(_));
    let steps: Vec<&Step> = pending(applied, to.level).collect();
    let rest = steps.iter().filter(|step| !installs(step));
    for step in steps.iter().filter(installs).chain(rest) {
        // Not if it was taken together with an earlier one.
        if !applied.contains(step.name) {
            let as_well = later_definition(step, applied, to.level);
            take(conn, step, as_well, to.url, on_event).await?;
            applied.extend([Some(*step), as_well].into_iter().flatten().map(|step| step.name.to_owned()));
        }
    }
    Ok(())
}

/// Takes a step upwards. An index that the step `as_well` would define anew is built as that one defines it, and both are
/// done.
async fn take(
    conn: &mut PgConnection,
    step: &Step,
    as_well: Option<&Step>,
    url: &str,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let begun = Instant::now();
    let action = match step.change {
        Change::Script { .. } | Change::Fill(_) | Change::Install(_) => "apply",
        Change::Build(_) => "build",
        Change::Retire(_) => "drop",
        Change::Replace { .. } => "replace",
    };
    on_event(Event::Started { step: step.name.to_owned(), action });
    let failed = |source| Error::Step { step: step.name.to_owned(), source };
    let up = Direction::Up;
    match step.change {
        Change::Script { up: script, .. } => {
            patience::run(conn, script, &[(step, up)], step.name, on_event).await?;
        }
        Change::Install(extension) => {
            extension.install(conn).await.map_err(failed)?;
            note(conn, step, up).await.map_err(failed)?;
        }
        Change::Fill(_) => totals::fill(conn, url, step, on_event).await?,
        Change::Build(index) => {
            let index = match as_well.map(|step| step.change) {
                Some(Change::Replace { new, .. }) => new,
                _ => index,
            };
            builds::build(conn, &index, step.name).await?;
            let entries = [Some(step), as_well].into_iter().flatten().map(|step| (step, up));
            patience::run(conn, "", &entries.collect::<Vec<_>>(), step.name, on_event).await?;
        }
        Change::Retire(index) => {
            builds::drop_index(conn, index.name, step.name).await?;
            note(conn, step, up).await.map_err(failed)?;
        }
        Change::Replace { new, .. } => builds::replace(conn, &new, step, up, on_event).await?,
    }
    on_event(Event::Finished { step: step.name.to_owned(), took: begun.elapsed() });
    Ok(())
}

/// Takes a step downwards.
async fn take_back(conn: &mut PgConnection, step: &Step, on_event: OnEvent<'_>) -> Result<(), Error> {
    let begun = Instant::now();
    let action = match step.change {
        Change::Script { .. } | Change::Fill(_) | Change::Install(_) => "revert",
        Change::Build(_) => "drop",
        Change::Retire(_) => "build",
        Change::Replace { .. } => "replace",
    };
    on_event(Event::Started { step: step.name.to_owned(), action });
    let failed = |source| Error::Step { step: step.name.to_owned(), source };
    let down = Direction::Down;
    match step.change {
        Change::Script { down: script, .. } => {
            patience::run(conn, script, &[(step, down)], step.name, on_event).await?;
        }
        Change::Fill(totals) => {
            patience::run(conn, totals.down, &[(step, down)], step.name, on_event).await?;
        }
        Change::Install(extension) => {
            extension.remove(conn).await.map_err(failed)?;
            note(conn, step, down).await.map_err(failed)?;
        }
        Change::Build(index) => {
            builds::drop_index(conn, index.name, step.name).await?;
            note(conn, step, down).await.map_err(failed)?;
        }
        Change::Retire(index) => {
            builds::build(conn, &index, step.name).await?;
            note(conn, step, down).await.map_err(failed)?;
        }
        Change::Replace { old, .. } => builds::replace(conn, &old, step, down, on_event).await?,
    }
    on_event(Event::Finished { step: step.name.to_owned(), took: begun.elapsed() });
    Ok(())
}

async fn refuse_old_servers(conn: &mut PgConnection) -> Result<(), Error> {
    let (number, version): (i32, String) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_version')",
    )
    .fetch_one(conn)
    .await?;
    if number < OLDEST_SERVER { Err(Error::OldServer(version)) } else { Ok(()) }
}
