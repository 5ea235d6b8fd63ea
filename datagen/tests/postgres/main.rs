//! The rows and the loader against a real `PostgreSQL`.

mod load;
mod rows;
mod support;
mod verify;
