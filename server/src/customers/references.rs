//! What drafts of customers point to: the employee and the labels must be of the same workspace.

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use crate::bodies::kinds::no_such;
use crate::bodies::messages::Messages;
use crate::customers::draft::Draft;
use crate::entrance::Member;
use crate::refusal::Refusal;

/// Adds to the messages of each draft what it points to in vain. One statement, whatever their number; none if they point
/// to nothing.
pub(crate) async fn judge(member: &mut Member, drafts: &mut [(Draft, Messages)]) -> Result<(), Refusal> {
    let employees: HashSet<Uuid> =
        drafts.iter().filter_map(|(draft, _)| draft.employee_id.value()).copied().collect();
    let labels: HashSet<Uuid> = drafts.iter().flat_map(|(draft, _)| draft.labels()).copied().collect();
    if employees.is_empty() && labels.is_empty() {
        return Ok(());
    }
    let mut session = member.session().await?;
    let (employees, labels): (Vec<Uuid>, Vec<Uuid>) = sqlx::query_as(
        "SELECT ARRAY(SELECT id FROM employee WHERE workspace_id = $1 AND id = ANY ($2)),
                ARRAY(SELECT id FROM label WHERE workspace_id = $1 AND id = ANY ($3))",
    )
    .bind(member.admission.workspace_id)
    .bind(employees.into_iter().collect::<Vec<_>>())
    .bind(labels.into_iter().collect::<Vec<_>>())
    .fetch_one(&mut session)
    .await?;
    let (employees, labels) = (HashSet::<Uuid>::from_iter(employees), HashSet::<Uuid>::from_iter(labels));
    for (draft, messages) in drafts {
        if let Some(unknown) = draft.employee_id.value().filter(|id| !employees.contains(id)) {
            messages.add("employee_id", json!([no_such(*unknown)]));
        }
        if let Some(unknown) = draft.labels().iter().find(|id| !labels.contains(id)) {
            messages.add("label_ids", json!([no_such(*unknown)]));
        }
    }
    Ok(())
}
