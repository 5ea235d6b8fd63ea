//! Links keep what the client asked for.

use chrono::Duration;
use migrations::Level;
use server::{Config, Variant};

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

#[tokio::test]
async fn links_are_absolute_sorted_keep_every_parameter_and_stand_in_the_header_too() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    for minute in 0..6 {
        let created_at = at("2024-01-01T00:00:00Z") + Duration::minutes(minute);
        Customer::of(workspace, "c", created_at).insert(&mut db).await;
    }
    let live = service.serve(Variant::Live).await;
    let query =
        "z=%C3%A9&workspace_id=one&status=active,blocked&page_size=2&filter=&cursor=&a=1&a=0&%26=%3D+";
    let first = service.get(&list(&live, query), &token).await;
    let next = first.next().unwrap();
    let (before, rest) = next.split_once("cursor=").unwrap();
    let (_, after) = rest.split_once('&').unwrap();
    assert_eq!(before, format!("{live}/api/v1/customers/?%26=%3D+&a=1&a=0&"));
    assert_eq!(after, "filter=&page_size=2&status=active%2Cblocked&workspace_id=one&z=%C3%A9");
    assert_eq!(first.header("link"), format!("<{next}>; rel=\"next\""));

    let second = service.get(&next, &token).await;
    let (next, previous) = (second.next().unwrap(), second.previous().unwrap());
    assert_eq!(second.header("link"), format!("<{next}>; rel=\"next\", <{previous}>; rel=\"prev\""));
    let third = service.get(&next, &token).await;
    assert_eq!(third.header("link"), format!("<{}>; rel=\"prev\"", third.previous().unwrap()));
    let all = service.get(&list(&live, "workspace_id=one"), &token).await;
    assert!(!all.headers.contains_key("link"));

    let public = Some("https://api.example.com".to_owned());
    let behind_proxy = service.start(Config { public_url: public, ..service.config(Variant::Live) }).await;
    let page = service.get(&list(&behind_proxy, "workspace_id=one&page_size=1"), &token).await;
    assert!(page.next().unwrap().starts_with("https://api.example.com/api/v1/customers/?cursor="));

    let host = [("host", "shop.example.com:81")];
    let page = service
        .send(reqwest::Method::GET, &list(&live, "workspace_id=one&page_size=1"), Some(&token), &host)
        .await;
    assert!(page.next().unwrap().starts_with("http://shop.example.com:81/api/v1/customers/?cursor="));
}

#[tokio::test]
async fn the_naive_variant_counts_and_pages_by_number() {
    let service = Service::at(Level::Before).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    world::workspace(&mut db, "two").await;
    for minute in 0..5 {
        let created_at = at("2024-01-01T00:00:00Z") - Duration::minutes(minute);
        Customer::of(workspace, minute.to_string(), created_at).insert(&mut db).await;
    }
    let naive = service.serve(Variant::Naive).await;
    let get =
        async |query: &str| service.get(&list(&naive, &format!("workspace_id=one&{query}")), &token).await;
    let page = get("page_size=2&page=2&empty=").await;
    assert_eq!((page.names(), &page.json()["count"]), (vec!["2".to_owned(), "3".to_owned()], &5.into()));
    let link = |page: u32| list(&naive, &format!("empty=&page={page}&page_size=2&workspace_id=one"));
    assert_eq!((page.next(), page.previous()), (Some(link(3)), Some(link(1))));
    let last = get("page_size=2&page=3").await;
    assert_eq!((last.names().len(), last.next()), (1, None));
    assert_eq!(get("page=").await.previous(), None);
    assert_eq!(get("status=none").await.json()["count"], 0, "the first page always exists");
    for page in ["0", "-1", "last", "1.0", "2", "99999999999999999999999", "%00"] {
        get(&format!("page={page}")).await.refuses(404, "Invalid page.");
    }
    for query in ["cursor=x", "limit=2", "offset=2"] {
        get(query).await.refuses(400, "This variant pages by `page` alone; follow `next`.");
    }
}

/// Whoever walks a list asks of each page what they asked of the first one, as with Django REST framework.
#[tokio::test]
async fn links_ask_for_a_profile_again() {
    let service = Service::at(Level::Optimized).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    for minute in 0..3 {
        let created_at = at("2024-01-01T00:00:00Z") + Duration::minutes(minute);
        Customer::of(workspace, "c", created_at).insert(&mut db).await;
    }
    for variant in [Variant::Naive, Variant::Live, Variant::Rollup] {
        let origin = service.serve(variant).await;
        let first = list(&origin, "workspace_id=one&page_size=1&_profile=true");
        let next = service.get(&first, &token).await.next().unwrap();
        let second = service.get(&next, &token).await;
        let (next, previous) = (second.next().unwrap(), second.previous().unwrap());
        for link in [next, previous] {
            assert!(link.contains("?_profile=true&"), "{link}");
            assert!(second.header("link").contains(&format!("<{link}>")), "{link}");
            let page = service.get(&link, &token).await;
            assert!(page.json()["_profiling"].is_object(), "{variant}: {link}: {}", page.text);
        }
    }
}
