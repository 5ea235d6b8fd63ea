//! The rows and the loader against a real `PostgreSQL`.

mod csv;
mod export;
mod load;
mod rows;
mod support;
mod verify;
