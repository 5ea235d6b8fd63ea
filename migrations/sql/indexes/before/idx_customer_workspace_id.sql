CREATE INDEX CONCURRENTLY idx_customer_workspace_id ON customer (workspace_id)
