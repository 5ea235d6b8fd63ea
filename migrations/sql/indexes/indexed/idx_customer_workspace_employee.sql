-- An employee's own customers, in the order of the list; also answers "has this employee any customer?".
CREATE INDEX CONCURRENTLY idx_customer_workspace_employee
    ON customer (workspace_id, employee_id, created_at DESC, id DESC) WHERE NOT is_deleted
