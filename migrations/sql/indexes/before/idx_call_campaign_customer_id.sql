CREATE INDEX CONCURRENTLY idx_call_campaign_customer_id ON call (campaign_customer_id)
