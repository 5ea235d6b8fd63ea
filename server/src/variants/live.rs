//! One statement for a page: the keys by their place in an index, then everything about those customers.
//!
//! The statement has two halves, and its shape is what keeps it fast:
//!
//! 1. *Seek.* The ids of at most `page_size + 1` customers, from an index that has the order of the list, beginning at
//!    the place of the cursor. `(created_at, id) < (…)` is a row comparison over key columns that run the same way, so
//!    it is where the index scan starts, not a filter; an `OR` of the two cases would read from the top. The extra id
//!    says whether more rows follow, and the nearest row on the other side of the place whether any precede. Both see
//!    the same snapshot, so the two links are exact.
//!    A filter by values takes one branch for each value, over the index that leads with that column: each branch is in
//!    the order of the list and stops after a page, so that a rare or absent value costs a descent, not a walk of the
//!    tenant. `= ANY (…)` over the same index would lose the order, and the planner would guess.
//! 2. *Fill.* For each of these ids, in a lateral join, the customer and one pass over its calls, from the covering
//!    index alone.
//!
//! The ids pass from one half to the other as an array. PostgreSQL assumes ten elements of an array it doesn't know, and
//! for ten rows it looks up each row by index, whatever the tenant. With a CTE in place of the array, a plan that is
//! kept for all requests would have to assume a tenth of the tenant (`LIMIT $2` is unknown) and join by hashing whole
//! tables. So this statement can be planned once and kept (`plan_cache_mode` in `database`), which saves a third of the
//! time it takes: 0.8 ms to plan, 1.7 ms to run.
//!
//! Every relation but `call` and `customer_label` has its own `workspace_id = $1`: rows of another tenant can't show up
//! whatever an id points to, and the statement could be routed to one shard. Those two are reached only from a customer
//! of this workspace; `workspace_id` is not in the covering index, and reading it would cost a heap fetch for each call.

use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Error, FromRow as _, Row as _};

use crate::customers::clock::Windows;
use crate::customers::cursor::{Cursor, Direction};
use crate::customers::filters::Filters;
use crate::customers::paging::{Page, Start};
use crate::customers::row::{
    BillingBreakdown, BillingSummary, CallTotals, Campaign, CampaignStats, Columns, Customer, Employee,
    LatestCall,
};
use crate::permission::Admission;
use crate::variants::Rows;
use crate::variants::statement::Values;

#[cfg(test)]
mod plans;

/// Reads a page.
pub(crate) async fn page(
    connection: &mut PgConnection,
    admission: &Admission,
    filters: &Filters,
    page: &Page,
) -> Result<Rows, Error> {
    let (sql, arguments) = statement(admission, filters, page)?;
    // Safe: the parts of the text are constants of this module, and values are bound.
    let rows = sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(connection).await?;
    // There is always a row: a page without customers is one row with nothing in it but the edges.
    let edges = rows.first().ok_or(Error::RowNotFound)?;
    let (beyond, behind) = (edges.try_get("beyond")?, edges.try_get("behind")?);
    let is_empty = edges.try_get::<Option<uuid::Uuid>, _>("id")?.is_none();
    let filled = if is_empty { &[] } else { rows.as_slice() };
    let mut customers = filled.iter().map(customer).collect::<Result<Vec<_>, _>>()?;
    if !Walk::of(page.start).is_down() {
        customers.reverse();
    }
    Ok(Rows { customers, beyond, behind, count: None })
}

/// The order in which ids are sought: that of the list, or its reverse.
#[derive(Clone, Copy)]
enum Walk {
    Down,
    Up,
}

impl Walk {
    fn of(start: Start) -> Self {
        match start {
            Start::Cursor(Cursor { direction: Direction::Previous, .. }) => Self::Up,
            _ => Self::Down,
        }
    }

    fn is_down(self) -> bool {
        matches!(self, Self::Down)
    }

    fn reversed(self) -> Self {
        if self.is_down() { Self::Up } else { Self::Down }
    }

    /// The keyword of ORDER BY.
    fn order(self) -> &'static str {
        if self.is_down() { "DESC" } else { "ASC" }
    }
}

/// The comparisons that split the list at a cursor: the rows that it leads to, and all others.
fn sides(cursor: Cursor) -> (&'static str, &'static str) {
    match (cursor.direction, cursor.inclusive) {
        (Direction::Next, false) => ("<", ">="),
        (Direction::Next, true) => ("<=", ">"),
        (Direction::Previous, false) => (">", "<="),
        (Direction::Previous, true) => (">=", "<"),
    }
}

/// The text of the page statement, and its values.
fn statement(admission: &Admission, filters: &Filters, page: &Page) -> Result<(String, PgArguments), Error> {
    let windows = Windows::at(admission.now);
    let mut values = Values::default();
    // $1 to $4, which every page has.
    values.bind(admission.workspace_id)?;
    values.bind(i32::try_from(page.size).unwrap_or(i32::MAX))?;
    values.bind(windows.last_30_days)?;
    values.bind(windows.this_month)?;
    let seek = seek(&mut values, admission, filters, page.start)?;
    Ok((format!("{seek}{FILL}"), values.into_arguments()))
}

/// The first half. It names one row: `ids`, in the order of the walk, and `behind`.
fn seek(
    values: &mut Values,
    admission: &Admission,
    filters: &Filters,
    start: Start,
) -> Result<String, Error> {
    let (ahead, others) = match start {
        Start::Top | Start::Offset { rows: 0, .. } => (String::new(), None),
        Start::Cursor(cursor) => {
            let (to, from) = sides(cursor);
            let created_at = values.bind(cursor.place.created_at)?;
            let id = values.bind(cursor.place.id)?;
            let compared = |side| format!("AND (created_at, id) {side} ({created_at}, {id})");
            (compared(to), Some(compared(from)))
        }
        // Before a later row there is one exactly when there is any.
        Start::Offset { .. } => (String::new(), Some(String::new())),
    };
    let skip = match start {
        Start::Offset { rows, .. } => {
            format!("{}::int", values.bind(i32::try_from(rows).unwrap_or(i32::MAX))?)
        }
        Start::Top | Start::Cursor(_) => "0".to_owned(),
    };
    let walk = Walk::of(start);
    let (order, reverse) = (walk.order(), walk.reversed().order());

    // The column whose values each get a branch. An employee's customers are few, and have an index of their own.
    let mut branch = None;
    let mut also = String::new();
    if let Some(employee_id) = admission.employee_id {
        also = format!("AND employee_id = {}", values.bind(employee_id)?);
    }
    for (column, wanted) in [("status", &filters.status), ("quality", &filters.quality)] {
        let Some(wanted) = wanted else { continue };
        let wanted = values.bind(wanted.as_slice())?;
        if branch.is_none() && admission.employee_id.is_none() {
            branch = Some((column, wanted));
        } else {
            also = format!("{also} AND {column} = ANY ({wanted})");
        }
    }

    // The row on the other side is the nearest one, asked for in order. A bare EXISTS has no order, and the planner may
    // then read the table from its start, in the belief that a row of this tenant comes soon.
    let (ids, behind) = match branch {
        None => (
            format!(
                "SELECT id FROM customer
                  WHERE workspace_id = $1 AND NOT is_deleted {also} {ahead}
                  ORDER BY created_at {order}, id {order}
                 OFFSET {skip} LIMIT $2 + 1"
            ),
            others.map(|others| {
                format!(
                    "(SELECT true FROM customer
                       WHERE workspace_id = $1 AND NOT is_deleted {also} {others}
                       ORDER BY created_at {reverse}, id {reverse}
                       LIMIT 1) IS NOT NULL"
                )
            }),
        ),
        Some((column, wanted)) => (
            format!(
                "SELECT branch.id
                   FROM unnest({wanted}::text[]) AS wanted (value)
                  CROSS JOIN LATERAL (
                        SELECT id, created_at FROM customer
                         WHERE workspace_id = $1 AND NOT is_deleted AND {column} = wanted.value {also} {ahead}
                         ORDER BY created_at {order}, id {order}
                         LIMIT {skip} + $2 + 1) AS branch
                  ORDER BY branch.created_at {order}, branch.id {order}
                 OFFSET {skip} LIMIT $2 + 1"
            ),
            others.map(|others| {
                format!(
                    "EXISTS (SELECT FROM unnest({wanted}::text[]) AS wanted (value)
                      CROSS JOIN LATERAL (
                            SELECT FROM customer
                             WHERE workspace_id = $1 AND NOT is_deleted AND {column} = wanted.value {also} {others}
                             ORDER BY created_at {reverse}, id {reverse}
                             LIMIT 1) AS branch)"
                )
            }),
        ),
    };
    let behind = behind.unwrap_or_else(|| "false".to_owned());
    Ok(format!("WITH seek AS MATERIALIZED (SELECT ARRAY({ids}) AS ids, {behind} AS behind)"))
}

/// The second half.
///
/// `round(numeric, 4)` rounds halves away from zero. The division before it is exact enough: a cost in
/// ten-thousandths is a multiple of 1/60, so it is either exactly a half, which every scale can hold, or at least 1/60
/// away from one.
const FILL: &str = r#"
SELECT cardinality(seek.ids) > $2 AS beyond, seek.behind,
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
       campaign.id AS campaign_id, campaign.name AS campaign_name
  FROM seek
  LEFT JOIN LATERAL unnest(seek.ids[1:$2]) WITH ORDINALITY AS page (id, position) ON true
  LEFT JOIN customer AS c ON c.id = page.id AND c.workspace_id = $1
  LEFT JOIN employee AS e ON e.id = c.employee_id AND e.workspace_id = $1
  LEFT JOIN LATERAL (
       SELECT id, direction, status, duration, duration_seconds, call_type, sentiment_score, created_at
         FROM call
        WHERE call.customer_id = c.id
        ORDER BY created_at DESC, id DESC
        LIMIT 1) AS latest ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS total_calls,
              coalesce(sum(duration_seconds), 0) AS total_duration_seconds,
              count(*) FILTER (WHERE created_at >= $3) AS calls_last_30_days,
              count(*) FILTER (WHERE status = 'completed') AS successful_calls,
              count(*) FILTER (WHERE status = 'missed') AS missed_calls,
              count(*) FILTER (WHERE call_type = 'campaign') AS total_campaign_calls,
              coalesce(sum(cost) FILTER (WHERE call_type = 'campaign'), 0)::text AS cost_campaign,
              coalesce(sum(cost) FILTER (WHERE call_type = 'direct'), 0)::text AS cost_direct,
              coalesce(sum(cost) FILTER (WHERE call_type = 'callback'), 0)::text AS cost_callback,
              coalesce(sum(cost) FILTER (WHERE created_at >= $4), 0)::text AS cost_this_month
         FROM (SELECT created_at, status, call_type, duration_seconds,
                      round(billing_rate * duration_seconds / 60, 4) AS cost
                 FROM call
                WHERE call.customer_id = c.id) AS costed) AS calls
  LEFT JOIN LATERAL (
       SELECT g.id, g.name
         FROM call_campaign_customer AS n
         JOIN call_campaign AS g ON g.id = n.campaign_id AND g.workspace_id = $1 AND g.status = 'active'
        WHERE n.customer_id = c.id AND n.workspace_id = $1 AND n.status IN ('pending', 'in_progress')
        ORDER BY n.created_at DESC, n.id DESC
        LIMIT 1) AS campaign ON true
 ORDER BY page.position"#;

fn customer(row: &PgRow) -> Result<Customer, Error> {
    Ok(Customer {
        columns: Columns::from_row(row)?,
        tags: row.try_get("tags")?,
        employee: employee(row)?,
        latest_call: latest_call(row)?,
        totals: CallTotals::from_row(row)?,
        campaign_stats: CampaignStats {
            total_campaign_calls: row.try_get("total_campaign_calls")?,
            completed_campaigns: row.try_get("completed_campaigns")?,
            active_campaign: active_campaign(row)?,
        },
        billing_summary: BillingSummary::new(
            BillingBreakdown {
                campaign: row.try_get("cost_campaign")?,
                direct: row.try_get("cost_direct")?,
                callback: row.try_get("cost_callback")?,
            },
            row.try_get("cost_this_month")?,
        ),
    })
}

fn employee(row: &PgRow) -> Result<Option<Employee>, Error> {
    let Some(id) = row.try_get("employee_id")? else { return Ok(None) };
    Ok(Some(Employee { id, name: row.try_get("employee_name")?, email: row.try_get("employee_email")? }))
}

fn latest_call(row: &PgRow) -> Result<Option<LatestCall>, Error> {
    let Some(id) = row.try_get("latest_id")? else { return Ok(None) };
    Ok(Some(LatestCall {
        id,
        direction: row.try_get("latest_direction")?,
        status: row.try_get("latest_status")?,
        duration: row.try_get("latest_duration")?,
        duration_seconds: row.try_get("latest_duration_seconds")?,
        call_type: row.try_get("latest_call_type")?,
        sentiment_score: row.try_get("latest_sentiment_score")?,
        created_at: row.try_get("latest_created_at")?,
    }))
}

fn active_campaign(row: &PgRow) -> Result<Option<Campaign>, Error> {
    let Some(id) = row.try_get("campaign_id")? else { return Ok(None) };
    Ok(Some(Campaign { id, name: row.try_get("campaign_name")? }))
}
