-- Reports on a workspace's recent calls. PostgreSQL refuses now() in an index predicate, so the whole of it is indexed.
CREATE INDEX CONCURRENTLY idx_call_workspace_created ON call (workspace_id, created_at DESC)
