//! What `PostgreSQL` holds: the rows that were sent, as many and as large as planned, in order, with statistics.

use datagen::{Grain, Loading, Table};
use migrations::Level;

use super::{loaded, none};
use crate::support::{number, read_back, spec};

#[tokio::test]
async fn postgresql_gives_back_the_bytes_that_it_was_sent() {
    let (mut conn, present) = loaded().await;
    for (table, loaded) in Table::ALL.into_iter().zip(&present.tables) {
        let (rows, checksum) = read_back(&mut conn, table).await;
        assert_eq!(loaded.table, table.name());
        assert_eq!((rows, format!("{:016x}", checksum.0)), (loaded.rows, loaded.checksum.clone()), "{table}");
    }
}

#[tokio::test]
async fn sizes_are_exactly_those_of_the_specification() {
    let (mut conn, _) = loaded().await;
    let spec = spec();
    let of = |table: &str, sign: &str| {
        format!(
            "SELECT count(*) FROM {table} WHERE workspace_id {sign}
             (SELECT id FROM workspace WHERE slug = 'enterprise-workspace-1')"
        )
    };
    assert_eq!(number(&mut conn, "SELECT count(*) FROM workspace").await, 12);
    assert_eq!(number(&mut conn, &of("customer", "=")).await, spec.customers.cast_signed());
    assert_eq!(number(&mut conn, &of("call", "=")).await, spec.calls.cast_signed());
    assert_eq!(number(&mut conn, &of("customer", "<>")).await, spec.other_customers.cast_signed());
    assert_eq!(number(&mut conn, &of("call", "<>")).await, spec.other_calls.cast_signed());
    assert_eq!(number(&mut conn, "SELECT count(DISTINCT workspace_id) FROM customer").await, 12);
}

#[tokio::test]
async fn the_plan_comes_true() {
    let (mut conn, present) = loaded().await;
    let plan =
        datagen::plan(&spec(), Level::Before, &Loading { connections: 1, grain: Grain::Chunk }).unwrap();
    assert!(plan.tables.iter().all(|planned| planned.table != Table::CallStats));
    for (planned, loaded) in plan.tables.iter().zip(&present.tables) {
        let table = planned.table;
        let close = |planned: u64, real: u64, percent: u64| planned.abs_diff(real) * 100 <= real * percent;
        if matches!(table, Table::CustomerLabel | Table::Enrolment) {
            assert!(close(planned.rows, loaded.rows, 5), "{planned:?} {loaded:?}");
        } else {
            assert_eq!(planned.rows, loaded.rows, "{table}");
        }
        if loaded.rows >= 10_000 {
            assert!(close(planned.copy_bytes, loaded.bytes, 5), "{planned:?} {loaded:?}");
            let bytes = number(&mut conn, &format!("SELECT pg_table_size('{table}')")).await;
            assert!(close(planned.table_bytes, bytes.cast_unsigned(), 10), "{planned:?} {bytes}");
            let bytes = number(&mut conn, &format!("SELECT pg_indexes_size('{table}')")).await;
            assert!(close(planned.index_bytes(), bytes.cast_unsigned(), 30), "{planned:?} {bytes}");
        }
    }
}

#[tokio::test]
async fn order_on_disk_is_order_of_time_with_tenants_interleaved() {
    let (mut conn, _) = loaded().await;
    for table in ["customer", "call"] {
        let correlation: f32 = sqlx::query_scalar(
            "SELECT correlation FROM pg_stats WHERE tablename = $1 AND attname = 'created_at'",
        )
        .bind(table)
        .fetch_one(&mut conn)
        .await
        .unwrap();
        assert!(correlation > 0.999, "{table}: {correlation}");
        let changes = number(
            &mut conn,
            &format!(
                "SELECT 100 * count(*) FILTER (WHERE workspace_id <> before) / count(*)
                 FROM (SELECT workspace_id, lag(workspace_id) OVER (ORDER BY ctid) AS before FROM {table}) AS rows"
            ),
        )
        .await;
        assert!(changes > 40, "{table}: the tenant changes after {changes} % of the rows");
    }
}

#[tokio::test]
async fn tables_are_vacuumed_and_have_statistics() {
    let (mut conn, _) = loaded().await;
    none(
        "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         AND (relallvisible < relpages OR reltuples < 0)",
    )
    .await;
    assert_eq!(
        number(&mut conn, "SELECT reltuples::bigint FROM pg_class WHERE relname = 'call'").await,
        120_000
    );
}
