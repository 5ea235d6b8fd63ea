DROP TRIGGER customer_call_stats_insert ON call;
DROP TRIGGER customer_call_stats_update ON call;
DROP TRIGGER customer_call_stats_delete ON call;
DROP TRIGGER customer_call_stats_truncate ON call;
DROP FUNCTION customer_call_stats_maintain();
DROP TABLE customer_call_stats;
DROP FUNCTION call_cost(numeric, integer);
