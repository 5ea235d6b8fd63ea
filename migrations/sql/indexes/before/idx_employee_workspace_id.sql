CREATE INDEX CONCURRENTLY idx_employee_workspace_id ON employee (workspace_id)
