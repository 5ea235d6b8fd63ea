-- One duration in the order of the list; or a range of durations, whose first customers are picked from the index alone.
CREATE INDEX CONCURRENTLY idx_customer_workspace_duration
    ON customer (workspace_id, duration, created_at DESC, id DESC) WHERE NOT is_deleted
