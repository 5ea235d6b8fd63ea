//! The cases: what writers do at once, and what deadlocks in it when nobody keeps an order.

use reports::labs::locks::{Proof, Way};

use crate::operations::Draw;

/// One case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What happens in it, in one sentence.
    pub what: &'static str,
    /// Writers at once.
    pub threads: u32,
    /// Rows of one transaction.
    pub(super) rows: usize,
    /// Rows of which each transaction takes some.
    pub(super) shared: usize,
    pub(super) work: Work,
    /// What its control has to show.
    pub proof: Proof,
    /// Whether the API has the operation.
    has_api: bool,
    /// Whether there is nothing to wait for without the table of totals.
    pub needs_totals: bool,
}

/// What the writers of a case do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Insert,
    Update,
    OppositeUpdate,
    DeleteOrUpdate,
    Calls,
    ReadModifyWrite,
    UpdateBesideIndexBuild,
}

/// What one transaction does, to which of the shared rows, in the order in which they arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    /// Makes these rows of a block of rows that several transactions make at the same time.
    Insert {
        block: u64,
        rows: Vec<usize>,
    },
    Update(Vec<usize>),
    Delete(Vec<usize>),
    Calls(Vec<usize>),
    ReadModifyWrite(usize),
    /// Updates rows and then asks for a lock on the table, as a migration does that begins with its rows.
    UpdateThenLock(Vec<usize>),
}

/// All cases, in the order in which they run.
pub const CASES: &[Case] = &[
    Case {
        name: "insert",
        what: "10 writers insert 20 customers each; in plain SQL with keys that two of them may bring at once, as an \
               import does that is sent twice. The control inserts keys in the order of their arrival.",
        threads: 10,
        rows: 20,
        shared: 40,
        work: Work::Insert,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "update_5",
        what: "5 writers update 10 of 20 shared customers each. The control updates them in the order of their arrival, \
               without locking them in the order of their ids first.",
        threads: 5,
        rows: 10,
        shared: 20,
        work: Work::Update,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "update_32",
        what: "32 writers update 10 of 40 shared customers each, as in update_5.",
        threads: 32,
        rows: 10,
        shared: 40,
        work: Work::Update,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "opposite",
        what: "8 writers update the same 50 customers at once, half of them given from the first to the last, half from \
               the last to the first.",
        threads: 8,
        rows: 50,
        shared: 50,
        work: Work::OppositeUpdate,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "delete_update",
        what: "10 writers take 10 of 30 shared customers each; every second transaction soft-deletes them, the others \
               update them; who has deleted some brings them back in a transaction of its own.",
        threads: 10,
        rows: 10,
        shared: 30,
        work: Work::DeleteOrUpdate,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "calls",
        what: "10 writers add 20 calls each to the same 40 customers, whose totals are kept by triggers. The control adds \
               one call after the other in one transaction, so that the totals are taken in the order of arrival.",
        threads: 10,
        rows: 20,
        shared: 40,
        work: Work::Calls,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: true,
    },
    Case {
        name: "index_build",
        what: "8 writers update 5 of 80 shared customers each while an index is built concurrently, again and again. The \
               control asks for a lock on the table after it has changed its rows, as a careless migration does.",
        threads: 8,
        rows: 5,
        shared: 80,
        work: Work::UpdateBesideIndexBuild,
        proof: Proof::Deadlocks,
        has_api: true,
        needs_totals: false,
    },
    Case {
        name: "counter",
        what: "8 writers read a number of one of 5 customers and write it back with 1 added. The control reads it without \
               a lock, and loses updates.",
        threads: 8,
        rows: 1,
        shared: 5,
        work: Work::ReadModifyWrite,
        proof: Proof::LostUpdates,
        has_api: false,
        needs_totals: false,
    },
];

/// The most rows that any case shares.
pub(super) const MOST_SHARED: usize = 80;

impl Case {
    /// The case of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }

    /// How it is done, the control first.
    #[must_use]
    pub fn ways(&self) -> &'static [Way] {
        if self.has_api { &[Way::Control, Way::Sql, Way::Api] } else { &[Way::Control, Way::Sql] }
    }

    /// What transaction `number` does.
    pub(super) fn turn(&self, way: Way, threads: u32, seed: u64, number: u64) -> Turn {
        let mut draw = Draw::new(seed, number);
        let mut rows = || rand::seq::index::sample(draw.random(), self.shared, self.rows).into_vec();
        let is_even = number.is_multiple_of(2);
        match self.work {
            // Those that are under way at the same time mostly draw from the same block.
            Work::Insert => Turn::Insert { block: number / u64::from(threads), rows: rows() },
            Work::OppositeUpdate if is_even => Turn::Update((0..self.shared).collect()),
            Work::OppositeUpdate => Turn::Update((0..self.shared).rev().collect()),
            Work::DeleteOrUpdate if is_even => Turn::Delete(rows()),
            Work::Calls => Turn::Calls(rows()),
            Work::ReadModifyWrite => Turn::ReadModifyWrite(rows()[0]),
            Work::UpdateBesideIndexBuild if way == Way::Control => Turn::UpdateThenLock(rows()),
            Work::Update | Work::DeleteOrUpdate | Work::UpdateBesideIndexBuild => Turn::Update(rows()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_a_control_and_rows_enough() {
        for case in CASES {
            assert_eq!(Case::named(case.name), Some(case), "a name of its own");
            assert_eq!(case.ways()[0], Way::Control);
            assert!(case.rows <= case.shared && case.shared <= MOST_SHARED, "{}", case.name);
        }
    }

    #[test]
    fn the_same_number_has_the_same_turn_in_order_and_without() {
        let case = Case::named("update_5").unwrap();
        let turn = case.turn(Way::Sql, 5, 7, 3);
        assert_eq!(turn, case.turn(Way::Control, 5, 7, 3));
        assert!(turn != case.turn(Way::Sql, 5, 7, 4));
        let opposite = Case::named("opposite").unwrap();
        let (Turn::Update(mut up), Turn::Update(down)) =
            (opposite.turn(Way::Sql, 8, 7, 0), opposite.turn(Way::Sql, 8, 7, 1))
        else {
            panic!("updates")
        };
        up.reverse();
        assert_eq!(up, down);
    }
}
