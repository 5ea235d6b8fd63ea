//! `/api/v1/workspaces/{id or slug}/`: what it says, to whom, and in which order it refuses.

use migrations::Level;
use reqwest::Method;
use serde_json::json;
use server::Variant;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::service::Service;
use crate::world::{self, Customer, at};

pub(crate) fn url(origin: &str, workspace: &str) -> String {
    format!("{origin}/api/v1/workspaces/{workspace}/")
}

#[tokio::test]
async fn a_workspace_has_its_live_customers_and_the_last_change_of_one_in_all_variants() {
    for (level, variant) in [(Level::Before, Variant::Naive), (Level::Indexed, Variant::Live)] {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        let other = world::workspace(&mut db, "other").await;
        let empty = world::workspace(&mut db, "empty").await;
        let token = world::user(&mut db, "manager", None, &[workspace, empty]).await;
        for (workspace, time, is_deleted) in [
            (workspace, "2026-01-02T03:04:05.000006Z", false),
            (workspace, "2026-01-01T00:00:00Z", false),
            (workspace, "2026-03-01T00:00:00Z", true),
            (other, "2026-04-01T00:00:00Z", false),
        ] {
            let customer = Customer { is_deleted, ..Customer::of(workspace, "c", at(time)) };
            customer.insert(&mut db).await;
        }
        let origin = service.serve(variant).await;
        let id = workspace.to_string();
        let expected = json!({
            "id": id, "slug": "one", "name": "one", "customer_count": 2,
            "last_updated": "2026-01-02T03:04:05.000006Z",
        });
        for named in [id.as_str(), &workspace.simple().to_string(), "one", "o%6Ee"] {
            service.get(&url(&origin, named), &token).await.is(200, &expected);
        }
        let text = service.get(&url(&origin, "one"), &token).await.text;
        assert!(text.starts_with(&format!(r#"{{"id":"{id}","slug":"one","name":"one","customer_count":2,"#)));
        service.get(&url(&origin, "empty"), &token).await.is(
            200,
            &json!({ "id": empty, "slug": "empty", "name": "empty", "customer_count": 0, "last_updated": null }),
        );
    }
}

#[tokio::test]
async fn an_employee_gets_their_own_numbers_and_nobody_elses_out_of_the_cache() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let mut tokens = vec![world::user(&mut db, "admin", None, &[workspace]).await];
    let mut times = Vec::new();
    for number in 1..=3 {
        let employee = world::employee(&mut db, workspace, "e").await;
        tokens.push(world::user(&mut db, "employee", Some(employee), &[workspace]).await);
        for _ in 0..number {
            let time = format!("2026-0{number}-01T00:00:00.000000Z");
            let customer = Customer { employee: Some(employee), ..Customer::of(workspace, "c", at(&time)) };
            customer.insert(&mut db).await;
            times.push(time);
        }
    }
    let idle = world::employee(&mut db, workspace, "idle").await;
    let idle = world::user(&mut db, "employee", Some(idle), &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    for outcome in ["miss", "hit"] {
        for (token, (count, time)) in
            tokens.iter().zip([(6, &times[5]), (1, &times[0]), (2, &times[1]), (3, &times[5])])
        {
            let answer = service.get(&url(&origin, "one"), token).await;
            assert_eq!(answer.header("x-cache"), outcome);
            assert_eq!(
                (&answer.json()["customer_count"], &answer.json()["last_updated"]),
                (&json!(count), &json!(time))
            );
        }
        let refused = service.get(&url(&origin, "one"), &idle).await;
        refused.refuses(403, "You do not have permission to perform this action.");
    }
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_contract() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    world::workspace(&mut db, "other").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let outsider = world::user(&mut db, "guest", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    let forbidden = "You do not have permission to perform this action.";

    for path in ["/api/v1/workspaces/", "/api/v1/workspaces//", "/api/v1/workspaces/one/more/"] {
        let nowhere = service.send(Method::GET, &format!("{origin}{path}"), None, &[]).await;
        assert_eq!(nowhere.status, 404, "{path}");
        nowhere.refuses(404, "Not found.");
    }
    let one = url(&origin, "one");
    for (query, location) in [("", ""), ("?a=%2F&b", "?a=%2F&b")] {
        let unslashed = format!("{}{query}", url(&origin, "o%2Fne").trim_end_matches('/'));
        for method in [Method::GET, Method::HEAD] {
            let moved = service.send(method, &unslashed, None, &[]).await;
            assert_eq!(moved.status, 301);
            assert_eq!(moved.header("location"), format!("/api/v1/workspaces/o%2Fne/{location}"));
        }
    }
    let anonymous = service.send(Method::GET, &one, None, &[]).await;
    anonymous.refuses(401, "Authentication credentials were not provided.");
    service.get(&one, "unknown").await.refuses(401, "Invalid token.");
    let nobody = Uuid::new_v4().to_string();
    for unknown in ["other", nobody.as_str(), "none", "%FF", "%00", "o%2Fne", "one%20", "ONE"] {
        service.get(&url(&origin, unknown), &token).await.refuses(403, forbidden);
        let tried = service.send(Method::DELETE, &url(&origin, unknown), Some(&token), &[]).await;
        tried.refuses(403, forbidden);
    }
    service.get(&one, &outsider).await.refuses(403, forbidden);
    // The path names the workspace; a parameter can't change it.
    service.get(&format!("{}?workspace_id=one", url(&origin, "other")), &token).await.refuses(403, forbidden);
    assert_eq!(service.get(&format!("{one}?workspace_id=other"), &token).await.status, 200);

    for path in [one.as_str(), one.trim_end_matches('/')] {
        let posted = service.send(Method::POST, path, Some(&token), &[]).await;
        posted.refuses(405, "Method \"POST\" not allowed.");
        assert_eq!(posted.header("allow"), "GET, HEAD, OPTIONS");
    }
    let options = service.send(Method::OPTIONS, &one, Some(&token), &[]).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (200, "GET, HEAD, OPTIONS"));
    let head = service.send(Method::HEAD, &one, Some(&token), &[]).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_membership_that_ends_ends_what_the_cache_gives() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    for _ in 0..2 {
        assert_eq!(service.get(&url(&origin, "one"), &token).await.status, 200);
    }
    db.execute("DELETE FROM user_workspace").await.unwrap();
    let refused = service.get(&url(&origin, "one"), &token).await;
    refused.refuses(403, "You do not have permission to perform this action.");
}
