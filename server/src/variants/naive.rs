//! The list as people write it over an ORM: count everything, skip to the page, and for each customer ask for one thing
//! after the other.
//!
//! This is the state before any optimisation, and the reference for the values: each statement is the plain wording of
//! one line of the contract. Nothing is worse than it is in production. All statements are prepared, every lookup has
//! the index that production has, and the connection is the same for all of them.

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Error};
use uuid::Uuid;

use crate::customers::filters::Filters;
use crate::customers::money::Money;
use crate::customers::row::{
    BillingBreakdown, BillingSummary, CallTotals, Campaign, CampaignStats, Customer, Employee, LatestCall,
};
use crate::database::{Found, Session};
use crate::permission::Admission;
use crate::profile::{self, Layer};
use crate::variants::clock::{LAST_30_DAYS, THIS_MONTH};
use crate::variants::condition::{Labels, conditions};
use crate::variants::statement::Values;
use crate::variants::{Rows, fill};

/// Reads the page with this number, from 1; `None` when it lies past the end. The first page always exists.
pub(crate) async fn page(
    session: &mut Session,
    admission: &Admission,
    filters: &Filters,
    number: u64,
    size: u32,
) -> Result<Option<Rows>, Error> {
    let mut values = Values::default();
    let condition = condition(&mut values, admission, filters)?;
    // Safe, here and below: the parts of the text are constants of this module, and values are bound.
    let (count, last_30_days, this_month): (i64, DateTime<Utc>, DateTime<Utc>) = sqlx::query_as_with(
        AssertSqlSafe(format!(
            "SELECT count(*), {LAST_30_DAYS}, {THIS_MONTH} FROM customer AS c WHERE {condition}"
        )),
        values.into_arguments(),
    )
    .fetch_one(&mut *session)
    .await?;
    let skipped = i64::try_from((number - 1).saturating_mul(size.into())).unwrap_or(i64::MAX);
    if number > 1 && skipped >= count {
        return Ok(None);
    }

    let mut values = Values::default();
    let condition = self::condition(&mut values, admission, filters)?;
    let limit = values.bind(i64::from(size))?;
    let offset = values.bind(skipped)?;
    let query = sqlx::query_with(
        AssertSqlSafe(format!(
            "SELECT id, workspace_id, name, email, phone, carrier, status, quality, call_status, duration, is_test,
                    checked, other_attributes::text AS other_attributes, is_deleted, deleted_at, employee_id,
                    created_at, updated_at
               FROM customer AS c
              WHERE {condition}
              ORDER BY created_at DESC, id DESC
              LIMIT {limit} OFFSET {offset}"
        )),
        values.into_arguments(),
    );
    let found = session.find(query).await?;
    profile::enter(Layer::Serializer);
    let windows = Windows { last_30_days, this_month };
    let mut customers = Vec::with_capacity(found.len());
    for row in &found {
        customers.push(serialize(session, row, windows).await?);
    }
    let beyond = skipped.saturating_add(size.into()) < count;
    Ok(Some(Rows { customers, beyond, behind: number > 1, count: Some(count) }))
}

/// Reads one customer; `None` when it is not there for the member.
pub(crate) async fn by_id(
    session: &mut Session,
    admission: &Admission,
    id: Uuid,
) -> Result<Option<Customer>, Error> {
    let mut values = Values::default();
    let condition = condition(&mut values, admission, &Filters::default())?;
    let id = values.bind(id)?;
    let query = sqlx::query_with(
        AssertSqlSafe(format!(
            "SELECT id, workspace_id, name, email, phone, carrier, status, quality, call_status, duration, is_test,
                    checked, other_attributes::text AS other_attributes, is_deleted, deleted_at, employee_id,
                    created_at, updated_at, {LAST_30_DAYS} AS last_30_days, {THIS_MONTH} AS this_month
               FROM customer AS c
              WHERE {condition} AND id = {id}"
        )),
        values.into_arguments(),
    );
    let found = session.find(query).await?;
    profile::enter(Layer::Serializer);
    let Some(row) = found.first() else { return Ok(None) };
    let windows = Windows { last_30_days: row.get("last_30_days")?, this_month: row.get("this_month")? };
    Ok(Some(serialize(session, row, windows).await?))
}

/// Where the recent windows begin. The whole request has one clock, so it is read once.
#[derive(Debug, Clone, Copy)]
struct Windows {
    last_30_days: DateTime<Utc>,
    this_month: DateTime<Utc>,
}

fn condition(values: &mut Values, admission: &Admission, filters: &Filters) -> Result<String, Error> {
    let mut condition =
        format!("c.workspace_id = {} AND NOT c.is_deleted", values.bind(admission.workspace_id)?);
    if let Some(employee_id) = admission.employee_id {
        condition = format!("{condition} AND c.employee_id = {}", values.bind(employee_id)?);
    }
    Ok(condition + &conditions(values, filters, Labels::Joined)?)
}

/// One customer, field by field, as a serializer with a method for each field does it.
async fn serialize(session: &mut Session, row: &Found, windows: Windows) -> Result<Customer, Error> {
    let columns = fill::columns(row)?;
    let (id, workspace_id) = (columns.id, columns.workspace_id);
    Ok(Customer {
        tags: tags(session, id, workspace_id).await?,
        employee: employee(session, row.get("employee_id")?, workspace_id).await?,
        latest_call: latest_call(session, id).await?,
        totals: CallTotals {
            total_calls: total_calls(session, id).await?,
            total_duration_seconds: total_duration_seconds(session, id).await?,
            calls_last_30_days: calls_since(session, id, windows.last_30_days).await?,
            successful_calls: calls_with_status(session, id, "completed").await?,
            missed_calls: calls_with_status(session, id, "missed").await?,
        },
        campaign_stats: CampaignStats {
            total_campaign_calls: campaign_calls(session, id).await?,
            completed_campaigns: completed_campaigns(session, id, workspace_id).await?,
            active_campaign: active_campaign(session, id, workspace_id).await?,
        },
        billing_summary: BillingSummary::new(
            BillingBreakdown {
                campaign: cost_of_type(session, id, "campaign").await?,
                direct: cost_of_type(session, id, "direct").await?,
                callback: cost_of_type(session, id, "callback").await?,
            },
            cost_since(session, id, windows.this_month).await?,
        ),
        columns,
    })
}

async fn tags(session: &mut Session, customer: Uuid, workspace: Uuid) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(
        r#"SELECT l.name FROM label AS l JOIN customer_label AS cl ON cl.label_id = l.id
            WHERE cl.customer_id = $1 AND l.workspace_id = $2
            ORDER BY l.name COLLATE "C""#,
    )
    .bind(customer)
    .bind(workspace)
    .fetch_all(session)
    .await
}

async fn employee(
    session: &mut Session,
    employee: Option<Uuid>,
    workspace: Uuid,
) -> Result<Option<Employee>, Error> {
    let Some(employee) = employee else { return Ok(None) };
    let query = sqlx::query(
        "SELECT id, workspace_id, name, email, created_at FROM employee WHERE id = $1 AND workspace_id = $2",
    );
    let found = session.find(query.bind(employee).bind(workspace)).await?;
    found
        .first()
        .map(|row| Ok(Employee { id: row.get("id")?, name: row.get("name")?, email: row.get("email")? }))
        .transpose()
}

/// Loads the whole model, as `order_by(…).first()` does.
async fn latest_call(session: &mut Session, customer: Uuid) -> Result<Option<LatestCall>, Error> {
    let query = sqlx::query(
        "SELECT id, workspace_id, customer_id, campaign_customer_id, direction, status, duration, duration_seconds,
                recording_url, transcript, sentiment_score, call_type, billing_rate, created_at
           FROM call WHERE customer_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
    );
    let found = session.find(query.bind(customer)).await?;
    let Some(row) = found.first() else { return Ok(None) };
    Ok(Some(LatestCall {
        id: row.get("id")?,
        direction: row.get("direction")?,
        status: row.get("status")?,
        duration: row.get("duration")?,
        duration_seconds: row.get("duration_seconds")?,
        call_type: row.get("call_type")?,
        sentiment_score: row.get("sentiment_score")?,
        created_at: row.get("created_at")?,
    }))
}

async fn total_calls(session: &mut Session, customer: Uuid) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT count(*) FROM call WHERE customer_id = $1")
        .bind(customer)
        .fetch_one(session)
        .await
}

async fn total_duration_seconds(session: &mut Session, customer: Uuid) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT coalesce(sum(duration_seconds), 0) FROM call WHERE customer_id = $1")
        .bind(customer)
        .fetch_one(session)
        .await
}

async fn calls_since(session: &mut Session, customer: Uuid, since: DateTime<Utc>) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT count(*) FROM call WHERE customer_id = $1 AND created_at >= $2")
        .bind(customer)
        .bind(since)
        .fetch_one(session)
        .await
}

async fn calls_with_status(session: &mut Session, customer: Uuid, status: &str) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT count(*) FROM call WHERE customer_id = $1 AND status = $2")
        .bind(customer)
        .bind(status)
        .fetch_one(session)
        .await
}

async fn campaign_calls(session: &mut Session, customer: Uuid) -> Result<i64, Error> {
    sqlx::query_scalar("SELECT count(*) FROM call WHERE customer_id = $1 AND call_type = 'campaign'")
        .bind(customer)
        .fetch_one(session)
        .await
}

async fn completed_campaigns(session: &mut Session, customer: Uuid, workspace: Uuid) -> Result<i64, Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM call_campaign_customer
          WHERE customer_id = $1 AND workspace_id = $2 AND status = 'completed'",
    )
    .bind(customer)
    .bind(workspace)
    .fetch_one(session)
    .await
}

async fn active_campaign(
    session: &mut Session,
    customer: Uuid,
    workspace: Uuid,
) -> Result<Option<Campaign>, Error> {
    let query = sqlx::query(
        "SELECT g.id, g.name
           FROM call_campaign AS g JOIN call_campaign_customer AS n ON n.campaign_id = g.id
          WHERE n.customer_id = $1 AND n.workspace_id = $2 AND n.status IN ('pending', 'in_progress')
            AND g.workspace_id = $2 AND g.status = 'active'
          ORDER BY n.created_at DESC, n.id DESC LIMIT 1",
    );
    let found = session.find(query.bind(customer).bind(workspace)).await?;
    found.first().map(|row| Ok(Campaign { id: row.get("id")?, name: row.get("name")? })).transpose()
}

async fn cost_of_type(session: &mut Session, customer: Uuid, call_type: &str) -> Result<Money, Error> {
    sqlx::query_scalar(
        "SELECT coalesce(sum(round(billing_rate * duration_seconds / 60, 4)), 0)::text
           FROM call WHERE customer_id = $1 AND call_type = $2",
    )
    .bind(customer)
    .bind(call_type)
    .fetch_one(session)
    .await
}

async fn cost_since(session: &mut Session, customer: Uuid, since: DateTime<Utc>) -> Result<Money, Error> {
    sqlx::query_scalar(
        "SELECT coalesce(sum(round(billing_rate * duration_seconds / 60, 4)), 0)::text
           FROM call WHERE customer_id = $1 AND created_at >= $2",
    )
    .bind(customer)
    .bind(since)
    .fetch_one(session)
    .await
}
