//! What the filters can be given: values of the tenant's own rows, common and rare.

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

/// The tenant, as far as the benches need to know it.
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) customers: i64,
    pub(crate) server_version: String,
    /// Labels by the number of customers that they stand on: the fewest, the median, the most.
    pub(crate) labels: [Uuid; 3],
    /// A cursor to the older half of the customers.
    pub(crate) middle: String,
}

impl Tenant {
    pub(crate) async fn of(database_url: &str, slug: &str) -> anyhow::Result<Self> {
        let mut db = PgConnection::connect(database_url).await.context("the database can't be reached")?;
        let id: Uuid = sqlx::query_scalar("SELECT id FROM workspace WHERE slug = $1")
            .bind(slug)
            .fetch_optional(&mut db)
            .await?
            .with_context(|| format!("there is no workspace `{slug}`"))?;
        let (customers, server_version): (i64, String) = sqlx::query_as(
            "SELECT count(*), current_setting('server_version') FROM customer
              WHERE workspace_id = $1 AND NOT is_deleted",
        )
        .bind(id)
        .fetch_one(&mut db)
        .await?;
        let labels: Vec<Uuid> = sqlx::query_scalar(
            "SELECT l.id FROM label AS l JOIN customer_label AS cl ON cl.label_id = l.id
              WHERE l.workspace_id = $1 GROUP BY l.id ORDER BY count(*), l.id",
        )
        .bind(id)
        .fetch_all(&mut db)
        .await?;
        let at = |index: usize| labels.get(index).copied().context("the workspace has no labels");
        let labels_at = [at(0)?, at(labels.len() / 2)?, at(labels.len().saturating_sub(1))?];
        let (created_at_us, middle_id): (i64, Uuid) = sqlx::query_as(
            "SELECT (extract(epoch FROM created_at) * 1000000)::bigint, id FROM customer
              WHERE workspace_id = $1 AND NOT is_deleted
              ORDER BY created_at DESC, id DESC OFFSET $2 LIMIT 1",
        )
        .bind(id)
        .bind(customers / 2)
        .fetch_one(&mut db)
        .await?;
        db.close().await?;
        let place = format!(r#"{{"created_at":{created_at_us},"id":"{middle_id}","direction":"next"}}"#);
        Ok(Self { id, customers, server_version, labels: labels_at, middle: URL_SAFE_NO_PAD.encode(place) })
    }
}
