//! A private PostgreSQL, and a private Redis, for demos, tests and benchmarks.
//!
//! Whoever calls [`Cluster::start`] gets a server that nobody had to install, configure or clean up after: it is
//! initialised under a home folder when it is missing, found when it already runs, recovered when it crashed, and stopped
//! when the last process that uses it is gone, however that process ended. This crate knows nothing of the schema that
//! goes into it.
//!
//! The pieces, in the order in which a start needs them:
//!
//! - `binaries`: which PostgreSQL of this machine to run;
//! - `place`: the folder that holds the server, and the account that it runs under;
//! - `keeper`: the lock, the pipe and the small shell process that together bound the lifetime of a server;
//! - `settings`: the configuration, in proportion to the machine;
//! - `options`: how it is to be run;
//! - `mode`: whether it is there to be measured or to be filled;
//! - `initdb`: an empty data folder;
//! - `start`: joining the server that runs, or starting it anew;
//! - `cluster`, `status`: the handle and the view from outside; [`Redis`] is the same for Redis.
//!
//! [`databases`] creates, copies and drops databases on any server and tells whether that is this machine, and
//! [`testing`] is what integration tests use.

mod account;
mod binaries;
mod cluster;
pub mod databases;
mod error;
mod initdb;
mod keeper;
mod local;
mod machine;
mod mode;
mod options;
mod place;
mod port;
mod postmaster;
mod redis_server;
mod settings;
mod start;
mod status;
pub mod testing;

pub use binaries::Binaries;
pub use cluster::Cluster;
pub use error::Error;
pub use mode::Mode;
pub use options::Options;
pub use redis_server::Redis;
pub use status::{Status, status, stop};
