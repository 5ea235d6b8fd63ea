//! Everything about some customers, given their ids: one statement, whatever their number.
//!
//! The ids are an array. PostgreSQL assumes ten elements of an array it doesn't know, and for ten rows it looks up each
//! row by index, whatever the tenant. With a CTE of rows in place of the array, a plan that is kept for all requests
//! would have to assume a tenth of the tenant (`LIMIT $2` is unknown) and join by hashing whole tables. So the statement
//! can be planned once and kept, which saves a third of the time it takes: 0.8 ms to plan, 1.7 ms to run.
//!
//! Every relation but `call` and `customer_label` has its own `workspace_id = $1`: rows of another tenant can't show up
//! whatever an id points to, and the statement could be routed to one shard. Those two are reached only from a customer
//! of this workspace; `workspace_id` is not in the index of calls, and reading it would cost a heap fetch for each call.

use sqlx::{AssertSqlSafe, Error};
use uuid::Uuid;

use crate::Variant;
use crate::customers::row::{
    BillingBreakdown, BillingSummary, CallTotals, Campaign, CampaignStats, Columns, Customer, Employee,
    LatestCall,
};
use crate::database::{Found, Session};
use crate::permission::Admission;
use crate::profile::{self, Layer};
use crate::variants::clock::clock;

/// Reads these customers of the workspace, in the order of `ids`; without those that don't exist, are deleted, or are not
/// for this member to see.
pub(crate) async fn by_ids(
    session: &mut Session,
    variant: Variant,
    admission: &Admission,
    ids: &[Uuid],
) -> Result<Vec<Customer>, Error> {
    let sql = format!(
        "WITH {clock}
         SELECT {COLUMNS}
           FROM clock
          CROSS JOIN unnest($2::uuid[]) WITH ORDINALITY AS page (id, position)
           JOIN customer AS c ON c.id = page.id AND c.workspace_id = $1 AND NOT c.is_deleted
                             AND ($3::uuid IS NULL OR c.employee_id = $3)
           {RELATED} {calls}
          ORDER BY page.position",
        clock = clock(),
        calls = calls(variant),
    );
    // Safe: the parts of the text are constants of this module, and values are bound.
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(admission.workspace_id).bind(ids).bind(admission.employee_id);
    let rows = session.find(query).await?;
    profile::enter(Layer::Serializer);
    rows.iter().map(customer).collect()
}

/// What a row of a statement with [`RELATED`] and [`calls`] selects.
pub(crate) const COLUMNS: &str = r#"
       c.id, c.workspace_id, c.name, c.email, c.phone, c.carrier, c.status, c.quality, c.call_status, c.duration,
       c.is_test, c.checked, c.other_attributes::text AS other_attributes, c.is_deleted, c.created_at, c.updated_at,
       ARRAY(SELECT l.name
               FROM customer_label AS cl
               JOIN label AS l ON l.id = cl.label_id AND l.workspace_id = $1
              WHERE cl.customer_id = c.id
              ORDER BY l.name COLLATE "C") AS tags,
       e.id AS employee_id, e.name AS employee_name, e.email AS employee_email,
       latest.id AS latest_id, latest.direction AS latest_direction, latest.status AS latest_status,
       latest.duration AS latest_duration, latest.duration_seconds AS latest_duration_seconds,
       latest.call_type AS latest_call_type, latest.sentiment_score AS latest_sentiment_score,
       latest.created_at AS latest_created_at,
       calls.*,
       (SELECT count(*) FROM call_campaign_customer AS n
         WHERE n.customer_id = c.id AND n.workspace_id = $1 AND n.status = 'completed') AS completed_campaigns,
       campaign.id AS campaign_id, campaign.name AS campaign_name"#;

/// What is joined to a customer `c` of the workspace `$1`, beside its calls.
pub(crate) const RELATED: &str = "
  LEFT JOIN employee AS e ON e.id = c.employee_id AND e.workspace_id = $1
  LEFT JOIN LATERAL (
       SELECT id, direction, status, duration, duration_seconds, call_type, sentiment_score, created_at
         FROM call
        WHERE call.customer_id = c.id
        ORDER BY created_at DESC, id DESC
        LIMIT 1) AS latest ON true
  LEFT JOIN LATERAL (
       SELECT g.id, g.name
         FROM call_campaign_customer AS n
         JOIN call_campaign AS g ON g.id = n.campaign_id AND g.workspace_id = $1 AND g.status = 'active'
        WHERE n.customer_id = c.id AND n.workspace_id = $1 AND n.status IN ('pending', 'in_progress')
        ORDER BY n.created_at DESC, n.id DESC
        LIMIT 1) AS campaign ON true";

/// The counts and costs of the calls of a customer `c`, as the variant finds them, measured against `clock`.
///
/// `round(numeric, 4)` rounds halves away from zero. The division before it is exact enough: a cost in
/// ten-thousandths is a multiple of 1/60, so it is either exactly a half, which every scale can hold, or at least 1/60
/// away from one.
pub(crate) fn calls(variant: Variant) -> &'static str {
    match variant {
        // Lifetime totals from the row that the triggers keep; recent windows from the newest calls alone. `least`
        // bounds the index scan by the window that begins earlier.
        Variant::Rollup => {
            "
 CROSS JOIN LATERAL (
       SELECT coalesce(t.total_calls, 0) AS total_calls,
              coalesce(t.total_duration_seconds, 0) AS total_duration_seconds,
              coalesce(t.successful_calls, 0) AS successful_calls,
              coalesce(t.missed_calls, 0) AS missed_calls,
              coalesce(t.campaign_calls, 0) AS total_campaign_calls,
              coalesce(t.cost_campaign, 0)::text AS cost_campaign,
              coalesce(t.cost_direct, 0)::text AS cost_direct,
              coalesce(t.cost_callback, 0)::text AS cost_callback,
              recent.calls_last_30_days, recent.cost_this_month
         FROM (SELECT count(*) FILTER (WHERE created_at >= clock.last_30_days) AS calls_last_30_days,
                      coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                               FILTER (WHERE created_at >= clock.this_month), 0)::text AS cost_this_month
                 FROM call
                WHERE call.customer_id = c.id AND created_at >= least(clock.last_30_days, clock.this_month)) AS recent
         LEFT JOIN customer_call_stats AS t ON t.customer_id = c.id AND t.workspace_id = $1) AS calls"
        }
        // One pass over all calls of the customer, from the covering index alone.
        Variant::Live | Variant::Naive => {
            "
 CROSS JOIN LATERAL (
       SELECT count(*) AS total_calls,
              coalesce(sum(duration_seconds), 0) AS total_duration_seconds,
              count(*) FILTER (WHERE created_at >= clock.last_30_days) AS calls_last_30_days,
              count(*) FILTER (WHERE status = 'completed') AS successful_calls,
              count(*) FILTER (WHERE status = 'missed') AS missed_calls,
              count(*) FILTER (WHERE call_type = 'campaign') AS total_campaign_calls,
              coalesce(sum(cost) FILTER (WHERE call_type = 'campaign'), 0)::text AS cost_campaign,
              coalesce(sum(cost) FILTER (WHERE call_type = 'direct'), 0)::text AS cost_direct,
              coalesce(sum(cost) FILTER (WHERE call_type = 'callback'), 0)::text AS cost_callback,
              coalesce(sum(cost) FILTER (WHERE created_at >= clock.this_month), 0)::text AS cost_this_month
         FROM (SELECT created_at, status, call_type, duration_seconds,
                      round(billing_rate * duration_seconds / 60, 4) AS cost
                 FROM call
                WHERE call.customer_id = c.id) AS costed) AS calls"
        }
    }
}

/// A row of [`COLUMNS`] as a customer.
pub(crate) fn customer(row: &Found) -> Result<Customer, Error> {
    Ok(Customer {
        columns: columns(row)?,
        tags: row.get("tags")?,
        employee: employee(row)?,
        latest_call: latest_call(row)?,
        totals: CallTotals {
            total_calls: row.get("total_calls")?,
            total_duration_seconds: row.get("total_duration_seconds")?,
            calls_last_30_days: row.get("calls_last_30_days")?,
            successful_calls: row.get("successful_calls")?,
            missed_calls: row.get("missed_calls")?,
        },
        campaign_stats: CampaignStats {
            total_campaign_calls: row.get("total_campaign_calls")?,
            completed_campaigns: row.get("completed_campaigns")?,
            active_campaign: active_campaign(row)?,
        },
        billing_summary: BillingSummary::new(
            BillingBreakdown {
                campaign: row.get("cost_campaign")?,
                direct: row.get("cost_direct")?,
                callback: row.get("cost_callback")?,
            },
            row.get("cost_this_month")?,
        ),
    })
}

/// What stands in the table, out of a row that has its columns under their names.
pub(crate) fn columns(row: &Found) -> Result<Columns, Error> {
    Ok(Columns {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        carrier: row.get("carrier")?,
        status: row.get("status")?,
        quality: row.get("quality")?,
        call_status: row.get("call_status")?,
        duration: row.get("duration")?,
        is_test: row.get("is_test")?,
        checked: row.get("checked")?,
        other_attributes: row.get("other_attributes")?,
        is_deleted: row.get("is_deleted")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn employee(row: &Found) -> Result<Option<Employee>, Error> {
    let Some(id) = row.get("employee_id")? else { return Ok(None) };
    Ok(Some(Employee { id, name: row.get("employee_name")?, email: row.get("employee_email")? }))
}

fn latest_call(row: &Found) -> Result<Option<LatestCall>, Error> {
    let Some(id) = row.get("latest_id")? else { return Ok(None) };
    Ok(Some(LatestCall {
        id,
        direction: row.get("latest_direction")?,
        status: row.get("latest_status")?,
        duration: row.get("latest_duration")?,
        duration_seconds: row.get("latest_duration_seconds")?,
        call_type: row.get("latest_call_type")?,
        sentiment_score: row.get("latest_sentiment_score")?,
        created_at: row.get("latest_created_at")?,
    }))
}

fn active_campaign(row: &Found) -> Result<Option<Campaign>, Error> {
    let Some(id) = row.get("campaign_id")? else { return Ok(None) };
    Ok(Some(Campaign { id, name: row.get("campaign_name")? }))
}
