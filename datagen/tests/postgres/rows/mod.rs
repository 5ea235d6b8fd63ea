//! The rows as `PostgreSQL` has them: complete, connected, in order, and true to their causes.

mod distributions;
mod soundness;
mod specifications;
mod storage;

use cluster::testing::{self, TestDatabase};
use datagen::Present;
use migrations::Level;
use sqlx::PgConnection;
use tokio::sync::OnceCell;

use crate::support::{connect, connections, load, number, spec};

static LOADED: OnceCell<(TestDatabase, Present)> = OnceCell::const_new();

/// One database for all tests of this program, which only read it.
async fn loaded() -> (PgConnection, &'static Present) {
    let (database, present) = LOADED
        .get_or_init(|| async {
            let database = testing::database("rows").await;
            // One connection, so that the order on disk is the order of the chunks.
            let present = load(database.url(), &spec(), Level::Before, &connections(1)).await;
            (database, present)
        })
        .await;
    (connect(database.url()).await, present)
}

/// Asserts that a query finds nothing in the shared database.
async fn none(sql: &str) {
    let (mut conn, _) = loaded().await;
    let count = number(&mut conn, &format!("SELECT count(*) FROM ({sql}) AS found")).await;
    assert_eq!(count, 0, "{sql}");
}
