-- Adds a batch of counted totals to what the triggers have counted since. The workspace of a row that is there already is
-- the younger one.
INSERT INTO customer_call_stats AS totals
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::text[]::numeric[], $9::text[]::numeric[], $10::text[]::numeric[])
     AS counted (workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls, missed_calls,
                 campaign_calls, cost_campaign, cost_direct, cost_callback)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET
    total_calls            = totals.total_calls + excluded.total_calls,
    total_duration_seconds = totals.total_duration_seconds + excluded.total_duration_seconds,
    successful_calls       = totals.successful_calls + excluded.successful_calls,
    missed_calls           = totals.missed_calls + excluded.missed_calls,
    campaign_calls         = totals.campaign_calls + excluded.campaign_calls,
    cost_campaign          = totals.cost_campaign + excluded.cost_campaign,
    cost_direct            = totals.cost_direct + excluded.cost_direct,
    cost_callback          = totals.cost_callback + excluded.cost_callback
