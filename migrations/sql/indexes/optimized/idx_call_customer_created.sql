-- The latest call and the recent windows of a customer, from the newest calls alone; lifetime totals stand in a table.
-- The included columns are those that the cost of this month reads: without them, the newest customers of a large
-- tenant, who have had a hundred calls each within the windows, cost a heap fetch for each. `id` is not a key, although
-- the latest call is chosen by (created_at, id): it would be 16 bytes more for each of a billion calls (these are 59), and
-- calls of one customer at the same microsecond are sorted when they occur.
CREATE INDEX CONCURRENTLY idx_call_customer_created
    ON call (customer_id, created_at DESC) INCLUDE (duration_seconds, billing_rate)
