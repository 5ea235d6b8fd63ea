//! The rows that are written to: customers that are there, in a copy; in somebody's database, customers of our own.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::choice::{Candidate, Change, Choice, newcomer};
use super::operation::Operation;
use super::{Error, LEAST_CUSTOMERS, Plan, Site, sql};
use crate::operations::Draw;

/// How many customers one statement makes or removes.
const CHUNK: usize = 1_000;

/// The most customers that are made in somebody's database before anything is measured.
const MOST_OWN: usize = 50_000;

/// Customers to change, and what has to go again.
pub(super) struct Subjects {
    choice: Choice,
    /// Who was made here, where that has to go; `None` in a copy.
    own: Option<Vec<Uuid>>,
}

impl Subjects {
    pub(super) async fn choose(
        connection: &mut PgConnection,
        workspace: Uuid,
        plan: &Plan,
        site: &Site,
    ) -> Result<Self, Error> {
        let deletions = plan.writes(Operation::BatchDelete).saturating_mul(Operation::BatchDelete.rows());
        let living = living(plan);
        let mark = format!("callbench-writes-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let (candidates, own) = if site.is_copy {
            (there(connection, workspace, plan.seed, living.saturating_add(deletions)).await?, None)
        } else {
            // Who is to be deleted may be half of all at most.
            let wanted = living.saturating_add(deletions).max(deletions.saturating_mul(2)).min(MOST_OWN);
            let own = made(connection, workspace, plan.seed, &mark, wanted).await?;
            let ids = own.iter().map(|candidate| candidate.id).collect();
            (own, Some(ids))
        };
        if candidates.len() < LEAST_CUSTOMERS {
            let workspace = site.target.workspace.clone();
            return Err(Error::TooFewCustomers { workspace, there: candidates.len() });
        }
        Ok(Self { choice: Choice::new(plan.seed, &mark, candidates, deletions), own })
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

    /// Remembers who was made by a write.
    pub(super) fn note(&mut self, change: &Change, ids: &[Uuid]) {
        if let (Some(own), Change::Insert(_)) = (&mut self.own, change) {
            own.extend(ids);
        }
    }

    /// Removes what is ours, with its calls and their totals.
    pub(super) async fn remove(self, connection: &mut PgConnection) -> Result<(), Error> {
        let Some(own) = self.own else { return Ok(()) };
        let has_totals: bool = sqlx::query_scalar(
            "SELECT /* callbench probe */ to_regclass('public.customer_call_stats') IS NOT NULL",
        )
        .fetch_one(&mut *connection)
        .await?;
        for ids in own.chunks(CHUNK) {
            sqlx::query("DELETE /* callbench probe */ FROM call WHERE customer_id = ANY ($1)")
                .bind(ids)
                .execute(&mut *connection)
                .await?;
            if has_totals {
                sqlx::query(
                    "DELETE /* callbench probe */ FROM customer_call_stats WHERE customer_id = ANY ($1)",
                )
                .bind(ids)
                .execute(&mut *connection)
                .await?;
            }
            sqlx::query("DELETE /* callbench probe */ FROM customer WHERE id = ANY ($1)")
                .bind(ids)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
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

/// New customers whose names begin with `mark`, in the order of their ids, which is none.
async fn made(
    connection: &mut PgConnection,
    workspace: Uuid,
    seed: u64,
    mark: &str,
    count: usize,
) -> Result<Vec<Candidate>, Error> {
    let mut made = BTreeMap::new();
    // Numbers of their own, so that nobody is made twice.
    let mut draws = (0..count as u64).map(|number| Draw::new(!seed, number));
    while made.len() < count {
        let newcomers: Vec<_> =
            draws.by_ref().take(CHUNK).map(|mut draw| newcomer(mark, &mut draw)).collect();
        let ids: Vec<Uuid> = newcomers.iter().map(|_| Uuid::new_v4()).collect();
        sql::insert(connection, workspace, &ids, &newcomers).await?;
        made.extend(ids.into_iter().zip(newcomers.iter().map(|new| new.status.to_owned())));
    }
    Ok(made.into_iter().map(|(id, status)| Candidate { id, status }).collect())
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
