//! The hands that write: plain SQL of somebody else's program, and the API.
//!
//! Every statement here locks calls by id and a transaction takes customers in the order of their ids, as writers beside
//! the server are told to. A deadlock is still no error of a test: it is one more rollback.

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, Error, PgConnection};
use uuid::Uuid;

use crate::service::Service;

/// What may be written to.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) workspace: Uuid,
    /// In order.
    pub(super) customers: Vec<Uuid>,
    /// Those of them that may be deleted.
    pub(super) mortal: Vec<Uuid>,
    pub(super) labels: Vec<Uuid>,
    pub(super) employees: Vec<Uuid>,
}

const INSERT: &str = "
    INSERT INTO call (workspace_id, customer_id, direction, status, duration, duration_seconds, call_type, billing_rate,
                      created_at)
    SELECT $1, id, 'inbound', (ARRAY['completed', 'missed', 'busy'])[1 + (g + $3) % 3], g, g * 37 + $3,
           (ARRAY['campaign', 'direct', 'callback'])[1 + (g * 7 + $3) % 3],
           CASE WHEN (g + $3) % 5 > 0 THEN (g * 1.2345 + $3)::numeric(10, 4) END,
           now() - interval '30 minutes' - g * interval '47 hours'
      FROM unnest($2::uuid[]) WITH ORDINALITY AS c (id, g)";

const UPDATE: &str = "
    UPDATE call SET status = (ARRAY['completed', 'missed', 'busy'])[1 + $2 % 3],
                    call_type = (ARRAY['campaign', 'direct', 'callback'])[1 + $2 % 3],
                    duration_seconds = duration_seconds % 1000 + $2,
                    billing_rate = CASE WHEN $2 % 4 > 0 THEN $2 * 0.3333 END
     WHERE id IN (SELECT id FROM call WHERE customer_id = ANY ($1) ORDER BY id LIMIT 5 FOR UPDATE)";

const MOVE: &str = "
    UPDATE call SET customer_id = $2
     WHERE id IN (SELECT id FROM call WHERE customer_id = ANY ($1) ORDER BY id LIMIT 4 FOR UPDATE)";

const DELETE: &str = "
    DELETE FROM call
     WHERE id IN (SELECT id FROM call WHERE customer_id = ANY ($1) ORDER BY id LIMIT 3 FOR UPDATE)";

/// Somebody with a connection and a seed.
pub(super) struct BySql {
    pub(super) db: PgConnection,
    rng: Xoshiro256PlusPlus,
    ground: Ground,
}

impl BySql {
    pub(super) fn new(db: PgConnection, seed: u64, ground: Ground) -> Self {
        Self { db, rng: Xoshiro256PlusPlus::seed_from_u64(seed), ground }
    }

    fn customers(&mut self, most: usize) -> Vec<Uuid> {
        let count = self.rng.random_range(1..=most);
        let mut some: Vec<Uuid> = self.ground.customers.sample(&mut self.rng, count).copied().collect();
        some.sort_unstable();
        some
    }

    /// Writes so many times; says how many transactions were rolled back, on purpose or not.
    pub(super) async fn write(&mut self, times: usize) -> usize {
        let mut rolled_back = 0;
        for _ in 0..times {
            match self.once().await {
                Ok(true) => {}
                Ok(false) => rolled_back += 1,
                Err(Error::Database(error)) if error.code().as_deref() == Some("40P01") => rolled_back += 1,
                Err(error) => panic!("{error}"),
            }
        }
        rolled_back
    }

    /// One transaction; whether it was committed.
    async fn once(&mut self) -> Result<bool, Error> {
        let (one, some) = (self.customers(1), self.customers(6));
        let number = self.rng.random_range(0..50_i32);
        let what = self.rng.random_range(0..10);
        let is_kept = self.rng.random_bool(0.75);
        let Ground { workspace, mortal, labels, employees, .. } = &self.ground;
        let (mortal, label) =
            (*mortal.choose(&mut self.rng).unwrap(), *labels.choose(&mut self.rng).unwrap());
        let employee = employees.choose(&mut self.rng).copied();
        let mut transaction = self.db.begin().await?;
        let db = &mut *transaction;
        match what {
            0 => sqlx::query(INSERT).bind(workspace).bind(&one).bind(number).execute(db).await?,
            1 => sqlx::query(INSERT).bind(workspace).bind(&some).bind(number).execute(db).await?,
            // Some of it is taken back within the transaction, before it goes on.
            2 => {
                let mut within = db.begin().await?;
                let insert = sqlx::query(INSERT).bind(workspace).bind(&some[..1]).bind(number);
                insert.execute(&mut *within).await?;
                within.rollback().await?;
                sqlx::query(INSERT).bind(workspace).bind(&some).bind(number + 1).execute(db).await?
            }
            3 => sqlx::query(UPDATE).bind(&one).bind(number).execute(db).await?,
            4 => sqlx::query(UPDATE).bind(&some).bind(number).execute(db).await?,
            5 => sqlx::query(MOVE).bind(&some).bind(one[0]).execute(db).await?,
            6 => sqlx::query(DELETE).bind(&some).execute(db).await?,
            7 => {
                let sql = "INSERT INTO customer_label VALUES ($1, $2) ON CONFLICT DO NOTHING";
                sqlx::query(sql).bind(one[0]).bind(label).execute(db).await?
            }
            8 => {
                let sql = "DELETE FROM customer_label WHERE customer_id = $1 AND label_id = $2";
                sqlx::query(sql).bind(one[0]).bind(label).execute(db).await?
            }
            _ => {
                let sql = "UPDATE customer SET employee_id = $2, is_deleted = is_deleted OR (id = $3 AND $4 % 10 = 0),
                                               status = (ARRAY['active', 'blocked', 'pending'])[1 + $4 % 3]
                            WHERE id = $1";
                let whom = if number % 10 == 0 { mortal } else { one[0] };
                sqlx::query(sql).bind(whom).bind(employee).bind(mortal).bind(number).execute(db).await?
            }
        };
        if is_kept {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(is_kept)
    }
}

/// A client of the API, over several servers in turn.
pub(super) struct ByApi<'s> {
    service: &'s Service,
    origins: &'s [String],
    token: &'s str,
    rng: Xoshiro256PlusPlus,
    ground: Ground,
}

impl<'s> ByApi<'s> {
    pub(super) fn new(
        service: &'s Service,
        origins: &'s [String],
        token: &'s str,
        seed: u64,
        ground: Ground,
    ) -> Self {
        Self { service, origins, token, rng: Xoshiro256PlusPlus::seed_from_u64(seed), ground }
    }

    fn call(&mut self) -> Value {
        let status = ["completed", "missed", "busy"].choose(&mut self.rng);
        let call_type = ["campaign", "direct", "callback"].choose(&mut self.rng);
        json!({
            "customer_id": self.ground.customers.choose(&mut self.rng).unwrap(),
            "direction": "outbound",
            "status": status.unwrap(),
            "call_type": call_type.unwrap(),
            "duration": self.rng.random_range(0..5_000),
            "billing_rate": f64::from(self.rng.random_range(0..90_000)) / 10_000.0,
        })
    }

    /// Writes so many times; says how many of them were answered with success. The others met a customer that had been
    /// deleted.
    pub(super) async fn write(&mut self, times: usize) -> usize {
        let mut succeeded = 0;
        for _ in 0..times {
            let customer = *self.ground.customers.choose(&mut self.rng).unwrap();
            let mortal = *self.ground.mortal.choose(&mut self.rng).unwrap();
            let labels: Vec<Uuid> = self.ground.labels.sample(&mut self.rng, 2).copied().collect();
            let some: Vec<Uuid> = self.ground.customers.sample(&mut self.rng, 8).copied().collect();
            let one = format!("customers/{customer}/");
            let (method, path, body) = match self.rng.random_range(0..20) {
                0..5 => (Method::POST, "calls/", self.call()),
                5..9 => (Method::POST, "calls/bulk/", (0..9).map(|_| self.call()).collect()),
                9..12 => (Method::PATCH, one.as_str(), json!({ "label_ids": labels, "quality": "warm" })),
                12..15 => {
                    (Method::PATCH, "customers/bulk/", json!({ "ids": some, "set": { "label_ids": labels } }))
                }
                15..18 => {
                    (Method::POST, "customers/", json!({ "name": "n", "phone": "1", "label_ids": labels }))
                }
                18 => (Method::POST, "customers/bulk-delete/", json!({ "ids": [mortal] })),
                _ => (Method::PATCH, "customers/bulk/", json!({ "ids": some, "set": { "checked": true } })),
            };
            let origin = self.origins.choose(&mut self.rng).unwrap();
            let url = format!("{origin}/api/v1/{path}?workspace_id=one");
            let answer = self.service.write(method.clone(), &url, self.token, body.to_string()).await;
            let is_refusal = matches!(answer.status.as_u16(), 400 | 404);
            assert!(answer.status.is_success() || is_refusal, "{method} {path} {body}: {answer:?}");
            succeeded += usize::from(answer.status.is_success());
        }
        succeeded
    }
}
