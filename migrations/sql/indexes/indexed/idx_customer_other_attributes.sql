-- Containment (@>) of one key and value. jsonb_path_ops stores a hash for each path and value: smaller and more
-- selective than jsonb_ops, and containment is all that the filter asks for.
CREATE INDEX CONCURRENTLY idx_customer_other_attributes
    ON customer USING gin (other_attributes jsonb_path_ops) WHERE NOT is_deleted
