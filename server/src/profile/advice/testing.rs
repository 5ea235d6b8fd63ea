//! A real table whose statements provoke findings.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::{Evidence, Finding, Kind, Layer, Plan, Request, advise};

/// 20,000 customers of two tenants, in an order of time that is not that of the table. One in a thousand is blocked.
const CUSTOMERS: &str = "
    CREATE TABLE customer (
        id bigint PRIMARY KEY, workspace_id integer NOT NULL, employee_id integer NOT NULL, name varchar(255) NOT NULL,
        status varchar(20) NOT NULL, duration double precision NOT NULL, other_attributes jsonb NOT NULL,
        is_deleted boolean NOT NULL, created_at timestamptz NOT NULL
    ) WITH (autovacuum_enabled = false);
    INSERT INTO customer
    SELECT g, 1 + g % 2, g % 200, 'customer ' || g, CASE WHEN g % 1000 < 2 THEN 'blocked' ELSE 'active' END, g % 500,
           jsonb_build_object('city', g % 1000), g % 20 = 7, timestamptz '2024-01-01Z' + g * 7919 % 20000 * interval '1 minute'
      FROM generate_series(1, 20000) AS g;";

/// A database with that table, and a connection to it.
pub(super) struct Ground {
    pub(super) db: PgConnection,
    pub(super) database: cluster::testing::TestDatabase,
}

impl Ground {
    pub(super) async fn new() -> Self {
        let mut ground = Self::empty().await;
        ground.run(CUSTOMERS).await;
        ground.run("VACUUM (ANALYZE) customer").await;
        ground
    }

    /// Without the table.
    pub(super) async fn empty() -> Self {
        let database = cluster::testing::database("server_advice").await;
        let db = PgConnection::connect(database.url()).await.unwrap();
        let mut ground = Self { db, database };
        ground.run("SET jit = off; SET max_parallel_workers_per_gather = 0").await;
        ground
    }

    /// Runs statements of a test.
    pub(super) async fn run(&mut self, sql: &str) {
        self.db.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
    }

    /// The definitions of all indexes.
    pub(super) async fn indexes(&mut self) -> Vec<String> {
        sqlx::query_scalar("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname")
            .fetch_all(&mut self.db)
            .await
            .unwrap()
    }

    /// What `EXPLAIN` says of a statement that was prepared and is run with these values, as SQL has them.
    pub(super) async fn explain(&mut self, mode: &str, sql: &str, values: &str) -> Plan {
        let call = if values.is_empty() { String::new() } else { format!("({values})") };
        self.run(&format!("SET plan_cache_mode = {mode}; PREPARE seen AS {sql}")).await;
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, SETTINGS, FORMAT JSON) EXECUTE seen {call}");
        let row = self.db.fetch_one(sqlx::raw_sql(AssertSqlSafe(explain))).await.unwrap();
        self.run("DEALLOCATE seen; RESET plan_cache_mode").await;
        Plan::read(&row.get(0)).expect("EXPLAIN answers a plan")
    }

    /// What a request would have seen of one run of a statement, planned with its values.
    pub(super) async fn see(&mut self, layer: Layer, sql: &'static str, values: &str) -> Evidence<'static> {
        let plan = self.explain("force_custom_plan", sql, values).await;
        seen(layer, sql, plan)
    }
}

/// Evidence of one run of a statement with this plan.
pub(super) fn seen(layer: Layer, sql: &str, plan: Plan) -> Evidence<'_> {
    let (time_ms, rows) = (plan.total_ms(), plan.root.rows);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows of a test")]
    let rows = rows as u64;
    Evidence { sql, layer, times: 1, time_ms, rows, plan: Some(plan), custom_plan: None, unused_columns: &[] }
}

/// The sentences of one kind of finding about one statement.
pub(super) fn sentences(kind: Kind, evidence: &Evidence) -> Vec<String> {
    of_kind(kind, advise(&Request::default(), std::slice::from_ref(evidence)))
}

/// The sentences of one kind.
pub(super) fn of_kind(kind: Kind, findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().filter(|finding| finding.kind == kind).map(|finding| finding.sentence).collect()
}

/// The one sentence, which holds all of these.
#[track_caller]
pub(super) fn assert_says(sentences: &[String], parts: &[&str]) {
    assert_eq!(sentences.len(), 1, "{sentences:#?}");
    for part in parts {
        assert!(sentences[0].contains(part), "{part:?} in {:?}", sentences[0]);
    }
}
