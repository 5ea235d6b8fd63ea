//! The steps, in order, and the level that each belongs to.

use crate::Level;
use crate::indexes::{self, Index};

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
    /// An index that this level has and the one below has not.
    Build(Index),
    /// An index of a lower level that this one makes redundant.
    Retire(Index),
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

/// Every step, lowest first. Within a level, what replaces an index is built before the index is retired.
pub(crate) const STEPS: &[Step] = &[
    script(Before, "tables", include_str!("../sql/tables/up.sql"), include_str!("../sql/tables/down.sql")),
    build(Before, indexes::CUSTOMER_WORKSPACE_ID),
    build(Before, indexes::CUSTOMER_EMPLOYEE_ID),
    build(Before, indexes::CALL_WORKSPACE_ID),
    build(Before, indexes::CALL_CUSTOMER_ID),
    build(Before, indexes::CALL_CAMPAIGN_CUSTOMER_ID),
    build(Before, indexes::ENROLMENT_CUSTOMER_ID),
    build(Before, indexes::ENROLMENT_CAMPAIGN_ID),
    build(Before, indexes::CUSTOMER_LABEL_LABEL_ID),
    build(Before, indexes::LABEL_WORKSPACE_ID),
    build(Before, indexes::EMPLOYEE_WORKSPACE_ID),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_CREATED),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_EMPLOYEE),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_STATUS),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_QUALITY),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_CALL_STATUS),
    build(Indexed, indexes::CUSTOMER_WORKSPACE_DURATION),
    build(Indexed, indexes::CUSTOMER_OTHER_ATTRIBUTES),
    build(Indexed, indexes::CALL_CUSTOMER_CREATED),
    build(Indexed, indexes::CALL_WORKSPACE_CREATED),
    retire("retire idx_customer_workspace_id", Indexed, indexes::CUSTOMER_WORKSPACE_ID),
    retire("retire idx_customer_employee_id", Indexed, indexes::CUSTOMER_EMPLOYEE_ID),
    retire("retire idx_call_workspace_id", Indexed, indexes::CALL_WORKSPACE_ID),
    retire("retire idx_call_customer_id", Indexed, indexes::CALL_CUSTOMER_ID),
    script(Optimized, "totals", include_str!("../sql/totals/up.sql"), include_str!("../sql/totals/down.sql")),
];

/// The names of the secondary indexes that a schema at `level` has.
#[must_use]
pub fn index_names(level: Level) -> Vec<&'static str> {
    let mut names = Vec::new();
    for step in STEPS.iter().filter(|step| step.level <= level) {
        match step.change {
            Change::Build(index) => names.push(index.name),
            Change::Retire(index) => names.retain(|name| *name != index.name),
            Change::Script { .. } => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn steps_are_ordered_by_level_and_named_once() {
        assert!(STEPS.is_sorted_by_key(|step| step.level));
        let names: HashSet<_> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn every_index_of_the_registry_is_built_by_a_step_and_only_built_ones_are_retired() {
        let built: Vec<_> = STEPS
            .iter()
            .filter_map(|step| match step.change {
                Change::Build(index) => Some(index),
                _ => None,
            })
            .collect();
        assert_eq!(built, indexes::ALL);
        for step in STEPS {
            if let Change::Retire(index) = step.change {
                assert!(built.contains(&index), "{} is retired but never built", index.name);
            }
        }
    }
}
