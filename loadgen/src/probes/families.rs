//! Families of processes, looked at again and again: CPU, memory and context switches. Linux only.
//!
//! The kernel keeps context switches by thread and forgets them with it (`/proc/PID/status` is the first thread's alone),
//! so what each thread did since the last look is added up. Memory that processes share, the database's cache above all,
//! stands in the account of each that has touched it; it is counted once.

use reports::run::ProcessCounters;

#[cfg(target_os = "linux")]
pub(super) use system::Family;

#[cfg(not(target_os = "linux"))]
pub(super) use elsewhere::Family;

#[cfg(target_os = "linux")]
mod system {
    use std::collections::HashMap;

    use procfs::process::{Process, Stat, Status, all_processes};

    use super::ProcessCounters;

    /// A process, with or without its children.
    #[derive(Debug)]
    pub(in super::super) struct Family {
        head: i32,
        with_children: bool,
        /// Switches of each thread at the last look; `None` before the first.
        threads: Option<HashMap<i32, Switches>>,
        switches: Switches,
    }

    #[derive(Debug, Clone, Copy, Default)]
    struct Switches {
        voluntary: u64,
        involuntary: u64,
    }

    impl Family {
        /// The family of the process `pid`.
        pub(in super::super) fn new(pid: u32, with_children: bool) -> Self {
            let head = i32::try_from(pid).unwrap_or(i32::MAX);
            Self { head, with_children, threads: None, switches: Switches::default() }
        }

        /// What the family has used; `None` when its head is gone or can't be seen.
        pub(in super::super) fn look(&mut self) -> Option<ProcessCounters> {
            let members = self.members()?;
            let mut counters = ProcessCounters::default();
            let mut shared_bytes = 0;
            let mut threads = HashMap::new();
            for (process, stat) in &members {
                counters.processes += 1;
                counters.cpu_s += ticks_s(stat.utime + stat.stime);
                if self.with_children {
                    counters.cpu_s += ticks_s(u64::try_from(stat.cutime + stat.cstime).unwrap_or(0));
                }
                // Whoever ends while we look is left out; what it used is in the account of its parent.
                let Ok(status) = process.status() else { continue };
                let bytes = |kib: Option<u64>| kib.unwrap_or(0) * 1024;
                counters.resident_bytes += bytes(status.rssanon);
                shared_bytes = shared_bytes.max(bytes(status.rssfile) + bytes(status.rssshmem));
                if stat.num_threads > 1 {
                    for task in process.tasks().into_iter().flatten().flatten() {
                        if let Ok(status) = task.status() {
                            threads.insert(task.tid, Switches::of(&status));
                        }
                    }
                } else {
                    threads.insert(process.pid, Switches::of(&status));
                }
            }
            counters.resident_bytes += shared_bytes;
            self.add(threads);
            counters.voluntary_switches = self.switches.voluntary;
            counters.involuntary_switches = self.switches.involuntary;
            Some(counters)
        }

        /// Adds what threads did since the last look. Threads that are new since then count from zero.
        fn add(&mut self, now: HashMap<i32, Switches>) {
            if let Some(before) = &self.threads {
                for (thread, now) in &now {
                    let before = before.get(thread).copied().unwrap_or_default();
                    self.switches.voluntary += increase(before.voluntary, now.voluntary);
                    self.switches.involuntary += increase(before.involuntary, now.involuntary);
                }
            }
            self.threads = Some(now);
        }

        fn members(&self) -> Option<Vec<(Process, Stat)>> {
            let head = Process::new(self.head).ok()?;
            let stat = head.stat().ok()?;
            let mut members = vec![(head, stat)];
            if !self.with_children {
                return Some(members);
            }
            let mut place = 0;
            while let Some((process, _)) = members.get(place) {
                let Some(children) = children(process) else {
                    return Some(descendants_by_search(members));
                };
                members.extend(children.into_iter().filter_map(readable));
                place += 1;
            }
            Some(members)
        }
    }

    impl Switches {
        fn of(status: &Status) -> Self {
            Self {
                voluntary: status.voluntary_ctxt_switches.unwrap_or(0),
                involuntary: status.nonvoluntary_ctxt_switches.unwrap_or(0),
            }
        }
    }

    /// The number of a thread can be given to another one, which counts from zero.
    fn increase(before: u64, now: u64) -> u64 {
        now.checked_sub(before).unwrap_or(now)
    }

    fn ticks_s(ticks: u64) -> f64 {
        ticks as f64 / procfs::ticks_per_second() as f64
    }

    fn readable(pid: u32) -> Option<(Process, Stat)> {
        let process = Process::new(i32::try_from(pid).ok()?).ok()?;
        let stat = process.stat().ok()?;
        Some((process, stat))
    }

    /// The children that any thread of a process has started; `None` on kernels that don't list them. A process that
    /// has ended meanwhile has none.
    fn children(process: &Process) -> Option<Vec<u32>> {
        let mut children = Vec::new();
        for task in process.tasks().into_iter().flatten().flatten() {
            match task.children() {
                Ok(of_task) => children.extend(of_task),
                Err(_) if task.stat().is_ok() => return None,
                Err(_) => {}
            }
        }
        Some(children)
    }

    /// The same by looking at every process of the machine.
    fn descendants_by_search(mut members: Vec<(Process, Stat)>) -> Vec<(Process, Stat)> {
        members.truncate(1);
        let mut others: Vec<(Process, Stat)> = all_processes()
            .into_iter()
            .flatten()
            .filter_map(|process| {
                let process = process.ok()?;
                let stat = process.stat().ok()?;
                Some((process, stat))
            })
            .collect();
        let mut place = 0;
        while let Some((parent, _)) = members.get(place) {
            let parent = parent.pid;
            let (children, rest) = others.into_iter().partition(|(_, stat)| stat.ppid == parent);
            others = rest;
            members.extend::<Vec<_>>(children);
            place += 1;
        }
        members
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_search_finds_the_same_children_as_the_lists_of_the_kernel() {
            let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
            let family = Family::new(std::process::id(), true);
            let pids = |members: Vec<(Process, Stat)>| {
                members.into_iter().map(|(process, _)| process.pid).collect::<Vec<_>>()
            };
            let listed = pids(family.members().unwrap());
            let found = pids(descendants_by_search(family.members().unwrap()));
            child.kill().unwrap();
            child.wait().unwrap();
            let pid = i32::try_from(child.id()).unwrap();
            assert!(listed.contains(&pid) && found.contains(&pid), "{pid} in {listed:?} and {found:?}");
        }

        #[test]
        fn switches_of_threads_that_are_not_the_first_are_counted() {
            let mut family = Family::new(std::process::id(), false);
            family.look().unwrap();
            let (wake, woken) = std::sync::mpsc::channel::<()>();
            let (answer, answered) = std::sync::mpsc::channel::<()>();
            let sleeper = std::thread::spawn(move || {
                for () in woken {
                    answer.send(()).unwrap();
                }
            });
            for _ in 0..200 {
                wake.send(()).unwrap();
                answered.recv().unwrap();
            }
            let counters = family.look().unwrap();
            drop(wake);
            sleeper.join().unwrap();
            // This thread and the other one take turns; the first thread of the program only waits.
            let switches = counters.voluntary_switches + counters.involuntary_switches;
            assert!(switches >= 20, "{counters:?}");
        }

        #[test]
        fn the_number_of_a_thread_that_is_given_away_again_counts_from_zero() {
            let mut family = Family::new(1, false);
            let of = |voluntary| HashMap::from([(7, Switches { voluntary, involuntary: 0 })]);
            for voluntary in [100, 130, 4] {
                family.add(of(voluntary));
            }
            assert_eq!(family.switches.voluntary, 30 + 4);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::ProcessCounters;

    /// A process that can't be looked at.
    #[derive(Debug)]
    pub(in super::super) struct Family;

    impl Family {
        pub(in super::super) fn new(_: u32, _: bool) -> Self {
            Self
        }

        pub(in super::super) fn look(&mut self) -> Option<ProcessCounters> {
            None
        }
    }
}
