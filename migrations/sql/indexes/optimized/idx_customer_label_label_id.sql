-- The customers of a label, from the index alone.
CREATE INDEX CONCURRENTLY idx_customer_label_label_id ON customer_label (label_id, customer_id)
