//! The result of a run, statistics, budgets, and everything that prints them.
//!
//! This crate knows no database and no network: results go in, files and verdicts come out.

pub mod latency;
pub mod run;
