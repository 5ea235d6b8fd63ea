//! The extensions that a measurement reads with. Those that it creates go again with its end, whatever that end is.

use sqlx::PgConnection;

/// Extensions that were missing.
#[derive(Debug)]
pub(super) struct Missing {
    walinspect: bool,
    stat_statements: bool,
}

impl Missing {
    /// Which of them are missing, before any is created.
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let (walinspect, stat_statements): (bool, bool) = sqlx::query_as(
            "SELECT /* callbench probe */ NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_walinspect'),
                    NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_stat_statements')",
        )
        .fetch_one(connection)
        .await?;
        Ok(Self { walinspect, stat_statements })
    }

    /// Removes those that are there now.
    pub(super) async fn restore(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if self.walinspect {
            sqlx::query("DROP EXTENSION IF EXISTS pg_walinspect").execute(&mut *connection).await?;
        }
        if self.stat_statements {
            sqlx::query("DROP EXTENSION IF EXISTS pg_stat_statements").execute(&mut *connection).await?;
        }
        Ok(())
    }
}
