//! The statements that write calls.

use std::collections::HashMap;

use sqlx::{AssertSqlSafe, Error};
use uuid::Uuid;

use crate::calls::draft::Draft;
use crate::calls::row::Call;
use crate::database::{Session, Transaction};

/// All calls of a request in one statement, so that the triggers that keep the totals run once, over all of them: they take
/// the rows of the totals in the order of the customers.
const INSERT: &str = "
    INSERT INTO call (id, workspace_id, customer_id, campaign_customer_id, direction, status, duration, duration_seconds,
                      recording_url, transcript, sentiment_score, call_type, billing_rate, created_at)
    SELECT id, $1, customer_id, campaign_customer_id, direction, status, duration, duration_seconds,
           recording_url, transcript, sentiment_score, call_type, billing_rate::numeric, now()
      FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::float8[],
                  $8::int4[], $9::text[], $10::text[], $11::float8[], $12::text[], $13::text[])
           AS draft (id, customer_id, campaign_customer_id, direction, status, duration,
                     duration_seconds, recording_url, transcript, sentiment_score, call_type, billing_rate)";

/// Adds calls with these ids to customers of the workspace. If `is_shown`, gives the calls as they are now.
pub(crate) async fn insert(
    transaction: &mut Transaction,
    workspace_id: Uuid,
    ids: &[Uuid],
    drafts: &[Draft],
    is_shown: bool,
) -> Result<Vec<Call>, Error> {
    fn all<'d, T>(drafts: &'d [Draft], of: impl Fn(&'d Draft) -> T) -> Vec<T> {
        drafts.iter().map(of).collect()
    }
    let shown = if is_shown {
        "RETURNING id, workspace_id, customer_id, campaign_customer_id, direction, status, duration, duration_seconds,
                   recording_url, transcript, sentiment_score, call_type, billing_rate::text, created_at"
    } else {
        ""
    };
    // Safe: the parts of the text are constants of this module, and values are bound.
    sqlx::query_as(AssertSqlSafe(format!("{INSERT} {shown}")))
        .bind(workspace_id)
        .bind(ids)
        .bind(all(drafts, |draft| draft.customer_id))
        .bind(all(drafts, |draft| draft.campaign_customer_id))
        .bind(all(drafts, |draft| draft.direction))
        .bind(all(drafts, |draft| draft.status))
        .bind(all(drafts, |draft| draft.duration))
        .bind(all(drafts, |draft| draft.duration_seconds))
        .bind(all(drafts, |draft| draft.recording_url.as_deref()))
        .bind(all(drafts, |draft| draft.transcript.as_deref()))
        .bind(all(drafts, |draft| draft.sentiment_score))
        .bind(all(drafts, |draft| draft.call_type))
        .bind(all(drafts, |draft| draft.billing_rate.as_deref()))
        .fetch_all(&mut **transaction)
        .await
}

/// Whose enrolments these are: enrolment to customer, for those of the workspace.
pub(crate) async fn enrolments(
    session: &mut Session,
    workspace_id: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Uuid>, Error> {
    let pairs: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "SELECT id, customer_id FROM call_campaign_customer WHERE id = ANY ($2) AND workspace_id = $1",
    )
    .bind(workspace_id)
    .bind(ids)
    .fetch_all(session)
    .await?;
    Ok(pairs.into_iter().collect())
}
