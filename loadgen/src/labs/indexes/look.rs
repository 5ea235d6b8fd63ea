//! One look: a transaction in which an index is left out, and statements are carried out and counted. It is rolled back,
//! and with it everything that was done.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reports::labs::indexes::{Log, Sample};
use reports::stats::median_interval;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::Error;
use super::statements::Asked;
use super::values::Values;
use super::work::Work;

/// A read that takes longer is not read a second time: it does not get much quicker by then.
const LONG: f64 = 1e6;

/// `query_canceled`: what a statement ends with when its time is over.
const QUERY_CANCELED: &str = "57014";

/// Which look it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting<'a> {
    pub(super) round: u32,
    pub(super) pass: u32,
    /// The index that is left out: its name, and how SQL writes it.
    pub(super) without: Option<(&'a str, &'a str)>,
}

/// What looks need.
pub(super) struct Ground<'a> {
    pub(super) asked: &'a [Asked],
    pub(super) values: &'a Values,
    pub(super) timeout: Duration,
}

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) samples: Vec<Sample>,
    /// Of each operation the tables in its plans, or those that it changes.
    pub(super) tables: BTreeMap<String, BTreeSet<String>>,
}

impl Ground<'_> {
    /// Takes a look. An error leaves the transaction open; it ends with its connection.
    pub(super) async fn look(
        &self,
        connection: &mut PgConnection,
        setting: Setting<'_>,
    ) -> Result<Looked, Error> {
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT set_config('statement_timeout', $1, true)")
            .bind(self.timeout.as_millis().to_string())
            .execute(&mut *transaction)
            .await?;
        if let Some((name, quoted)) = setting.without {
            // Safe: the name comes quoted from the catalogue.
            sqlx::query(AssertSqlSafe(format!("DROP INDEX {quoted}")))
                .execute(&mut *transaction)
                .await
                .map_err(|cause| Error::LeftOut { index: name.to_owned(), cause })?;
        }
        let mut looked = Looked::default();
        for asked in self.asked {
            let counted = if asked.rows > 0 {
                self.write(&mut transaction, asked).await
            } else {
                self.read(&mut transaction, asked).await
            };
            let counted = counted.map_err(|error| error.during(&asked.name, setting.without))?;
            looked.tables.insert(asked.name.clone(), counted.tables);
            looked.samples.push(Sample {
                round: setting.round,
                without: setting.without.map(|(name, _)| name.to_owned()),
                pass: setting.pass,
                operation: asked.name.clone(),
                buffers: counted.buffers,
                time_us: counted.time_us,
                stopped: counted.stopped,
                log: counted.log,
                hot: counted.hot,
                plan: counted.indexes.into_iter().collect(),
            });
        }
        transaction.rollback().await?;
        Ok(looked)
    }

    async fn read(&self, connection: &mut PgConnection, asked: &Asked) -> Result<Counted, Failure> {
        let mut found = Vec::new();
        let mut stopped = false;
        // A file of reads may be anybody's: one that writes ends in an error.
        sqlx::query("SAVEPOINT reading").execute(&mut *connection).await?;
        sqlx::query("SET LOCAL transaction_read_only = on").execute(&mut *connection).await?;
        for time in 0..self.values.times(&asked.statement) {
            let first = match self.explain(connection, "", asked, time).await {
                Err(error) if error.is_timeout() => {
                    stopped = true;
                    break;
                }
                other => other?,
            };
            if first.time_us > LONG {
                found.push(first);
                continue;
            }
            let second = match self.explain(connection, "", asked, time).await {
                Err(error) if error.is_timeout() => {
                    stopped = true;
                    break;
                }
                other => other?,
            };
            found.push(Work { time_us: first.time_us.min(second.time_us), ..second });
        }
        sqlx::query("ROLLBACK TO SAVEPOINT reading").execute(&mut *connection).await?;
        let mean = |value: fn(&Work) -> f64| found.iter().map(value).sum::<f64>() / found.len().max(1) as f64;
        let time_us = if stopped { self.timeout.as_secs_f64() * 1e6 } else { mean(|work| work.time_us) };
        let counted = Counted { buffers: mean(|work| work.buffers), time_us, stopped, ..Counted::default() };
        Ok(counted.named(&found))
    }

    async fn write(&self, connection: &mut PgConnection, asked: &Asked) -> Result<Counted, Failure> {
        let mut found = Vec::new();
        let (mut log_bytes, mut updated, mut hot) = (Vec::new(), 0, 0);
        for time in 0..self.values.times(&asked.statement) {
            if asked.twice {
                self.explain(connection, ", WAL", asked, time).await?;
            }
            let before = books(connection).await?;
            found.push(self.explain(connection, ", WAL", asked, time).await?);
            let after = books(connection).await?;
            log_bytes.push(after.log_position - before.log_position);
            updated += after.updated - before.updated;
            hot += after.hot - before.hot;
        }
        let usual =
            |value: fn(&Work) -> f64| lower_quartile(found.iter().map(value).collect()).unwrap_or(0.0);
        let without_images = found.iter().filter(|work| work.wal_images == 0.0);
        let record_bytes = lower_quartile(without_images.map(|work| work.wal_bytes).collect());
        let images = found.iter().map(|work| work.wal_images).sum::<f64>() / found.len().max(1) as f64;
        let times: Vec<f64> = found.iter().map(|work| work.time_us).collect();
        let counted = Counted {
            buffers: usual(|work| work.buffers),
            time_us: median(&times).unwrap_or(0.0),
            log: Some(Log {
                bytes: lower_quartile(log_bytes).unwrap_or(0.0),
                records: usual(|work| work.wal_records),
                record_bytes,
                images,
            }),
            hot: (updated > 0).then(|| hot as f64 / updated as f64),
            ..Counted::default()
        };
        Ok(counted.named(&found))
    }

    async fn explain(
        &self,
        connection: &mut PgConnection,
        options: &str,
        asked: &Asked,
        time: usize,
    ) -> Result<Work, Failure> {
        let statement = &asked.statement;
        let values = self.values.of(statement, time).unwrap_or_default();
        // Safe: the text is a file's of this program or of the user; values are bound.
        let sql = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON{options}) {}", statement.sql);
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).persistent(false);
        let query = values.iter().fold(query, |query, value| query.bind(*value));
        let explained: Value = query.fetch_one(connection).await?;
        Ok(Work::of(&explained))
    }
}

/// What a statement took, put together from all its values.
#[derive(Debug, Default)]
struct Counted {
    buffers: f64,
    time_us: f64,
    stopped: bool,
    log: Option<Log>,
    hot: Option<f64>,
    indexes: BTreeSet<String>,
    tables: BTreeSet<String>,
}

impl Counted {
    fn named(mut self, found: &[Work]) -> Self {
        for work in found {
            self.indexes.extend(work.indexes.iter().cloned());
            // A write may read other tables.
            let tables = if self.log.is_some() { &work.changed } else { &work.tables };
            self.tables.extend(tables.iter().cloned());
        }
        self
    }
}

/// What the server has counted: where the log stands, and updates in this transaction.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct Books {
    log_position: f64,
    updated: i64,
    hot: i64,
}

async fn books(connection: &mut PgConnection) -> Result<Books, sqlx::Error> {
    sqlx::query_as(
        "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 AS log_position,
                coalesce(sum(n_tup_upd), 0)::bigint AS updated, coalesce(sum(n_tup_hot_upd), 0)::bigint AS hot
           FROM pg_catalog.pg_stat_xact_user_tables",
    )
    .fetch_one(connection)
    .await
}

/// What the database said to a statement.
#[derive(Debug)]
struct Failure(sqlx::Error);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl Failure {
    fn is_timeout(&self) -> bool {
        let code = self.0.as_database_error().and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| code == QUERY_CANCELED)
    }

    fn during(self, operation: &str, without: Option<(&str, &str)>) -> Error {
        let circumstance =
            without.map_or_else(|| "with all indexes".to_owned(), |(name, _)| format!("without {name}"));
        Error::Statement { operation: operation.to_owned(), circumstance, cause: self.0 }
    }
}

/// The value that a quarter is below. Which statement happens upon a page that has to be split, or cleaned of what was
/// rolled back before, is chance; this is what one takes that does not.
fn lower_quartile(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 4).copied()
}

fn median(values: &[f64]) -> Option<f64> {
    Some(median_interval(values, 0.95)?.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_happened_upon_more_do_not_make_the_figure() {
        assert_eq!(lower_quartile(vec![]), None);
        assert_eq!(lower_quartile(vec![900.0, 495.0, 495.0]), Some(495.0));
        assert_eq!(lower_quartile(vec![9.0, 5.0, 5.0, 543.0, 543.0, 543.0, 543.0, 543.0]), Some(9.0));
    }
}
