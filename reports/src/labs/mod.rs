//! What the laboratories leave: measurements of one thing that the database does, each with a result of its own.
//!
//! [`indexes`] is a price list. [`locks`] is what writers do to each other. [`wal`] is what a span of the write-ahead log holds, relation by relation.
//! [`writes`] is what a write costs at each level of the schema.

pub mod indexes;
pub mod locks;
pub mod wal;
pub mod writes;
