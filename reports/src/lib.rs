//! The result of a run, statistics, budgets, and everything that prints them.
//!
//! This crate knows no database and no network: results go in, files and verdicts come out. A [`run::Run`] is the
//! whole result as plain data; [`budgets`] judges it, and [`terminal`], [`html`] and [`store`] print it. All of them
//! look at it through [`summary`] (one subject under one operation), [`comparison`] (two of those) and [`meanwhile`]
//! (database and machine beside the windows of a subject), so that no two outputs can disagree. A [`profile`] is another
//! thing that is kept and printed: one request, looked into. So is a [`conformance`]: what a server answers differently
//! from the contract; a [`curves`]: what many rates, depths or sizes make of one scenario; what the [`labs`] leave; and
//! [`benches`]: what criterion has estimated.

pub mod benches;
pub mod budgets;
pub mod comparison;
pub mod conformance;
pub mod curves;
pub mod document;
pub mod html;
pub mod labs;
pub mod latency;
pub mod meanwhile;
pub mod merge;
pub mod operator;
pub mod profile;
pub mod quantity;
pub mod run;
pub mod sample;
pub mod spelling;
pub mod stats;
pub mod store;
pub mod summary;
pub mod terminal;

pub use budgets::exit_code;
