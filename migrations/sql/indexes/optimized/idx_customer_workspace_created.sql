-- The order of the list. A walk along it that looks for rare values reads them here, many customers a page, instead of
-- fetching each customer to throw it away.
CREATE INDEX CONCURRENTLY idx_customer_workspace_created
    ON customer (workspace_id, created_at DESC, id DESC)
    INCLUDE (status, quality, call_status, carrier, duration, is_test, checked, employee_id)
    WHERE NOT is_deleted
