//! Writes: one customer, a hundred, a hundred changed, fifty deleted softly. What they leave is put right after each sample,
//! untimed.

use std::time::{Duration, Instant};

use datagen::LARGEST_SLUG;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Rung;
use crate::ground::Ground;
use crate::reference::request;

/// Customers that are inserted or updated at once.
const BATCH: usize = 100;

/// Customers that are deleted at once.
const DELETED: usize = 50;

/// The only ids that the body of an answer has at its top.
#[derive(Deserialize)]
#[serde(untagged)]
enum Made {
    One { id: Uuid },
    Many { ids: Vec<Uuid> },
}

pub(crate) fn bench(rung: &mut Rung<'_, '_>) {
    let path = |rest: &str| format!("/api/v1/customers/{rest}?workspace_id={LARGEST_SLUG}");
    insert(rung, "single insert", 1, &request("POST", &path(""), &newcomer(0).to_string()));
    let batch: Value = (0..BATCH).map(newcomer).collect();
    insert(rung, "batch insert of 100", BATCH, &request("POST", &path("bulk/"), &batch.to_string()));
    update(rung, &path("bulk/"));
    soft_delete(rung, &path("bulk-delete/"));
}

fn newcomer(number: usize) -> Value {
    json!({
        "name": format!("Bench {number:03}"),
        "phone": format!("09{number:09}"),
        "email": format!("bench{number:03}@example.com"),
        "carrier": "Viettel",
        "status": "active",
        "quality": "warm",
        "other_attributes": { "origin": "bench" },
    })
}

/// Customers of the workspace, as chance has them: their ids are random, and so they lie all over the table.
fn some(ground: &Ground<'_>, skipped: usize, count: usize) -> Vec<Uuid> {
    let bound = |number: usize| i64::try_from(number).expect("a count");
    let workspace = ground.workspace;
    let ids: Vec<Uuid> = ground.aside(async |connection| {
        sqlx::query_scalar(
            "SELECT id FROM customer WHERE workspace_id = $1 AND NOT is_deleted ORDER BY id OFFSET $2 LIMIT $3",
        )
        .bind(workspace)
        .bind(bound(skipped))
        .bind(bound(count))
        .fetch_all(connection)
        .await
    });
    assert_eq!(ids.len(), count, "the workspace has too few customers");
    ids
}

/// Clears dead rows away, with their entries in indexes.
fn vacuum(ground: &Ground<'_>) {
    ground.aside(async |connection| sqlx::raw_sql("VACUUM customer").execute(connection).await);
}

fn insert(rung: &mut Rung<'_, '_>, name: &str, rows: usize, request: &str) {
    rung.bench(name, rows, |ground, iterations| {
        let mut client = ground.client();
        let mut made = Vec::new();
        let mut sum = Duration::ZERO;
        for number in 0..=iterations {
            let begun = Instant::now();
            let answer = client.ask(request);
            // The first one warms up.
            sum += if number == 0 { Duration::ZERO } else { begun.elapsed() };
            match serde_json::from_slice(answer).expect("the answer has ids") {
                Made::One { id } => made.push(id),
                Made::Many { ids } => made.extend(ids),
            }
        }
        ground.aside(async |connection| {
            sqlx::query("DELETE FROM customer WHERE id = ANY ($1)").bind(made).execute(connection).await
        });
        vacuum(ground);
        sum
    });
}

fn update(rung: &mut Rung<'_, '_>, path: &str) {
    let mut requests: Option<[String; 2]> = None;
    let mut turn = 0;
    rung.bench("batch update of 100", BATCH, |ground, iterations| {
        let requests = requests.get_or_insert_with(|| {
            let ids = some(ground, 0, BATCH);
            ["hot", "cold"].map(|quality| {
                let body = json!({ "ids": ids, "set": { "quality": quality } });
                request("PATCH", path, &body.to_string())
            })
        });
        let mut client = ground.client();
        let mut sum = Duration::ZERO;
        for number in 0..=iterations {
            turn += 1;
            let begun = Instant::now();
            client.ask(&requests[turn % 2]);
            sum += if number == 0 { Duration::ZERO } else { begun.elapsed() };
        }
        vacuum(ground);
        sum
    });
}

fn soft_delete(rung: &mut Rung<'_, '_>, path: &str) {
    let mut asked: Option<(Vec<Uuid>, String)> = None;
    rung.bench("soft delete of 50", DELETED, |ground, iterations| {
        let (ids, request) = asked.get_or_insert_with(|| {
            let ids = some(ground, BATCH, DELETED);
            let body = json!({ "ids": ids });
            (ids, request("POST", path, &body.to_string()))
        });
        let mut client = ground.client();
        let mut sum = Duration::ZERO;
        for number in 0..=iterations {
            let begun = Instant::now();
            client.ask(request);
            sum += if number == 0 { Duration::ZERO } else { begun.elapsed() };
            ground.aside(async |connection| {
                sqlx::query("UPDATE customer SET is_deleted = false, deleted_at = NULL WHERE id = ANY ($1)")
                    .bind(&*ids)
                    .execute(connection)
                    .await
            });
        }
        vacuum(ground);
        sum
    });
}
