//! From the numbers of files in the log to the names of relations.

use std::collections::BTreeMap;

use reports::labs::wal::Kind;
use sqlx::PgConnection;

/// A relation as the log names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Location {
    pub(super) tablespace: u32,
    pub(super) database: u32,
    pub(super) filenode: u32,
}

/// What a location is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Relation {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) table: Option<String>,
}

impl Relation {
    fn without_name(kind: Kind, word: &str) -> Self {
        Self { kind, name: word.to_owned(), table: None }
    }

    /// What has no block at all.
    pub(super) fn none() -> Self {
        Self::without_name(Kind::NoRelation, "no relation: commits, snapshots, checkpoints")
    }

    pub(super) fn elsewhere() -> Self {
        Self::without_name(Kind::Elsewhere, "other databases and what they share")
    }

    pub(super) fn unknown() -> Self {
        Self::without_name(Kind::Unknown, "relations that are gone")
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    tablespace: i64,
    filenode: i64,
    schema: String,
    name: String,
    relkind: String,
    table_schema: Option<String>,
    table_name: Option<String>,
}

/// Finds out what these locations are. Those that are not there any more, or are not of this database, are said to be so.
pub(super) async fn find(
    connection: &mut PgConnection,
    locations: impl Iterator<Item = Location>,
) -> Result<BTreeMap<Location, Relation>, sqlx::Error> {
    let locations: Vec<Location> = locations.collect();
    let own: i64 = sqlx::query_scalar(
        "SELECT /* callbench probe */ oid::int8 FROM pg_database WHERE datname = current_database()",
    )
    .fetch_one(&mut *connection)
    .await?;
    let is_ours = |location: &&Location| i64::from(location.database) == own;
    let (tablespaces, filenodes): (Vec<i64>, Vec<i64>) = locations
        .iter()
        .filter(is_ours)
        .map(|location| (i64::from(location.tablespace), i64::from(location.filenode)))
        .unzip();
    // An index belongs to its table. A TOAST table, and the index on it, belong to the table whose values they hold.
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT /* callbench probe */ place.tablespace, place.filenode, n.nspname::text AS schema, c.relname::text AS name,
                c.relkind::text AS relkind, tn.nspname::text AS table_schema, t.relname::text AS table_name
         FROM unnest($1::int8[], $2::int8[]) AS place (tablespace, filenode)
         JOIN pg_class c ON c.oid = pg_filenode_relation(place.tablespace::oid, place.filenode::oid)
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_index i ON i.indexrelid = c.oid
         LEFT JOIN pg_class owner ON owner.reltoastrelid = coalesce(i.indrelid, c.oid)
         LEFT JOIN pg_class t ON t.oid = coalesce(owner.oid, i.indrelid)
         LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace",
    )
    .bind(&tablespaces)
    .bind(&filenodes)
    .fetch_all(connection)
    .await?;
    let mut found: BTreeMap<Location, Relation> = locations
        .iter()
        .map(|location| {
            (*location, if is_ours(&location) { Relation::unknown() } else { Relation::elsewhere() })
        })
        .collect();
    for row in rows {
        let is_meant = |location: &&Location| {
            is_ours(location)
                && i64::from(location.tablespace) == row.tablespace
                && i64::from(location.filenode) == row.filenode
        };
        if let Some(location) = locations.iter().find(is_meant) {
            found.insert(*location, relation(row));
        }
    }
    Ok(found)
}

fn relation(row: Row) -> Relation {
    let named =
        |schema: &str, name: String| if schema == "public" { name } else { format!("{schema}.{name}") };
    let of_the_system = |schema: &str| matches!(schema, "pg_catalog" | "information_schema");
    let is_of_the_system = of_the_system(row.table_schema.as_deref().unwrap_or(&row.schema));
    let kind = match row.relkind.as_str() {
        _ if is_of_the_system => Kind::Catalog,
        _ if row.schema == "pg_toast" => Kind::Toast,
        "i" => Kind::Index,
        "S" => Kind::Sequence,
        _ => Kind::Heap,
    };
    let table = row.table_schema.zip(row.table_name).map(|(schema, name)| named(&schema, name));
    // Numbers of TOAST tables say nothing to people.
    let name = match (kind, &table) {
        (Kind::Toast, Some(table)) => table.clone(),
        (Kind::Catalog, Some(table)) => table.trim_start_matches("pg_catalog.").to_owned(),
        _ => named(&row.schema, row.name).trim_start_matches("pg_catalog.").to_owned(),
    };
    Relation { kind, name, table }
}
