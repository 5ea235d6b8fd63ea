//! How many writes this process has seen, for each workspace.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// A power of two, so that the places are used evenly.
const PLACES: usize = 4096;

/// Counters of a fixed number, shared by workspaces whose ids end alike: they never grow, and none is ever forgotten and
/// begun anew. The price is that one workspace in some thousands loses its values with the writes of another.
#[derive(Debug)]
pub(super) struct Epochs(Vec<AtomicU64>);

impl Default for Epochs {
    fn default() -> Self {
        Self((0..PLACES).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Epochs {
    /// The epoch of a workspace. Two equal ones have no write between them.
    pub(super) fn of(&self, workspace_id: Uuid) -> u64 {
        self.place(workspace_id).load(Ordering::Acquire)
    }

    /// Begins a new epoch.
    pub(super) fn advance(&self, workspace_id: Uuid) {
        self.place(workspace_id).fetch_add(1, Ordering::AcqRel);
    }

    fn place(&self, workspace_id: Uuid) -> &AtomicU64 {
        let [.., high, low] = *workspace_id.as_bytes();
        &self.0[usize::from(u16::from_be_bytes([high, low])) % PLACES]
    }
}
