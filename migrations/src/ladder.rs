//! The steps, in order, and the level that each belongs to.

use std::collections::HashSet;

use crate::Level;
use crate::extension::{self, Extension};
use crate::indexes::{Index, before, indexed, optimized};
use crate::totals::{self, Totals};

/// One reversible step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A script in one transaction, with the script that takes it back.
    Script {
        /// Applied upwards.
        up: &'static str,
        /// Applied downwards.
        down: &'static str,
    },
    /// An extension that an index of this level needs.
    Install(Extension),
    /// The table of totals, filled while others write.
    Fill(Totals),
    /// An index that this level has and the one below has not.
    Build(Index),
    /// An index of a lower level that this one makes redundant.
    Retire(Index),
    /// An index of a lower level that this one defines anew.
    Replace {
        /// The definition of the lower level.
        old: Index,
        /// The definition of this level, under the same name.
        new: Index,
    },
}

/// A named step of the ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) change: Change,
}

const fn script(level: Level, name: &'static str, up: &'static str, down: &'static str) -> Step {
    Step { name, level, change: Change::Script { up, down } }
}

const fn build(level: Level, index: Index) -> Step {
    Step { name: index.name, level, change: Change::Build(index) }
}

const fn retire(name: &'static str, level: Level, index: Index) -> Step {
    Step { name, level, change: Change::Retire(index) }
}

const fn replace(name: &'static str, level: Level, old: Index, new: Index) -> Step {
    Step { name, level, change: Change::Replace { old, new } }
}

use Level::{Before, Indexed, Optimized};

/// All tables that the steps make, at any level.
pub(crate) const TABLES: &[&str] = &[
    "app_user",
    "auth_token",
    "call",
    "call_campaign",
    "call_campaign_customer",
    "customer",
    "customer_call_stats",
    "customer_label",
    "employee",
    "label",
    "user_workspace",
    "workspace",
];

/// Every step, lowest first. Within a level, what replaces an index is built before the index is retired, and the totals
/// are counted while [`indexed::CALL_CUSTOMER_CREATED`] still includes what is counted.
pub(crate) const STEPS: &[Step] = &[
    script(Before, "tables", include_str!("../sql/tables/up.sql"), include_str!("../sql/tables/down.sql")),
    build(Before, before::CUSTOMER_WORKSPACE_ID),
    build(Before, before::CUSTOMER_EMPLOYEE_ID),
    build(Before, before::CALL_WORKSPACE_ID),
    build(Before, before::CALL_CUSTOMER_ID),
    build(Before, before::CALL_CAMPAIGN_CUSTOMER_ID),
    build(Before, before::ENROLMENT_CUSTOMER_ID),
    build(Before, before::ENROLMENT_CAMPAIGN_ID),
    build(Before, before::CUSTOMER_LABEL_LABEL_ID),
    build(Before, before::LABEL_WORKSPACE_ID),
    build(Before, before::EMPLOYEE_WORKSPACE_ID),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_CREATED),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_EMPLOYEE),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_STATUS),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_QUALITY),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_CALL_STATUS),
    build(Indexed, indexed::CUSTOMER_WORKSPACE_DURATION),
    build(Indexed, indexed::CUSTOMER_OTHER_ATTRIBUTES),
    build(Indexed, indexed::CALL_CUSTOMER_CREATED),
    build(Indexed, indexed::CALL_WORKSPACE_CREATED),
    retire("retire idx_customer_workspace_id", Indexed, before::CUSTOMER_WORKSPACE_ID),
    retire("retire idx_customer_employee_id", Indexed, before::CUSTOMER_EMPLOYEE_ID),
    retire("retire idx_call_workspace_id", Indexed, before::CALL_WORKSPACE_ID),
    retire("retire idx_call_customer_id", Indexed, before::CALL_CUSTOMER_ID),
    Step { name: "btree_gin", level: Optimized, change: Change::Install(extension::BTREE_GIN) },
    Step { name: "totals", level: Optimized, change: Change::Fill(totals::TOTALS) },
    replace(
        "replace idx_call_customer_created",
        Optimized,
        indexed::CALL_CUSTOMER_CREATED,
        optimized::CALL_CUSTOMER_CREATED,
    ),
    replace(
        "replace idx_customer_workspace_created",
        Optimized,
        indexed::CUSTOMER_WORKSPACE_CREATED,
        optimized::CUSTOMER_WORKSPACE_CREATED,
    ),
    replace(
        "replace idx_customer_workspace_duration",
        Optimized,
        indexed::CUSTOMER_WORKSPACE_DURATION,
        optimized::CUSTOMER_WORKSPACE_DURATION,
    ),
    replace(
        "replace idx_customer_other_attributes",
        Optimized,
        indexed::CUSTOMER_OTHER_ATTRIBUTES,
        optimized::CUSTOMER_OTHER_ATTRIBUTES,
    ),
    replace(
        "replace idx_customer_label_label_id",
        Optimized,
        before::CUSTOMER_LABEL_LABEL_ID,
        optimized::CUSTOMER_LABEL_LABEL_ID,
    ),
    build(Optimized, optimized::CUSTOMER_WORKSPACE_CARRIER),
    build(Optimized, optimized::CUSTOMER_WORKSPACE_FLAGS),
];

/// The secondary indexes that some steps leave, each as the last of them defines it, in the order of their building.
pub(crate) fn indexes_after<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    for step in steps {
        match step.change {
            Change::Build(index) => indexes.push(index),
            Change::Retire(retired) => indexes.retain(|index| index.name != retired.name),
            Change::Replace { new, .. } => {
                if let Some(index) = indexes.iter_mut().find(|index| index.name == new.name) {
                    *index = new;
                }
            }
            Change::Script { .. } | Change::Install(_) | Change::Fill(_) => {}
        }
    }
    indexes
}

/// The secondary indexes that a schema at `level` has, as that level defines them.
#[must_use]
pub fn indexes(level: Level) -> Vec<Index> {
    indexes_after(STEPS.iter().filter(|step| step.level <= level))
}

/// The names of the secondary indexes that a schema at `level` has.
#[must_use]
pub fn index_names(level: Level) -> Vec<&'static str> {
    indexes(level).into_iter().map(|index| index.name).collect()
}

/// The steps up to `level` that are still to be taken.
pub(crate) fn pending(applied: &HashSet<String>, level: Level) -> impl Iterator<Item = &'static Step> {
    STEPS.iter().filter(move |step| step.level <= level && !applied.contains(step.name))
}

/// The step still to be taken that defines the index of `step` anew, where that one is still to be taken too: so the index
/// can be built once, as it will be in the end.
pub(crate) fn later_definition(
    step: &Step,
    applied: &HashSet<String>,
    level: Level,
) -> Option<&'static Step> {
    let Change::Build(index) = step.change else { return None };
    let redefines =
        |step: &&Step| matches!(step.change, Change::Replace { new, .. } if new.name == index.name);
    pending(applied, level).filter(redefines).last()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indexes::ALL;

    #[test]
    fn steps_are_ordered_by_level_and_named_once() {
        assert!(STEPS.is_sorted_by_key(|step| step.level));
        let names: HashSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn every_index_of_the_registry_has_a_step_and_only_what_stands_is_retired_or_replaced() {
        let mut defined = Vec::new();
        for (at, step) in STEPS.iter().enumerate() {
            let standing = indexes_after(&STEPS[..at]);
            match step.change {
                Change::Build(index) => {
                    assert!(standing.iter().all(|other| other.name != index.name), "{} twice", index.name);
                    defined.push(index);
                }
                Change::Retire(index) => assert!(standing.contains(&index), "{} is retired", index.name),
                Change::Replace { old, new } => {
                    assert!(standing.contains(&old), "{} is replaced", old.name);
                    assert_eq!((old.name, old.table()), (new.name, new.table()));
                    assert_ne!(old, new);
                    defined.push(new);
                }
                Change::Script { .. } | Change::Install(_) | Change::Fill(_) => {}
            }
        }
        for index in ALL {
            assert_eq!(defined.iter().filter(|defined| *defined == index).count(), 1, "{}", index.name);
        }
        assert_eq!(defined.len(), ALL.len());
    }

    #[test]
    fn each_level_has_its_own_definition_of_an_index() {
        let at = |level, wanted: Index| indexes(level).into_iter().find(|index| index.name == wanted.name);
        assert_eq!(at(Before, optimized::CALL_CUSTOMER_CREATED), None);
        assert_eq!(at(Indexed, optimized::CALL_CUSTOMER_CREATED), Some(indexed::CALL_CUSTOMER_CREATED));
        assert_eq!(at(Optimized, optimized::CALL_CUSTOMER_CREATED), Some(optimized::CALL_CUSTOMER_CREATED));
    }
}
