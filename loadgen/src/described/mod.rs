//! Scenarios that a file describes, so that any API can be measured without writing Rust.
//!
//! A TOML file says which data requests are made of, what is requested, and what a right reply looks like; see
//! `docs/scenarios.md`. It is read whole before anything is sent, and a mistake is reported with its line. What it
//! describes is an [`Operation`](crate::operations::Operation) like those that are written in Rust: drawn from the number
//! of its arrival, checked after the timer has stopped, mixed with the others.

mod asker;
mod condition;
mod data;
mod data_section;
mod expect_section;
mod expectation;
mod file;
mod gather;
mod operation;
mod placeholders;
mod plain;
mod pointer;
mod scenario_section;
mod shape;
mod template;

pub use file::{parse, read};
