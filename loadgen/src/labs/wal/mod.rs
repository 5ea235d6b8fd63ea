//! What a span of the write-ahead log holds (`pg_walinspect`).
//!
//! The log says of each record which blocks it changes, so it can be split by table and index exactly, where counters only
//! know totals. PostgreSQL 15 tells the blocks as a text; 16 and newer have a row for each. A record belongs to the relation
//! of its first block, whole: an entry into an index, a heap-only update or a split have one relation, and records that do
//! have two are counted as such.
//!
//! Only what is on the disk can be read, so the end of a span is waited for.

mod block_ref;
mod relations;
mod span;

pub use block_ref::{BlockRef, Unreadable as UnreadableBlockRef, parse as parse_block_ref};

use std::fmt;

use futures_util::TryStreamExt as _;
use reports::labs::wal::{LogSpan, Source, Totals};
use sqlx::PgConnection;

use self::relations::Location;
use self::span::Split;

/// The first version with a row for each block.
const WITH_BLOCK_INFO: i32 = 160_000;

/// A position in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

impl fmt::Display for Position {
    /// As the server writes and reads it: `0/2155E40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl Position {
    /// Bytes from another position to this one; 0 if that one is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Why the log can't be split, as a sentence without its subject.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The server is too old.
    #[error("the server is PostgreSQL {0}, and pg_walinspect came with 15")]
    TooOld(i32),
    /// The extension is not there, and may not be created.
    #[error(
        "the extension pg_walinspect can't be created ({0}); install PostgreSQL's contrib modules and let a superuser create it"
    )]
    NotCreated(sqlx::Error),
    /// The user may not read the log.
    #[error("the user may not read the log ({0}); grant it pg_read_server_files")]
    NotPermitted(sqlx::Error),
    /// A record tells its blocks in words that are not known.
    #[error(transparent)]
    BlockRef(#[from] UnreadableBlockRef),
    /// Something else.
    #[error("the log can't be read: {0}")]
    Failed(#[from] sqlx::Error),
}

/// Reads the log of the server behind a connection, and knows the relations of its database.
#[derive(Debug)]
pub struct LogReader {
    connection: PgConnection,
    source: Source,
    page_bytes: u64,
    segment_bytes: u64,
}

/// The position at which the next record will begin.
pub async fn position(connection: &mut PgConnection) -> Result<Position, sqlx::Error> {
    let bytes: i64 = sqlx::query_scalar(
        "SELECT /* callbench probe */ pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8",
    )
    .fetch_one(connection)
    .await?;
    Ok(Position(bytes.unsigned_abs()))
}

impl LogReader {
    /// Prepares to read. Creates the extension if it is only that which is missing; it stays, also after an error.
    pub async fn open(mut connection: PgConnection) -> Result<Self, Unavailable> {
        let (version, is_there, page_bytes, segment_bytes): (i32, bool, i32, i64) = sqlx::query_as(
            "SELECT /* callbench probe */ current_setting('server_version_num')::int4,
                    EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_walinspect'),
                    current_setting('wal_block_size')::int4,
                    pg_size_bytes(current_setting('wal_segment_size'))",
        )
        .fetch_one(&mut connection)
        .await?;
        if version < 150_000 {
            return Err(Unavailable::TooOld(version / 10_000));
        }
        if !is_there {
            sqlx::query("CREATE EXTENSION pg_walinspect")
                .execute(&mut connection)
                .await
                .map_err(Unavailable::NotCreated)?;
        }
        // The extension may live in any schema.
        sqlx::query(
            "SELECT /* callbench probe */ set_config('search_path', quote_ident(n.nspname) || ', pg_catalog', false)
             FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
             WHERE e.extname = 'pg_walinspect'",
        )
        .execute(&mut connection)
        .await?;
        let source = if version < WITH_BLOCK_INFO { Source::BlockRef } else { Source::BlockInfo };
        let (page_bytes, segment_bytes) = (page_bytes.unsigned_abs().into(), segment_bytes.unsigned_abs());
        let mut reader = Self { connection, source, page_bytes, segment_bytes };
        reader.try_out().await?;
        Ok(reader)
    }

    /// Reads a record, to learn now and not after a measurement whether that is allowed.
    async fn try_out(&mut self) -> Result<(), Unavailable> {
        let start = position(&mut self.connection).await?;
        self.flush().await?;
        let end = position(&mut self.connection).await?;
        match self.totals(start, end).await {
            Err(Unavailable::Failed(error)) if is_privilege(&error) => Err(Unavailable::NotPermitted(error)),
            other => other.map(drop),
        }
    }

    /// Splits the log between two positions. An empty span holds nothing.
    pub async fn read(&mut self, start: Position, end: Position) -> Result<LogSpan, Unavailable> {
        let mut split = Split::default();
        let mut totals = Totals::default();
        if end > start {
            self.wait_for(end).await?;
            match self.source {
                Source::BlockRef => self.read_block_refs(start, end, &mut split).await?,
                Source::BlockInfo => self.read_block_info(start, end, &mut split).await?,
            }
            totals = self.totals(start, end).await?;
        }
        let relations = relations::find(&mut self.connection, split.locations()).await?;
        Ok(LogSpan {
            source: self.source,
            span_bytes: end.since(start),
            padding_bytes: split.padding_bytes(),
            page_header_bytes: span::page_header_bytes(start.0, end.0, self.page_bytes, self.segment_bytes),
            totals,
            parts: split.parts(&relations),
        })
    }

    /// Sees to it that the log is on the disk up to `end`.
    async fn wait_for(&mut self, end: Position) -> Result<(), sqlx::Error> {
        let flushed: i64 = sqlx::query_scalar(
            "SELECT /* callbench probe */ pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::int8",
        )
        .fetch_one(&mut self.connection)
        .await?;
        if flushed.unsigned_abs() < end.0 { self.flush().await } else { Ok(()) }
    }

    /// Writes the log out: a commit does, and it needs something to commit. Its own records come after the end of any span.
    async fn flush(&mut self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(
            "BEGIN;
             SET LOCAL synchronous_commit = on;
             SELECT /* callbench probe */ pg_logical_emit_message(true, 'callbench', '');
             COMMIT",
        )
        .execute(&mut self.connection)
        .await?;
        Ok(())
    }

    async fn totals(&mut self, start: Position, end: Position) -> Result<Totals, Unavailable> {
        let (records, bytes, image_bytes): (i64, i64, i64) = sqlx::query_as(
            "SELECT /* callbench probe */ coalesce(sum(count), 0)::int8, coalesce(sum(record_size), 0)::int8,
                    coalesce(sum(fpi_size), 0)::int8
             FROM pg_get_wal_stats($1::text::pg_lsn, $2::text::pg_lsn)",
        )
        .bind(start.to_string())
        .bind(end.to_string())
        .fetch_one(&mut self.connection)
        .await?;
        let [records, bytes, image_bytes] = [records, bytes, image_bytes].map(i64::unsigned_abs);
        Ok(Totals { records, bytes, image_bytes })
    }

    async fn read_block_refs(
        &mut self,
        start: Position,
        end: Position,
        split: &mut Split,
    ) -> Result<(), Unavailable> {
        let mut records = sqlx::query_as::<_, (String, String, i32, i32, Option<String>)>(
            "SELECT /* callbench probe */ resource_manager, record_type, record_length, fpi_length, block_ref
             FROM pg_get_wal_records_info($1::text::pg_lsn, $2::text::pg_lsn)",
        )
        .bind(start.to_string())
        .bind(end.to_string())
        .fetch(&mut self.connection);
        while let Some((manager, kind, bytes, image_bytes, block_ref)) = records.try_next().await? {
            let blocks = parse_block_ref(block_ref.as_deref().unwrap_or_default())?;
            let first = blocks.first().map(BlockRef::location);
            let is_shared = blocks.iter().any(|block| Some(block.location()) != first);
            split.add(&manager, &kind, bytes.unsigned_abs(), image_bytes.unsigned_abs(), first, is_shared);
        }
        Ok(())
    }

    async fn read_block_info(
        &mut self,
        start: Position,
        end: Position,
        split: &mut Split,
    ) -> Result<(), Unavailable> {
        // The first block of a record is the one with the least number.
        let mut records = sqlx::query_as::<
            _,
            (String, String, i32, i32, Option<i64>, Option<i64>, Option<i64>, bool),
        >(
            "SELECT /* callbench probe */ r.resource_manager, r.record_type, r.record_length, r.fpi_length,
                        b.tablespace, b.database, b.filenode, coalesce(b.is_shared, false)
                 FROM pg_get_wal_records_info($1::text::pg_lsn, $2::text::pg_lsn) AS r
                 LEFT JOIN (SELECT start_lsn,
                                   (array_agg(reltablespace::int8 ORDER BY block_id))[1] AS tablespace,
                                   (array_agg(reldatabase::int8 ORDER BY block_id))[1] AS database,
                                   (array_agg(relfilenode::int8 ORDER BY block_id))[1] AS filenode,
                                   count(DISTINCT (reltablespace, reldatabase, relfilenode)) > 1 AS is_shared
                            FROM pg_get_wal_block_info($1::text::pg_lsn, $2::text::pg_lsn, false)
                            GROUP BY start_lsn) AS b USING (start_lsn)",
        )
        .bind(start.to_string())
        .bind(end.to_string())
        .fetch(&mut self.connection);
        while let Some((manager, kind, bytes, image_bytes, tablespace, database, filenode, is_shared)) =
            records.try_next().await?
        {
            let oid = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
            let location = || {
                Some(Location {
                    tablespace: oid(tablespace)?,
                    database: oid(database)?,
                    filenode: oid(filenode)?,
                })
            };
            split.add(
                &manager,
                &kind,
                bytes.unsigned_abs(),
                image_bytes.unsigned_abs(),
                location(),
                is_shared,
            );
        }
        Ok(())
    }
}

fn is_privilege(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("42501")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_written_as_the_server_does() {
        assert_eq!(Position(0x215_5E40).to_string(), "0/2155E40");
        assert_eq!(Position(0x1A_0000_0028).to_string(), "1A/28");
        assert_eq!((Position(30).since(Position(10)), Position(10).since(Position(30))), (20, 0));
    }
}
