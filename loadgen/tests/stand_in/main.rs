//! The load generator against a stand-in server, over real HTTP.

mod deep_pages;
mod replies;
mod server;
mod statements;
mod truth;
