//! The statements that write customers. Each takes any number of them at once.
//!
//! Rows are locked in the order of their ids before any is changed, so that two writers with the same customers wait for
//! each other one way only. `FOR NO KEY UPDATE` is the lock that the update takes anyway. The condition stands in the
//! locking part, where PostgreSQL judges it again after waiting for a row: a customer that was deleted or reassigned in
//! the meantime is not there any more.

use sqlx::Error;
use uuid::Uuid;

use crate::customers::draft::Draft;
use crate::database::{Session, Transaction};
use crate::permission::Admission;

/// What a new customer is if its body does not say; nobody looks after it, and it has no labels.
pub(crate) const STATUS: &str = "active";
pub(crate) const QUALITY: &str = "cold";
pub(crate) const CALL_STATUS: &str = "pending";
const OTHER_ATTRIBUTES: &str = "{}";

/// Makes customers, with the ids in the order of the drafts.
pub(crate) async fn insert(
    transaction: &mut Transaction,
    workspace_id: Uuid,
    ids: &[Uuid],
    drafts: &[Draft],
) -> Result<(), Error> {
    fn all<'d, T>(drafts: &'d [Draft], of: impl Fn(&'d Draft) -> T) -> Vec<T> {
        drafts.iter().map(of).collect()
    }
    sqlx::query(
        "INSERT INTO customer (id, workspace_id, name, email, phone, carrier, status, quality, call_status, duration,
                               is_test, checked, other_attributes, employee_id, created_at, updated_at)
         SELECT id, $1, name, email, phone, carrier, status, quality, call_status, duration,
                is_test, checked, other_attributes::jsonb, employee_id, now(), now()
           FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::text[], $10::float8[], $11::bool[], $12::bool[], $13::text[], $14::uuid[])
                AS draft (id, name, email, phone, carrier, status, quality,
                          call_status, duration, is_test, checked, other_attributes, employee_id)",
    )
    .bind(workspace_id)
    .bind(ids)
    .bind(all(drafts, |draft| draft.name.as_deref()))
    .bind(all(drafts, |draft| draft.email.value().map(String::as_str)))
    .bind(all(drafts, |draft| draft.phone.as_deref()))
    .bind(all(drafts, |draft| draft.carrier.value().map(String::as_str)))
    .bind(all(drafts, |draft| draft.status.unwrap_or(STATUS)))
    .bind(all(drafts, |draft| draft.quality.unwrap_or(QUALITY)))
    .bind(all(drafts, |draft| draft.call_status.unwrap_or(CALL_STATUS)))
    .bind(all(drafts, |draft| draft.duration.unwrap_or_default()))
    .bind(all(drafts, |draft| draft.is_test.unwrap_or_default()))
    .bind(all(drafts, |draft| draft.checked.unwrap_or_default()))
    .bind(all(drafts, |draft| draft.other_attributes.as_deref().unwrap_or(OTHER_ATTRIBUTES)))
    .bind(all(drafts, |draft| draft.employee_id.value().copied()))
    .execute(&mut **transaction)
    .await?;

    let pairs =
        ids.iter().zip(drafts).flat_map(|(id, draft)| draft.labels().iter().map(|label| (*id, *label)));
    let (customers, labels): (Vec<Uuid>, Vec<Uuid>) = pairs.unzip();
    if customers.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO customer_label (customer_id, label_id)
         SELECT pair.customer_id, l.id
           FROM unnest($2::uuid[], $3::uuid[]) AS pair (customer_id, label_id)
           JOIN label AS l ON l.id = pair.label_id AND l.workspace_id = $1",
    )
    .bind(workspace_id)
    .bind(customers)
    .bind(labels)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Writes what the draft says to each of these customers, as far as they are there for the member; says which were.
pub(crate) async fn update(
    transaction: &mut Transaction,
    admission: &Admission,
    ids: &[Uuid],
    draft: &Draft,
) -> Result<Vec<Uuid>, Error> {
    let updated: Vec<Uuid> = sqlx::query_scalar(
        "WITH locked AS MATERIALIZED (
             SELECT id FROM customer
              WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
                AND ($3::uuid IS NULL OR employee_id = $3)
              ORDER BY id
                FOR NO KEY UPDATE)
         UPDATE customer AS c
            SET name = coalesce($4, c.name),
                email = CASE WHEN $5 THEN $6 ELSE c.email END,
                phone = coalesce($7, c.phone),
                carrier = CASE WHEN $8 THEN $9 ELSE c.carrier END,
                status = coalesce($10, c.status),
                quality = coalesce($11, c.quality),
                call_status = coalesce($12, c.call_status),
                duration = coalesce($13, c.duration),
                is_test = coalesce($14, c.is_test),
                checked = coalesce($15, c.checked),
                other_attributes = coalesce($16::text::jsonb, c.other_attributes),
                employee_id = CASE WHEN $17 THEN $18 ELSE c.employee_id END,
                updated_at = now()
           FROM locked
          WHERE c.id = locked.id AND c.workspace_id = $1
         RETURNING c.id",
    )
    .bind(admission.workspace_id)
    .bind(ids)
    .bind(admission.employee_id)
    .bind(&draft.name)
    .bind(draft.email.is_there())
    .bind(draft.email.value())
    .bind(&draft.phone)
    .bind(draft.carrier.is_there())
    .bind(draft.carrier.value())
    .bind(draft.status)
    .bind(draft.quality)
    .bind(draft.call_status)
    .bind(draft.duration)
    .bind(draft.is_test)
    .bind(draft.checked)
    .bind(&draft.other_attributes)
    .bind(draft.employee_id.is_there())
    .bind(draft.employee_id.value().copied())
    .fetch_all(&mut **transaction)
    .await?;
    if let Some(labels) = &draft.label_ids {
        relabel(transaction, admission.workspace_id, &updated, labels).await?;
    }
    Ok(updated)
}

/// Gives these customers, whose rows are locked, exactly these labels. Labels that stay are not touched.
async fn relabel(
    transaction: &mut Transaction,
    workspace_id: Uuid,
    customers: &[Uuid],
    labels: &[Uuid],
) -> Result<(), Error> {
    sqlx::query("DELETE FROM customer_label WHERE customer_id = ANY ($1) AND label_id <> ALL ($2)")
        .bind(customers)
        .bind(labels)
        .execute(&mut **transaction)
        .await?;
    // In the order of the key, for those who write here without a lock on the customer.
    sqlx::query(
        "INSERT INTO customer_label (customer_id, label_id)
         SELECT customer.id, l.id
           FROM unnest($2::uuid[]) AS customer (id)
          CROSS JOIN label AS l
          WHERE l.workspace_id = $1 AND l.id = ANY ($3)
          ORDER BY customer.id, l.id
             ON CONFLICT DO NOTHING",
    )
    .bind(workspace_id)
    .bind(customers)
    .bind(labels)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Deletes these customers softly, as far as they are there for the member; says which were.
pub(crate) async fn delete(
    transaction: &mut Transaction,
    admission: &Admission,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, Error> {
    sqlx::query_scalar(
        "WITH locked AS MATERIALIZED (
             SELECT id FROM customer
              WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
                AND ($3::uuid IS NULL OR employee_id = $3)
              ORDER BY id
                FOR NO KEY UPDATE)
         UPDATE customer AS c
            SET is_deleted = true, deleted_at = now(), updated_at = now()
           FROM locked
          WHERE c.id = locked.id AND c.workspace_id = $1
         RETURNING c.id",
    )
    .bind(admission.workspace_id)
    .bind(ids)
    .bind(admission.employee_id)
    .fetch_all(&mut **transaction)
    .await
}

/// Which of these customers are there for the member.
pub(crate) async fn present(
    session: &mut Session,
    admission: &Admission,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, Error> {
    sqlx::query_scalar(
        "SELECT id FROM customer
          WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
            AND ($3::uuid IS NULL OR employee_id = $3)",
    )
    .bind(admission.workspace_id)
    .bind(ids)
    .bind(admission.employee_id)
    .fetch_all(session)
    .await
}

/// Locks these customers against deletion, as far as they are there for the member, until the transaction ends; says which
/// are. Others may lock them so at the same time.
pub(crate) async fn hold(
    transaction: &mut Transaction,
    admission: &Admission,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, Error> {
    sqlx::query_scalar(
        "SELECT id FROM customer
          WHERE id = ANY ($2) AND workspace_id = $1 AND NOT is_deleted
            AND ($3::uuid IS NULL OR employee_id = $3)
          ORDER BY id
            FOR SHARE",
    )
    .bind(admission.workspace_id)
    .bind(ids)
    .bind(admission.employee_id)
    .fetch_all(&mut **transaction)
    .await
}
