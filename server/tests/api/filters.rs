//! What a filter means in every spelling, and what is said when it can't be read. That all of them give the right rows
//! is `agreement`'s to show.

use chrono::Duration;
use migrations::Level;
use reqwest::Method;
use serde_json::json;
use server::Variant;

use crate::service::{Answer, Service, list};
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

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once_and_before_the_cursor_is_looked_at() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        let get = async |query: &str| {
            service.get(&list(&origin, &format!("workspace_id=one&{query}")), &token).await
        };
        get(
            "cursor=x&duration__lt=&duration__gt=inf&is_test=2&checked=TRUE&labels__id=x&other_attributes=%00\
             &status__isnull=null&count=exact&carrier__in=a,%00&labels__id__neq=,&status=nonsense",
        )
        .await
        .is(
            400,
            &json!({
                "duration__gt": ["Enter a number."],
                "is_test": ["Must be a valid boolean."],
                "labels__id": ["“x” is not a valid UUID."],
                "other_attributes": ["Null characters are not allowed."],
                "status__isnull": ["Must be a valid boolean."],
                "count": ["Select a valid choice. exact is not one of the available choices."],
                "carrier__in": ["Null characters are not allowed."],
            }),
        );
        get("other_attributes==x").await.is(400, &json!({ "other_attributes": ["Expected key=value."] }));
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_only_when_the_client_wants_to_be_told() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    Customer::of(workspace, "c", at("2024-01-01T00:00:00Z")).insert(&mut db).await;
    let origin = service.serve(Variant::Live).await;
    let send = async |query: &str, prefer: &[&str]| {
        let headers: Vec<_> = prefer.iter().map(|value| ("prefer", *value)).collect();
        let url = list(&origin, &format!("workspace_id=one&{query}"));
        service.send(Method::GET, &url, Some(&token), &headers).await
    };
    let applied = |answer: &Answer| answer.header("preference-applied").to_owned();

    for prefer in
        [&[][..], &["handling=lenient"], &["return=minimal"], &["handling=lenient", "handling=strict"]]
    {
        let answer = send("statsu=blocked&ordering=name", prefer).await;
        assert_eq!((answer.ids().len(), applied(&answer).as_str()), (1, ""), "{prefer:?}");
    }
    for prefer in [&["handling=strict"][..], &["respond-async; foo", "wait=5, HANDLING=\"Strict\"; x=y"]] {
        let answer = send("statsu=blocked&ordering=&checked=x", prefer).await;
        answer.is(
            400,
            &json!({
                "statsu": ["Unknown parameter."],
                "ordering": ["Unknown parameter."],
                "checked": ["Must be a valid boolean."],
            }),
        );
        assert_eq!(applied(&answer), "handling=strict");
        let answer = send("page_size=1&status=active&_profile=false&cursor=", prefer).await;
        assert_eq!((answer.ids().len(), applied(&answer).as_str()), (1, "handling=strict"));
        assert_eq!(answer.header("vary"), "prefer");
        let answer = send("cursor=x", prefer).await;
        answer.refuses(404, "Invalid cursor");
        assert_eq!(applied(&answer), "handling=strict");
    }
}

#[tokio::test]
async fn what_no_row_can_have_is_an_empty_page_and_never_an_error_of_the_database() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    Customer::of(workspace, "c", at("2024-01-01T00:00:00Z")).insert(&mut db).await;
    for variant in [Variant::Live, Variant::Naive] {
        let origin = service.serve(variant).await;
        let get = async |query: &str| {
            service.get(&list(&origin, &format!("workspace_id=one&{query}")), &token).await
        };
        for query in [
            "duration__gt=1e999",
            "duration=-1e-999&duration__gt=0",
            "status=%EF%BF%BE%F4%8F%BF%BF",
            "status=%FF",
            "other_attributes=k=%5Cu0000",
            "other_attributes=%22%5C=%22%5C",
            "other_attributes=k=1e400000",
            "other_attributes=k=NaN",
        ] {
            assert_eq!(get(query).await.ids().len(), 0, "{variant}: {query}");
        }
    }
}
