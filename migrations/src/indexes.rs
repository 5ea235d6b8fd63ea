//! The registry of secondary indexes: one name, one file, one reason to exist.
//!
//! Primary keys belong to the tables and are not listed here.

/// A secondary index and the statement that builds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Name, unique in the schema.
    pub name: &'static str,
    /// One `CREATE INDEX CONCURRENTLY` statement, with the reason for its shape as a comment before it.
    pub create: &'static str,
}

macro_rules! registry {
    ($($constant:ident = $name:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`, see `sql/indexes/", $name, ".sql`.")]
            pub const $constant: Index =
                Index { name: $name, create: include_str!(concat!("../sql/indexes/", $name, ".sql")) };
        )+
        /// Every index that some level has.
        pub const ALL: &[Index] = &[$($constant),+];
    };
}

registry! {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_builds_the_index_of_its_name_concurrently_and_nothing_else() {
        for index in ALL {
            let statement: String = index.create.lines().filter(|line| !line.starts_with("--")).collect();
            let head = format!("CREATE INDEX CONCURRENTLY {}", index.name);
            assert!(statement.starts_with(&head), "{}: {statement}", index.name);
            // A second statement would put both into one implicit transaction, where CONCURRENTLY is refused.
            assert!(!statement.contains(';'), "{}: more than one statement", index.name);
        }
    }
}
