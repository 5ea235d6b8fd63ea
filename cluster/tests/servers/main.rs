//! The private servers, from outside: each test has a home folder and a server of its own.

mod lifetime;
mod mode;
mod nature;
mod redis;
mod refusals;
mod support;
