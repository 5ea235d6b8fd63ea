//! Walks by cursor: the scenarios of Django REST framework, edges and ties, and walks beside which others write.

mod edges;
mod scenarios;
mod walker;
mod writers;

pub(crate) use walker::SUBJECTS;
