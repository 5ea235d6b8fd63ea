//! The ladder against a real PostgreSQL.

mod backfill;
mod levels;
mod replacing;
mod support;
mod triggers;
