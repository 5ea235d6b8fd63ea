//! What a server did to the tables, by PostgreSQL's own counters.
//!
//! A session publishes its counts at its leisure, but always when it ends, and before it leaves `pg_stat_activity`. So each
//! request has a server of its own, which is stopped when it has answered; when all its sessions are gone, everything that
//! it did is in the counters. Whoever reads them reads nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use sqlx::PgConnection;

/// The tables that grow with the tenants.
const TABLES: [&str; 5] =
    ["call", "call_campaign_customer", "customer", "customer_call_stats", "customer_label"];

/// How long sessions may take to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// Counts of all tables and indexes, since ever or of one request.
#[derive(Debug, Default, Clone)]
pub(super) struct Counters {
    /// Passes over whole tables.
    passes: BTreeMap<String, i64>,
    /// Table and index: how often it was used, and the entries that were read of it.
    indexes: BTreeMap<(String, String), (i64, i64)>,
}

impl Counters {
    /// The counts, when nobody else has a session in this database.
    pub(super) async fn settled(db: &mut PgConnection) -> Self {
        let gone = async {
            loop {
                let others: i64 = sqlx::query_scalar(
                    "SELECT count(*) FROM pg_stat_activity
                      WHERE datname = current_database() AND pid <> pg_backend_pid()",
                )
                .fetch_one(&mut *db)
                .await
                .unwrap();
                if others == 0 {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("the sessions of the server end");
        let passes: Vec<(String, i64)> = sqlx::query_as(
            "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE relname = ANY ($1)",
        )
        .bind(&TABLES[..])
        .fetch_all(&mut *db)
        .await
        .unwrap();
        let indexes: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT relname::text, indexrelname::text, idx_scan, idx_tup_read
               FROM pg_stat_user_indexes WHERE relname = ANY ($1)",
        )
        .bind(&TABLES[..])
        .fetch_all(db)
        .await
        .unwrap();
        Self {
            passes: passes.into_iter().collect(),
            indexes: indexes
                .into_iter()
                .map(|(table, index, scans, rows)| ((table, index), (scans, rows)))
                .collect(),
        }
    }

    /// What came since.
    pub(super) fn since(&self, before: &Self) -> Self {
        let passes = self.passes.iter().map(|(table, passes)| (table.clone(), passes - before.passes[table]));
        let indexes = self.indexes.iter().map(|(index, (scans, rows))| {
            let (scans_before, rows_before) = before.indexes[index];
            (index.clone(), (scans - scans_before, rows - rows_before))
        });
        Self { passes: passes.collect(), indexes: indexes.filter(|(_, (scans, _))| *scans > 0).collect() }
    }

    /// Passes over whole tables.
    pub(super) fn passes(&self) -> i64 {
        self.passes.values().sum()
    }

    /// Whether this index was used.
    pub(super) fn used(&self, index: &str) -> bool {
        self.indexes.keys().any(|(_, name)| name == index)
    }

    /// Entries that were read of the indexes of this table.
    pub(super) fn rows(&self, table: &str) -> i64 {
        self.indexes.iter().filter(|((of, _), _)| of == table).map(|(_, (_, rows))| rows).sum()
    }
}
