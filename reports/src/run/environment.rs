//! Where a run took place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The machine and the programs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    /// Version of callbench.
    pub callbench: String,
    /// The commit of the working tree, where the run was started inside one; suffixed with `-dirty` if changed.
    pub commit: Option<String>,
    /// Operating system and kernel, as `uname` gives them.
    pub system: String,
    /// Model name of the processor.
    pub cpu: String,
    /// Logical cores that this process may use.
    pub cores: usize,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// The database server, where one could be asked.
    pub database: Option<DatabaseFacts>,
}

/// The database server: its version, and the settings that decide its speed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DatabaseFacts {
    /// For example `PostgreSQL 15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// Settings by name, printed with their units as `SHOW` does.
    pub settings: BTreeMap<String, String>,
}
