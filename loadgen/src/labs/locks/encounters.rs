//! Who is under way at the same time, and with which rows: only who meets another can wait for it.

use std::sync::{Mutex, PoisonError};

use super::case::Turn;

/// Rows that a turn takes: which of the shared ones, as bits; and for new keys, the block that they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    block: Option<u64>,
    rows: u128,
}

/// The turns that are under way, one for each writer.
#[derive(Debug)]
pub(super) struct Encounters(Mutex<Vec<Option<UnderWay>>>);

#[derive(Debug)]
struct UnderWay {
    taken: Taken,
    met: Met,
}

/// Whom a turn met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// Somebody was under way at the same time.
    pub(super) anybody: bool,
    /// Somebody was, with one of the same rows.
    pub(super) with_a_row: bool,
}

impl Taken {
    /// What a turn takes.
    pub(super) fn by(turn: &Turn) -> Self {
        let bits = |picks: &[usize]| picks.iter().fold(0, |bits, pick| bits | (1_u128 << pick));
        match turn {
            Turn::Insert { block, rows } => Self { block: Some(*block), rows: bits(rows) },
            Turn::Update(picks) | Turn::Delete(picks) | Turn::Calls(picks) | Turn::UpdateThenLock(picks) => {
                Self { block: None, rows: bits(picks) }
            }
            Turn::ReadModifyWrite(pick) => Self { block: None, rows: bits(&[*pick]) },
        }
    }

    fn shares_a_row(self, other: Self) -> bool {
        self.block == other.block && self.rows & other.rows != 0
    }
}

impl Encounters {
    /// Nobody is under way yet.
    pub(super) fn new(writers: u32) -> Self {
        Self(Mutex::new((0..writers).map(|_| None).collect()))
    }

    /// The turn of a writer begins.
    pub(super) fn begin(&self, writer: usize, taken: Taken) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut met = Met::default();
        for other in all.iter_mut().flatten() {
            let with_a_row = taken.shares_a_row(other.taken);
            for met in [&mut met, &mut other.met] {
                met.anybody = true;
                met.with_a_row |= with_a_row;
            }
        }
        all[writer] = Some(UnderWay { taken, met });
    }

    /// The turn of a writer is over.
    pub(super) fn end(&self, writer: usize) -> Met {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all[writer].take().map(|ended| ended.met).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(rows: &[usize]) -> Taken {
        Taken::by(&Turn::Update(rows.to_vec()))
    }

    #[test]
    fn those_who_were_under_way_together_have_met_whoever_came_first() {
        let all = Encounters::new(3);
        all.begin(0, update(&[1, 79]));
        all.begin(1, update(&[79, 5]));
        all.begin(2, update(&[2]));
        assert_eq!(all.end(0), Met { anybody: true, with_a_row: true });
        assert_eq!(all.end(2), Met { anybody: true, with_a_row: false });
        // Who comes later meets only those who are still there; and who was met once has been met.
        all.begin(0, update(&[3]));
        assert_eq!(all.end(1), Met { anybody: true, with_a_row: true });
        assert_eq!(all.end(0), Met { anybody: true, with_a_row: false });
        all.begin(0, update(&[3]));
        assert_eq!(all.end(0), Met::default());
    }

    #[test]
    fn new_keys_are_the_same_only_in_the_same_block() {
        let insert = |block| Taken::by(&Turn::Insert { block, rows: vec![0, 1] });
        assert!(insert(4).shares_a_row(insert(4)));
        assert!(!insert(4).shares_a_row(insert(5)) && !insert(4).shares_a_row(update(&[0])));
    }
}
