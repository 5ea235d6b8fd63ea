//! The rows, one file per table or pair of tables that belong together.
//!
//! Each file holds the draws of its rows (a field number for every random choice; a number is never used for something
//! else later, or the version in the scope's name grows) and writes the columns in the order of [`Table::columns`].

pub mod attributes;
pub mod call;
pub mod call_stats;
pub mod campaign;
pub mod customer;
pub mod enrolment;
pub mod label;
pub mod staff;
mod table;
mod transcript;
pub mod workspace;

pub use table::{Column, Kind, Table};
