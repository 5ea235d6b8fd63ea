//! Laboratories: measurements of one thing that the database does, where a load would only show that it does it.
//!
//! [`indexes`] leaves each index out in turn, to see what it buys and what it costs. [`locks`] provokes deadlocks and lost
//! updates, each beside a control that shows that they could be seen. [`wal`] reads what a span of the write-ahead log holds.
//! [`writes`] does writes one after the other, and says what each of them costs, index by index.

pub mod indexes;
pub mod locks;
pub mod wal;
mod workspace;
pub mod writes;

pub use workspace::{NoWorkspace, workspace};
