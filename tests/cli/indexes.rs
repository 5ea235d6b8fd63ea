//! `callbench indexes` as a user meets it: planted indexes that are dispensable are named, and each is left out in turn.

use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::command::{callbench, folder};
use cluster::testing::database;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

/// Runs `callbench indexes` in a folder, and expects an exit code.
#[track_caller]
fn indexes(home: &Path, arguments: &[&str], code: i32) -> Output {
    let output = callbench(home).arg("indexes").args(arguments).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(code), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    output
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON and nothing else")
}

/// What is said of one index.
fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let all = list.as_array().expect("a list");
    let is_it =
        |value: &&Value| value["name"] == name || value["index"] == name || value["operation"] == name;
    all.iter().find(is_it).unwrap_or_else(|| panic!("{name} is missing in {list}"))
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("a connection")
}

const SHOP: &str = "
CREATE TABLE customer (id int PRIMARY KEY, shop int, name text, gone boolean NOT NULL DEFAULT false);
INSERT INTO customer SELECT i, i % 7, 'name ' || i, i % 4 > 0 FROM generate_series(1, 4000) AS i;
CREATE INDEX longer ON customer (shop, name);
CREATE INDEX prefix ON customer (shop);
CREATE INDEX other_way ON customer (shop DESC);
CREATE INDEX few ON customer (shop) WHERE NOT gone;
CREATE INDEX same_as_few ON customer (shop) WHERE NOT gone;
CREATE UNIQUE INDEX same_as_key ON customer (id);
CREATE INDEX included ON customer (shop) INCLUDE (gone);
VACUUM (ANALYZE) customer;";

#[tokio::test]
async fn an_inventory_names_what_is_dispensable_and_only_reads() {
    let database = database("inventory").await;
    let mut connection = connect(database.url()).await;
    for statement in SHOP.split_terminator(';') {
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.expect("planted");
    }
    // One index is used, in a session of its own, whose counts the server takes when it ends.
    let mut reader = connect(database.url()).await;
    sqlx::raw_sql("SET enable_seqscan = off; SET enable_bitmapscan = off")
        .execute(&mut reader)
        .await
        .expect("set");
    let found: Option<i32> =
        sqlx::query_scalar("SELECT id FROM customer WHERE shop = 3 AND name = 'name 10'")
            .fetch_optional(&mut reader)
            .await
            .expect("read");
    assert_eq!(found, Some(10));
    reader.close().await.expect("an end");
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let scans: i64 =
            sqlx::query_scalar("SELECT idx_scan FROM pg_stat_all_indexes WHERE indexrelname = 'longer'")
                .fetch_one(&mut connection)
                .await
                .expect("counted");
        if scans > 0 {
            break;
        }
        assert!(Instant::now() < deadline, "no scan was counted");
    }
    let name: String = sqlx::query_scalar("SELECT quote_ident(current_database())")
        .fetch_one(&mut connection)
        .await
        .expect("a name");
    let sql = AssertSqlSafe(format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    sqlx::query(sql).execute(&mut connection).await.expect("from now on nobody writes");

    let folder = folder();
    let place = ["--database-url", database.url()];
    let output = indexes(folder.path(), &[&place[..], &["--json", "--name=shop"]].concat(), 0);
    let list = document(&output);
    assert_eq!(std::fs::read(folder.path().join("runs/shop/indexes.json")).expect("kept"), output.stdout);
    assert!(folder.path().join("runs/shop/indexes.html").exists());
    assert!(list["ablation"].is_null() && list["level"].is_null());
    let redundant = |name: &str| -> Vec<(String, String)> {
        let of = named(&list["indexes"], name)["redundant"].as_array().expect("a list");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        of.iter().map(|one| (text(&one["kind"]), text(&one["index"]))).collect()
    };
    let is = |kind: &str, index: &str| (kind.to_owned(), index.to_owned());
    assert_eq!(redundant("prefix"), [is("prefix_of", "longer"), is("prefix_of", "included")]);
    assert_eq!(redundant("same_as_few"), [is("duplicate_of", "few")]);
    for needed in ["longer", "other_way", "few", "included", "same_as_key", "customer_pkey"] {
        assert_eq!(redundant(needed), [], "{needed}");
    }
    let rule = |name: &str| named(&list["indexes"], name)["rule"].clone();
    assert_eq!((rule("customer_pkey"), rule("same_as_key")), ("primary_key".into(), "unique_index".into()));
    // A quarter of the rows is in the partial ones, and their bytes are divided among these.
    let few = named(&list["indexes"], "few");
    assert!((few["share"].as_f64().expect("a share") - 0.25).abs() < 0.01, "{few}");
    let at_scale = few["at_scale"]["bytes"].as_f64().expect("a size");
    let bytes = few["bytes"].as_f64().expect("a size");
    assert!((at_scale / (bytes / 4000.0 * 70e6) - 1.0).abs() < 1e-9, "{few}");
    let scans = |name: &str| named(&list["indexes"], name)["scans"].as_u64();
    assert_eq!((scans("longer"), scans("few")), (Some(1), Some(0)));

    let told = String::from_utf8(indexes(folder.path(), &place, 0).stdout).expect("UTF-8");
    for words in
        ["never used", "same_as_few: is the same as few", "keeps a rule", "those of a replica are not seen"]
    {
        assert!(told.contains(words), "`{words}` is missing in: {told}");
    }
    let refused = stderr(&indexes(folder.path(), &[&place[..], &["--ablate"]].concat(), 2));
    assert!(refused.contains("--ablate drops indexes") && refused.contains("--scale"), "{refused}");
    let ignored = stderr(&indexes(folder.path(), &[&place[..], &["--level=indexed"]].concat(), 2));
    assert!(ignored.contains("cannot be used with"), "{ignored}");
    let unknown = stderr(&indexes(folder.path(), &[&place[..], &["--only=longr"]].concat(), 2));
    assert!(unknown.contains("did you mean `longer`?"), "{unknown}");
}

/// A folder with a private cluster, which ends with it however the test ends.
struct Home(TempDir);

impl Drop for Home {
    fn drop(&mut self) {
        let stopped = callbench(self.0.path()).args(["db", "stop"]).output();
        // A second panic would hide the first one.
        if !std::thread::panicking() {
            assert!(stopped.is_ok_and(|output| output.status.success()), "the private cluster stops");
        }
    }
}

impl Home {
    fn does(&self, arguments: &[&str]) -> String {
        let output = callbench(self.0.path()).args(arguments).output().expect("the command runs");
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }
}

const PLANTED: &str = "
CREATE INDEX same_status ON customer (workspace_id, status, created_at DESC, id DESC) WHERE NOT is_deleted;
CREATE INDEX short_employee ON customer (workspace_id, employee_id) WHERE NOT is_deleted;
CREATE INDEX by_phone ON customer (phone)";

const READS: &str = r#"
[[draw]]
sql = "SELECT id AS workspace FROM workspace WHERE slug = ${workspace_name}"
[[draw]]
sql = "SELECT DISTINCT status FROM customer ORDER BY status"
[[draw]]
sql = "SELECT id AS nobody FROM customer WHERE false"
[[draw]]
sql = "SELECT id AS customer FROM customer ORDER BY id LIMIT 3"
[[read]]
name = "by_status"
sql = """SELECT id FROM customer WHERE workspace_id = ${workspace}::uuid AND NOT is_deleted AND status = ${status}
          ORDER BY created_at DESC, id DESC LIMIT 20"""
[[read]]
name = "calls"
sql = "SELECT * FROM call WHERE customer_id = ${customer}::uuid ORDER BY created_at DESC LIMIT 20"
[[read]]
name = "of_nobody"
sql = "SELECT * FROM customer WHERE id = ${nobody}::uuid"
"#;

/// All rows of two tables, and all indexes.
async fn fingerprint(url: &str) -> Vec<String> {
    let mut connection = connect(url).await;
    let found = sqlx::query_scalar(
        "SELECT md5(string_agg(c::text, '' ORDER BY c.id)) FROM customer AS c
         UNION ALL SELECT md5(string_agg(k::text, '' ORDER BY k.id)) FROM call AS k
         UNION ALL (SELECT concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid, pg_relation_filenode(indexrelid))
                      FROM pg_index WHERE indrelid >= 16384 ORDER BY 1)",
    )
    .fetch_all(&mut connection)
    .await
    .expect("looked at");
    connection.close().await.expect("an end");
    found
}

#[tokio::test]
async fn each_index_is_left_out_in_turn_and_all_is_as_it_was() {
    let home = Home(folder());
    let (folder, tiny) = (home.0.path(), ["--scale=tiny", "--level=indexed"]);
    home.does(&["seed", "--scale=tiny"]);
    home.does(&["db", "start"]);
    let missing = stderr(&indexes(folder, &["--scale=dev", "--ablate"], 2));
    assert!(missing.contains("callbench seed"), "{missing}");
    let nowhere = stderr(&indexes(folder, &[&tiny[..], &["--ablate", "--workspace=nowhere"]].concat(), 2));
    let has_copied = nowhere.contains("copy to write to");
    assert!(nowhere.contains("no workspace `nowhere`") && !has_copied, "{nowhere}");
    indexes(folder, &tiny, 0);
    let base = home.does(&["db", "url", "--scale=tiny"]);
    let url = base.replace("callbench_tiny", "callbench_tiny_indexed");
    assert_ne!(base, url);
    let mut connection = connect(&url).await;
    sqlx::raw_sql(PLANTED).execute(&mut connection).await.expect("planted");
    connection.close().await.expect("an end");
    let before = fingerprint(&url).await;

    std::fs::write(folder.join("mine.toml"), READS).expect("written");
    let few = "--only=same_status,idx_customer_workspace_status,idx_customer_workspace_duration,short_employee,by_phone,\
               idx_call_customer_created,call_pkey";
    let arguments = [&tiny[..], &["--ablate", "--rounds=1", "--reads=mine.toml", few, "--json"]].concat();
    let output = indexes(folder, &arguments, 0);
    assert_eq!(fingerprint(&url).await, before, "rows and indexes");
    let mut connection = connect(&base).await;
    let copies: Vec<String> =
        sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE '%\_written'")
            .fetch_all(&mut connection)
            .await
            .expect("listed");
    assert!(copies.is_empty(), "{copies:?}");
    connection.close().await.expect("an end");

    let list = document(&output);
    let prices = &list["ablation"]["prices"];
    assert!(list["checks"][0]["passed"].as_bool().expect("checked"));
    assert_eq!(list["ablation"]["kept"][0]["index"], "call_pkey", "what keeps a rule stays");
    assert_eq!(prices.as_array().map(Vec::len), Some(6));
    let warnings = list["warnings"].to_string();
    assert!(
        warnings.contains("of_nobody was not carried out: no [[draw]] gave a row with nobody"),
        "{warnings}"
    );

    // An index that a read needs: more blocks without it, and another plan.
    let calls = named(prices, "idx_call_customer_created");
    assert_eq!(calls["verdict"], "pays", "{calls}");
    let read = named(&calls["reads"], "calls");
    let blocks = |key: &str| read["buffers"][key].as_f64().expect("counted");
    assert!(read["in_plan"] == true && blocks("without") > 5.0 * blocks("with"), "{read}");
    let samples = list["ablation"]["samples"].as_array().expect("a list");
    let plans: Vec<&Value> = samples
        .iter()
        .filter(|one| one["operation"] == "calls" && one["without"] == "idx_call_customer_created")
        .collect();
    assert!(plans.iter().all(|one| one["plan"].as_array().is_some_and(Vec::is_empty)), "{plans:?}");
    // A single call has an entry fewer to write.
    let write = named(&calls["writes"], "single_call");
    let records = |key: &str| write["records"][key].as_f64().expect("counted");
    assert!((records("with") - records("without") - 1.0).abs() < 0.6, "{write}");
    // What only costs: nobody reads by it, or another one does as well.
    for (name, verdict, why) in [
        ("by_phone", "costs_only", "nothing measured here needs it"),
        ("short_employee", "costs_only", "nothing measured here needs it"),
    ] {
        let price = named(prices, name);
        assert_eq!((price["verdict"].as_str(), price["why"].as_str()), (Some(verdict), Some(why)), "{name}");
        let log = named(&price["writes"], "single_insert")["log_bytes"].clone();
        assert!(log["with"].as_f64() > log["without"].as_f64(), "{name}: {log}");
    }
    // Two that are the same: neither is missed, and the second one is dispensable.
    assert_eq!(named(prices, "same_status")["verdict"], "costs_only");
    assert_ne!(named(prices, "idx_customer_workspace_status")["verdict"], "pays");
    // The one index that has the column keeps an update of it from being HOT.
    let update = named(&named(prices, "idx_customer_workspace_duration")["writes"], "update_duration");
    let hot = |key: &str| update["hot"][key].as_f64().expect("counted");
    assert!(hot("with") < 0.01 && hot("without") > 0.5, "{update}");
    // The worst bargain first.
    let order: Vec<&str> =
        prices.as_array().expect("a list").iter().filter_map(|one| one["verdict"].as_str()).collect();
    let mut sorted = order.clone();
    sorted.sort_by_key(|verdict| ["costs_only", "cannot_tell", "pays"].iter().position(|one| one == verdict));
    assert_eq!(order, sorted);

    let write = READS.replace(
        "SELECT * FROM call WHERE",
        "DELETE FROM call AS k USING call AS o WHERE k.id = o.id AND o.",
    );
    std::fs::write(folder.join("mine.toml"), write.replace(" ORDER BY created_at DESC LIMIT 20\"", "\""))
        .expect("written");
    let refused = stderr(&indexes(folder, &arguments, 2));
    assert!(refused.contains("calls with all indexes failed") && refused.contains("read-only"), "{refused}");
    assert_eq!(fingerprint(&url).await, before, "also after an error");
}
