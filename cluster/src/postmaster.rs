//! The file `postmaster.pid`, in which PostgreSQL says who works on a data folder and how far its start has come.
//!
//! Format: `src/include/utils/pidfile.h` of PostgreSQL; line 1 is the process, line 8 the status.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::machine::process;

/// Whether the server with this process accepts connections, as far as it says so itself.
pub(crate) fn is_ready(data: &Path, pid: u32) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    let process = lines.next().and_then(|line| line.trim().parse().ok());
    process == Some(pid) && lines.nth(6).map(str::trim) == Some("ready")
}

/// Clears away what a crashed server has left, before a new one starts on `data`. To be called only when no server of
/// ours runs.
///
/// PostgreSQL itself ignores a file whose process is gone, but refuses to start when the process id belongs to any
/// program of the same account by now. A PostgreSQL that may work on this folder is never ignored: two servers on one
/// data folder destroy it.
pub(crate) fn clear_stale_file(data: &Path) -> Result<(), Error> {
    let file = data.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
    let Some((pid, other)) = pid.and_then(|pid| process(pid).map(|other| (pid, other))) else {
        // PostgreSQL also looks whether shared memory of the old server is still in use, and needs the file for that.
        return Ok(());
    };
    // All processes of a server work in its data folder.
    let is_server = other.program.starts_with("postgres") || other.program.starts_with("postmaster");
    if is_server && other.folder.is_none_or(|folder| folder == data) {
        return Err(Error::Foreign { folder: data.to_owned(), pid });
    }
    fs::remove_file(&file).map_err(Error::file("removed", &file))
}
