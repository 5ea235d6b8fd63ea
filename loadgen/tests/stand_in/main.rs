//! The load generator against a stand-in server, over real HTTP.

mod conformance;
mod deep_pages;
mod described;
mod profiles;
mod replies;
mod schedules;
mod server;
mod statements;
mod truth;
