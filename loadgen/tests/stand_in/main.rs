//! The load generator against a stand-in server, over real HTTP.

mod capacities;
mod conformance;
mod deep_pages;
mod depths;
mod described;
mod profiles;
mod replies;
mod schedules;
mod seconds;
mod server;
mod statements;
mod timeouts;
mod truth;
