-- Both flags in the order of the list; one flag alone is a merge of two ranges.
CREATE INDEX CONCURRENTLY idx_customer_workspace_flags
    ON customer (workspace_id, is_test, checked, created_at DESC, id DESC) WHERE NOT is_deleted
