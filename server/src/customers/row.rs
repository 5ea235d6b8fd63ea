//! A customer as the API shows one. Every variant fills this type, so the answer is written in one place.

use std::fmt;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::bodies::attributes;
use crate::customers::cursor::Place;
use crate::customers::money::Money;

/// A customer with everything that is computed for one. The fields are written in this order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Customer {
    #[serde(flatten)]
    pub(crate) columns: Columns,
    pub(crate) tags: Vec<String>,
    #[schema(required)]
    pub(crate) employee: Option<Employee>,
    #[schema(required)]
    pub(crate) latest_call: Option<LatestCall>,
    #[serde(flatten)]
    pub(crate) totals: CallTotals,
    pub(crate) campaign_stats: CampaignStats,
    pub(crate) billing_summary: BillingSummary,
}

impl Customer {
    /// Where the customer stands in the list.
    pub(crate) fn place(&self) -> Place {
        Place { created_at: self.columns.created_at, id: self.columns.id }
    }
}

/// What stands in the table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Columns {
    pub(crate) id: Uuid,
    pub(crate) workspace_id: Uuid,
    pub(crate) name: String,
    #[schema(required)]
    pub(crate) email: Option<String>,
    pub(crate) phone: String,
    #[schema(required)]
    pub(crate) carrier: Option<String>,
    pub(crate) status: String,
    pub(crate) quality: String,
    pub(crate) call_status: String,
    pub(crate) duration: f64,
    pub(crate) is_test: bool,
    pub(crate) checked: bool,
    /// JSON as PostgreSQL prints it, and written as it is: a number with twenty digits stays one.
    #[serde(serialize_with = "verbatim")]
    #[schema(schema_with = attributes::schema)]
    pub(crate) other_attributes: String,
    pub(crate) is_deleted: bool,
    #[serde(serialize_with = "microseconds")]
    pub(crate) created_at: DateTime<Utc>,
    #[serde(serialize_with = "microseconds")]
    pub(crate) updated_at: DateTime<Utc>,
}

/// Who looks after the customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Employee {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// The customer's last call, by `(created_at, id)`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LatestCall {
    pub(crate) id: Uuid,
    pub(crate) direction: String,
    pub(crate) status: String,
    pub(crate) duration: f64,
    pub(crate) duration_seconds: i32,
    pub(crate) call_type: String,
    #[schema(required)]
    pub(crate) sentiment_score: Option<f64>,
    #[serde(serialize_with = "microseconds")]
    pub(crate) created_at: DateTime<Utc>,
}

/// Counts over all calls of the customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CallTotals {
    pub(crate) total_calls: i64,
    pub(crate) total_duration_seconds: i64,
    pub(crate) calls_last_30_days: i64,
    pub(crate) successful_calls: i64,
    pub(crate) missed_calls: i64,
}

/// What campaigns did with the customer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignStats {
    pub(crate) total_campaign_calls: i64,
    pub(crate) completed_campaigns: i64,
    #[schema(required)]
    pub(crate) active_campaign: Option<Campaign>,
}

/// The campaign that the customer is in now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Campaign {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

/// What the customer's calls cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BillingSummary {
    pub(crate) total_cost: Money,
    pub(crate) cost_this_month: Money,
    pub(crate) billing_breakdown: BillingBreakdown,
}

impl BillingSummary {
    /// The total is the sum of the breakdown by construction: a call has one of the three types.
    pub(crate) fn new(billing_breakdown: BillingBreakdown, cost_this_month: Money) -> Self {
        let total_cost = billing_breakdown.campaign + billing_breakdown.direct + billing_breakdown.callback;
        Self { total_cost, cost_this_month, billing_breakdown }
    }
}

/// Costs by type of call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BillingBreakdown {
    pub(crate) campaign: Money,
    pub(crate) direct: Money,
    pub(crate) callback: Money,
}

/// ISO 8601 with always six digits and `Z`. Written by hand: a page has some 150 times, and a format string is read anew
/// for each of them.
pub(crate) fn microseconds<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Instant(at))
}

struct Instant<'a>(&'a DateTime<Utc>);

impl fmt::Display for Instant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(at) = self;
        let (year, month, day) = (at.year(), at.month(), at.day());
        let (hour, minute, second, micros) =
            (at.hour(), at.minute(), at.second(), at.timestamp_subsec_micros());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

/// JSON that PostgreSQL printed, as it is.
fn verbatim<S: Serializer>(json: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let raw: &RawValue = serde_json::from_str(json).map_err(S::Error::custom)?;
    raw.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits_of_microseconds() {
        for text in [
            "2024-02-29T23:59:59.999999Z",
            "1999-01-01T00:00:00.000000Z",
            "0001-01-01T00:00:00.000001Z",
            "9999-12-31T12:00:00.120000Z",
        ] {
            assert_eq!(Instant(&text.parse().unwrap()).to_string(), text);
        }
    }
}
