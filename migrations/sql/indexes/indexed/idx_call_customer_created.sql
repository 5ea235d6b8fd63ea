-- The latest call and, from the index alone, every aggregate of a customer's calls. The included columns are those
-- that the aggregates read; without them each call of a page costs a heap fetch, and one tenant's calls are scattered.
CREATE INDEX CONCURRENTLY idx_call_customer_created
    ON call (customer_id, created_at DESC, id DESC)
    INCLUDE (status, call_type, duration_seconds, billing_rate)
