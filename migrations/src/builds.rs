//! Secondary indexes, built and dropped while others read and write.
//!
//! An index that a level defines anew is built beside the old one under another name, takes its place by a change of
//! names in one transaction, and only then the old one goes: there is no moment without one of the two. What a run that
//! broke off has left under the other names is dropped by the next one; from the books it knows which of the two has the
//! name by right.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::books::Direction;
use crate::indexes::{ALL, Index};
use crate::ladder::Step;
use crate::{Error, Event, OnEvent, patience};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    /// Left behind by a concurrent build that failed: it costs every write and serves no read.
    Invalid,
    Valid,
}

async fn state(conn: &mut PgConnection, index: &Index) -> Result<State, Error> {
    let valid: Option<bool> = sqlx::query_scalar(
        "SELECT i.indisvalid AND i.indisready
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relname = $1 AND c.relnamespace = 'public'::regnamespace",
    )
    .bind(index.name)
    .fetch_optional(conn)
    .await?;
    Ok(match valid {
        None => State::Missing,
        Some(false) => State::Invalid,
        Some(true) => State::Valid,
    })
}

/// Whether the index is there and serves reads.
pub(crate) async fn is_usable(conn: &mut PgConnection, index: &Index) -> Result<bool, Error> {
    Ok(state(conn, index).await? == State::Valid)
}

/// Builds the index, unless a crash came between the last build and its entry in the books.
pub(crate) async fn build(conn: &mut PgConnection, index: &Index, step: &str) -> Result<(), Error> {
    match state(conn, index).await? {
        State::Valid => return Ok(()),
        State::Invalid => drop_index(conn, index.name, step).await?,
        State::Missing => {}
    }
    run(conn, index.create.to_owned(), step).await
}

/// Drops the index, if it is there.
pub(crate) async fn drop_index(conn: &mut PgConnection, name: &str, step: &str) -> Result<(), Error> {
    run(conn, format!("DROP INDEX CONCURRENTLY IF EXISTS public.{name}"), step).await
}

/// Puts `index` in the place of the one that has its name, and notes the step. Nothing may be left under the other names.
pub(crate) async fn replace(
    conn: &mut PgConnection,
    index: &Index,
    step: &Step,
    direction: Direction,
    on_event: OnEvent<'_>,
) -> Result<(), Error> {
    let name = index.name;
    let (new, old) = (new_name(name), old_name(name));
    run(conn, index.create_as(&new), step.name).await?;
    let change_names = format!(
        "ALTER INDEX IF EXISTS public.{name} RENAME TO {old};
         ALTER INDEX public.{new} RENAME TO {name}"
    );
    patience::run(conn, &change_names, &[(step, direction)], step.name, on_event).await?;
    drop_index(conn, &old, step.name).await
}

/// Drops what replacements that broke off have left behind.
pub(crate) async fn drop_leftovers(conn: &mut PgConnection, on_event: OnEvent<'_>) -> Result<(), Error> {
    let names: Vec<String> =
        ALL.iter().flat_map(|index| [new_name(index.name), old_name(index.name)]).collect();
    let left: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace AND relname = ANY ($1)
         ORDER BY relname",
    )
    .bind(names)
    .fetch_all(&mut *conn)
    .await?;
    for name in left {
        on_event(Event::Leftover { name: name.clone() });
        drop_index(conn, &name, &name).await?;
    }
    Ok(())
}

fn new_name(name: &str) -> String {
    format!("{name}__new")
}

fn old_name(name: &str) -> String {
    format!("{name}__old")
}

/// Runs a statement that is made of constants of the registry, never of input.
async fn run(conn: &mut PgConnection, statement: String, step: &str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(conn)
        .await
        .map_err(|source| Error::Step { step: step.to_owned(), source })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_way_are_not_cut_off() {
        for index in ALL {
            assert!(new_name(index.name).len() < 64 && old_name(index.name).len() < 64, "{}", index.name);
        }
    }
}
