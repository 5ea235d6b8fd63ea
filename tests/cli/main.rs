//! The command as a user meets it.
//!
//! One program for all tests: it is linked once, they share a PostgreSQL, and what one of them waits for another one uses.

mod bad_input;
mod command;
mod conform;
mod curves;
mod described;
mod durability;
mod estimates;
mod export;
mod indexes;
mod interruption;
mod live;
mod load_run;
mod loading;
mod locks;
mod profile;
mod profile_run;
mod scenarios;
mod seeding;
mod serving;
mod shards;
mod timeouts;
mod verify;
mod windows;
mod writes;
