//! Two workspaces with the same kinds of things in them, and a user of each role in the first: what a writer may touch,
//! and what it may not.

use migrations::Level;
use reqwest::Method;
use serde_json::Value;
use server::Variant;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::{Answer, Service};
use crate::world::{self, Customer, at};

/// What one workspace holds.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    pub(crate) id: Uuid,
    /// Two people who look after customers.
    pub(crate) employees: [Uuid; 2],
    /// Named `a` to `c`.
    pub(crate) labels: [Uuid; 3],
    /// Of the first employee, of the second, of nobody; and one of the first that is deleted.
    pub(crate) customers: [Uuid; 4],
    /// One enrolment for each customer.
    pub(crate) enrolments: [Uuid; 4],
}

/// A server on two workspaces.
pub(crate) struct Tenants {
    pub(crate) service: Service,
    pub(crate) db: PgConnection,
    pub(crate) origin: String,
    /// The workspace `one`, whose members the users are.
    pub(crate) one: Workspace,
    /// The workspace `two`, which nobody here is a member of.
    pub(crate) two: Workspace,
    pub(crate) admin: String,
    pub(crate) manager: String,
    /// The token of the first employee of `one`.
    pub(crate) employee: String,
}

impl Tenants {
    /// A server of this variant at this level.
    pub(crate) async fn at(level: Level, variant: Variant) -> Self {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let one = workspace(&mut db, "one").await;
        let two = workspace(&mut db, "two").await;
        let admin = world::user(&mut db, "admin", None, &[one.id]).await;
        let manager = world::user(&mut db, "manager", None, &[one.id]).await;
        let employee = world::user(&mut db, "employee", Some(one.employees[0]), &[one.id]).await;
        let origin = service.serve(variant).await;
        Self { service, db, origin, one, two, admin, manager, employee }
    }

    /// A server of `live` at level `indexed`.
    pub(crate) async fn new() -> Self {
        Self::at(Level::Indexed, Variant::Live).await
    }

    /// The URL of a path below `/api/v1/`, for the workspace `one`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/api/v1/{path}?workspace_id=one", self.origin)
    }

    /// Sends JSON as this user.
    pub(crate) async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Answer {
        self.service.write(method, &self.url(path), token, body.to_string()).await
    }

    /// Sends JSON as the admin.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &self.admin, body).await
    }

    /// Sends JSON as the admin.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &self.admin, body).await
    }

    /// All rows of a table as PostgreSQL prints them as JSON, in order, with what tells whether a row was written.
    pub(crate) async fn rows(&mut self, table: &str) -> Vec<Value> {
        let sql = format!(
            "SELECT to_jsonb(t) || jsonb_build_object('xmin', xmin::text) FROM {table} AS t ORDER BY t::text"
        );
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut self.db).await.unwrap()
    }

    /// One customer, as [`rows`](Self::rows) shows it.
    pub(crate) async fn customer(&mut self, id: Uuid) -> Value {
        self.rows("customer").await.into_iter().find(|row| row["id"] == id.to_string()).unwrap()
    }
}

async fn workspace(db: &mut PgConnection, slug: &str) -> Workspace {
    let id = world::workspace(db, slug).await;
    let employees = [world::employee(db, id, "first").await, world::employee(db, id, "second").await];
    let mut labels = [Uuid::nil(); 3];
    for (label, name) in labels.iter_mut().zip(["a", "b", "c"]) {
        *label = sqlx::query_scalar("INSERT INTO label (workspace_id, name) VALUES ($1, $2) RETURNING id")
            .bind(id)
            .bind(name)
            .fetch_one(&mut *db)
            .await
            .unwrap();
    }
    let mut customers = [Uuid::nil(); 4];
    let mut enrolments = [Uuid::nil(); 4];
    let whose = [Some(employees[0]), Some(employees[1]), None, Some(employees[0])];
    for (position, employee) in whose.into_iter().enumerate() {
        let customer = Customer::of(id, format!("{slug} {position}"), at("2024-01-01T00:00:00Z"));
        customers[position] = Customer { employee, is_deleted: position == 3, ..customer }.insert(db).await;
        enrolments[position] = sqlx::query_scalar(
            "INSERT INTO call_campaign_customer (workspace_id, campaign_id, customer_id, status)
             VALUES ($1, gen_random_uuid(), $2, 'completed') RETURNING id",
        )
        .bind(id)
        .bind(customers[position])
        .fetch_one(&mut *db)
        .await
        .unwrap();
    }
    Workspace { id, employees, labels, customers, enrolments }
}
