//! What the machine has: memory, cores, shared memory, disk, processes.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use crate::Error;

/// The figures that the settings of a server depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Memory that we may use: that of the machine, or of the container where that is less.
    pub(crate) memory_bytes: u64,
    /// Cores that we may use.
    pub(crate) cores: usize,
    /// Room in `/dev/shm`, where Linux keeps POSIX shared memory; `None` where there is no such folder. Containers often
    /// have 64 MB of it.
    pub(crate) shared_memory_bytes: Option<u64>,
    /// Free room on the disk of the data folder.
    pub(crate) disk_free_bytes: u64,
}

impl Machine {
    /// Looks at this machine, and at the disk that holds `folder`.
    pub(crate) fn observe(folder: &Path) -> Result<Machine, Error> {
        let mut system = System::new();
        system.refresh_memory();
        let container = system.cgroup_limits().map(|limits| limits.total_memory).filter(|bytes| *bytes > 0);
        let memory_bytes =
            container.map_or(system.total_memory(), |container| container.min(system.total_memory()));
        Ok(Machine {
            memory_bytes,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            shared_memory_bytes: free_bytes(Path::new("/dev/shm")).ok(),
            disk_free_bytes: free_bytes(folder)?,
        })
    }
}

/// Bytes that an unprivileged process may still write to the disk of `path`, which must exist.
pub(crate) fn free_bytes(path: &Path) -> Result<u64, Error> {
    let disk = statvfs(path).map_err(|errno| Error::file("measured", path)(errno.into()))?;
    // Block counts are 32 bits wide on macOS and 64 bits on Linux.
    let bytes = u128::from(disk.blocks_available()) * u128::from(disk.fragment_size());
    Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// A process as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// The name of its program.
    pub(crate) program: String,
    /// The folder that it works in, `None` where the system does not tell us.
    pub(crate) folder: Option<PathBuf>,
}

/// The process `pid`, `None` when there is none.
pub(crate) fn process(pid: u32) -> Option<Process> {
    let pid = Pid::from_u32(pid);
    let mut system = System::new();
    let kind = ProcessRefreshKind::nothing().with_cwd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    system.process(pid).map(|process| Process {
        program: process.name().to_string_lossy().into_owned(),
        folder: process.cwd().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned),
    })
}

/// Bytes that the files under `folder` take up on the disk; 0 when there is no such folder. Files that vanish while we
/// look, as those of a running server do, count as nothing.
pub(crate) fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_in_its_folder_and_one_that_is_gone_is_not_found() {
        let this = process(std::process::id()).expect("we run");
        assert_eq!(this.folder, std::env::current_dir().ok());
        let mut child = std::process::Command::new("true").spawn().expect("true runs");
        let pid = child.id();
        child.wait().expect("it ends");
        assert_eq!(process(pid), None);
    }

    #[test]
    fn a_folder_weighs_what_its_files_weigh_and_a_missing_one_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).expect("a folder");
        std::fs::write(inner.join("file"), vec![1_u8; 100_000]).expect("a file");
        assert!(folder_bytes(folder.path()) >= 100_000);
        assert_eq!(folder_bytes(&folder.path().join("missing")), 0);
    }
}
