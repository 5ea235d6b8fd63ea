//! Other loads than the one that the tests share: with transcripts, with a profile, with totals.

use cluster::testing;
use datagen::{Grain, Loading, Profile, Scale, Spec, Table, Transcripts};
use migrations::Level;

use super::none;
use crate::support::{as_of, connect, connections, load, number, spec};

#[tokio::test]
async fn transcripts_have_their_width_and_long_ones_go_to_toast() {
    let widths = "SELECT count(*) FILTER (WHERE (transcript IS NOT NULL) <> (status = 'completed')),
            coalesce(min(octet_length(transcript)), 0), coalesce(max(octet_length(transcript)), 0)
        FROM call";
    for (transcripts, narrowest, widest) in
        [(Transcripts::Short, 150..300, 200..301), (Transcripts::Full, 150..700, 10_000..20_000)]
    {
        let database = testing::database("transcripts").await;
        let tiny = Spec { transcripts, ..Spec::of(Scale::Tiny, 1, as_of()) };
        load(database.url(), &tiny, Level::Before, &connections(2)).await;
        let mut conn = connect(database.url()).await;
        let (wrong, least, most): (i64, i32, i32) =
            sqlx::query_as(widths).fetch_one(&mut conn).await.unwrap();
        assert_eq!(wrong, 0, "{transcripts}");
        assert!(narrowest.contains(&least) && widest.contains(&most), "{transcripts}: {least} to {most}");
        let toasted = number(
            &mut conn,
            "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'public.call'::regclass",
        )
        .await;
        assert_eq!(toasted > 100_000, transcripts == Transcripts::Full, "{transcripts}: {toasted} bytes");
    }
    none("SELECT FROM call WHERE transcript IS NOT NULL").await;
}

#[tokio::test]
async fn another_profile_gives_other_shares() {
    let profile = Profile::from_toml(
        "[customers]\ndeleted_per_mille = 200\n[calls]\nkinds = { campaign = 0, direct = 0, callback = 1000 }",
    )
    .unwrap();
    let database = testing::database("profile").await;
    let tiny = Spec { profile, ..Spec::of(Scale::Tiny, 1, as_of()) };
    let present = load(database.url(), &tiny, Level::Before, &connections(2)).await;
    assert_eq!(present.spec, tiny);
    let mut conn = connect(database.url()).await;
    let deleted =
        number(&mut conn, "SELECT 1000 * count(*) FILTER (WHERE is_deleted) / count(*) FROM customer").await;
    assert!((180..220).contains(&deleted), "{deleted} per mille");
    assert_eq!(number(&mut conn, "SELECT count(*) FROM call WHERE call_type <> 'callback'").await, 0);
    let plain = Spec::of(Scale::Tiny, 1, as_of());
    let refused =
        datagen::seed(database.url(), &plain, Level::Before, &connections(2), &()).await.unwrap_err();
    assert!(refused.to_string().contains("custom profile"), "{refused}");
}

#[tokio::test]
async fn totals_are_those_that_the_calls_add_up_to() {
    let database = testing::database("stats").await;
    load(database.url(), &spec(), Level::Optimized, &connections(2)).await;
    let mut conn = connect(database.url()).await;
    let from_calls = "SELECT workspace_id, customer_id, count(*), sum(duration_seconds)::bigint,
            count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'missed'),
            count(*) FILTER (WHERE call_type = 'campaign'),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'campaign'), 0),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'direct'), 0),
            coalesce(sum(round(billing_rate * duration_seconds / 60, 4)) FILTER (WHERE call_type = 'callback'), 0)
        FROM call GROUP BY workspace_id, customer_id";
    let loaded = "SELECT workspace_id, customer_id, total_calls, total_duration_seconds, successful_calls,
            missed_calls, campaign_calls, cost_campaign, cost_direct, cost_callback
        FROM customer_call_stats";
    for (these, those) in [(from_calls, loaded), (loaded, from_calls)] {
        let differing = format!("SELECT count(*) FROM ({these} EXCEPT {those}) AS differing");
        assert_eq!(number(&mut conn, &differing).await, 0, "{differing}");
    }
    let plan =
        datagen::plan(&spec(), Level::Optimized, &Loading { connections: 1, grain: Grain::Chunk }).unwrap();
    let planned = plan.tables.last().unwrap();
    assert_eq!(planned.table, Table::CallStats);
    for (planned, real, percent) in [
        (planned.rows, "SELECT count(*) FROM customer_call_stats", 5),
        (planned.table_bytes, "SELECT pg_table_size('customer_call_stats')", 10),
        (planned.index_bytes(), "SELECT pg_indexes_size('customer_call_stats')", 30),
    ] {
        let found = number(&mut conn, real).await.cast_unsigned();
        assert!(planned.abs_diff(found) * 100 <= found * percent, "{real}: {planned} for {found}");
    }
    assert!(
        number(&mut conn, "SELECT count(*) FROM customer_call_stats WHERE cost_campaign > 1000").await > 0
    );
}
