//! The configuration of the private PostgreSQL: the numbers of the system that callbench re-enacts, in proportion to
//! this machine.
//!
//! The seed numbers belong to a machine with 16 GB of memory and 4 cores. On a smaller one every memory setting shrinks
//! by the same factor, and the user is told, because plans and cache hits change with them. A larger machine gets the
//! same numbers, so that results stay comparable. Durability is never traded away: `fsync`, `full_page_writes` and
//! `synchronous_commit` stay on, whether rows are loaded or requests are measured.

use std::fmt::Write;
use std::path::Path;

use crate::machine::Machine;
use crate::mode::Mode;

const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

/// The machine that the seed numbers were chosen for.
const SEED_MEMORY_BYTES: u64 = 16 * GB;
const SEED_PARALLEL_WORKERS: usize = 4;
/// Below this, parallel hash joins fail with "could not resize shared memory segment".
const ENOUGH_SHARED_MEMORY_BYTES: u64 = GB;

/// The file `postgresql.conf`, and what to say about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) text: String,
    pub(crate) notes: Vec<String>,
}

/// `memory_bytes` of the seed machine, scaled to `machine`, in whole megabytes and at least `least_mb`.
pub(crate) fn scaled_mb(memory_bytes: u64, machine: &Machine, least_mb: u64) -> u64 {
    // Kernels report a little less than the memory that was paid for: 15.6 of 16 GB still counts as 16.
    let usable = machine.memory_bytes + machine.memory_bytes / 16;
    let share = u128::from(usable.min(SEED_MEMORY_BYTES));
    let scaled = u128::from(memory_bytes) * share / u128::from(SEED_MEMORY_BYTES) / u128::from(MB);
    u64::try_from(scaled).unwrap_or(u64::MAX).max(least_mb)
}

/// The configuration for a server on `port` of the loopback interface and a socket in `socket_folder`.
pub(crate) fn settings(machine: &Machine, port: u16, socket_folder: &Path, mode: Mode) -> Settings {
    let mut notes = Vec::new();
    let shared_buffers_mb = scaled_mb(4 * GB, machine, 32);
    let maintenance_work_mem_mb = scaled_mb(GB, machine, 16);
    let effective_cache_size_mb = scaled_mb(12 * GB, machine, 64);
    let work_mem_mb = scaled_mb(256 * MB, machine, 4);
    if shared_buffers_mb < 4096 {
        notes.push(format!(
            "this machine has {:.1} GB of memory and not 16, so PostgreSQL runs with shared_buffers {shared_buffers_mb}MB, \
             maintenance_work_mem {maintenance_work_mem_mb}MB, effective_cache_size {effective_cache_size_mb}MB and \
             work_mem {work_mem_mb}MB",
            machine.memory_bytes as f64 / GB as f64
        ));
    }
    // One worker per core; a pool of workers larger than that only takes turns.
    let parallel_workers = machine.cores.clamp(1, SEED_PARALLEL_WORKERS);
    if parallel_workers < SEED_PARALLEL_WORKERS {
        notes.push(format!(
            "this machine has {} and not 4, so PostgreSQL runs with max_parallel_workers {parallel_workers}",
            match machine.cores {
                0 | 1 => "1 core".to_owned(),
                cores => format!("{cores} cores"),
            }
        ));
    }
    let small_shared_memory =
        machine.shared_memory_bytes.is_some_and(|bytes| bytes < ENOUGH_SHARED_MEMORY_BYTES);
    let dynamic_shared_memory = if small_shared_memory {
        notes.push(
            "/dev/shm is small here, so parallel queries share memory through files in the data folder"
                .to_owned(),
        );
        "mmap"
    } else {
        "posix"
    };
    // Bulk loads should not be throttled by checkpoints, but the log must not eat up a small disk either.
    let max_wal_size_mb = (machine.disk_free_bytes / 8 / MB).clamp(512, 8 * 1024);
    // Above this a load of the demo's size is not slowed down by it.
    if max_wal_size_mb < 4 * 1024 {
        notes.push(format!(
            "the disk has little room left, so PostgreSQL runs with max_wal_size {max_wal_size_mb}MB, which slows down bulk \
             loads"
        ));
    }

    let mut text = String::from("# Written by callbench at every start; changes belong into ALTER SYSTEM.\n");
    let mut set = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} = '{}'", value.replace('\'', "''"));
    };
    set("listen_addresses", "127.0.0.1");
    set("port", &port.to_string());
    set("unix_socket_directories", &socket_folder.display().to_string());
    set("unix_socket_permissions", "0700");
    set("password_encryption", "scram-sha-256");

    set("max_connections", "200");
    set("shared_buffers", &format!("{shared_buffers_mb}MB"));
    set("maintenance_work_mem", &format!("{maintenance_work_mem_mb}MB"));
    set("effective_cache_size", &format!("{effective_cache_size_mb}MB"));
    set("work_mem", &format!("{work_mem_mb}MB"));
    set("random_page_cost", "1.1");
    set("max_parallel_workers", &parallel_workers.to_string());
    set("dynamic_shared_memory_type", dynamic_shared_memory);

    set("fsync", "on");
    set("full_page_writes", "on");
    set("synchronous_commit", "on");
    set("max_wal_size", &format!("{max_wal_size_mb}MB"));
    set("checkpoint_timeout", "15min");
    set("wal_level", mode.wal_level());
    if mode == Mode::Loading {
        // PostgreSQL refuses to start with senders of a log that says nothing of the rows. Nothing else differs: checkpoints
        // are far apart in both modes, and the loader sets for its own connections what only index builds want.
        set("max_wal_senders", "0");
    }

    set("shared_preload_libraries", "pg_stat_statements");
    set("pg_stat_statements.max", "10000");
    set("track_io_timing", "on");

    // To standard error, which the keeper appends to a file: no collector process, no rotation.
    set("logging_collector", "off");
    set("log_min_messages", "warning");
    set("log_line_prefix", "%m [%p] %d ");
    set("log_timezone", "UTC");
    set("timezone", "UTC");
    set("lc_messages", "C");
    set("lc_monetary", "C");
    set("lc_numeric", "C");
    set("lc_time", "C");
    set("datestyle", "iso, mdy");
    set("default_text_search_config", "pg_catalog.english");
    Settings { text, notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: Machine = Machine {
        memory_bytes: 64 * GB,
        cores: 16,
        shared_memory_bytes: Some(32 * GB),
        disk_free_bytes: 500 * GB,
    };

    fn of(machine: &Machine) -> Settings {
        settings(machine, 5433, Path::new("/room"), Mode::Serving)
    }

    #[test]
    fn a_large_machine_gets_the_seed_numbers_and_nothing_is_said() {
        let settings = of(&LARGE);
        for line in [
            "max_connections = '200'",
            "shared_buffers = '4096MB'",
            "maintenance_work_mem = '1024MB'",
            "effective_cache_size = '12288MB'",
            "work_mem = '256MB'",
            "random_page_cost = '1.1'",
            "max_parallel_workers = '4'",
        ] {
            assert!(settings.text.lines().any(|present| present == line), "{line} in\n{}", settings.text);
        }
        assert_eq!(settings.notes, Vec::<String>::new());
    }

    #[test]
    fn a_machine_sold_with_16_gb_gets_the_seed_numbers_though_its_kernel_reports_less() {
        let settings = of(&Machine { memory_bytes: 155 * GB / 10, ..LARGE });
        assert!(settings.text.contains("shared_buffers = '4096MB'"), "{}", settings.text);
    }

    #[test]
    fn a_quarter_of_the_memory_makes_every_memory_setting_a_quarter_and_says_so() {
        // The allowance of a sixteenth for the kernel is taken off before, so that the quarter is exact.
        let settings = of(&Machine { memory_bytes: 4 * GB / 17 * 16, ..LARGE });
        for line in ["shared_buffers = '1023MB'", "work_mem = '63MB'", "effective_cache_size = '3071MB'"] {
            assert!(settings.text.contains(line), "{line} in\n{}", settings.text);
        }
        assert_eq!(settings.notes.len(), 1);
        assert!(settings.notes[0].contains("3.8 GB of memory"), "{}", settings.notes[0]);
    }

    #[test]
    fn two_cores_a_small_shm_and_a_small_disk_are_each_said_aloud() {
        let machine =
            Machine { cores: 2, shared_memory_bytes: Some(64 * MB), disk_free_bytes: 8 * GB, ..LARGE };
        let settings = of(&machine);
        assert!(settings.text.contains("max_parallel_workers = '2'"));
        assert!(settings.text.contains("dynamic_shared_memory_type = 'mmap'"));
        assert!(settings.text.contains("max_wal_size = '1024MB'"));
        assert_eq!(settings.notes.len(), 3);
    }

    #[test]
    fn loading_differs_in_the_log_alone_and_serving_has_that_of_production() {
        let serving = of(&LARGE).text;
        let loading = settings(&LARGE, 5433, Path::new("/room"), Mode::Loading).text;
        let only_in = |one: &str, other: &str| -> Vec<String> {
            one.lines().filter(|line| !other.lines().any(|there| there == *line)).map(str::to_owned).collect()
        };
        assert_eq!(only_in(&serving, &loading), ["wal_level = 'replica'"]);
        assert_eq!(only_in(&loading, &serving), ["wal_level = 'minimal'", "max_wal_senders = '0'"]);
    }

    #[test]
    fn a_quote_in_a_folder_name_stays_inside_the_value() {
        let settings = settings(&LARGE, 5433, Path::new("/it's"), Mode::Serving);
        assert!(settings.text.contains("unix_socket_directories = '/it''s'"), "{}", settings.text);
    }
}
