//! The totals of each customer against the calls that they are totals of.
//!
//! A row of nothing but zeros is what is left when all calls of a customer are deleted; it agrees with no calls.

use sqlx::FromRow;

use super::error::Error;
use super::findings::{Check, Group};
use super::snapshot::{Snapshot, TOTALS};

/// `calls` is what the totals should be (the migration that creates the table has the same statement), `t` is what
/// they are.
macro_rules! compared {
    ($select:literal, $rest:literal) => {
        concat!(
            "WITH calls AS (
                 SELECT workspace_id, customer_id,
                        count(*) AS total_calls,
                        sum(duration_seconds) AS total_duration_seconds,
                        count(*) FILTER (WHERE status = 'completed') AS successful_calls,
                        count(*) FILTER (WHERE status = 'missed') AS missed_calls,
                        count(*) FILTER (WHERE call_type = 'campaign') AS campaign_calls,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'campaign'), 0) AS cost_campaign,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'direct'), 0) AS cost_direct,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'callback'), 0) AS cost_callback
                 FROM public.call
                 GROUP BY workspace_id, customer_id
             ), compared AS (
                 SELECT coalesce(c.customer_id, t.customer_id) AS customer_id,
                        t.customer_id IS NULL AS is_missing,
                        c.customer_id IS NULL AS is_extra,
                        t.customer_id IS NOT NULL AND c.customer_id IS NOT NULL AS is_different
                 FROM calls c FULL JOIN public.customer_call_stats t ON t.customer_id = c.customer_id
                 WHERE CASE WHEN c.customer_id IS NULL THEN
                     (t.total_calls, t.total_duration_seconds, t.successful_calls, t.missed_calls, t.campaign_calls,
                      t.cost_campaign, t.cost_direct, t.cost_callback) <> (0, 0, 0, 0, 0, 0, 0, 0)
                 ELSE
                     (t.workspace_id, t.total_calls, t.total_duration_seconds, t.successful_calls, t.missed_calls,
                      t.campaign_calls, t.cost_campaign, t.cost_direct, t.cost_callback)
                     IS DISTINCT FROM
                     (c.workspace_id, c.total_calls, c.total_duration_seconds, c.successful_calls, c.missed_calls,
                      c.campaign_calls, c.cost_campaign, c.cost_direct, c.cost_callback)
                 END
             ) SELECT ",
            $select,
            " FROM compared ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Counts {
    missing: i64,
    extra: i64,
    different: i64,
}

/// Whether there are totals, and calls to hold them against.
pub(super) fn are_kept(snapshot: &Snapshot) -> bool {
    snapshot.holds(TOTALS) && snapshot.holds("call")
}

/// Checks the totals in both directions.
pub(super) async fn check(snapshot: &mut Snapshot) -> Result<Vec<Check>, Error> {
    let failed = Error::database("comparing totals with calls");
    let counts: Counts = sqlx::query_as(compared!(
        "count(*) FILTER (WHERE is_missing) AS missing, count(*) FILTER (WHERE is_extra) AS extra,
         count(*) FILTER (WHERE is_different) AS different",
        ""
    ))
    .fetch_one(snapshot.any())
    .await
    .map_err(&failed)?;
    let mut checks = Vec::new();
    for (name, found, examples) in [
        (
            "customers with calls and no totals",
            counts.missing,
            compared!("customer_id::text", "WHERE is_missing LIMIT 3"),
        ),
        (
            "customers with totals and no calls",
            counts.extra,
            compared!("customer_id::text", "WHERE is_extra LIMIT 3"),
        ),
        (
            "customers whose totals differ from their calls",
            counts.different,
            compared!("customer_id::text", "WHERE is_different LIMIT 3"),
        ),
    ] {
        let examples = if found == 0 {
            Vec::new()
        } else {
            sqlx::query_scalar(examples).fetch_all(snapshot.any()).await.map_err(&failed)?
        };
        checks.push(Check::none(Group::Totals, name, found.unsigned_abs(), examples));
    }
    Ok(checks)
}
