//! Workspaces beside each other.

use super::{Break, STRANGER, WORKSPACE};

pub(super) const BREAKS: &[Break] = &[
    Break {
        name: "an unknown workspace is not found",
        answer: |asked, answered| {
            if answered.status == 403 && asked.parameter("workspace_id") == Some("no-such-workspace") {
                answered.refuse(404, "Not found.");
            }
        },
        found_by: &["a_workspace_that_there_is_not_is_forbidden"],
        ..Break::NOTHING
    },
    Break {
        name: "everybody is a member",
        request: |asked| {
            if asked.is_of(STRANGER) {
                asked.become_one_of("token123");
            }
        },
        found_by: &["who_is_no_member_sees_nothing"],
        ..Break::NOTHING
    },
    Break {
        name: "a workspace shows another one's rows",
        request: |asked| {
            asked.change("workspace_id", |name| match name {
                "" | WORKSPACE | "no-such-workspace" | "\u{0}" => name.to_owned(),
                name if name.len() == 36 || name.len() == 32 => name.to_owned(),
                _ => WORKSPACE.to_owned(),
            });
            if asked.is_of(STRANGER) && asked.is_list() {
                asked.become_one_of("manager123");
            }
        },
        found_by: &[
            "who_is_no_member_sees_nothing",
            "another_workspace_has_rows_of_its_own",
            "a_customer_is_not_found_in_another_workspace",
            "a_cursor_gives_no_rows_of_another_workspace",
            "no_write_reaches_another_workspace",
        ],
        ..Break::NOTHING
    },
];
