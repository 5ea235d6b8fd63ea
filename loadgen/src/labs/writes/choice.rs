//! Which rows are written, and what into them; pure.
//!
//! Everything is drawn from a seed, so that each level and both ways are asked for the same work. A change of a status is
//! one to another status, and a deleted customer is taken from those that nothing else touches: PostgreSQL finds out by
//! comparing values whether an index is affected, and an update that changes nothing would pass as heap-only.

use serde_json::{Value, json};
use uuid::Uuid;

use super::operation::Operation;
use crate::operations::Draw;

const STATUSES: [&str; 4] = ["active", "inactive", "blocked", "pending"];
const QUALITIES: [&str; 3] = ["hot", "warm", "cold"];
const CARRIERS: [&str; 3] = ["Viettel", "Vinaphone", "Mobifone"];
const DIRECTIONS: [&str; 2] = ["inbound", "outbound"];
const OUTCOMES: [&str; 3] = ["completed", "missed", "busy"];
const CALL_TYPES: [&str; 3] = ["campaign", "direct", "callback"];

/// A customer that may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its id.
    pub(super) id: Uuid,
    /// Its status, which a change has to differ from.
    pub(super) status: String,
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// New customers.
    Insert(Vec<Newcomer>),
    /// Another status for these customers.
    Status(Vec<Uuid>, &'static str),
    /// Another telephone number for this customer.
    Phone(Uuid, String),
    /// These customers are deleted softly.
    Delete(Vec<Uuid>),
    /// New calls.
    Call(Vec<NewCall>),
}

/// A customer to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Newcomer {
    /// Begins with the mark of the measurement.
    pub(super) name: String,
    /// `email`
    pub(super) email: String,
    /// `phone`
    pub(super) phone: String,
    /// `carrier`
    pub(super) carrier: &'static str,
    /// `status`
    pub(super) status: &'static str,
    /// `quality`
    pub(super) quality: &'static str,
    /// `other_attributes`
    pub(super) other_attributes: Value,
}

/// A call to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NewCall {
    /// `customer_id`
    pub(super) customer_id: Uuid,
    /// `direction`
    pub(super) direction: &'static str,
    /// `status`
    pub(super) status: &'static str,
    /// `duration_seconds`, and `duration` as well
    pub(super) seconds: i32,
    /// `call_type`
    pub(super) call_type: &'static str,
    /// `billing_rate`
    pub(super) billing_rate: &'static str,
}

impl Change {
    /// Rows that it writes.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Insert(newcomers) => newcomers.len(),
            Self::Status(ids, _) | Self::Delete(ids) => ids.len(),
            Self::Phone(..) => 1,
            Self::Call(calls) => calls.len(),
        }
    }
}

/// Customers of a workspace, and what was done to them so far.
#[derive(Debug)]
pub(super) struct Choice {
    seed: u64,
    mark: String,
    /// Those that are changed and called.
    living: Vec<Candidate>,
    /// Those that are deleted, each once.
    doomed: Vec<Uuid>,
    /// Where the next single update looks: each customer once before any of them twice.
    turn: usize,
    drawn: u64,
}

impl Choice {
    /// A choice among candidates in a drawn order, of which `deletions` at most, and no more than half, will be deleted.
    /// `mark` begins the name of each new customer.
    pub(super) fn new(seed: u64, mark: &str, mut candidates: Vec<Candidate>, deletions: usize) -> Self {
        let doomed = deletions.min(candidates.len() / 2);
        let doomed = candidates.split_off(candidates.len() - doomed);
        let doomed = doomed.into_iter().map(|candidate| candidate.id).collect();
        Self { seed, mark: mark.to_owned(), living: candidates, doomed, turn: 0, drawn: 0 }
    }

    /// How many writes of a kind it can give, if so many are wanted: nobody is deleted twice.
    pub(super) fn available(&self, operation: Operation, wanted: u64) -> u64 {
        match operation {
            Operation::BatchDelete => wanted.min((self.doomed.len() / operation.rows()) as u64),
            _ => wanted,
        }
    }

    /// A customer that stays.
    pub(super) fn anybody(&self) -> Option<Uuid> {
        self.living.first().map(|candidate| candidate.id)
    }

    /// The next write of a kind; `None` where there is nobody left to delete.
    pub(super) fn next(&mut self, operation: Operation) -> Option<Change> {
        (self.available(operation, 1) > 0).then(|| self.change(operation))
    }

    fn change(&mut self, operation: Operation) -> Change {
        self.drawn += 1;
        let mut draw = Draw::new(self.seed, self.drawn);
        let rows = operation.rows();
        match operation {
            Operation::SingleInsert | Operation::BatchInsert => {
                Change::Insert((0..rows).map(|_| newcomer(&self.mark, &mut draw)).collect())
            }
            Operation::UpdateIndexed => {
                let place = self.whose_turn();
                let others: Vec<&'static str> =
                    STATUSES.into_iter().filter(|status| *status != self.living[place].status).collect();
                let status = others[draw.index(others.len())];
                status.clone_into(&mut self.living[place].status);
                Change::Status(vec![self.living[place].id], status)
            }
            Operation::UpdateUnindexed => {
                let place = self.whose_turn();
                Change::Phone(self.living[place].id, phone(&mut draw))
            }
            Operation::BatchUpdate => self.restated(rows, &mut draw),
            Operation::BatchDelete => Change::Delete(self.doomed.split_off(self.doomed.len() - rows)),
            Operation::SingleCall | Operation::BatchCall => {
                Change::Call((0..rows).map(|_| self.call(&mut draw)).collect())
            }
        }
    }

    /// The place of the customer whose turn it is.
    fn whose_turn(&mut self) -> usize {
        let place = self.turn % self.living.len();
        self.turn = place + 1;
        place
    }

    /// Another status for so many customers that do not have it, from a drawn place on.
    fn restated(&mut self, rows: usize, draw: &mut Draw) -> Change {
        let drawn = draw.index(STATUSES.len());
        let others = |status: &str| self.living.iter().filter(|one| one.status != status).count();
        // Most may have the drawn one; the next that enough do not have is taken then.
        let status = (drawn..drawn + STATUSES.len())
            .map(|place| STATUSES[place % STATUSES.len()])
            .find(|status| others(status) >= rows)
            .unwrap_or(STATUSES[drawn]);
        let first = draw.index(self.living.len());
        let mut ids = Vec::with_capacity(rows);
        for place in (first..self.living.len()).chain(0..first) {
            if ids.len() == rows {
                break;
            }
            let candidate = &mut self.living[place];
            if candidate.status != status {
                status.clone_into(&mut candidate.status);
                ids.push(candidate.id);
            }
        }
        Change::Status(ids, status)
    }

    fn call(&self, draw: &mut Draw) -> NewCall {
        NewCall {
            customer_id: self.living[draw.index(self.living.len())].id,
            direction: DIRECTIONS[draw.index(DIRECTIONS.len())],
            status: OUTCOMES[draw.index(OUTCOMES.len())],
            #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "below 600")]
            seconds: draw.index(600) as i32,
            call_type: CALL_TYPES[draw.index(CALL_TYPES.len())],
            billing_rate: "0.1250",
        }
    }
}

/// A customer to be, whose name begins with `mark`.
pub(super) fn newcomer(mark: &str, draw: &mut Draw) -> Newcomer {
    let number = draw.index(1_000_000_000);
    Newcomer {
        name: format!("{mark} {number:09}"),
        email: format!("write{number:09}@example.com"),
        phone: phone(draw),
        carrier: CARRIERS[draw.index(CARRIERS.len())],
        status: STATUSES[draw.index(STATUSES.len())],
        quality: QUALITIES[draw.index(QUALITIES.len())],
        other_attributes: json!({ "origin": "callbench", "age": 18 + draw.index(60), "code": number }),
    }
}

fn phone(draw: &mut Draw) -> String {
    format!("+84{:09}", draw.index(1_000_000_000))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::super::LEAST_CUSTOMERS;
    use super::*;

    fn candidates(count: usize) -> Vec<Candidate> {
        let candidate = |at: usize| Candidate {
            id: Uuid::from_u128(at as u128 + 1),
            status: STATUSES[at % STATUSES.len()].to_owned(),
        };
        (0..count).map(candidate).collect()
    }

    #[test]
    fn the_same_seed_chooses_the_same_and_another_one_does_not() {
        let all = |seed| {
            let mut choice = Choice::new(seed, "m", candidates(1_000), 200);
            Operation::ALL.map(|operation| [0; 3].map(|_| choice.next(operation).expect("a write")))
        };
        assert_eq!(all(1), all(1));
        assert_ne!(all(1), all(2));
        for (operation, changes) in Operation::ALL.into_iter().zip(all(1)) {
            assert_eq!(changes.each_ref().map(Change::rows), [operation.rows(); 3]);
        }
    }

    #[test]
    fn deletions_end_with_the_half_that_may_be_deleted() {
        let mut choice = Choice::new(1, "m", candidates(240), 10_000);
        assert_eq!(choice.available(Operation::BatchDelete, 9), 2);
        let deletions = [0; 3].map(|_| choice.next(Operation::BatchDelete).is_some());
        assert_eq!(deletions, [true, true, false]);
        assert_eq!(choice.available(Operation::SingleInsert, 9), 9);
    }

    proptest! {
        #[test]
        fn every_change_has_all_its_rows_with_the_fewest_customers_and_whatever_status_they_have(
            seed in any::<u64>(),
            common in 0..STATUSES.len(),
            rare in 0..LEAST_CUSTOMERS,
            kinds in prop::collection::vec(0..Operation::ALL.len(), 1..40),
        ) {
            let mut everybody = candidates(LEAST_CUSTOMERS);
            everybody[rare..].iter_mut().for_each(|one| STATUSES[common].clone_into(&mut one.status));
            let mut choice = Choice::new(seed, "m", everybody, LEAST_CUSTOMERS);
            for operation in kinds.into_iter().map(|kind| Operation::ALL[kind]) {
                if let Some(change) = choice.next(operation) {
                    prop_assert_eq!(change.rows(), operation.rows(), "{}", operation);
                }
            }
        }

        #[test]
        fn every_change_of_a_status_is_one_and_nobody_is_changed_who_was_deleted(
            seed in any::<u64>(),
            kinds in prop::collection::vec(0..Operation::ALL.len(), 1..40),
        ) {
            let everybody = candidates(400);
            let mut statuses: std::collections::HashMap<Uuid, String> =
                everybody.iter().map(|one| (one.id, one.status.clone())).collect();
            let mut choice = Choice::new(seed, "m", everybody, 200);
            let mut deleted = HashSet::new();
            for kind in kinds {
                if let Some(change) = choice.next(Operation::ALL[kind]) {
                    match change {
                        Change::Status(ids, status) => {
                            let distinct: HashSet<_> = ids.iter().collect();
                            prop_assert_eq!(distinct.len(), ids.len());
                            for id in ids {
                                prop_assert!(!deleted.contains(&id));
                                prop_assert_ne!(statuses.insert(id, status.to_owned()), Some(status.to_owned()));
                            }
                        }
                        Change::Phone(id, _) => prop_assert!(!deleted.contains(&id)),
                        Change::Call(calls) => {
                            prop_assert!(calls.iter().all(|call| !deleted.contains(&call.customer_id)));
                        }
                        Change::Delete(ids) => {
                            for id in ids {
                                prop_assert!(deleted.insert(id));
                            }
                        }
                        Change::Insert(newcomers) => {
                            prop_assert!(newcomers.iter().all(|new| new.name.starts_with("m ")));
                        }
                    }
                }
            }
        }
    }
}
