-- Containment (@>) of one key and value within one tenant: a value that other tenants use costs this one nothing. That a
-- GIN index takes a uuid is owed to the extension btree_gin.
CREATE INDEX CONCURRENTLY idx_customer_other_attributes
    ON customer USING gin (workspace_id, other_attributes jsonb_path_ops) WHERE NOT is_deleted
