-- Lifetime totals per customer, kept by statement-level triggers, whoever writes to call.
--
-- Writers of call wait while the totals are computed: the lock stands until the triggers do, so that no call is
-- missed or counted twice.
LOCK TABLE call IN SHARE ROW EXCLUSIVE MODE;

-- No counter stands in an index, and each page keeps room: an update of a row of totals stays on its page (HOT).
CREATE TABLE customer_call_stats (
    workspace_id           uuid NOT NULL,
    customer_id            uuid PRIMARY KEY,
    total_calls            bigint NOT NULL,
    total_duration_seconds bigint NOT NULL,
    successful_calls       bigint NOT NULL,
    missed_calls           bigint NOT NULL,
    campaign_calls         bigint NOT NULL,
    cost_campaign          numeric(18, 4) NOT NULL,
    cost_direct            numeric(18, 4) NOT NULL,
    cost_callback          numeric(18, 4) NOT NULL
) WITH (fillfactor = 80);

-- The cost of one call, in one place: billing_rate * minutes, rounded to 4 decimals, halves away from zero.
CREATE FUNCTION call_cost(billing_rate numeric, duration_seconds integer) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(round(billing_rate * duration_seconds / 60, 4), 0);

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

-- Adds signed calls to the totals (+1 a call that came, -1 a call that went). Rows are taken in customer order, so that
-- two writers never wait for each other in a circle. A statement that changes no total writes nothing.
CREATE FUNCTION customer_call_stats_add(
    workspaces uuid[], customers uuid[], signs integer[], statuses text[], call_types text[],
    seconds integer[], rates numeric[]
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO customer_call_stats AS totals
    SELECT (array_agg(workspace_id ORDER BY sign DESC))[1], customer_id,
           sum(sign), sum(sign * seconds),
           coalesce(sum(sign) FILTER (WHERE status = 'completed'), 0),
           coalesce(sum(sign) FILTER (WHERE status = 'missed'), 0),
           coalesce(sum(sign) FILTER (WHERE call_type = 'campaign'), 0),
           coalesce(sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'campaign'), 0),
           coalesce(sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'direct'), 0),
           coalesce(sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'callback'), 0)
    FROM unnest(workspaces, customers, signs, statuses, call_types, seconds, rates)
         AS change (workspace_id, customer_id, sign, status, call_type, seconds, rate)
    GROUP BY customer_id
    HAVING sum(sign) <> 0 OR sum(sign * seconds) <> 0
        OR sum(sign) FILTER (WHERE status = 'completed') <> 0
        OR sum(sign) FILTER (WHERE status = 'missed') <> 0
        OR sum(sign) FILTER (WHERE call_type = 'campaign') <> 0
        OR sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'campaign') <> 0
        OR sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'direct') <> 0
        OR sum(sign * call_cost(rate, seconds)) FILTER (WHERE call_type = 'callback') <> 0
    ORDER BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET
        workspace_id           = excluded.workspace_id,
        total_calls            = totals.total_calls + excluded.total_calls,
        total_duration_seconds = totals.total_duration_seconds + excluded.total_duration_seconds,
        successful_calls       = totals.successful_calls + excluded.successful_calls,
        missed_calls           = totals.missed_calls + excluded.missed_calls,
        campaign_calls         = totals.campaign_calls + excluded.campaign_calls,
        cost_campaign          = totals.cost_campaign + excluded.cost_campaign,
        cost_direct            = totals.cost_direct + excluded.cost_direct,
        cost_callback          = totals.cost_callback + excluded.cost_callback
$$;

-- The transition tables are first read into arrays and the totals written from those, because a distributed database
-- (Citus) can't read a transition table and write a distributed table in one statement.
CREATE FUNCTION customer_call_stats_maintain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    workspaces uuid[];
    customers  uuid[];
    signs      integer[];
    statuses   text[];
    call_types text[];
    seconds    integer[];
    rates      numeric[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        TRUNCATE customer_call_stats;
        RETURN NULL;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(workspace_id), array_agg(customer_id), array_agg(1), array_agg(status),
               array_agg(call_type), array_agg(duration_seconds), array_agg(billing_rate)
        INTO workspaces, customers, signs, statuses, call_types, seconds, rates
        FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(workspace_id), array_agg(customer_id), array_agg(-1), array_agg(status),
               array_agg(call_type), array_agg(duration_seconds), array_agg(billing_rate)
        INTO workspaces, customers, signs, statuses, call_types, seconds, rates
        FROM removed;
    ELSE
        SELECT array_agg(workspace_id), array_agg(customer_id), array_agg(sign), array_agg(status),
               array_agg(call_type), array_agg(duration_seconds), array_agg(billing_rate)
        INTO workspaces, customers, signs, statuses, call_types, seconds, rates
        FROM (SELECT workspace_id, customer_id, 1 AS sign, status, call_type, duration_seconds, billing_rate FROM added
              UNION ALL
              SELECT workspace_id, customer_id, -1, status, call_type, duration_seconds, billing_rate FROM removed
             ) AS changed;
    END IF;
    IF customers IS NOT NULL THEN
        PERFORM customer_call_stats_add(workspaces, customers, signs, statuses, call_types, seconds, rates);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER customer_call_stats_insert AFTER INSERT ON call
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_update AFTER UPDATE ON call
    REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_delete AFTER DELETE ON call
    REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_truncate AFTER TRUNCATE ON call
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
