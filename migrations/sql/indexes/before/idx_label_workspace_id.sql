CREATE INDEX CONCURRENTLY idx_label_workspace_id ON label (workspace_id)
