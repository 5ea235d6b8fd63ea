//! The rows that are written to: customers that are there, in a copy; in somebody's database, customers of our own.

use sqlx::PgConnection;
use uuid::Uuid;

use super::choice::{Candidate, Change, Choice};
use super::operation::Operation;
use super::own::Own;
use super::{Error, LEAST_CUSTOMERS, Plan, Site};

/// The most customers that are made in somebody's database before anything is measured.
const MOST_OWN: usize = 50_000;

/// Customers to change.
pub(super) struct Subjects {
    choice: Choice,
}

impl Subjects {
    /// Those that are there, or those that are made in the name of `own`.
    pub(super) async fn choose(
        connection: &mut PgConnection,
        workspace: Uuid,
        plan: &Plan,
        site: &Site,
        own: &Own,
    ) -> Result<Self, Error> {
        let deletions = plan.writes(Operation::BatchDelete).saturating_mul(Operation::BatchDelete.rows());
        let living = living(plan);
        let candidates = if site.is_copy {
            there(connection, workspace, plan.seed, living.saturating_add(deletions)).await?
        } else {
            // Who is to be deleted may be half of all at most.
            let wanted = living.saturating_add(deletions).max(deletions.saturating_mul(2)).min(MOST_OWN);
            own.make(connection, plan.seed, wanted).await?
        };
        if candidates.len() < LEAST_CUSTOMERS {
            let workspace = site.target.workspace.clone();
            return Err(Error::TooFewCustomers { workspace, there: candidates.len() });
        }
        Ok(Self { choice: Choice::new(plan.seed, own.mark(), candidates, deletions) })
    }

    /// How many writes of a kind there are, if so many are wanted.
    pub(super) fn available(&self, operation: Operation, wanted: u64) -> u64 {
        self.choice.available(operation, wanted)
    }

    /// The next write of a kind.
    pub(super) fn next(&mut self, operation: Operation) -> Option<Change> {
        self.choice.next(operation)
    }

    /// A customer that stays.
    pub(super) fn anybody(&self) -> Option<Uuid> {
        self.choice.anybody()
    }
}

/// Customers that are wanted to be changed and called: each at most once, as far as there are as many.
fn living(plan: &Plan) -> usize {
    let changed = [Operation::UpdateIndexed, Operation::UpdateUnindexed, Operation::BatchUpdate]
        .into_iter()
        .map(|operation| plan.writes(operation).saturating_mul(operation.rows()))
        .fold(0, usize::saturating_add);
    changed.max(LEAST_CUSTOMERS)
}

/// Live customers of a workspace, in an order that is drawn from the seed.
async fn there(
    connection: &mut PgConnection,
    workspace: Uuid,
    seed: u64,
    count: usize,
) -> Result<Vec<Candidate>, Error> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "SELECT /* callbench probe */ id, status FROM customer
          WHERE workspace_id = $1 AND NOT is_deleted
          ORDER BY uuid_hash_extended(id, $2), id
          LIMIT $3",
    )
    .bind(workspace)
    .bind(seed.cast_signed())
    .bind(i64::try_from(count).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(id, status)| Candidate { id, status }).collect())
}

/// Bytes of the rows that were written, as they are stored now; a row counts as often as it was written.
pub(super) async fn bytes(
    connection: &mut PgConnection,
    operation: Operation,
    ids: &[Uuid],
) -> Result<u64, Error> {
    let query = match operation {
        Operation::SingleCall | Operation::BatchCall => {
            "SELECT /* callbench probe */ coalesce(sum(pg_column_size(row)), 0)::int8
             FROM unnest($1) AS written (id) JOIN call AS row USING (id)"
        }
        _ => {
            "SELECT /* callbench probe */ coalesce(sum(pg_column_size(row)), 0)::int8
             FROM unnest($1) AS written (id) JOIN customer AS row USING (id)"
        }
    };
    let bytes: i64 = sqlx::query_scalar(query).bind(ids).fetch_one(connection).await?;
    Ok(bytes.unsigned_abs())
}
