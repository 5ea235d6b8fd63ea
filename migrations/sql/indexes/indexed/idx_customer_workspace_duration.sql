-- A range of durations. A range can't also deliver the order of the list, so nothing trails it.
CREATE INDEX CONCURRENTLY idx_customer_workspace_duration
    ON customer (workspace_id, duration) WHERE NOT is_deleted
