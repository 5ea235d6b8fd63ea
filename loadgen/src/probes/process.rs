//! CPU seconds and memory of the three parties: client, server, database. Linux only; elsewhere all of it is absent.
//!
//! A party may be a family of processes, and its children come and go: PostgreSQL starts one for each connection and
//! for each worker of a parallel query. So the meter adds up, over the family, each process's own time and the time of
//! its children that have ended, which the kernel hands to the parent. The differences of two readings miss nobody
//! who lived and died in between.

use reports::run::CpuCost;
use sqlx::PgConnection;

/// Reads CPU clocks. A reading takes a few milliseconds, so it is made between windows.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuMeter {
    server_pid: Option<u32>,
    postmaster_pid: Option<u32>,
}

impl CpuMeter {
    /// A meter for this process, the family of the server, and the family of the database. `None` for a party that
    /// can't be seen from here.
    #[must_use]
    pub fn new(server_pid: Option<u32>, postmaster_pid: Option<u32>) -> Self {
        Self { server_pid, postmaster_pid }
    }

    /// The processes that it looks at.
    pub(super) fn parties(&self) -> super::machine::Parties {
        super::machine::Parties { server: self.server_pid, postmaster: self.postmaster_pid }
    }

    /// CPU seconds since each party started, and the memory of the server now.
    #[must_use]
    pub fn read(&self) -> CpuCost {
        system::read(self.server_pid, self.postmaster_pid)
    }

    /// What was used between a reading and now.
    #[must_use]
    pub fn since(&self, before: &CpuCost) -> CpuCost {
        difference(before, &self.read())
    }
}

fn difference(before: &CpuCost, after: &CpuCost) -> CpuCost {
    // A family can lose time when a process is handed over to init; less than nothing was not used.
    let used = |before: Option<f64>, after: Option<f64>| Some((after? - before?).max(0.0));
    CpuCost {
        client_s: used(before.client_s, after.client_s),
        server_s: used(before.server_s, after.server_s),
        database_s: used(before.database_s, after.database_s),
        server_rss_bytes: after.server_rss_bytes,
    }
}

/// The postmaster of the database behind a connection, if it runs on this machine; `None` if it doesn't, or can't be
/// told from another process that happens to have the same number (in a container, say).
pub async fn postmaster_pid(connection: &mut PgConnection) -> Result<Option<u32>, sqlx::Error> {
    let (backend, client_port): (i32, Option<i32>) =
        sqlx::query_as("SELECT pg_backend_pid(), inet_client_port()").fetch_one(connection).await?;
    // The title of our own backend holds our own port, which no other process's does.
    let mark = client_port.map_or_else(|| "[local]".to_owned(), |port| format!("({port})"));
    Ok(system::parent_of_backend(backend, &mark))
}

#[cfg(target_os = "linux")]
mod system {
    use std::collections::BTreeMap;

    use procfs::process::{Process, Stat, all_processes};
    use reports::run::CpuCost;

    pub(super) fn read(server_pid: Option<u32>, postmaster_pid: Option<u32>) -> CpuCost {
        let client_s = Process::myself().and_then(|process| process.stat()).ok().map(|stat| own_s(&stat));
        // Without a family to look at there is no need to look at everybody.
        let processes =
            if server_pid.is_some() || postmaster_pid.is_some() { by_parent() } else { BTreeMap::new() };
        let server = server_pid.and_then(|pid| family(pid, &processes));
        let database = postmaster_pid.and_then(|pid| family(pid, &processes));
        CpuCost {
            client_s,
            server_s: server.map(|family| family.cpu_s),
            database_s: database.map(|family| family.cpu_s),
            server_rss_bytes: server.map(|family| family.rss_bytes),
        }
    }

    #[derive(Debug, Clone, Copy)]
    struct Family {
        cpu_s: f64,
        rss_bytes: u64,
    }

    /// All processes that can be read, by parent. One that ends while we look is skipped: its parent has its time.
    fn by_parent() -> BTreeMap<i32, Vec<Stat>> {
        let mut processes: BTreeMap<i32, Vec<Stat>> = BTreeMap::new();
        for stat in all_processes().into_iter().flatten().filter_map(|process| process.ok()?.stat().ok()) {
            processes.entry(stat.ppid).or_default().push(stat);
        }
        processes
    }

    fn family(pid: u32, by_parent: &BTreeMap<i32, Vec<Stat>>) -> Option<Family> {
        let head = Process::new(i32::try_from(pid).ok()?).ok()?.stat().ok()?;
        let page_size = procfs::page_size();
        let mut family = Family { cpu_s: 0.0, rss_bytes: 0 };
        let mut unvisited = vec![&head];
        while let Some(stat) = unvisited.pop() {
            family.cpu_s += own_s(stat) + ended_children_s(stat);
            family.rss_bytes += stat.rss * page_size;
            unvisited.extend(by_parent.get(&stat.pid).into_iter().flatten());
        }
        Some(family)
    }

    fn own_s(stat: &Stat) -> f64 {
        (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64
    }

    fn ended_children_s(stat: &Stat) -> f64 {
        (stat.cutime + stat.cstime).max(0) as f64 / procfs::ticks_per_second() as f64
    }

    pub(super) fn parent_of_backend(pid: i32, mark: &str) -> Option<u32> {
        let backend = Process::new(pid).ok()?;
        let title = backend.cmdline().ok()?.join(" ");
        (title.starts_with("postgres") && title.contains(mark)).then_some(())?;
        u32::try_from(backend.stat().ok()?.ppid).ok().filter(|parent| *parent > 1)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use reports::run::CpuCost;

    pub(super) fn read(_: Option<u32>, _: Option<u32>) -> CpuCost {
        CpuCost::default()
    }

    pub(super) fn parent_of_backend(_: i32, _: &str) -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_seen_is_absent_and_not_zero() {
        let seen = CpuCost { client_s: Some(2.0), ..CpuCost::default() };
        let later = CpuCost { client_s: Some(2.5), server_s: Some(1.0), ..CpuCost::default() };
        let used = difference(&seen, &later);
        assert_eq!((used.client_s, used.server_s, used.database_s), (Some(0.5), None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_does_not_exist_is_absent() {
        let cost = CpuMeter::new(Some(u32::MAX), None).read();
        assert_eq!((cost.server_s, cost.server_rss_bytes), (None, None));
        assert!(cost.client_s.is_some());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_time_of_children_that_ended_in_between_is_counted() {
        let meter = CpuMeter::new(Some(std::process::id()), None);
        let before = meter.read();
        // A child that counts until the kernel has billed it at least one of its ticks of 10 ms.
        let script = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";
        assert!(std::process::Command::new("sh").args(["-c", script]).status().unwrap().success());
        let used = meter.since(&before);
        assert!(used.server_s.unwrap() > used.client_s.unwrap(), "{used:?}");
        assert!(used.server_rss_bytes.unwrap() > 0);
    }
}
