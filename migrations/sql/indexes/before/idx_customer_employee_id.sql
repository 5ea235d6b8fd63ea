CREATE INDEX CONCURRENTLY idx_customer_employee_id ON customer (employee_id)
