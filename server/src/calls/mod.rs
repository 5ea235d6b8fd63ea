//! Calls: they are only ever added, and read as totals of their customers.

pub(crate) mod create;
mod draft;
mod row;
mod store;

pub(crate) use create::{BULK_PATH, PATH, answer, answer_bulk};
