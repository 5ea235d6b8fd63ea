-- One value of status in the order of the list: an absent value costs one descent, not a walk of the tenant.
CREATE INDEX CONCURRENTLY idx_customer_workspace_status
    ON customer (workspace_id, status, created_at DESC, id DESC) WHERE NOT is_deleted
