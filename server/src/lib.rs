//! The reference server: a multi-tenant customer list API over PostgreSQL, in variants that can be measured against
//! each other.
//!
//! A request takes this walk, and each station is a module: `serving` (the connection) -> `requests` (one name, one log
//! line, one time limit) -> `app` (which path) -> `entrance` with `auth` (whose token) and `permission` (one statement: may
//! they) -> `customers` (parameters, cursors, links, the body) -> `variants` (the statements, sent through `database`).
//! What writes, `customers` and `calls`, reads its body with `bodies` and goes through `writes`. What a variant may differ
//! in is how it gets its rows; their values, and everything around them, are shared. `workspaces` stands beside
//! `customers`, on a `cache`. `profile` is what a request says of itself when it is asked to. [`page`] is a page of the list
//! without the server around it. `refusal` holds every answer that is not the thing asked for; `openapi` describes all.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let config = server::Config::new("postgres://postgres@127.0.0.1/callbench", server::Variant::Live);
//! let server = server::Server::open(config, listener).await?;
//! server.serve(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod app;
mod auth;
mod bodies;
mod cache;
mod calls;
mod config;
mod customers;
mod database;
mod entrance;
mod error;
mod health;
mod metrics;
mod openapi;
pub mod page;
mod permission;
mod preferences;
mod profile;
mod profiles;
mod query;
mod refusal;
mod requests;
mod serving;
mod variants;
mod workspaces;
mod writes;

pub use app::Server;
pub use config::{Config, UnknownVariant, Variant};
pub use error::Error;
pub use variants::first_page_statement;
