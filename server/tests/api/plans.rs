//! Plans that take long: asked for after the request, they are still a part of it.

use std::time::Duration;

use migrations::Level;
use serde_json::Value;
use server::{Config, Variant};
use sqlx::{Connection as _, Executor as _};

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

/// Customers behind a gate that is shut for what is read-only, as explained statements are, while somebody holds the lock.
const GATE: &str = "
    CREATE FUNCTION public.is_let_through() RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('transaction_read_only')::boolean THEN
            PERFORM pg_advisory_xact_lock(1);
        END IF;
        RETURN true;
    END $$;
    ALTER TABLE customer RENAME TO gated_customer;
    CREATE VIEW public.customer AS SELECT * FROM gated_customer WHERE public.is_let_through();";

#[tokio::test]
async fn a_request_whose_plans_take_too_long_is_given_up() {
    let service = Service::at(Level::Before).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    Customer::of(workspace, "An", at("2024-01-01T00:00:00Z")).insert(&mut db).await;
    db.execute(sqlx::raw_sql(GATE)).await.unwrap();
    let mut lock = db.begin().await.unwrap();
    lock.execute("SELECT pg_advisory_xact_lock(1)").await.unwrap();

    // The request itself is let through. Two of its statements read customers, so two of its plans will be held up.
    let patient = service.serve(Variant::Naive).await;
    let answer = service.get(&list(&patient, "workspace_id=one&_profile=true"), &token).await;
    assert_eq!(answer.names(), ["An"]);
    let statements = answer.json()["_profiling"]["statements"].as_array().unwrap().clone();
    let reads_customers = |statement: &&Value| {
        let sql = statement["sql"].as_str().unwrap();
        statement["layer"] == "queryset" && sql.contains("FROM customer ")
    };
    assert_eq!(statements.iter().filter(reads_customers).count(), 2, "{statements:#?}");

    // The database gives up each of them before the request is over, and both together take longer than that.
    let limit = Duration::from_millis(900);
    let short = Config {
        pool_wait: limit,
        statement_timeout: limit,
        request_timeout: Duration::from_secs(1),
        ..service.config(Variant::Naive)
    };
    let short = service.start(short).await;
    let answer = service.get(&list(&short, "workspace_id=one&_profile=explain"), &token).await;
    answer.refuses(503, "The request took too long and was given up.");
}
