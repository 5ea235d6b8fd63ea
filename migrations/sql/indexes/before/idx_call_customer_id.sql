CREATE INDEX CONCURRENTLY idx_call_customer_id ON call (customer_id)
