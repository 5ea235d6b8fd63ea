//! Bodies of requests: JSON in, values or messages out, in the words of Django REST framework.
//!
//! What a client sends is looked at as the text it sent ([`json`]), so that a number keeps every digit. [`object`] reads the
//! fields of one object and collects what is wrong with them, all at once; [`list`] reads the arrays of bulk requests;
//! [`kinds`], [`numbers`], [`addresses`] and [`attributes`] each judge one value.

pub(crate) mod addresses;
pub(crate) mod attributes;
#[cfg(test)]
pub(crate) mod described;
pub(crate) mod json;
pub(crate) mod kinds;
pub(crate) mod list;
pub(crate) mod messages;
pub(crate) mod numbers;
pub(crate) mod object;

/// The most elements that any list of a body may have.
pub(crate) const MAX_ELEMENTS: usize = 1_000;
