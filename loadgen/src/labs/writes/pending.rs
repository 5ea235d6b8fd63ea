//! What GIN indexes put off.
//!
//! An entry goes into a list first, and into the index when the list is full or the table is vacuumed. So most writes look
//! cheaper than they are, and one of them pays for many. The lists are emptied before and after each measurement: what that
//! takes belongs to the operations before it.

use reports::labs::writes::Postponed;
use sqlx::PgConnection;

use super::Error;
use crate::labs::wal::{LogReader, position};

/// GIN indexes of tables that are no part of the system, by name, if the user may empty their lists.
async fn indexes(connection: &mut PgConnection) -> Result<Vec<(i64, String)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT /* callbench probe */ c.oid::int8, c.relname::text
         FROM pg_class c JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE a.amname = 'gin' AND c.relkind = 'i' AND n.nspname <> 'pg_catalog'
           AND pg_has_role(c.relowner, 'USAGE')
         ORDER BY c.relname",
    )
    .fetch_all(connection)
    .await
}

/// Empties the lists; what was in them.
pub(super) async fn empty(
    connection: &mut PgConnection,
    mut log: Option<&mut LogReader>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Postponed>, Error> {
    let mut postponed = Vec::new();
    for (oid, index) in indexes(connection).await? {
        let start = position(connection).await?;
        let pages: i64 = sqlx::query_scalar("SELECT /* callbench probe */ gin_clean_pending_list($1::oid)")
            .bind(oid)
            .fetch_one(&mut *connection)
            .await?;
        let end = position(connection).await?;
        if pages == 0 {
            continue;
        }
        let log_bytes = match &mut log {
            Some(log) => match log.read(start, end).await {
                Ok(span) => Some(span.sum().bytes),
                Err(unavailable) => {
                    warnings
                        .push(format!("what emptying the list of {index} took is not known: {unavailable}"));
                    None
                }
            },
            None => None,
        };
        postponed.push(Postponed { index, pages: pages.unsigned_abs(), log_bytes });
    }
    Ok(postponed)
}
