//! Laboratories: measurements of one thing that the database does, where a load would only show that it does it.
//!
//! [`wal`] reads what a span of the write-ahead log holds. [`writes`] does writes one after the other, and says what each
//! of them costs, index by index.

pub mod wal;
pub mod writes;
