//! A call as the API shows one.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::customers::money::Money;
use crate::customers::row::microseconds;

/// A call: what stands in the table.
#[derive(Debug, Serialize, FromRow, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the columns")]
pub(crate) struct Call {
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) customer_id: Uuid,
    #[schema(required)]
    pub(crate) campaign_customer_id: Option<Uuid>,
    pub(crate) direction: String,
    pub(crate) status: String,
    pub(crate) duration: f64,
    pub(crate) duration_seconds: i32,
    #[schema(required)]
    pub(crate) recording_url: Option<String>,
    #[schema(required)]
    pub(crate) transcript: Option<String>,
    #[schema(required)]
    pub(crate) sentiment_score: Option<f64>,
    pub(crate) call_type: String,
    #[schema(required)]
    pub(crate) billing_rate: Option<Money>,
    #[serde(serialize_with = "microseconds")]
    pub(crate) created_at: DateTime<Utc>,
}
