//! Who may do what, and in which order a request is refused.

use migrations::Level;
use reqwest::Method;
use serde_json::json;
use server::Variant;
use sqlx::Executor as _;
use uuid::Uuid;

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

const FORBIDDEN: &str = "You do not have permission to perform this action.";

#[tokio::test]
async fn every_case_of_the_table_has_its_answer() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let one = world::workspace(&mut db, "one").await;
    let two = world::workspace(&mut db, "two").await;
    let [busy, idle, retired, abroad] = {
        let mut ids = [Uuid::nil(); 4];
        for (id, name) in ids.iter_mut().zip(["busy", "idle", "retired", "abroad"]) {
            *id = world::employee(&mut db, one, name).await;
        }
        ids
    };
    for (name, workspace, employee, is_deleted) in [
        ("of busy", one, Some(busy), false),
        ("of busy, deleted", one, Some(busy), true),
        ("of retired, deleted", one, Some(retired), true),
        ("of nobody", one, None, false),
        ("of abroad, elsewhere", two, Some(abroad), false),
    ] {
        let customer = Customer::of(workspace, name, at("2024-01-01T00:00:00Z"));
        Customer { employee, is_deleted, ..customer }.insert(&mut db).await;
    }
    let both = [one, two];
    let admin = world::user(&mut db, "admin", None, &both).await;
    let manager = world::user(&mut db, "manager", None, &both[..1]).await;
    let other_role = world::user(&mut db, "auditor", None, &both).await;
    let with_employee = world::user(&mut db, "admin", Some(busy), &both).await;
    let no_employee = world::user(&mut db, "employee", None, &both).await;
    let busy = world::user(&mut db, "employee", Some(busy), &both).await;
    let idle = world::user(&mut db, "employee", Some(idle), &both).await;
    let retired = world::user(&mut db, "employee", Some(retired), &both).await;
    let abroad = world::user(&mut db, "employee", Some(abroad), &both).await;
    let asleep = world::user(&mut db, "admin", None, &both).await;
    sqlx::query("UPDATE app_user SET is_active = false WHERE email = $1")
        .bind(&asleep)
        .execute(&mut db)
        .await
        .unwrap();

    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        let get = async |token: &str, workspace: &str| {
            service.get(&list(&origin, &format!("workspace_id={workspace}")), token).await
        };
        for token in [&admin, &manager, &with_employee] {
            let mut names = get(token, "one").await.names();
            names.sort_unstable();
            assert_eq!(names, ["of busy", "of nobody"]);
        }
        for key in [one.hyphenated().to_string(), one.simple().to_string(), one.to_string().to_uppercase()] {
            assert_eq!(get(&admin, &key).await.ids().len(), 2, "{key}");
        }
        assert_eq!(get(&busy, "one").await.names(), ["of busy"]);
        assert_eq!(get(&abroad, "two").await.names(), ["of abroad, elsewhere"]);
        for (token, workspace) in [
            (&manager, "two"),
            (&manager, "no-such-workspace"),
            (&manager, "%00"),
            (&manager, "%FF"),
            (&manager, &Uuid::nil().to_string()),
            (&idle, "one"),
            (&retired, "one"),
            (&busy, "two"),
            (&abroad, "one"),
            (&no_employee, "one"),
            (&other_role, "one"),
        ] {
            get(token, workspace).await.refuses(403, FORBIDDEN);
        }
        get("nobody's", "one").await.refuses(401, "Invalid token.");
        get(&asleep, "one").await.refuses(401, "User inactive or deleted.");
        for query in ["", "workspace_id=", "workspace_id=one&workspace_id="] {
            let answer = service.get(&list(&origin, query), &admin).await;
            answer.is(400, &json!({ "workspace_id": ["This field is required."] }));
        }
        let nothing = service.send(Method::GET, &list(&origin, "workspace_id=one"), None, &[]).await;
        nothing.refuses(401, "Authentication credentials were not provided.");
        assert_eq!(nothing.header("www-authenticate"), "Bearer");
        let basic = service
            .send(Method::GET, &list(&origin, "workspace_id=one"), None, &[("authorization", "Basic dTpw")])
            .await;
        basic.refuses(401, "Authentication credentials were not provided.");
    }
}

#[tokio::test]
async fn a_revoked_token_or_membership_stops_working_with_the_next_request() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let origin = service.serve(Variant::Live).await;
    let url = list(&origin, "workspace_id=one");
    assert_eq!(service.get(&url, &token).await.status, 200);
    db.execute("DELETE FROM user_workspace").await.unwrap();
    service.get(&url, &token).await.refuses(403, FORBIDDEN);
    db.execute("DELETE FROM auth_token").await.unwrap();
    service.get(&url, &token).await.refuses(401, "Invalid token.");
}

#[tokio::test]
async fn a_request_with_everything_wrong_is_refused_in_the_order_of_the_contract() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let member = world::user(&mut db, "admin", None, &[workspace]).await;
    let stranger = world::user(&mut db, "admin", None, &[]).await;
    let origin = service.serve(Variant::Live).await;
    let send = async |method: Method, path: &str, token: Option<&str>| {
        service.send(method, &format!("{origin}{path}"), token, &[]).await
    };

    send(Method::POST, "/api/v1/nothing/", None).await.refuses(404, "Not found.");
    send(Method::GET, "/", None).await.refuses(404, "Not found.");
    send(Method::GET, "/api/v1//customers/", None).await.refuses(404, "Not found.");
    let moved = send(Method::GET, "/api/v1/customers?workspace_id=one&status=&a=%20", None).await;
    assert_eq!(moved.status, 301);
    assert_eq!(moved.header("location"), "/api/v1/customers/?workspace_id=one&status=&a=%20");
    let moved = send(Method::HEAD, "/api/v1/customers", None).await;
    assert_eq!((moved.status.as_u16(), moved.header("location")), (301, "/api/v1/customers/"));

    for path in ["/api/v1/customers/", "/api/v1/customers"] {
        send(Method::POST, path, None).await.refuses(401, "Authentication credentials were not provided.");
        send(Method::POST, path, Some("x")).await.refuses(401, "Invalid token.");
        let no_workspace = send(Method::POST, path, Some(&member)).await;
        no_workspace.is(400, &json!({ "workspace_id": ["This field is required."] }));
        let query = format!("{path}?workspace_id=one&status=%00&cursor=x");
        send(Method::DELETE, &query, Some(&stranger)).await.refuses(403, FORBIDDEN);
        let wrong_method = send(Method::DELETE, &query, Some(&member)).await;
        wrong_method.refuses(405, "Method \"DELETE\" not allowed.");
        assert_eq!(wrong_method.header("allow"), "GET, HEAD, POST, OPTIONS");
    }
    let bad_filter =
        send(Method::GET, "/api/v1/customers/?workspace_id=one&status=%00&cursor=x", Some(&member)).await;
    bad_filter.is(400, &json!({ "status": ["Null characters are not allowed."] }));
    send(Method::GET, "/api/v1/customers/?workspace_id=one&cursor=x", Some(&member))
        .await
        .refuses(404, "Invalid cursor");
    send(Method::POST, "/healthz", None).await.refuses(405, "Method \"POST\" not allowed.");
}

#[tokio::test]
async fn head_and_options_work_and_a_preflight_needs_no_token() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    for minute in 0..3 {
        let created_at = at("2024-01-01T00:00:00Z") + chrono::Duration::minutes(minute);
        Customer::of(workspace, "c", created_at).insert(&mut db).await;
    }
    let origin = service.serve(Variant::Live).await;
    let url = list(&origin, "workspace_id=one&page_size=2");
    let get = service.get(&url, &token).await;
    let head = service.send(Method::HEAD, &url, Some(&token), &[]).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(head.header("link"), get.header("link"));
    assert_eq!(head.header("content-length"), get.text.len().to_string());
    service
        .send(Method::HEAD, &url, None, &[])
        .await
        .headers
        .get("www-authenticate")
        .expect("401 as for GET");

    let options = service.send(Method::OPTIONS, &url, Some(&token), &[]).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (200, "GET, HEAD, POST, OPTIONS"));
    service
        .send(Method::OPTIONS, &url, None, &[])
        .await
        .refuses(401, "Authentication credentials were not provided.");
    let asked = [("origin", "https://app.example.com"), ("access-control-request-method", "GET")];
    let preflight = service.send(Method::OPTIONS, &url, None, &asked).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.text, "");
}
