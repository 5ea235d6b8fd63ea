//! Questions to the database that no load answers, each with a way of its own to ask.

pub mod indexes;
