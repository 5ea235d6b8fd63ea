-- Lifetime totals per customer, kept by statement-level triggers, whoever writes to call.
--
-- The lock waits for those who write to call and lets nobody begin: who holds it knows that every call there is was
-- written without triggers, and every call to come will be written with them.
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

-- Adds what a statement has changed to the totals. Rows are taken in customer order, so that two such statements never
-- wait for each other in a circle.
--
-- It runs with the rights of its owner: who may write calls keeps the totals right without a right to write totals, which
-- would be one to falsify them. So its search_path is fixed, every name of ours is written with its schema (a writer's own
-- search_path may lack it), and nobody else may put it on a table of theirs. A session with session_replication_role =
-- replica applies what another server has done already, totals included, and fires no triggers.
--
-- The changes are first gathered in an array, one row for each customer, and written from there, because a distributed
-- database (Citus) can't read a transition table and write a distributed table in one statement. An array holds 1 GB:
-- five million customers in one statement.
CREATE FUNCTION customer_call_stats_maintain() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sign    integer := CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END;
    changes public.customer_call_stats[];
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        -- Where the totals are truncated by the same statement they are empty by now, and can't be truncated again
        -- while it runs. Their size is asked for, not their rows: a snapshot may be older than some of these.
        IF pg_relation_size('public.customer_call_stats') > 0 THEN
            TRUNCATE public.customer_call_stats;
        END IF;
        RETURN NULL;
    ELSIF TG_OP = 'UPDATE' THEN
        -- What changes no total is not written. A call that moves to another workspace does so with its customer.
        SELECT array_agg(ROW (workspace_id, customer_id, calls, seconds, successful, missed, campaign,
                              cost_campaign, cost_direct, cost_callback)::public.customer_call_stats)
        INTO changes
        FROM (SELECT (array_agg(workspace_id ORDER BY change.sign DESC))[1] AS workspace_id, customer_id,
                     count(DISTINCT workspace_id) > 1 AS is_moved,
                     sum(change.sign) AS calls,
                     sum(change.sign * duration_seconds) AS seconds,
                     coalesce(sum(change.sign) FILTER (WHERE status = 'completed'), 0) AS successful,
                     coalesce(sum(change.sign) FILTER (WHERE status = 'missed'), 0) AS missed,
                     coalesce(sum(change.sign) FILTER (WHERE call_type = 'campaign'), 0) AS campaign,
                     coalesce(sum(change.sign * cost) FILTER (WHERE call_type = 'campaign'), 0) AS cost_campaign,
                     coalesce(sum(change.sign * cost) FILTER (WHERE call_type = 'direct'), 0) AS cost_direct,
                     coalesce(sum(change.sign * cost) FILTER (WHERE call_type = 'callback'), 0) AS cost_callback
              FROM (SELECT workspace_id, customer_id, status, call_type, duration_seconds,
                           public.call_cost(billing_rate, duration_seconds) AS cost, 1 AS sign
                    FROM changed
                    UNION ALL
                    SELECT workspace_id, customer_id, status, call_type, duration_seconds,
                           public.call_cost(billing_rate, duration_seconds), -1
                    FROM replaced) AS change
              GROUP BY customer_id) AS of_customer
        WHERE is_moved OR (calls, seconds, successful, missed, campaign, cost_campaign, cost_direct, cost_callback)
                          <> (0, 0, 0, 0, 0, 0, 0, 0);
    ELSE
        SELECT array_agg(ROW (workspace_id, customer_id, sign * calls, sign * seconds, sign * successful, sign * missed,
                              sign * campaign, sign * cost_campaign, sign * cost_direct, sign * cost_callback
                             )::public.customer_call_stats)
        INTO changes
        FROM (SELECT (array_agg(workspace_id))[1] AS workspace_id, customer_id,
                     count(*) AS calls,
                     sum(duration_seconds) AS seconds,
                     count(*) FILTER (WHERE status = 'completed') AS successful,
                     count(*) FILTER (WHERE status = 'missed') AS missed,
                     count(*) FILTER (WHERE call_type = 'campaign') AS campaign,
                     coalesce(sum(cost) FILTER (WHERE call_type = 'campaign'), 0) AS cost_campaign,
                     coalesce(sum(cost) FILTER (WHERE call_type = 'direct'), 0) AS cost_direct,
                     coalesce(sum(cost) FILTER (WHERE call_type = 'callback'), 0) AS cost_callback
              FROM (SELECT workspace_id, customer_id, status, call_type, duration_seconds,
                           public.call_cost(billing_rate, duration_seconds) AS cost
                    FROM changed) AS change
              GROUP BY customer_id) AS of_customer;
    END IF;
    IF changes IS NOT NULL THEN
        INSERT INTO public.customer_call_stats AS totals
        SELECT * FROM unnest(changes) ORDER BY customer_id
        ON CONFLICT (customer_id) DO UPDATE SET
            workspace_id           = excluded.workspace_id,
            total_calls            = totals.total_calls + excluded.total_calls,
            total_duration_seconds = totals.total_duration_seconds + excluded.total_duration_seconds,
            successful_calls       = totals.successful_calls + excluded.successful_calls,
            missed_calls           = totals.missed_calls + excluded.missed_calls,
            campaign_calls         = totals.campaign_calls + excluded.campaign_calls,
            cost_campaign          = totals.cost_campaign + excluded.cost_campaign,
            cost_direct            = totals.cost_direct + excluded.cost_direct,
            cost_callback          = totals.cost_callback + excluded.cost_callback;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION customer_call_stats_maintain() FROM PUBLIC;

CREATE TRIGGER customer_call_stats_insert AFTER INSERT ON call
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_update AFTER UPDATE ON call
    REFERENCING NEW TABLE AS changed OLD TABLE AS replaced
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_delete AFTER DELETE ON call
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
CREATE TRIGGER customer_call_stats_truncate AFTER TRUNCATE ON call
    FOR EACH STATEMENT EXECUTE FUNCTION customer_call_stats_maintain();
