//! Every index of a database, as its catalogue and statistics have it. Nothing is written.

use chrono::{DateTime, Utc};
use reports::labs::indexes::{Extrapolation, Index, Rule};
use sqlx::{Connection as _, PgConnection};

use super::Error;
use super::redundancy::{Shape, redundancies};

/// The indexes of a database.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// In the order in which they were made.
    pub indexes: Vec<Index>,
    /// Since when scans are counted; `None` where they never were reset.
    pub counted_since: Option<DateTime<Utc>>,
}

impl Inventory {
    /// Keeps those of these names; all where none is named. A name may have a schema before it.
    pub fn only(&mut self, names: &[String]) -> Result<(), Error> {
        let known: Vec<String> = self.indexes.iter().map(|index| index.name.clone()).collect();
        for name in names {
            if !known.contains(name) {
                let suggestion = reports::spelling::nearest(name, known.iter().map(String::as_str));
                return Err(Error::UnknownIndex {
                    name: name.clone(),
                    suggestion: suggestion.map(str::to_owned),
                    known,
                });
            }
        }
        self.indexes.retain(|index| names.is_empty() || names.contains(&index.name));
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    table_name: String,
    method: String,
    keys: Vec<String>,
    columns: Vec<String>,
    falls: Vec<bool>,
    include: Vec<String>,
    predicate: Option<String>,
    is_unique: bool,
    is_valid: bool,
    constraint_kind: Option<String>,
    definition: String,
    bytes: i64,
    table_rows: f64,
    index_rows: f64,
    scans: i64,
    tuples_read: i64,
    tuples_fetched: i64,
    last_scan: Option<DateTime<Utc>>,
}

/// Looks at all indexes on tables of users; those of callbench's own books are left out.
pub async fn inventory(url: &str) -> Result<Inventory, Error> {
    let mut connection = super::connect(url).await?;
    // What follows can't write, whatever functions the catalogue's views may call.
    sqlx::query("SET default_transaction_read_only = on").execute(&mut connection).await?;
    let rows = rows(&mut connection).await?;
    let counted_since: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT stats_reset FROM pg_catalog.pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    let shapes: Vec<Shape> = rows.iter().map(Row::shape).collect();
    let redundant = redundancies(&shapes);
    let customers = rows.iter().find(|row| row.table_name == "customer").and_then(Row::known_table_rows);
    let parts: Vec<Option<f64>> = rows.iter().map(|row| share(row, &rows)).collect();
    let indexes = rows.into_iter().zip(redundant).zip(parts);
    let indexes = indexes.map(|((row, redundant), share)| Index { redundant, ..row.index(share, customers) });
    Ok(Inventory { indexes: indexes.collect(), counted_since })
}

async fn rows(connection: &mut PgConnection) -> Result<Vec<Row>, sqlx::Error> {
    // The last scan is a column from PostgreSQL 16 on: out of the row as JSON, it is null before.
    sqlx::query_as(
        "SELECT CASE WHEN n.nspname = 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END AS name,
                CASE WHEN n.nspname = 'public' THEN t.relname::text ELSE n.nspname || '.' || t.relname END AS table_name,
                am.amname::text AS method,
                ARRAY(SELECT concat_ws(' ', pg_get_indexdef(i.indexrelid, k, true),
                                       i.indclass[k - 1], i.indcollation[k - 1], i.indoption[k - 1])
                        FROM generate_series(1, i.indnkeyatts::int) AS k ORDER BY k) AS keys,
                ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
                        FROM generate_series(1, i.indnkeyatts::int) AS k ORDER BY k) AS columns,
                ARRAY(SELECT i.indoption[k - 1]::int & 1 = 1
                        FROM generate_series(1, i.indnkeyatts::int) AS k ORDER BY k) AS falls,
                ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
                        FROM generate_series(i.indnkeyatts + 1, i.indnatts::int) AS k ORDER BY k) AS include,
                pg_get_expr(i.indpred, i.indrelid, true) AS predicate,
                i.indisunique AS is_unique,
                i.indisvalid AND i.indisready AS is_valid,
                (SELECT contype::text FROM pg_catalog.pg_constraint
                  WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x') LIMIT 1) AS constraint_kind,
                pg_get_indexdef(i.indexrelid) AS definition,
                pg_relation_size(i.indexrelid) AS bytes,
                t.reltuples::float8 AS table_rows,
                c.reltuples::float8 AS index_rows,
                coalesce(s.idx_scan, 0) AS scans,
                coalesce(s.idx_tup_read, 0) AS tuples_read,
                coalesce(s.idx_tup_fetch, 0) AS tuples_fetched,
                (to_jsonb(s) ->> 'last_idx_scan')::timestamptz AS last_scan
           FROM pg_catalog.pg_index AS i
           JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
           JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid AND t.relkind IN ('r', 'm')
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
           JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
           LEFT JOIN pg_catalog.pg_stat_all_indexes AS s ON s.indexrelid = i.indexrelid
          WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'callbench')
            AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
          ORDER BY i.indexrelid",
    )
    .fetch_all(connection)
    .await
}

/// The share of the table's rows that is in an index. After a build a GIN index is said to have as many rows as it has keys,
/// so for other methods than B-tree that of a B-tree over the same rows is taken, where there is one.
fn share(row: &Row, all: &[Row]) -> Option<f64> {
    if row.predicate.is_none() {
        return Some(1.0);
    }
    let table_rows = row.known_table_rows()?;
    let over_the_same = |other: &&Row| {
        other.method == "btree" && other.table_name == row.table_name && other.predicate == row.predicate
    };
    let counted = if row.method == "btree" { row } else { all.iter().find(over_the_same).unwrap_or(row) };
    let share = counted.index_rows / table_rows;
    // The two counts are of different moments.
    let is_sound = counted.index_rows >= 0.0 && (counted.method == "btree" || share <= 1.0);
    is_sound.then(|| share.min(1.0))
}

impl Row {
    /// Rows of the table; `None` where it was never analysed.
    fn known_table_rows(&self) -> Option<f64> {
        (self.table_rows >= 0.0).then_some(self.table_rows)
    }

    fn rule(&self) -> Option<Rule> {
        match self.constraint_kind.as_deref() {
            Some("p") => Some(Rule::PrimaryKey),
            Some("x") => Some(Rule::Exclusion),
            Some(_) => Some(Rule::Unique),
            None => self.is_unique.then_some(Rule::UniqueIndex),
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            name: self.name.clone(),
            table: self.table_name.clone(),
            method: self.method.clone(),
            keys: self.keys.clone(),
            columns: self.columns.clone(),
            include: self.include.clone(),
            predicate: self.predicate.clone(),
            keeps_a_rule: self.rule().is_some(),
            valid: self.is_valid,
        }
    }

    fn index(self, share: Option<f64>, customers: Option<f64>) -> Index {
        let natural = |number: i64| u64::try_from(number).unwrap_or(0);
        let (rule, table_rows, bytes) = (self.rule(), self.known_table_rows(), natural(self.bytes));
        let at_scale = table_rows
            .zip(share)
            .and_then(|(rows, share)| Extrapolation::of(&self.table_name, bytes, rows, share, customers));
        let columns = self.columns.into_iter().zip(self.falls);
        Index {
            name: self.name,
            table: self.table_name,
            method: self.method,
            columns: columns.map(|(column, falls)| if falls { column + " DESC" } else { column }).collect(),
            include: self.include,
            predicate: self.predicate,
            unique: self.is_unique,
            rule,
            valid: self.is_valid,
            definition: self.definition,
            bytes,
            table_rows,
            share,
            at_scale,
            scans: natural(self.scans),
            tuples_read: natural(self.tuples_read),
            tuples_fetched: natural(self.tuples_fetched),
            last_scan: self.last_scan,
            density: None,
            redundant: Vec::new(),
        }
    }
}
