-- The order of the list. Both key columns run the same way, so that the row comparison of the cursor,
-- (created_at, id) < ($1, $2), bounds the scan instead of filtering it.
CREATE INDEX CONCURRENTLY idx_customer_workspace_created
    ON customer (workspace_id, created_at DESC, id DESC) WHERE NOT is_deleted
