//! Rows of the measurement's own in somebody's database, and their removal.
//!
//! They are known by the mark that their names begin with and not by remembered ids: a write that the server carried out
//! after its client had given it up is removed as well.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::choice::{Candidate, newcomer};
use super::{Error, sql};
use crate::operations::Draw;

/// How many customers one statement makes or removes.
const CHUNK: usize = 1_000;

/// What the names of all customers of one measurement in a workspace begin with.
#[derive(Debug)]
pub(super) struct Own {
    workspace: Uuid,
    mark: String,
}

impl Own {
    /// A mark that no other measurement has.
    pub(super) fn new(workspace: Uuid) -> Self {
        let mark = format!("callbench-writes-{}", &Uuid::new_v4().simple().to_string()[..8]);
        Self { workspace, mark }
    }

    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    /// Makes so many customers; in the order of their ids, which is none.
    pub(super) async fn make(
        &self,
        connection: &mut PgConnection,
        seed: u64,
        count: usize,
    ) -> Result<Vec<Candidate>, Error> {
        let mut made = BTreeMap::new();
        // Numbers of their own, so that nobody is made twice.
        let mut draws = (0..count as u64).map(|number| Draw::new(!seed, number));
        while made.len() < count {
            let newcomers: Vec<_> =
                draws.by_ref().take(CHUNK).map(|mut draw| newcomer(&self.mark, &mut draw)).collect();
            let ids: Vec<Uuid> = newcomers.iter().map(|_| Uuid::new_v4()).collect();
            sql::insert(connection, self.workspace, &ids, &newcomers).await?;
            made.extend(ids.into_iter().zip(newcomers.iter().map(|new| new.status.to_owned())));
        }
        Ok(made.into_iter().map(|(id, status)| Candidate { id, status }).collect())
    }

    /// Removes all customers with the mark, their calls and the totals of these.
    pub(super) async fn remove(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let own: Vec<Uuid> = sqlx::query_scalar(
            "SELECT /* callbench probe */ id FROM customer WHERE workspace_id = $1 AND starts_with(name, $2)",
        )
        .bind(self.workspace)
        .bind(&self.mark)
        .fetch_all(&mut *connection)
        .await?;
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
