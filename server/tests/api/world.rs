//! Rows by hand: what a test names is as it says, everything else is plain.

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) async fn workspace(connection: &mut PgConnection, slug: &str) -> Uuid {
    sqlx::query_scalar("INSERT INTO workspace (slug, name) VALUES ($1, $1) RETURNING id")
        .bind(slug)
        .fetch_one(connection)
        .await
        .unwrap()
}

/// An active user with this role and these workspaces; the token is the role with a number.
pub(crate) async fn user(
    connection: &mut PgConnection,
    role: &str,
    employee: Option<Uuid>,
    workspaces: &[Uuid],
) -> String {
    let token = format!("{role}-{}", Uuid::new_v4());
    sqlx::query(
        "WITH who AS (INSERT INTO app_user (email, name, role, employee_id, is_active)
                      VALUES ($1, $1, $2, $3, true) RETURNING id),
              secret AS (INSERT INTO auth_token (token_sha256, user_id) SELECT $4, id FROM who)
         INSERT INTO user_workspace (user_id, workspace_id) SELECT who.id, w.id FROM who, unnest($5) AS w (id)",
    )
    .bind(&token)
    .bind(role)
    .bind(employee)
    .bind(Sha256::digest(&token).to_vec())
    .bind(workspaces)
    .execute(connection)
    .await
    .unwrap();
    token
}

pub(crate) async fn employee(connection: &mut PgConnection, workspace: Uuid, name: &str) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO employee (workspace_id, name, email) VALUES ($1, $2, $2 || '@example.com') RETURNING id",
    )
    .bind(workspace)
    .bind(name)
    .fetch_one(connection)
    .await
    .unwrap()
}

/// A customer; start from [`Customer::of`].
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub(crate) id: Uuid,
    pub(crate) workspace: Uuid,
    pub(crate) name: String,
    pub(crate) status: &'static str,
    pub(crate) quality: &'static str,
    pub(crate) employee: Option<Uuid>,
    pub(crate) is_deleted: bool,
    pub(crate) created_at: DateTime<Utc>,
}

impl Customer {
    pub(crate) fn of(workspace: Uuid, name: impl Into<String>, created_at: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::new_v4(),
            workspace,
            name: name.into(),
            status: "active",
            quality: "hot",
            employee: None,
            is_deleted: false,
            created_at,
        }
    }

    pub(crate) async fn insert(&self, connection: &mut PgConnection) -> Uuid {
        sqlx::query(
            "INSERT INTO customer (id, workspace_id, name, phone, status, quality, call_status, employee_id,
                                   is_deleted, created_at, updated_at)
             VALUES ($1, $2, $3, '090', $4, $5, 'pending', $6, $7, $8, $8)",
        )
        .bind(self.id)
        .bind(self.workspace)
        .bind(&self.name)
        .bind(self.status)
        .bind(self.quality)
        .bind(self.employee)
        .bind(self.is_deleted)
        .bind(self.created_at)
        .execute(connection)
        .await
        .unwrap();
        self.id
    }
}

/// Runs a statement that makes rows in bulk; `$1` is the workspace.
pub(crate) async fn fill(connection: &mut PgConnection, workspace: Uuid, sql: &'static str) {
    sqlx::query(sql).bind(workspace).execute(connection).await.unwrap();
}
