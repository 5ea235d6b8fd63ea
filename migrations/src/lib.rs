//! The schema of the reference server as a ladder of levels, each of which can be measured.
//!
//! All DDL of the project is in this crate, under `sql/`. A level is reached step by step, in either direction: each
//! index is built or dropped `CONCURRENTLY` in a step of its own, so that writers of a live system go on, and what a
//! failed concurrent build leaves behind (an invalid index) is found and rebuilt, not skipped. The totals are counted
//! while others write, too.
//!
//! Bookkeeping lives in the schema `callbench`; `public` holds nothing but the tables of the service.
//!
//! Why not `sqlx::migrate!`: it takes its advisory lock with a blocking `SELECT`. A second process that waits there
//! holds a snapshot, `CREATE INDEX CONCURRENTLY` waits for that snapshot, and the two deadlock. Here the second process
//! polls and holds nothing while it waits (see [`lock()`]).

mod books;
mod builds;
pub mod connection;
mod error;
mod extension;
pub mod indexes;
mod ladder;
mod level;
mod lock;
mod migrator;
mod neighbours;
mod patience;
mod script;
mod totals;

pub use books::level;
pub use connection::{ConnectError, connect};
pub use error::Error;
pub use ladder::{index_names, indexes};
pub use level::{Level, UnknownLevel};
pub use lock::lock;
pub use migrator::{Event, OnEvent, migrate, move_in, unwind};
pub use script::{Script, Statement};
