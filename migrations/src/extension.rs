//! Extensions of the server that an index needs.
//!
//! One that we make lies in the schema of our books, by which it is known as ours and taken back by us; an index finds it
//! wherever it lies. One that was there before is used, and left alone.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::Error;

/// An extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extension {
    pub(crate) name: &'static str,
    /// The table whose index needs it.
    pub(crate) table: &'static str,
}

/// GIN over plain types, so that an index over documents can begin with the tenant. Part of `PostgreSQL`'s contrib, and
/// trusted: whoever may create in the database may install it.
pub(crate) const BTREE_GIN: Extension = Extension { name: "btree_gin", table: "customer" };

/// The schema of our books.
pub(crate) const CREATE_SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS callbench";

impl Extension {
    /// The statement that makes it, unless it is there.
    pub(crate) fn create(&self) -> String {
        format!("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA callbench", self.name)
    }

    /// Refuses a server that lacks its files.
    pub(crate) async fn require(&self, conn: &mut PgConnection) -> Result<(), Error> {
        let (is_there, version): (bool, String) = sqlx::query_as(
            "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = $1),
                    (current_setting('server_version_num')::int / 10000)::text",
        )
        .bind(self.name)
        .fetch_one(conn)
        .await?;
        if is_there { Ok(()) } else { Err(Error::NoExtension { name: self.name, version }) }
    }

    pub(crate) async fn install(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(self.create())).execute(conn).await?;
        Ok(())
    }

    /// Drops it, if it is ours. An index of somebody else that needs it makes this fail.
    pub(crate) async fn remove(&self, conn: &mut PgConnection) -> Result<(), sqlx::Error> {
        let is_ours: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                            WHERE e.extname = $1 AND n.nspname = 'callbench')",
        )
        .bind(self.name)
        .fetch_one(&mut *conn)
        .await?;
        if is_ours {
            let statement = format!("DROP EXTENSION {}", self.name);
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(conn).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect;

    #[tokio::test]
    async fn an_extension_whose_files_are_missing_is_named_with_what_to_install() {
        let database = cluster::testing::database("extension").await;
        let mut conn = connect(database.url(), "test").await.unwrap();
        BTREE_GIN.require(&mut conn).await.unwrap();
        let missing = Extension { name: "no_such_extension", ..BTREE_GIN };
        let refused = missing.require(&mut conn).await.unwrap_err().to_string();
        assert!(refused.contains("`no_such_extension`") && refused.contains("contrib"), "{refused}");
    }
}
