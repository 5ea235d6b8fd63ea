//! One write, from its transaction to the moment when its answer may be sent.

use std::future::Future;

use serde::Serialize;
use tracing::Instrument as _;
use utoipa::ToSchema;

use crate::app::App;
use crate::database::retry::{Failure, retried};
use crate::database::{Transaction, tally};
use crate::entrance::Member;
use crate::refusal::Refusal;

/// Runs `work` in a transaction, which it hands back, and commits it; then everybody who caches something of the workspace
/// is told. Lost transactions are run again, so `work` may run several times.
///
/// Whatever could still fail belongs into `work`, also what the answer is made of: once a transaction is committed, its
/// answer must follow.
pub(crate) async fn write<T, F>(member: &Member, work: impl Fn(Transaction) -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<(T, Transaction), Failure>>,
{
    let work = &work;
    retried(|| async move {
        let (value, transaction) = work(member.app.database.transaction().await?).await?;
        settle(member.app.clone(), member.admission.workspace_id, transaction).await?;
        Ok(value)
    })
    .await
}

/// Commits and tells, as a task of its own: a client that hangs up in this very moment drops its request, and what was
/// committed must be told all the same.
async fn settle(app: App, workspace_id: uuid::Uuid, transaction: Transaction) -> Result<(), Failure> {
    let settling = async move {
        transaction.commit().await?;
        app.changed(workspace_id).await;
        Ok(())
    };
    match tokio::spawn(tally::carried(settling).in_current_span()).await {
        Ok(outcome) => outcome.map_err(Failure::Database),
        Err(error) => {
            tracing::error!(%error, "a commit did not come to its end");
            Err(Refusal::Internal.into())
        }
    }
}

/// The answer to a bulk that made rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Created<'a> {
    pub(crate) created: usize,
    /// In the order in which they were sent.
    pub(crate) ids: &'a [uuid::Uuid],
}
