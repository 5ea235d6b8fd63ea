//! One request looked into: what it did, where its time went, and what to change.
//!
//! A server that can explain a request puts `_profiling` into the body of its answer. [`Profile`] is that as plain data,
//! [`Repeat`] keeps it beside the JSON as it came, and a [`Session`] is the same request asked several times. An
//! [`Assertion`] such as `query_count < 10` makes it a gate. [`terminal`], [`html`] and [`store`] print and keep a session;
//! like the rest of this crate they know no network.

mod assertion;
mod groups;
pub mod html;
mod judgement;
mod plan;
mod record;
#[cfg(test)]
mod sample;
mod session;
mod sql;
pub mod store;
pub mod terminal;
mod words;

pub use assertion::{Assertion, Literal, NotAnAssertion};
pub use groups::{Group, groups};
pub use judgement::{Judgement, exit_code, judge};
pub use plan::{Explained, Node};
pub use record::{
    Breakdown, Loaded, Memory, Mention, Permission, Plan, Profile, Queries, Repeated, Serializer, Statement,
    Texts, Unused,
};
pub use session::{Repeat, SCHEMA, Server, Session, median};
pub use sql::on_one_line;
