//! The registry of secondary indexes: for each name and each level that defines it, one file with the reason for its
//! shape.
//!
//! A higher level may define an index of a lower one anew, under the same name. Primary keys belong to the tables and are
//! not listed here.

/// A secondary index and the statement that builds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Name, unique in the schema.
    pub name: &'static str,
    /// One `CREATE INDEX CONCURRENTLY` statement, with the reason for its shape as a comment before it.
    pub create: &'static str,
}

/// How the statement that builds an index begins; its name follows.
pub(crate) const CREATE: &str = "CREATE INDEX CONCURRENTLY ";

impl Index {
    /// The table that it is on.
    #[must_use]
    pub fn table(&self) -> &'static str {
        let after = self.create.split_once(" ON ").map_or("", |(_, table)| table);
        after.split_whitespace().next().unwrap_or_default()
    }

    /// The statement that builds the same index under another name.
    pub(crate) fn create_as(&self, name: &str) -> String {
        self.create.replacen(&format!("{CREATE}{}", self.name), &format!("{CREATE}{name}"), 1)
    }
}

macro_rules! registry {
    ($($level:ident { $($constant:ident = $name:literal;)+ })+) => {
        $(
            #[doc = concat!("What level `", stringify!($level), "` defines.")]
            pub mod $level {
                use super::Index;
                $(
                    #[doc = concat!("See `sql/indexes/", stringify!($level), "/", $name, ".sql`.")]
                    pub const $constant: Index = Index {
                        name: $name,
                        create: include_str!(concat!("../sql/indexes/", stringify!($level), "/", $name, ".sql")),
                    };
                )+
            }
        )+
        /// Every definition, that of the lowest level first.
        pub const ALL: &[Index] = &[$($($level::$constant),+),+];
    };
}

registry! {
    before {
        CUSTOMER_WORKSPACE_ID = "idx_customer_workspace_id";
        CUSTOMER_EMPLOYEE_ID = "idx_customer_employee_id";
        CALL_WORKSPACE_ID = "idx_call_workspace_id";
        CALL_CUSTOMER_ID = "idx_call_customer_id";
        CALL_CAMPAIGN_CUSTOMER_ID = "idx_call_campaign_customer_id";
        ENROLMENT_CUSTOMER_ID = "idx_enrolment_customer_id";
        ENROLMENT_CAMPAIGN_ID = "idx_enrolment_campaign_id";
        CUSTOMER_LABEL_LABEL_ID = "idx_customer_label_label_id";
        LABEL_WORKSPACE_ID = "idx_label_workspace_id";
        EMPLOYEE_WORKSPACE_ID = "idx_employee_workspace_id";
    }
    indexed {
        CUSTOMER_WORKSPACE_CREATED = "idx_customer_workspace_created";
        CUSTOMER_WORKSPACE_EMPLOYEE = "idx_customer_workspace_employee";
        CUSTOMER_WORKSPACE_STATUS = "idx_customer_workspace_status";
        CUSTOMER_WORKSPACE_QUALITY = "idx_customer_workspace_quality";
        CUSTOMER_WORKSPACE_CALL_STATUS = "idx_customer_workspace_call_status";
        CUSTOMER_WORKSPACE_DURATION = "idx_customer_workspace_duration";
        CUSTOMER_OTHER_ATTRIBUTES = "idx_customer_other_attributes";
        CALL_CUSTOMER_CREATED = "idx_call_customer_created";
        CALL_WORKSPACE_CREATED = "idx_call_workspace_created";
    }
    optimized {
        CUSTOMER_WORKSPACE_CREATED = "idx_customer_workspace_created";
        CUSTOMER_WORKSPACE_DURATION = "idx_customer_workspace_duration";
        CUSTOMER_OTHER_ATTRIBUTES = "idx_customer_other_attributes";
        CUSTOMER_WORKSPACE_CARRIER = "idx_customer_workspace_carrier";
        CUSTOMER_WORKSPACE_FLAGS = "idx_customer_workspace_flags";
        CUSTOMER_LABEL_LABEL_ID = "idx_customer_label_label_id";
        CALL_CUSTOMER_CREATED = "idx_call_customer_created";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::TABLES;

    #[test]
    fn every_file_builds_the_index_of_its_name_concurrently_and_nothing_else() {
        for index in ALL {
            let statement: String = index.create.lines().filter(|line| !line.starts_with("--")).collect();
            assert!(statement.starts_with(&format!("{CREATE}{}", index.name)), "{}: {statement}", index.name);
            // A second statement would put both into one implicit transaction, where CONCURRENTLY is refused.
            assert!(!statement.contains(';'), "{}: more than one statement", index.name);
            assert!(TABLES.contains(&index.table()), "{}: {}", index.name, index.table());
        }
    }

    #[test]
    fn an_index_under_another_name_differs_in_nothing_else() {
        for index in ALL {
            let other = index.create_as("another");
            assert!(
                other.contains(&format!("\n{CREATE}another"))
                    || other.starts_with(&format!("{CREATE}another"))
            );
            assert_eq!(
                other.replacen(&format!("{CREATE}another"), &format!("{CREATE}{}", index.name), 1),
                index.create
            );
        }
    }
}
