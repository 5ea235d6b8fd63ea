//! What is out of the way while rows are loaded: indexes, primary keys, triggers, autovacuum.
//!
//! A COPY into a table without indexes is several times as fast, and an index that is built over sorted rows is
//! denser. Nothing here knows which indexes there are: they come back from their own definitions, as the catalogue
//! prints them, so that every level of the schema can be loaded. The database quotes all names.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::entities::Table;
use crate::error::Error;

/// What was taken apart, as it is stored in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetAside {
    pub(crate) indexes: Vec<Index>,
    /// Tables whose triggers are off.
    pub(crate) triggers: Vec<String>,
}

/// An index with the statements that bring it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct Index {
    /// The table that it belongs to.
    #[serde(default)]
    pub(crate) table: String,
    /// Its name, which is also that of its constraint.
    pub(crate) name: String,
    /// `CREATE INDEX …`
    pub(crate) build: String,
    /// `ALTER TABLE … ADD CONSTRAINT … USING INDEX …`, where it belongs to a primary key or a unique constraint.
    pub(crate) attach: Option<String>,
    /// `COMMENT ON INDEX …`, where it has a comment.
    pub(crate) comment: Option<String>,
    /// The statement that takes it away.
    pub(crate) remove: String,
    /// Whether it takes several times as long as others: GIN does.
    pub(crate) is_slow: bool,
}

impl Index {
    /// An index that will be there, for a plan.
    pub(crate) fn planned(table: Table, name: &str) -> Self {
        Self {
            table: table.name().to_owned(),
            name: name.to_owned(),
            build: String::new(),
            attach: None,
            comment: None,
            remove: String::new(),
            is_slow: false,
        }
    }
}

impl SetAside {
    /// What is there now on `tables`.
    pub(crate) async fn find(conn: &mut PgConnection, tables: &[&str]) -> Result<Self, Error> {
        let failed = |error| Error::database("reading the definitions of the indexes", error);
        let indexes = sqlx::query_as(
            "SELECT t.relname::text AS table, i.relname::text AS name,
                    pg_get_indexdef(x.indexrelid) AS build,
                    CASE WHEN k.oid IS NOT NULL THEN
                        format('ALTER TABLE public.%I ADD CONSTRAINT %I %s USING INDEX %I%s%s',
                               t.relname, k.conname, CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
                               i.relname, CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END,
                               CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' ELSE '' END)
                    END AS attach,
                    format('COMMENT ON INDEX public.%I IS ', i.relname)
                        || quote_literal(obj_description(i.oid, 'pg_class')) AS comment,
                    CASE WHEN k.oid IS NOT NULL
                        THEN format('ALTER TABLE public.%I DROP CONSTRAINT %I', t.relname, k.conname)
                        ELSE format('DROP INDEX public.%I', i.relname)
                    END AS remove,
                    a.amname = 'gin' AS is_slow
             FROM pg_index x
             JOIN pg_class i ON i.oid = x.indexrelid
             JOIN pg_class t ON t.oid = x.indrelid
             JOIN pg_am a ON a.oid = i.relam
             LEFT JOIN pg_constraint k
                 ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype IN ('p', 'u')
             WHERE t.relnamespace = 'public'::regnamespace AND t.relname = ANY ($1)
             ORDER BY i.relname",
        )
        .bind(tables)
        .fetch_all(&mut *conn)
        .await
        .map_err(failed)?;
        let triggers = sqlx::query_scalar(
            "SELECT DISTINCT t.relname::text
             FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
             WHERE NOT g.tgisinternal AND t.relnamespace = 'public'::regnamespace AND t.relname = ANY ($1)",
        )
        .bind(tables)
        .fetch_all(conn)
        .await
        .map_err(failed)?;
        Ok(Self { indexes, triggers })
    }

    /// Takes it away. To be called in the transaction that writes the ledger.
    pub(crate) async fn take(&self, conn: &mut PgConnection, tables: &[&str]) -> Result<(), Error> {
        for index in &self.indexes {
            run(conn, "setting indexes aside", &index.remove).await?;
        }
        self.switch_triggers(conn, false).await?;
        for table in tables {
            run(
                conn,
                "holding autovacuum back",
                &format!("ALTER TABLE public.{table} SET (autovacuum_enabled = false)"),
            )
            .await?;
        }
        Ok(())
    }

    /// Gives back what is no index: triggers and autovacuum.
    pub(crate) async fn give_back_the_rest(
        &self,
        conn: &mut PgConnection,
        tables: &[&str],
    ) -> Result<(), Error> {
        self.switch_triggers(conn, true).await?;
        for table in tables {
            let statement = format!("ALTER TABLE public.{table} RESET (autovacuum_enabled)");
            run(conn, "letting autovacuum go on", &statement).await?;
        }
        Ok(())
    }

    /// Switches the triggers on or off.
    pub(crate) async fn switch_triggers(&self, conn: &mut PgConnection, on: bool) -> Result<(), Error> {
        let switch = if on { "ENABLE" } else { "DISABLE" };
        for table in &self.triggers {
            run(conn, "switching triggers", &format!("ALTER TABLE public.{table} {switch} TRIGGER USER"))
                .await?;
        }
        Ok(())
    }
}

/// Runs a statement that was made from names of the catalogue or of this crate, never from input.
pub(crate) async fn run(conn: &mut PgConnection, while_doing: &str, statement: &str) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(conn)
        .await
        .map_err(|error| Error::database(while_doing, error))?;
    Ok(())
}
