CREATE INDEX CONCURRENTLY idx_customer_label_label_id ON customer_label (label_id)
