-- One value of quality in the order of the list: an absent value costs one descent, not a walk of the tenant.
CREATE INDEX CONCURRENTLY idx_customer_workspace_quality
    ON customer (workspace_id, quality, created_at DESC, id DESC) WHERE NOT is_deleted
