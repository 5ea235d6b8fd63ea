//! The books: which steps were taken. They lie in the schema `callbench`.

use std::collections::HashSet;

use sqlx::PgConnection;

use crate::ladder::{STEPS, Step};
use crate::{Error, Level};

/// The statements that open the books.
pub(crate) const CREATE_BOOKS: &str = "\
CREATE SCHEMA IF NOT EXISTS callbench;
CREATE TABLE IF NOT EXISTS callbench.migration (
    step       text PRIMARY KEY,
    level      text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// Which way a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// The level that the database has reached; `None` when it is not migrated, or not even to the lowest level.
pub async fn level(conn: &mut PgConnection) -> Result<Option<Level>, Error> {
    if !exist(conn).await? {
        return Ok(None);
    }
    let applied = applied_steps(conn).await?;
    let reached = |level: &Level| {
        STEPS.iter().filter(|step| step.level <= *level).all(|step| applied.contains(step.name))
    };
    Ok(Level::ALL.into_iter().take_while(reached).last())
}

/// Whether there are books.
pub(crate) async fn exist(conn: &mut PgConnection) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("SELECT to_regclass('callbench.migration') IS NOT NULL").fetch_one(conn).await?)
}

/// The names of the steps that were taken, all of which are known.
pub(crate) async fn applied_steps(conn: &mut PgConnection) -> Result<HashSet<String>, Error> {
    let steps: Vec<String> =
        sqlx::query_scalar("SELECT step FROM callbench.migration").fetch_all(conn).await?;
    if let Some(unknown) = steps.iter().find(|name| STEPS.iter().all(|step| step.name != name.as_str())) {
        return Err(Error::UnknownStep(unknown.clone()));
    }
    Ok(steps.into_iter().collect())
}

/// Writes down that a step was taken.
pub(crate) async fn note(
    conn: &mut PgConnection,
    step: &Step,
    direction: Direction,
) -> Result<(), sqlx::Error> {
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
