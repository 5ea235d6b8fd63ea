//! Employees.

use super::{Break, EMPLOYEE};

pub(super) const BREAKS: &[Break] = &[Break {
    name: "employees see everything",
    request: |asked| {
        if asked.is_of(EMPLOYEE) {
            asked.become_one_of("manager123");
        }
    },
    found_by: &[
        "an_employee_sees_their_own_customers",
        "an_employee_does_not_find_the_customers_of_others",
        "an_employee_gets_their_own_numbers",
        "an_employee_neither_makes_nor_deletes",
        "an_employee_changes_their_own_customers_only",
    ],
    ..Break::NOTHING
}];
