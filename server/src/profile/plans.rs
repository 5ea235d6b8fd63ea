//! The plans of a request's statements, asked for after the request and apart from it.
//!
//! Each statement runs again, with the same values, in a read-only transaction that is rolled back. A bare EXPLAIN of a
//! statement with values shows the plan for these values, which is not what ran where PostgreSQL keeps one plan for all.
//! So the statement is prepared and executed under EXPLAIN on a connection of the same pool, which plans as that pool does;
//! and where that is one plan for all values, the plan for these values stands beside it.

use serde::Serialize;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Error, Executor as _, Row as _};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::database::{Database, Session};
use crate::profile::groups::{Group, grouped};
use crate::profile::recorder::Notes;

/// How many statements are explained, those that took longest in all first.
const MOST: usize = 20;

/// A statement and its plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    /// The text, on one line.
    pub(crate) sql: String,
    /// As `EXPLAIN (ANALYZE, BUFFERS, SETTINGS, FORMAT JSON)` gives it; without `ANALYZE` for what writes. Null when it
    /// could not be had.
    #[schema(required)]
    pub(crate) plan: Option<Value>,
    /// The plan for these values, where the other is the one for all values.
    #[schema(required)]
    pub(crate) custom_plan: Option<Value>,
    /// Why there is no plan.
    #[schema(required)]
    pub(crate) error: Option<String>,
}

/// What could be learned of the statements of a request.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    pub(crate) explained: Vec<Explained>,
    /// The definitions of all indexes that are there.
    pub(crate) indexes: Vec<String>,
}

/// Explains what a request sent.
pub(crate) async fn explain(database: &Database, notes: &Notes) -> Result<Plans, Error> {
    let indexes =
        sqlx::query_scalar("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname")
            .fetch_all(&mut database.session().await?)
            .await?;
    let mut explained = Vec::new();
    for group in grouped(&notes.statements).into_iter().filter(is_explainable).take(MOST) {
        let sql = group.sql.clone();
        explained.push(match explain_slowest(database, &group).await {
            Ok((plan, custom_plan)) => Explained { sql, plan: Some(plan), custom_plan, error: None },
            Err(error) => Explained { sql, plan: None, custom_plan: None, error: Some(error.to_string()) },
        });
    }
    Ok(Plans { explained, indexes })
}

fn is_explainable(group: &Group<'_>) -> bool {
    let word = group.sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

async fn explain_slowest(database: &Database, group: &Group<'_>) -> Result<(Value, Option<Value>), Error> {
    let slowest = group.statements.iter().max_by_key(|statement| statement.time).ok_or(Error::RowNotFound)?;
    let mut transaction = database.transaction_of(slowest.pool).await?;
    (&mut *transaction).execute("SET TRANSACTION READ ONLY").await?;
    // A name of its own: if this is given up half-way, the statement stays on the connection.
    let name = format!("callbench_profile_{}", Uuid::new_v4().simple());
    let execute = prepare(&mut transaction, &name, &slowest.sql, slowest.arguments.as_ref()).await?;
    let outcome = plans(&mut transaction, &execute).await;
    let mut session = transaction.roll_back().await?;
    // Safe: a name of ours. A prepared statement outlives its transaction.
    (&mut session).execute(AssertSqlSafe(format!("DEALLOCATE {name}"))).await?;
    outcome
}

/// Prepares the statement, and gives what executes it with the same values.
async fn prepare(
    session: &mut Session,
    name: &str,
    sql: &str,
    arguments: Option<&PgArguments>,
) -> Result<String, Error> {
    let values = match arguments {
        Some(arguments) => values(&mut *session, arguments.clone()).await?,
        None => Vec::new(),
    };
    let types: Vec<&str> = values.iter().map(|(kind, _)| kind.as_str()).collect();
    let types = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    // Safe: the text has just been sent as it is, and the types are what the server calls them.
    let prepare = AssertSqlSafe(format!("PREPARE {name}{types} AS {sql}"));
    (&mut *session).execute(sqlx::raw_sql(prepare)).await?;
    let literals: Vec<String> = values
        .iter()
        .map(|(kind, value)| match value {
            Some(value) => format!("'{}'::{kind}", value.replace('\'', "''")),
            None => format!("NULL::{kind}"),
        })
        .collect();
    let literals = if literals.is_empty() { String::new() } else { format!(" ({})", literals.join(", ")) };
    Ok(format!("EXECUTE {name}{literals}"))
}

/// The values as the server prints them, and their types: what the driver has encoded, only the server can read.
async fn values(
    session: &mut Session,
    arguments: PgArguments,
) -> Result<Vec<(String, Option<String>)>, Error> {
    let count = sqlx::Arguments::len(&arguments);
    let each = |what: &str| -> String {
        (1..=count).map(|number| what.replace("$n", &format!("${number}"))).collect::<Vec<_>>().join(", ")
    };
    let sql = format!(
        "SELECT ARRAY[{}]::text[] AS types, ARRAY[{}]::text[] AS texts",
        each("pg_typeof($n)::text"),
        each("$n::text"),
    );
    // Safe: nothing but the numbers of the values.
    let row = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false).fetch_one(session).await?;
    let (types, texts): (Vec<String>, Vec<Option<String>>) = (row.try_get("types")?, row.try_get("texts")?);
    Ok(types.into_iter().zip(texts).collect())
}

/// The plan that is used, and the one for these values if that is another way of planning.
async fn plans(session: &mut Session, execute: &str) -> Result<(Value, Option<Value>), Error> {
    let mode: String = sqlx::query_scalar("SHOW plan_cache_mode").fetch_one(&mut *session).await?;
    (&mut *session).execute("SAVEPOINT explained").await?;
    let analyzed = "ANALYZE, BUFFERS, SETTINGS, FORMAT JSON";
    let plan = match plan(session, analyzed, execute).await {
        // What writes or locks can't run in a read-only transaction, but it has a plan.
        Err(Error::Database(said)) if said.code().as_deref() == Some("25006") => {
            (&mut *session).execute("ROLLBACK TO explained").await?;
            return Ok((self::plan(session, "SETTINGS, FORMAT JSON", execute).await?, None));
        }
        outcome => outcome?,
    };
    if mode == "force_custom_plan" {
        return Ok((plan, None));
    }
    (&mut *session).execute("SET LOCAL plan_cache_mode = force_custom_plan").await?;
    Ok((plan, Some(self::plan(session, analyzed, execute).await?)))
}

async fn plan(session: &mut Session, options: &str, execute: &str) -> Result<Value, Error> {
    // Safe: see `prepare`; literals are quoted.
    let sql = AssertSqlSafe(format!("EXPLAIN ({options}) {execute}"));
    (&mut *session).fetch_one(sqlx::raw_sql(sql)).await?.try_get(0)
}
