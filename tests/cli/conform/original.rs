//! What the servers that are examined serve, and the server that others falsify.

use std::sync::{Arc, Weak};

use cluster::testing::{TestDatabase, copy, database};
use server::{Config, Variant};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::Mutex;

use super::breaking::Proxy;
use super::run;
use crate::command::folder;

/// A tiny dataset at level `optimized`, where all variants find what they need, with a user who is no member of its largest
/// workspace. Nobody writes to it, or stays connected: each test has a copy.
pub(super) struct Original {
    database: TestDatabase,
    /// The slug of the workspace whose member that user is.
    pub(super) other: String,
}

impl Original {
    /// The one that another test has made and still uses, or a new one. It goes away with the last of them.
    pub(super) async fn get() -> Arc<Self> {
        static LAST: Mutex<Weak<Original>> = Mutex::const_new(Weak::new());
        let mut last = LAST.lock().await;
        if let Some(original) = last.upgrade() {
            return original;
        }
        let original = Arc::new(seeded().await);
        *last = Arc::downgrade(&original);
        original
    }

    pub(super) async fn copy(&self) -> TestDatabase {
        copy(&self.database, "conform").await
    }
}

async fn seeded() -> Original {
    let database = database("conform").await;
    let folder = folder();
    run(folder.path(), &["seed", "--scale=tiny", "--database-url", database.url()], 0);
    run(folder.path(), &["db", "migrate", "--to=optimized", "--database-url", database.url()], 0);
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    connection
        .execute(
            "WITH who AS (INSERT INTO app_user (email, name, role, is_active)
                          VALUES ('stranger', 'stranger', 'admin', true) RETURNING id),
                  secret AS (INSERT INTO auth_token (token_sha256, user_id) SELECT sha256('stranger123'), id FROM who)
             INSERT INTO user_workspace (user_id, workspace_id)
             SELECT who.id, w.id FROM who, (SELECT id FROM workspace WHERE slug <> 'enterprise-workspace-1' LIMIT 1) w",
        )
        .await
        .expect("a stranger");
    let other = sqlx::query_scalar(
        "SELECT w.slug FROM app_user u JOIN user_workspace m ON m.user_id = u.id JOIN workspace w ON w.id = m.workspace_id
          WHERE u.email = 'stranger'",
    )
    .fetch_one(&mut connection)
    .await
    .expect("another workspace");
    connection.close().await.expect("the end of the connection");
    Original { database, other }
}

/// The reference server in this process, with a proxy before it.
pub(super) async fn proxied(database: &TestDatabase) -> Proxy {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("bound"));
    let config = Config { pool_size: 4, ..Config::new(database.url(), Variant::Live) };
    let served = server::Server::open(config, listener).await.expect("it opens");
    tokio::spawn(async move { served.serve(std::future::pending()).await.expect("it serves") });
    Proxy::before(origin).await
}
