//! Cursors that nobody was given: an answer is defined, is never a 500, and never shows another tenant's row.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use migrations::Level;
use server::Variant;
use uuid::Uuid;

use crate::service::{Service, list};
use crate::world::{self, Customer, at};

#[tokio::test]
async fn no_cursor_breaks_the_server_or_shows_another_tenants_row() {
    let service = Service::at(Level::Indexed).await;
    let mut db = service.connection().await;
    let mine = world::workspace(&mut db, "mine").await;
    let theirs = world::workspace(&mut db, "theirs").await;
    let my_token = world::user(&mut db, "admin", None, &[mine]).await;
    let their_token = world::user(&mut db, "admin", None, &[theirs]).await;
    let mut my_ids = Vec::new();
    for minute in 0..9 {
        let created_at = at("2024-01-01T00:00:00Z") + Duration::minutes(minute);
        my_ids.push(Customer::of(mine, "mine", created_at).insert(&mut db).await);
        Customer::of(theirs, "theirs", created_at).insert(&mut db).await;
    }
    let origin = service.serve(Variant::Live).await;
    let given = |url: &str| {
        let (_, query) = url.split_once('?').unwrap();
        query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).unwrap().to_owned()
    };
    let my_page = service.get(&list(&origin, "workspace_id=mine&page_size=4"), &my_token).await;
    let their_page = service.get(&list(&origin, "workspace_id=theirs&page_size=4"), &their_token).await;
    let cursor = given(&my_page.next().unwrap());

    let get = async |cursor: &str| {
        let encoded: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        service
            .get(&list(&origin, &format!("workspace_id=mine&page_size=4&cursor={encoded}")), &my_token)
            .await
    };

    // Another tenant's cursor is only a place, and leads to my rows from there.
    let elsewhere = get(&given(&their_page.next().unwrap())).await;
    assert_eq!(elsewhere.ids().len(), 4);
    assert!(elsewhere.ids().iter().all(|id| my_ids.contains(id)));

    let place = |created_at: &str, direction: &str| {
        let id = Uuid::nil();
        URL_SAFE_NO_PAD
            .encode(format!(r#"{{"created_at":{created_at},"id":"{id}","direction":"{direction}"}}"#))
    };
    // Places far outside of all time are places too, where PostgreSQL has such a time.
    assert_eq!(get(&place("-1", "next")).await.ids().len(), 0);
    assert_eq!(get(&place("-1", "previous")).await.ids().len(), 4);
    assert_eq!(get(&place("-210866803200000000", "previous")).await.ids().len(), 4);
    assert_eq!(get(&place("8000000000000000000", "next")).await.ids().len(), 4);

    let mut refused = vec![
        "123".to_owned(),
        "zzzz".to_owned(),
        "!!!!".to_owned(),
        "é".to_owned(),
        "\0".to_owned(),
        format!("{cursor}\0"),
        format!("{cursor}="),
        format!(" {cursor}"),
        cursor.repeat(10),
        "A".repeat(5_000),
        "cD0yMDIzLTEyLTI1".to_owned(),
        "cj0x".to_owned(),
        place("1.5", "next"),
        place("null", "next"),
        place("\"2024-01-01\"", "next"),
        place("9223372036854775807", "next"),
        place("-9223372036854775808", "next"),
        place("-210866803200000001", "next"),
        place("1", "sideways"),
        URL_SAFE_NO_PAD.encode("[".repeat(300)),
    ];
    refused.extend((1..cursor.len()).map(|length| cursor[..length].to_owned()));
    for text in refused {
        get(&text).await.refuses(404, "Invalid cursor");
    }

    // Every single flipped bit: refused, or by chance a place again.
    for index in 0..cursor.len() {
        for bit in 0..7 {
            let mut bytes = cursor.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let answer = get(&String::from_utf8(bytes).unwrap()).await;
            match answer.status.as_u16() {
                200 => assert!(answer.ids().iter().all(|id| my_ids.contains(id))),
                404 => answer.refuses(404, "Invalid cursor"),
                other => panic!("{other}: {}", answer.text),
            }
        }
    }
}
