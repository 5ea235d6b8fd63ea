//! The command as a test starts it.

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The command in an empty folder of its own, with nothing inherited that could change what it does.
pub(crate) fn callbench(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callbench"));
    command.current_dir(folder).stdin(Stdio::null());
    for variable in [
        "CALLBENCH_DATABASE_URL",
        "CALLBENCH_HOME",
        "CALLBENCH_PG_BIN",
        "CALLBENCH_SHARDS",
        "CALLBENCH_TOKEN",
        "JOB_COMPLETION_INDEX",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// An empty folder of its own.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}
