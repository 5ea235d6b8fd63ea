//! How many customers pass the filters, as the planner estimates it: no row is read.
//!
//! The planner knows how many rows the table has, which share of them is this tenant's, and how often the common values
//! of each column occur. It takes filters for independent of each other, so combinations that go together are estimated
//! too low; and it never says fewer than one.

use serde::Deserialize;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, Error};

use crate::customers::filters::Filters;
use crate::database::Session;
use crate::permission::Admission;
use crate::variants::condition::{Labels, conditions};
use crate::variants::statement::Values;

#[derive(Deserialize)]
struct Explained {
    #[serde(rename = "Plan")]
    plan: Plan,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(rename = "Plan Rows")]
    rows: f64,
}

/// Asks for the estimate, over a connection that plans with the values.
pub(crate) async fn estimate(
    session: &mut Session,
    admission: &Admission,
    filters: &Filters,
) -> Result<u64, Error> {
    let mut values = Values::default();
    let workspace_id = values.bind(admission.workspace_id)?;
    let mut tenant = format!("c.workspace_id = {workspace_id} AND NOT c.is_deleted");
    if let Some(employee_id) = admission.employee_id {
        tenant = format!("{tenant} AND c.employee_id = {}::uuid", values.bind(employee_id)?);
    }
    let conditions = conditions(&mut values, filters, Labels::Joined)?;
    // Safe: the parts of the text are constants of these modules, and values are bound.
    let sql =
        AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) SELECT FROM customer AS c WHERE {tenant}{conditions}"));
    let Json(explained): Json<Vec<Explained>> =
        sqlx::query_scalar_with(sql, values.into_arguments()).fetch_one(session).await?;
    let rows = explained.first().map_or(0.0, |explained| explained.plan.rows);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate is a whole number"
    )]
    Ok(rows.max(0.0) as u64)
}
