//! `callbench writes` on a few rows: what the log holds is counted, and what was there before is there after it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};

use cluster::{Cluster, Options};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reports::labs::wal::{Kind, LogSpan, Part, Updates};
use reports::labs::writes::{Measurement, Through, Writes};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::command::{callbench, folder};
use crate::seeding::seeded;

/// How often each operation is done.
const COUNT: u64 = 4;

/// A dataset of a few rows, with totals.
const FEW: [&str; 4] = ["--customers=120", "--calls=300", "--workspaces=3", "--level=optimized"];

/// All rows of all tables that are written to, and the extensions, as one text each.
async fn content(url: &str) -> Vec<String> {
    let mut connection = PgConnection::connect(url).await.expect("a connection");
    let mut all = Vec::new();
    for table in ["customer", "call", "customer_call_stats", "pg_extension"] {
        let query = format!("SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} AS t");
        let hash: Option<String> =
            sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut connection).await.expect(table);
        all.push(hash.unwrap_or_default());
    }
    all
}

fn measured(output: &Output) -> Writes {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("a result and nothing else")
}

fn log(one: &Measurement) -> &LogSpan {
    one.log.as_ref().expect("the log was read")
}

/// Records of a relation by the beginning of their kind; 0 of one that has none.
fn records(one: &Measurement, relation: &str, kind: &str) -> u64 {
    let is_meant = |part: &&Part| part.relation == relation && part.kind != Kind::Toast;
    let types = log(one).parts.iter().filter(is_meant).flat_map(|part| &part.types);
    types.filter(|of| of.name.starts_with(kind)).map(|of| of.totals.records).sum()
}

/// Records of all indexes of a table.
fn records_of_indexes(one: &Measurement) -> u64 {
    log(one).sum_of(|part| part.kind == Kind::Index).records
}

#[tokio::test]
async fn each_write_is_split_by_index_to_the_last_byte_and_nothing_of_it_stays() {
    let (database, folder) = (seeded("writes_split", &FEW).await, folder());
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    // Room on each page, so that whatever may be heap-only is.
    sqlx::raw_sql("ALTER TABLE customer SET (fillfactor = 40)").execute(&mut connection).await.expect("set");
    connection.close().await.expect("closed");
    let before = content(database.url()).await;
    let run = |more: &[&str]| {
        callbench(folder.path())
            .args(["writes", "--operations=4", "--name=writes", "--json", "--database-url", database.url()])
            .args(more)
            .output()
            .expect("the command runs")
    };
    let refused = run(&[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(2) && said.contains("allow it with --yes-write"), "{said}");

    let writes = measured(&run(&["--yes-write"]));
    assert_eq!(content(database.url()).await, before);
    assert_eq!((writes.measurements.len(), writes.levels.len(), writes.exit_code()), (16, 1, 0));
    let level = &writes.levels[0];
    assert_eq!((level.name.as_str(), level.variant.as_deref()), ("optimized", Some("rollup")));
    let indexes = &level.tables[0].indexes;
    assert!(level.tables[0].name == "customer" && indexes.len() > 8, "{level:?}");
    for one in &writes.measurements {
        let place = format!("{} {}", one.through.name(), one.operation);
        assert!(log(one).is_reconciled(), "{place}: {:#?}", one.log);
        assert_eq!((one.operations, one.service.count()), (COUNT, COUNT), "{place}");
        assert!(one.row_bytes > 0 && one.p50_us <= one.max_us, "{place}");
        let Updates { all, hot } = log(one).updates();
        assert!(one.counted_updates.is_none_or(|counted| counted == Updates { all, hot }), "{place}");
        let rows = match one.operation.as_str() {
            "single_insert" => {
                for index in indexes {
                    assert!(records(one, index, "") >= COUNT, "{place}: {index}");
                }
                assert!(records_of_indexes(one) >= COUNT * indexes.len() as u64, "{place}");
                assert_eq!((records(one, "customer", "Heap/INSERT"), all), (COUNT, 0), "{place}");
                COUNT
            }
            "batch_insert" => {
                assert_eq!(records(one, "customer", "Heap/INSERT"), 100 * COUNT, "{place}");
                for index in indexes.iter().filter(|index| *index != "idx_customer_other_attributes") {
                    assert!(records(one, index, "Btree/") >= 100 * COUNT, "{place}: {index}");
                }
                100 * COUNT
            }
            "update_indexed" => {
                assert_eq!((all, hot), (COUNT, 0), "{place}");
                assert!(records(one, "idx_customer_workspace_status", "Btree/INSERT") >= COUNT, "{place}");
                COUNT
            }
            "update_unindexed" => {
                assert_eq!((all, hot, records_of_indexes(one)), (COUNT, COUNT, 0), "{place}");
                COUNT
            }
            "batch_update" => {
                assert_eq!((all, hot), (100 * COUNT, 0), "{place}");
                100 * COUNT
            }
            "single_call" | "batch_call" => {
                let rows = if one.operation == "single_call" { COUNT } else { 100 * COUNT };
                assert_eq!(records(one, "call", "Heap/INSERT"), rows, "{place}");
                assert!(records(one, "customer_call_stats", "Heap/") > 0, "{place}");
                rows
            }
            "batch_delete" => {
                assert_eq!((all, hot), (50 * COUNT, 0), "{place}: their partial indexes let go of them");
                50 * COUNT
            }
            other => panic!("{other}"),
        };
        assert_eq!(one.rows, rows, "{place}");
        if one.through == Through::Sql {
            // A transaction each, and nothing of what measures it.
            let statements = if one.operation.ends_with("_call") { 4.0 } else { 3.0 };
            let counted = one.work.as_ref().expect("statements are counted").statements;
            assert!((counted - statements).abs() < 1e-9, "{place}: {counted} statements");
            assert_eq!(one.counted_updates, Some(Updates { all, hot }), "{place}");
        }
    }
    let page = std::fs::read_to_string(folder.path().join("runs/writes/writes.html")).expect("a page");
    assert!(page.contains("idx_customer_workspace_status") && page.contains("<svg"));
}

#[tokio::test]
async fn what_was_measured_before_a_failure_is_kept_and_nothing_of_it_stays_in_the_database() {
    let (database, folder) = (seeded("writes_failing", &FEW).await, folder());
    let mut connection = PgConnection::connect(database.url()).await.expect("a connection");
    // Plain SQL fails among its operations, and the server does not.
    sqlx::raw_sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE 'nobody changes telephones'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE OF phone ON customer FOR EACH ROW
             WHEN (current_setting('application_name') = 'callbench probe') EXECUTE FUNCTION refuse()",
    )
    .execute(&mut connection)
    .await
    .expect("set");
    connection.close().await.expect("closed");
    let before = content(database.url()).await;
    let output = callbench(folder.path())
        .args([
            "writes",
            "--operations=2",
            "--only=single_insert,update_unindexed",
            "--name=writes",
            "--yes-write",
        ])
        .args(["--database-url", database.url()])
        .output()
        .expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("nobody changes telephones"), "{said}");
    assert_eq!(content(database.url()).await, before);
    let kept = std::fs::read(folder.path().join("runs/writes/writes.json")).expect("a result");
    let writes: Writes = serde_json::from_slice(&kept).expect("JSON");
    assert!(
        !writes.complete && writes.warnings.iter().any(|warning| warning.contains("telephones")),
        "{said}"
    );
    let ways: Vec<Through> = writes.measurements.iter().map(|one| one.through).collect();
    assert_eq!(ways, [Through::Api; 2]);
}

/// The databases of the private cluster in `folder`.
async fn databases(folder: &Path) -> Vec<String> {
    let cluster = Cluster::start(&Options::new(folder.join(".callbench"))).await.expect("a cluster");
    let mut connection = PgConnection::connect(&cluster.url("postgres")).await.expect("a connection");
    let names = sqlx::query_scalar(
        "SELECT datname::text FROM pg_database WHERE datname LIKE 'callbench%' ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await
    .expect("the names");
    connection.close().await.expect("closed");
    cluster.release().await.expect("stopped");
    names
}

#[tokio::test]
async fn levels_are_measured_in_copies_that_are_gone_after_it_and_after_an_interruption() {
    let folder = folder();
    let seed = callbench(folder.path())
        .args(["seed", "--customers=600", "--calls=2000", "--workspaces=3"])
        .output()
        .expect("runs");
    assert!(seed.status.success(), "{}", String::from_utf8_lossy(&seed.stderr));
    let assert_unchanged = |level: &str| {
        let verify = callbench(folder.path())
            .args(["db", "verify", "--scale=custom", "--level", level])
            .output()
            .expect("runs");
        assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    };
    let run = |more: &[&str]| {
        let mut command = callbench(folder.path());
        command.args([
            "writes",
            "--scale=custom",
            "--level=optimized",
            "--level=before",
            "--json",
            "--name=writes",
        ]);
        command.args(["--only=single_insert,update_indexed", "--through=sql"]).args(more);
        command
    };
    let writes = measured(&run(&["--operations=3"]).output().expect("the command runs"));
    let names: Vec<&str> = writes.levels.iter().map(|level| level.name.as_str()).collect();
    assert_eq!(names, ["before", "optimized"]);
    assert!(writes.levels.iter().flat_map(|level| &level.tables).all(|table| table.autovacuum_off));
    assert_eq!(writes.warnings, Vec::<String>::new());
    let of = |level: &str, operation: &'static str| {
        writes.of(operation, Through::Sql).find(|one| one.level == level).expect("measured").clone()
    };
    let bytes = |level: &str| of(level, "single_insert").log_bytes_each().expect("a log");
    assert!(bytes("optimized") > 2.0 * bytes("before"), "{} of {}", bytes("optimized"), bytes("before"));
    for level in ["before", "optimized"] {
        let updated = of(level, "update_indexed");
        assert!(log(&updated).is_reconciled() && log(&updated).updates().all == 3, "{updated:#?}");
    }
    let left = ["callbench_custom", "callbench_custom_optimized"];
    assert_eq!(databases(folder.path()).await, left);

    let mut child =
        run(&["--operations=1000000"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    for line in lines {
        if line.expect("UTF-8").contains("single_insert") {
            kill(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGINT).expect("it runs");
        }
    }
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(130));
    let writes: Writes = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(!writes.complete && writes.measurements.is_empty());
    assert_eq!(databases(folder.path()).await, left);
    for level in ["before", "optimized"] {
        assert_unchanged(level);
    }
}
