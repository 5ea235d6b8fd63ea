//! `page`, `limit` and `offset` on a server that pages by cursor.

use migrations::Level;
use server::Variant;

use crate::service::{Answer, Service, list};
use crate::world;

#[tokio::test]
async fn old_clients_get_their_rows_and_cursor_links_to_go_on_with() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let workspace = world::workspace(&mut db, "one").await;
    let token = world::user(&mut db, "admin", None, &[workspace]).await;
    world::fill(
        &mut db,
        workspace,
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
         SELECT $1, g::text, '090', CASE WHEN g % 2 = 0 THEN 'active' ELSE 'blocked' END, 'hot', 'pending',
                timestamptz '2024-01-01Z' - g * interval '1 minute'
           FROM generate_series(1, 25) g",
    )
    .await;
    let live = service.serve(Variant::Live).await;
    let get =
        async |query: &str| service.get(&list(&live, &format!("workspace_id=one&{query}")), &token).await;
    let follow = async |url: Option<String>| service.get(&url.unwrap(), &token).await;
    let range = |answer: &Answer| {
        let names = answer.names();
        (names.first().cloned().unwrap_or_default(), names.last().cloned().unwrap_or_default())
    };
    let rows = |from: u32, to: u32| (from.to_string(), to.to_string());

    for (query, (from, to)) in [
        ("page=1&page_size=10", (1, 10)),
        ("page=3&page_size=10", (21, 25)),
        ("limit=5", (1, 5)),
        ("offset=20", (21, 25)),
        ("limit=5&offset=10", (11, 15)),
        ("limit=x&offset=-3", (1, 25)),
        ("limit=4&offset=2&status=active,blocked", (3, 6)),
        ("limit=2&offset=3&status=active", (8, 10)),
    ] {
        let answer = get(query).await;
        assert_eq!(range(&answer), rows(from, to), "{query}");
        assert_eq!(answer.header("deprecation"), "@1767225600", "{query}");
        assert!(answer.json()["count"].is_null());
    }
    assert!(!get("").await.headers.contains_key("deprecation"));

    let middle = get("limit=5&offset=10&status=active,blocked&x=").await;
    let next = middle.next().unwrap();
    assert!(next.contains("&page_size=5&status=active%2Cblocked&") && next.contains("&x="), "{next}");
    assert!(!next.contains("limit") && !next.contains("offset"), "{next}");
    assert_eq!(range(&follow(Some(next)).await), rows(16, 20));
    assert_eq!(range(&follow(middle.previous()).await), rows(6, 10));
    assert_eq!(get("page=1&page_size=10").await.previous(), None);
    assert_eq!(get("page=3&page_size=10").await.next(), None);

    let beyond = get("offset=100&limit=10").await;
    assert_eq!((beyond.ids().len(), beyond.next()), (0, None));
    assert_eq!(range(&follow(beyond.previous()).await), rows(16, 25), "the way back begins at the last row");
    let nothing = get("offset=100&status=none").await;
    assert_eq!((nothing.next(), nothing.previous()), (None, None));

    for query in ["page=0", "page=x", "page=4&page_size=10", "page=2&status=none"] {
        get(query).await.refuses(404, "Invalid page.");
    }
    assert_eq!(get("page=1&status=none").await.ids().len(), 0);
    for query in [
        "page=201",
        "offset=9951",
        "page=1&limit=1",
        "page=1&offset=0",
        "page=1&cursor=x",
        "limit=1&cursor=x",
    ] {
        let answer = get(query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["detail"].is_string(), "{query}");
    }
}
