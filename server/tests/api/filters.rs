//! `status` and `quality`, alone and together, in every spelling.

use chrono::Duration;
use migrations::Level;
use serde_json::json;
use server::Variant;

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

#[tokio::test]
async fn filters_are_lists_and_all_of_them_hold() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    let rows =
        [("active", "hot"), ("active", "cold"), ("blocked", "hot"), ("pending", "cold"), ("pending", "dead")];
    for (minute, (status, quality)) in (0..).zip(rows) {
        let created_at = at("2024-01-01T00:00:00Z") - Duration::minutes(minute);
        let name = format!("{status} {quality}");
        Customer { status, quality, ..Customer::of(workspace, name, created_at) }.insert(&mut db).await;
    }
    let all = ["active hot", "active cold", "blocked hot", "pending cold", "pending dead"];
    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        for (query, expected) in [
            ("", &all[..]),
            ("status=active", &all[..2]),
            ("status__in=active", &all[..2]),
            (
                "status=pending,%20active%20,,active",
                &["active hot", "active cold", "pending cold", "pending dead"],
            ),
            ("status=active&status=blocked", &["blocked hot"]),
            ("status=active&status=", &all),
            ("status=,%20,", &all),
            ("quality=hot,dead", &["active hot", "blocked hot", "pending dead"]),
            ("quality=cold&status=active,pending", &["active cold", "pending cold"]),
            ("quality=cold,hot&quality__in=hot,dead", &["active hot", "blocked hot"]),
            ("quality=cold&quality__in=dead", &[]),
            ("status=Active", &[]),
            ("status=nonsense", &[]),
            ("unknown=1&status=blocked", &["blocked hot"]),
        ] {
            let answer = service.get(&list(&origin, &format!("workspace_id=one&{query}")), &token).await;
            assert_eq!(answer.names(), expected, "{variant}: {query}");
        }
        let bad = service.get(&list(&origin, "workspace_id=one&status__in=%00&quality=a%00"), &token).await;
        let message = json!(["Null characters are not allowed."]);
        bad.is(400, &json!({ "status__in": message, "quality": message }));
    }
}
