//! Somebody who walks the list of one workspace.

use chrono::Duration;
use migrations::Level;
use server::Variant;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::{Answer, Service, list};
use crate::world::{self, Customer, at};

/// The variants that page by cursor, each at the level that it is measured on.
pub(crate) const SUBJECTS: [(Level, Variant); 2] =
    [(Level::Indexed, Variant::Live), (Level::Optimized, Variant::Rollup)];

pub(crate) struct Walker {
    pub(crate) service: Service,
    pub(crate) db: PgConnection,
    pub(crate) workspace: Uuid,
    pub(crate) token: String,
    pub(crate) origin: String,
}

impl Walker {
    pub(crate) async fn new((level, variant): (Level, Variant)) -> Self {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        let token = world::user(&mut db, "admin", None, &[workspace]).await;
        let origin = service.serve(variant).await;
        Self { service, db, workspace, token, origin }
    }

    /// A customer named after this value. The list is newest first, so a greater value is older.
    pub(crate) async fn insert(&mut self, value: i64) -> Uuid {
        Customer::of(self.workspace, value.to_string(), time_of(value)).insert(&mut self.db).await
    }

    pub(crate) async fn delete(&mut self, condition: &'static str) {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE customer SET is_deleted = true WHERE {condition}"));
        sqlx::query(sql).execute(&mut self.db).await.unwrap();
    }

    pub(crate) async fn first(&self, query: &str) -> Answer {
        self.follow(Some(list(&self.origin, &format!("workspace_id=one&{query}")))).await
    }

    pub(crate) async fn follow(&self, url: Option<String>) -> Answer {
        self.service.get(&url.expect("there is a link"), &self.token).await
    }

    /// All pages, by following `next`.
    pub(crate) async fn forward(&self, query: &str) -> Vec<Answer> {
        let mut pages = vec![self.first(query).await];
        while let Some(url) = pages.last().unwrap().next() {
            pages.push(self.follow(Some(url)).await);
        }
        pages
    }

    /// All pages above this one, by following `previous`; the nearest first.
    pub(crate) async fn backward(&self, from: &Answer) -> Vec<Answer> {
        let mut pages = Vec::new();
        let mut url = from.previous();
        while let Some(link) = url {
            let page = self.follow(Some(link)).await;
            url = page.previous();
            pages.push(page);
        }
        pages
    }
}

/// When the customer of this value was created.
pub(crate) fn time_of(value: i64) -> chrono::DateTime<chrono::Utc> {
    at("2024-01-01T00:00:00Z") - Duration::microseconds(value)
}

/// The values of a page, one after the other.
pub(crate) fn values(page: &Answer) -> String {
    page.names().concat()
}
