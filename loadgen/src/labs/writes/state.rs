//! What the catalog and the counters say of the tables: read before a measurement and after it.

use std::collections::BTreeMap;

use reports::labs::wal::{Kind, Updates};
use reports::labs::writes::{Growth, Table};
use sqlx::PgConnection;

/// The tables that the writes change, where they are there.
const TABLES: [&str; 3] = ["customer", "call", "customer_call_stats"];

/// Settings that decide what is written to the log, and how long a commit takes.
const SETTINGS: [&str; 14] = [
    "autovacuum",
    "checkpoint_timeout",
    "commit_delay",
    "data_checksums",
    "fsync",
    "full_page_writes",
    "gin_pending_list_limit",
    "max_wal_size",
    "shared_buffers",
    "synchronous_commit",
    "wal_compression",
    "wal_level",
    "wal_log_hints",
    "wal_sync_method",
];

pub(super) async fn settings(connection: &mut PgConnection) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let settings: Vec<(String, String)> = sqlx::query_as(
        "SELECT /* callbench probe */ name, current_setting(name) FROM pg_settings WHERE name = ANY ($1)",
    )
    .bind(&SETTINGS[..])
    .fetch_all(connection)
    .await?;
    Ok(settings.into_iter().collect())
}

/// Tells autovacuum to leave the tables alone; whoever is at one of them is made to stop.
pub(super) async fn keep_autovacuum_away(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "ALTER TABLE customer SET (autovacuum_enabled = off, toast.autovacuum_enabled = off);
         ALTER TABLE call SET (autovacuum_enabled = off, toast.autovacuum_enabled = off);
         ALTER TABLE IF EXISTS customer_call_stats SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads tables and indexes that are written to into the buffers, the smallest first, as long as all of them fill no more than
/// half of these: a copy is cold, and production is not.
pub(super) async fn warm(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm").execute(&mut *connection).await?;
    sqlx::query(
        "WITH written AS (SELECT oid FROM pg_class
                          WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname = ANY ($1)),
              relation AS (SELECT oid FROM written UNION ALL SELECT indexrelid FROM pg_index JOIN written ON oid = indrelid),
              fitting AS (SELECT oid, sum(pg_relation_size(oid)) OVER (ORDER BY pg_relation_size(oid), oid) AS bytes
                          FROM relation)
         SELECT /* callbench probe */ sum(pg_prewarm(oid::regclass))::int8 FROM fitting
         WHERE bytes <= pg_size_bytes(current_setting('shared_buffers')) / 2",
    )
    .bind(&TABLES[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// The tables as they are.
pub(super) async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>, sqlx::Error> {
    let rows: Vec<(String, i32, bool, Vec<String>)> = sqlx::query_as(
        "SELECT /* callbench probe */ c.relname::text,
                coalesce((SELECT option_value::int4 FROM pg_options_to_table(c.reloptions)
                          WHERE option_name = 'fillfactor'), 100),
                coalesce((SELECT NOT option_value::bool FROM pg_options_to_table(c.reloptions)
                          WHERE option_name = 'autovacuum_enabled'), false),
                ARRAY(SELECT i.relname::text FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
                      WHERE x.indrelid = c.oid ORDER BY i.relname)
         FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1)
         ORDER BY array_position($1, c.relname::text)",
    )
    .bind(&TABLES[..])
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(name, fillfactor, autovacuum_off, indexes)| Table {
            name,
            fillfactor: fillfactor.unsigned_abs(),
            autovacuum_off,
            indexes,
        })
        .collect())
}

/// Bytes of the main forks of tables, their indexes and their long values, by kind and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sizes(BTreeMap<(Kind, String), i64>);

impl Sizes {
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT /* callbench probe */ 'heap', c.relname::text, pg_relation_size(c.oid)
             FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'm')
             UNION ALL
             SELECT 'index', c.relname::text, pg_relation_size(c.oid)
             FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'i'
             UNION ALL
             SELECT 'toast', c.relname::text, pg_total_relation_size(c.reltoastrelid)
             FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.reltoastrelid <> 0",
        )
        .fetch_all(connection)
        .await?;
        let kind = |word: &str| match word {
            "heap" => Kind::Heap,
            "index" => Kind::Index,
            _ => Kind::Toast,
        };
        Ok(Self(rows.into_iter().map(|(word, name, bytes)| ((kind(&word), name), bytes)).collect()))
    }

    /// What has another size than before.
    pub(super) fn since(&self, before: &Self) -> Vec<Growth> {
        let grown = self.0.iter().filter_map(|(relation, bytes)| {
            let bytes = bytes - before.0.get(relation).copied().unwrap_or_default();
            (bytes != 0).then(|| Growth { kind: relation.0, relation: relation.1.clone(), bytes })
        });
        grown.collect()
    }
}

/// Counters of the tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counted {
    updates: Updates,
    vacuums: u64,
}

impl Counted {
    pub(super) async fn read(connection: &mut PgConnection) -> Result<Self, sqlx::Error> {
        let (all, hot, vacuums): (i64, i64, i64) = sqlx::query_as(
            "SELECT /* callbench probe */ coalesce(sum(n_tup_upd), 0)::int8, coalesce(sum(n_tup_hot_upd), 0)::int8,
                    coalesce(sum(autovacuum_count + autoanalyze_count), 0)::int8
             FROM pg_stat_user_tables WHERE schemaname = 'public'",
        )
        .fetch_one(connection)
        .await?;
        let [all, hot, vacuums] = [all, hot, vacuums].map(i64::unsigned_abs);
        Ok(Self { updates: Updates { all, hot }, vacuums })
    }

    /// Updates since an earlier reading.
    pub(super) fn updates_since(&self, before: &Self) -> Updates {
        Updates {
            all: self.updates.all.saturating_sub(before.updates.all),
            hot: self.updates.hot.saturating_sub(before.updates.hot),
        }
    }

    /// Runs of autovacuum and autoanalyze since an earlier reading.
    pub(super) fn vacuums_since(&self, before: &Self) -> u64 {
        self.vacuums.saturating_sub(before.vacuums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(all: &[(Kind, &str, i64)]) -> Sizes {
        Sizes(all.iter().map(|(kind, name, bytes)| ((*kind, (*name).to_owned()), *bytes)).collect())
    }

    #[test]
    fn growth_is_of_what_changed_its_size_alone() {
        let before = sizes(&[(Kind::Heap, "customer", 8_192), (Kind::Index, "customer_pkey", 16_384)]);
        let after = sizes(&[
            (Kind::Heap, "customer", 8_192),
            (Kind::Index, "customer_pkey", 24_576),
            (Kind::Toast, "customer", 8_192),
        ]);
        let grown: Vec<(Kind, i64)> =
            after.since(&before).iter().map(|growth| (growth.kind, growth.bytes)).collect();
        assert_eq!(grown, [(Kind::Toast, 8_192), (Kind::Index, 8_192)]);
    }
}
