//! What else a database holds, and whether that is in our way.

use sqlx::PgConnection;

use crate::ladder::TABLES;
use crate::{Error, books};

/// Refuses a database in which a relation has the name of one of our tables.
pub(crate) async fn refuse_names_taken(conn: &mut PgConnection) -> Result<(), Error> {
    let (database, taken): (String, Vec<String>) = sqlx::query_as(
        "SELECT current_database()::text,
                coalesce((SELECT array_agg('public.' || relname ORDER BY relname) FROM pg_class
                          WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)), '{}')",
    )
    .bind(TABLES)
    .fetch_one(conn)
    .await?;
    if taken.is_empty() { Ok(()) } else { Err(Error::NamesTaken { database, tables: taken.join(", ") }) }
}

/// Refuses a database that was never migrated and yet holds tables. Tables and views of extensions don't count.
pub(crate) async fn refuse_foreign_tables(conn: &mut PgConnection) -> Result<(), Error> {
    if books::exist(conn).await? {
        return Ok(());
    }
    let (database, tables): (String, Vec<String>) = sqlx::query_as(
        "SELECT current_database()::text,
                coalesce(array_agg(n.nspname || '.' || c.relname ORDER BY n.nspname, c.relname)
                         FILTER (WHERE c.oid IS NOT NULL), '{}')
         FROM (SELECT 1) AS one
         LEFT JOIN pg_class c
              JOIN pg_namespace n ON n.oid = c.relnamespace
              ON c.relkind IN ('r', 'p', 'v', 'm', 'f')
             AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
             AND n.nspname NOT LIKE 'pg\\_temp\\_%'
             AND NOT EXISTS (SELECT FROM pg_depend d
                             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
    )
    .fetch_one(conn)
    .await?;
    if tables.is_empty() {
        return Ok(());
    }
    let mut named = tables.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if tables.len() > 5 {
        named.push_str(", …");
    }
    Err(Error::ForeignTables { database, tables: named })
}
