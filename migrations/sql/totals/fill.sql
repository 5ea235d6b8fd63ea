-- The totals of all calls at once, for a database that nobody else writes to.
INSERT INTO customer_call_stats
SELECT workspace_id, customer_id,
       count(*), sum(duration_seconds),
       count(*) FILTER (WHERE status = 'completed'),
       count(*) FILTER (WHERE status = 'missed'),
       count(*) FILTER (WHERE call_type = 'campaign'),
       coalesce(sum(call_cost(billing_rate, duration_seconds)) FILTER (WHERE call_type = 'campaign'), 0),
       coalesce(sum(call_cost(billing_rate, duration_seconds)) FILTER (WHERE call_type = 'direct'), 0),
       coalesce(sum(call_cost(billing_rate, duration_seconds)) FILTER (WHERE call_type = 'callback'), 0)
FROM call
GROUP BY workspace_id, customer_id;
