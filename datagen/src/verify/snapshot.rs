//! Several connections that see one and the same moment.
//!
//! The first exports its snapshot, the others import it (`pg_export_snapshot`, `SET TRANSACTION SNAPSHOT`); all are
//! REPEATABLE READ and READ ONLY. The tables are locked against TRUNCATE and DROP before the snapshot is taken, because
//! a snapshot does not bring truncated rows back. The lock (ACCESS SHARE) is that of any reader: writers go on.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, PgConnection};

use super::error::Error;
use crate::entities::Table;

/// The name of this program in `pg_stat_activity`.
const APPLICATION: &str = "callbench verify";

/// The table that level `optimized` keeps with triggers.
pub(super) const TOTALS: &str = "customer_call_stats";

/// The least memory for one sort or hash of a query, in kilobytes; the server's own setting counts if it is higher.
const QUERY_MEMORY_KB: i64 = 64 * 1024;

pub(super) struct Snapshot {
    /// Name of the database.
    pub(super) database: String,
    /// The moment that is seen.
    pub(super) taken_at: DateTime<Utc>,
    /// Connections that are all alike; at least one, but while they work.
    pub(super) connections: Vec<PgConnection>,
    /// Pages of each of our tables that is there; 0 for a partitioned one, whose pages are those of its partitions.
    pages: BTreeMap<String, u64>,
}

impl Snapshot {
    /// The moment of now, with one connection.
    pub(super) async fn open(url: &str) -> Result<Self, Error> {
        let mut conn = connect(url).await?;
        let failed = Error::database("taking a snapshot");
        let ours: Vec<&str> = Table::ALL.into_iter().map(Table::name).chain([TOTALS]).collect();
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('public.%I', relname) FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY ($1)",
        )
        .bind(&ours)
        .fetch_all(&mut conn)
        .await
        .map_err(&failed)?;
        let begin = if tables.is_empty() {
            BEGIN.to_owned()
        } else {
            // LOCK itself takes no snapshot; the first query does.
            format!("{BEGIN}; LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", "))
        };
        sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut conn).await.map_err(&failed)?;
        let (database, taken_at) = sqlx::query_as("SELECT current_database()::text, statement_timestamp()")
            .fetch_one(&mut conn)
            .await
            .map_err(&failed)?;
        let pages: Vec<(String, i64)> = sqlx::query_as(
            "SELECT relname::text,
                    CASE relkind WHEN 'r' THEN pg_relation_size(oid) / current_setting('block_size')::bigint ELSE 0 END
             FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname = ANY ($1)",
        )
        .bind(&ours)
        .fetch_all(&mut conn)
        .await
        .map_err(&failed)?;
        let pages = pages.into_iter().map(|(table, pages)| (table, pages.unsigned_abs())).collect();
        Ok(Self { database, taken_at, connections: vec![conn], pages })
    }

    /// More connections that see the same moment, up to `connections` in all.
    pub(super) async fn widen(&mut self, url: &str, connections: usize) -> Result<(), Error> {
        if connections <= self.connections.len() {
            return Ok(());
        }
        let failed = Error::database("sharing a snapshot");
        let id: String =
            sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(self.any()).await.map_err(&failed)?;
        while self.connections.len() < connections {
            let mut conn = connect(url).await?;
            // The server made the name: hexadecimal digits and hyphens.
            let begin = format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{id}'");
            sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut conn).await.map_err(&failed)?;
            self.connections.push(conn);
        }
        Ok(())
    }

    /// Takes tables for absent.
    pub(super) fn leave_out(&mut self, is_out: impl Fn(Table) -> bool) {
        for table in Table::ALL.into_iter().filter(|&table| is_out(table)) {
            self.pages.remove(table.name());
        }
    }

    /// One of the connections.
    pub(super) fn any(&mut self) -> &mut PgConnection {
        self.connections.first_mut().expect("there is a connection whenever none of them works")
    }

    /// Whether the database holds one of our tables.
    pub(super) fn holds(&self, table: &str) -> bool {
        self.pages.contains_key(table)
    }

    /// Pages of one of our tables.
    pub(super) fn pages(&self, table: Table) -> u64 {
        self.pages.get(table.name()).copied().unwrap_or_default()
    }
}

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A connection on which nothing is cut short by a time-out that the server sets for its usual users, and which has
/// memory for joins of whole tables.
async fn connect(url: &str) -> Result<PgConnection, Error> {
    let mut conn = migrations::connect(url, APPLICATION).await?;
    // By way of the catalogue, because `transaction_timeout` is newer than the oldest server.
    sqlx::query(
        "SELECT set_config(name, CASE name WHEN 'work_mem' THEN greatest(setting::bigint, $1)::text || 'kB' ELSE '0' END,
                           false)
         FROM pg_settings
         WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
                        'transaction_timeout', 'work_mem')",
    )
    .bind(QUERY_MEMORY_KB)
    .execute(&mut conn)
    .await
    .map_err(Error::database("preparing a connection"))?;
    Ok(conn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_that_come_later_see_the_moment_of_the_first() {
        let database = cluster::testing::database("snapshot").await;
        let mut writer = migrations::connect(database.url(), "test").await.unwrap();
        let create = "CREATE TABLE label (id int); INSERT INTO label VALUES (1)";
        sqlx::raw_sql(create).execute(&mut writer).await.unwrap();
        let mut snapshot = Snapshot::open(database.url()).await.unwrap();
        sqlx::raw_sql("INSERT INTO label VALUES (2)").execute(&mut writer).await.unwrap();
        snapshot.widen(database.url(), 3).await.unwrap();
        assert_eq!(snapshot.connections.len(), 3);
        for conn in &mut snapshot.connections {
            let rows: i64 =
                sqlx::query_scalar("SELECT count(*) FROM label").fetch_one(&mut *conn).await.unwrap();
            assert_eq!(rows, 1);
            let refused = sqlx::raw_sql("DELETE FROM label").execute(conn).await.unwrap_err();
            assert!(refused.to_string().contains("read-only"), "{refused}");
        }
        assert!(snapshot.holds("label") && !snapshot.holds("call"));
        assert_eq!((snapshot.pages(Table::Label), snapshot.pages(Table::Call)), (1, 0));
    }
}
