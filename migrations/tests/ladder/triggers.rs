//! The triggers: totals follow every statement, whoever runs it and however.

use migrations::{Level, migrate};

use crate::support::{assert_totals_agree, fill, fresh, number, open, refused, run};

/// Some calls of seven customers, one of whom has no row in `customer`.
const CALLS: &str = "INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds,
                                       call_type, billing_rate)
     SELECT '00000000-0000-4000-8000-000000000001', ('00000000-0000-4000-8000-00000000000' || i % 7)::uuid, 'outbound',
            (ARRAY['completed', 'missed', 'busy'])[1 + i % 3], i, i,
            (ARRAY['campaign', 'direct', 'callback'])[1 + i % 4 % 3], CASE WHEN i % 5 > 0 THEN 0.0375 * (i % 11) END
     FROM generate_series(1, 500) AS i";

#[tokio::test]
async fn totals_are_backfilled_and_follow_every_statement() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Indexed, &mut |_| {}).await.unwrap();
    run(&mut conn, CALLS).await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    assert_totals_agree(&mut conn).await;
    run(&mut conn, "CREATE UNIQUE INDEX by_transcript ON call (transcript)").await;
    for statement in [
        CALLS,
        "UPDATE call SET status = 'completed', duration_seconds = duration_seconds + 1 WHERE duration_seconds % 2 = 0",
        "UPDATE call SET call_type = 'direct' WHERE duration_seconds % 3 = 0",
        "UPDATE call SET billing_rate = billing_rate + 0.0001 WHERE duration_seconds % 5 = 0",
        "UPDATE call SET billing_rate = NULL WHERE duration_seconds % 10 = 1",
        "UPDATE call SET customer_id = '00000000-0000-4000-8000-000000000009' WHERE duration_seconds < 40",
        "UPDATE call SET workspace_id = '00000000-0000-4000-8000-000000000002'
         WHERE customer_id = '00000000-0000-4000-8000-000000000003'",
        "UPDATE call SET transcript = id",
        "INSERT INTO call SELECT (call).* FROM (SELECT call FROM call LIMIT 9) AS known ON CONFLICT DO NOTHING",
        "INSERT INTO call SELECT (call).* FROM (SELECT call FROM call LIMIT 9) AS known
         ON CONFLICT (transcript) DO UPDATE SET duration_seconds = 7, status = 'busy'",
        "MERGE INTO call USING (SELECT * FROM call LIMIT 90) AS known ON call.id = known.id
         WHEN MATCHED AND known.duration_seconds % 2 = 0 THEN DELETE
         WHEN MATCHED THEN UPDATE SET duration_seconds = 3",
        "MERGE INTO call USING (SELECT gen_random_uuid() AS id FROM generate_series(1, 9)) AS other ON call.id = other.id
         WHEN NOT MATCHED THEN INSERT (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type,
                                       billing_rate)
         VALUES ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'inbound', 'completed',
                 5, 5, 'callback', 1.2345)",
        "BEGIN; UPDATE call SET duration_seconds = 0; DELETE FROM call; ROLLBACK",
        "BEGIN; SAVEPOINT a; DELETE FROM call; ROLLBACK TO a; DELETE FROM call WHERE status = 'missed'; COMMIT",
        "COPY (SELECT workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate
               FROM call LIMIT 100) TO '/dev/null'",
        "WITH moved AS (DELETE FROM call WHERE duration_seconds % 3 = 0 RETURNING workspace_id, customer_id)
         INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type)
         SELECT workspace_id, customer_id, 'inbound', 'missed', 1, 1, 'direct' FROM moved",
        "DELETE FROM call WHERE duration_seconds % 3 = 0",
        "DELETE FROM call WHERE false",
        "TRUNCATE call",
    ] {
        run(&mut conn, statement).await;
        assert_totals_agree(&mut conn).await;
    }
    assert_eq!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await, 0, "after TRUNCATE");
}

#[tokio::test]
async fn copied_rows_are_counted() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    let mut copy = conn
        .copy_in_raw(
            "COPY call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type,
                        billing_rate) FROM STDIN",
        )
        .await
        .unwrap();
    for seconds in 1..=50 {
        let (workspace, customer) = ("00000000-0000-4000-8000-000000000001", seconds % 9);
        let row = format!(
            "{workspace}\t00000000-0000-4000-8000-00000000000{customer}\tinbound\tcompleted\t{seconds}\t{seconds}\t\
             direct\t0.0333\n"
        );
        copy.send(row.as_bytes()).await.unwrap();
    }
    assert_eq!(copy.finish().await.unwrap(), 50);
    assert_totals_agree(&mut conn).await;
    assert_eq!(number(&mut conn, "SELECT sum(total_calls)::bigint FROM customer_call_stats").await, 50);
}

#[tokio::test]
async fn calls_and_totals_can_be_truncated_by_one_statement_in_any_order_and_by_an_old_snapshot() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    for statement in ["TRUNCATE call, customer_call_stats", "TRUNCATE customer_call_stats, call, customer"] {
        run(&mut conn, CALLS).await;
        run(&mut conn, statement).await;
        assert_totals_agree(&mut conn).await;
        assert_eq!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await, 0, "{statement}");
    }
    // Totals that are younger than the snapshot go too.
    run(&mut conn, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM label").await;
    run(&mut open(&database).await, CALLS).await;
    run(&mut conn, "TRUNCATE call; COMMIT").await;
    assert_totals_agree(&mut conn).await;
}

#[tokio::test]
async fn whoever_may_write_calls_keeps_the_totals_right_and_can_not_falsify_them() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    let role = format!("writer_of_{}", database.name());
    run(
        &mut conn,
        &format!(
            "CREATE ROLE {role}; GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON call TO {role};
             CREATE SCHEMA elsewhere; GRANT ALL ON SCHEMA elsewhere TO {role};
             CREATE TABLE elsewhere.customer_call_stats (LIKE customer_call_stats)"
        ),
    )
    .await;
    for search_path in ["''", "elsewhere", "elsewhere, public"] {
        run(&mut conn, &format!("SET ROLE {role}; SET search_path = {search_path}")).await;
        let calls = CALLS.replace("INTO call", "INTO public.call");
        for statement in [
            calls.as_str(),
            "UPDATE public.call SET duration_seconds = 5, customer_id = '00000000-0000-4000-8000-000000000004'
             WHERE duration_seconds < 100",
            "DELETE FROM public.call WHERE status = 'busy'",
            "TRUNCATE public.call",
            calls.as_str(),
        ] {
            run(&mut conn, statement).await;
            run(&mut conn, "RESET ROLE").await;
            assert_totals_agree(&mut conn).await;
            run(&mut conn, &format!("SET ROLE {role}")).await;
        }
        // Neither by hand, nor by a table of one's own with our function on it.
        for statement in [
            "UPDATE public.customer_call_stats SET total_calls = 0",
            "CREATE TABLE elsewhere.call (LIKE public.call);
             CREATE TRIGGER falsify AFTER INSERT ON elsewhere.call REFERENCING NEW TABLE AS changed
                 FOR EACH STATEMENT EXECUTE FUNCTION public.customer_call_stats_maintain()",
        ] {
            assert_eq!(refused(&mut conn, statement).await, "42501", "insufficient_privilege: {statement}");
        }
        run(&mut conn, "RESET ROLE; RESET search_path").await;
    }
    run(&mut conn, &format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_another_server_has_counted_is_not_counted_again() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    run(&mut conn, "SET session_replication_role = replica").await;
    run(&mut conn, CALLS).await;
    assert_eq!(number(&mut conn, "SELECT count(*) FROM customer_call_stats").await, 0);
}

#[tokio::test]
async fn updates_of_totals_stay_on_their_page() {
    let (database, mut conn) = fresh().await;
    migrate(&mut conn, database.url(), Level::Optimized, &mut |_| {}).await.unwrap();
    fill(&mut conn, 1_000, 1_000).await;
    assert!(number(&mut conn, "SELECT pg_relation_size('customer_call_stats') / 8192").await > 10);
    // A few for each page, so that there is room even while transactions of other tests keep old versions alive.
    for customer in (0..60).chain([7; 5]) {
        run(
            &mut conn,
            &format!(
                "INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type)
                 VALUES (md5('workspace' || {customer} % 3)::uuid, md5('customer' || {customer})::uuid, 'inbound',
                         'missed', 0, 0, 'direct')"
            ),
        )
        .await;
    }
    run(&mut conn, "SELECT pg_stat_force_next_flush()").await;
    let updates =
        number(&mut conn, "SELECT pg_stat_get_tuples_updated('customer_call_stats'::regclass)").await;
    let hot =
        number(&mut conn, "SELECT pg_stat_get_tuples_hot_updated('customer_call_stats'::regclass)").await;
    assert_eq!((updates, hot), (65, 65));
}
