CREATE INDEX CONCURRENTLY idx_call_workspace_id ON call (workspace_id)
