//! What the tests of the ladder share.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::testing::{TestDatabase, database};
use migrations::{Event, Level, connect, migrate};
use sqlx::{AssertSqlSafe, PgConnection};

/// An empty database, and a connection to it.
pub(crate) async fn fresh() -> (TestDatabase, PgConnection) {
    let database = database("ladder").await;
    let conn = open(&database).await;
    (database, conn)
}

/// A further connection.
pub(crate) async fn open(database: &TestDatabase) -> PgConnection {
    connect(database.url(), "test").await.expect("connect")
}

/// Migrates, and gives the events.
pub(crate) async fn climb(database: &TestDatabase, conn: &mut PgConnection, to: Level) -> Vec<Event> {
    let mut events = Vec::new();
    migrate(conn, database.url(), to, &mut |event| events.push(event)).await.expect("migrate");
    events
}

/// Runs statements of a test.
pub(crate) async fn run(conn: &mut PgConnection, statements: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(conn).await;
    done.unwrap_or_else(|error| panic!("{statements}: {error}"));
}

/// Runs a statement that must fail, and gives its SQLSTATE.
pub(crate) async fn refused(conn: &mut PgConnection, statement: &str) -> String {
    let failed = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(conn).await;
    let failure = failed.expect_err(statement);
    failure.as_database_error().and_then(sqlx::error::DatabaseError::code).expect("an SQLSTATE").into_owned()
}

/// One number from a statement.
pub(crate) async fn number(conn: &mut PgConnection, statement: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(statement.to_owned()))
        .fetch_one(conn)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// The server process behind a connection.
pub(crate) async fn pid(conn: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(conn).await.unwrap()
}

/// Asks again and again until a statement gives true.
pub(crate) async fn until(conn: &mut PgConnection, statement: &str) {
    let asking = async {
        while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(statement.to_owned()))
            .fetch_one(&mut *conn)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
        {}
    };
    tokio::time::timeout(Duration::from_mins(2), asking)
        .await
        .unwrap_or_else(|_| panic!("never: {statement}"));
}

/// Tables, columns, indexes, functions, triggers and comments of `public`, and all extensions, as text.
pub(crate) async fn schema(conn: &mut PgConnection) -> BTreeSet<String> {
    sqlx::query_scalar(
        "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type
                || coalesce('(' || character_maximum_length || ')', '') || ' ' || is_nullable
                || ' ' || coalesce(column_default, '')
         FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT 'index ' || pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ' invalid' END
         FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE c.relnamespace = 'public'::regnamespace
         UNION ALL SELECT 'function ' || proname || ' ' || coalesce(proacl::text, '') FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace
         UNION ALL SELECT 'trigger ' || tgname || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL SELECT 'comment ' || d.description FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
         WHERE c.relnamespace = 'public'::regnamespace
         UNION ALL SELECT 'extension ' || extname FROM pg_extension",
    )
    .fetch_all(conn)
    .await
    .expect("schema")
    .into_iter()
    .collect()
}

/// `customers` customers of three workspaces, and `calls` calls spread over them.
pub(crate) async fn fill(conn: &mut PgConnection, customers: u32, calls: u32) {
    run(
        conn,
        &format!(
            "INSERT INTO customer (id, workspace_id, name, phone, status, quality, call_status)
             SELECT md5('customer' || i)::uuid, md5('workspace' || i % 3)::uuid, 'name', '0', 'active', 'hot', 'pending'
             FROM generate_series(0, {customers} - 1) AS i;
             INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type,
                               billing_rate)
             SELECT c.workspace_id, c.id, 'outbound', (ARRAY['completed', 'missed', 'busy'])[1 + i % 3], i % 600,
                    i % 600, (ARRAY['campaign', 'direct', 'callback'])[1 + i % 4 % 3],
                    CASE WHEN i % 5 > 0 THEN 0.0375 * (i % 11) END
             FROM generate_series(0, {calls} - 1) AS i
             JOIN customer c ON c.id = md5('customer' || i % {customers})::uuid"
        ),
    )
    .await;
}

/// Holds the totals against the aggregate that they stand for, of every customer, in both directions.
#[track_caller]
pub(crate) fn assert_totals_agree(conn: &mut PgConnection) -> impl Future<Output = ()> {
    let at = std::panic::Location::caller();
    async move {
        let wrong = number(
            conn,
            "WITH expected AS (
                 SELECT customer_id, min(workspace_id::text)::uuid AS workspace_id, count(*) AS calls,
                        sum(duration_seconds) AS seconds,
                        count(*) FILTER (WHERE status = 'completed') AS successful,
                        count(*) FILTER (WHERE status = 'missed') AS missed,
                        count(*) FILTER (WHERE call_type = 'campaign') AS campaign,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'campaign'), 0) AS c1,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'direct'), 0) AS c2,
                        coalesce(sum(round(billing_rate * duration_seconds / 60, 4))
                                 FILTER (WHERE call_type = 'callback'), 0) AS c3
                 FROM public.call GROUP BY customer_id)
             SELECT count(*) FROM expected e FULL JOIN public.customer_call_stats s USING (customer_id)
             WHERE CASE WHEN e.customer_id IS NULL THEN
                 (s.total_calls, s.total_duration_seconds, s.successful_calls, s.missed_calls, s.campaign_calls,
                  s.cost_campaign, s.cost_direct, s.cost_callback) <> (0, 0, 0, 0, 0, 0, 0, 0)
             ELSE
                 (e.workspace_id, e.calls, e.seconds, e.successful, e.missed, e.campaign, e.c1, e.c2, e.c3)
                 IS DISTINCT FROM
                 (s.workspace_id, s.total_calls, s.total_duration_seconds, s.successful_calls, s.missed_calls,
                  s.campaign_calls, s.cost_campaign, s.cost_direct, s.cost_callback)
             END",
        )
        .await;
        assert_eq!(wrong, 0, "customers whose totals are wrong, at {at}");
    }
}
