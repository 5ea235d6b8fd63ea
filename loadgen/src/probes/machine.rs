//! The processes of all parties, in one look for all subjects: they share the client, and mostly the database.

use std::collections::BTreeMap;

use reports::run::{ProcessCounters, ProcessSample};

use super::families::Family;

/// The processes behind one subject, as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parties {
    pub(super) server: Option<u32>,
    pub(super) postmaster: Option<u32>,
}

/// All families, each once.
#[derive(Debug)]
pub(super) struct Machine {
    parties: Vec<Parties>,
    client: Family,
    families: BTreeMap<u32, Family>,
}

impl Machine {
    pub(super) fn new(parties: Vec<Parties>) -> Self {
        let families = parties
            .iter()
            .flat_map(|parties| [parties.server, parties.postmaster])
            .flatten()
            .map(|pid| (pid, Family::new(pid, true)))
            .collect();
        // Without its children: the servers under test are among them.
        Self { parties, client: Family::new(std::process::id(), false), families }
    }

    /// A sample for each subject.
    pub(super) fn look(&mut self, at_s: f64) -> Vec<ProcessSample> {
        let client = self.client.look();
        let seen: BTreeMap<u32, Option<ProcessCounters>> =
            self.families.iter_mut().map(|(pid, family)| (*pid, family.look())).collect();
        let of = |pid: Option<u32>| seen.get(&pid?).copied().flatten();
        self.parties
            .iter()
            .map(|parties| ProcessSample {
                at_s,
                client,
                server: of(parties.server),
                database: of(parties.postmaster),
            })
            .collect()
    }
}
