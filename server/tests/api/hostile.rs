//! Cursors that nobody was given: the answer is defined, is never a 500, and never shows another tenant's row.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use migrations::Level;
use server::Variant;
use uuid::Uuid;

use crate::cursors::SUBJECTS;
use crate::service::{Answer, Service, list};
use crate::world::{self, Customer, at};

/// Two workspaces with nine customers each, at the same times.
struct Neighbours {
    service: Service,
    origin: String,
    token: String,
    their_token: String,
    my_ids: Vec<Uuid>,
    their_ids: Vec<Uuid>,
}

impl Neighbours {
    async fn new((level, variant): (Level, Variant)) -> Self {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let mine = world::workspace(&mut db, "mine").await;
        let theirs = world::workspace(&mut db, "theirs").await;
        let token = world::user(&mut db, "admin", None, &[mine]).await;
        let their_token = world::user(&mut db, "admin", None, &[theirs]).await;
        let (mut my_ids, mut their_ids) = (Vec::new(), Vec::new());
        for minute in 0..9 {
            let created_at = at("2024-01-01T00:00:00Z") + Duration::minutes(minute);
            my_ids.push(Customer::of(mine, "mine", created_at).insert(&mut db).await);
            their_ids.push(Customer::of(theirs, "theirs", created_at).insert(&mut db).await);
        }
        let origin = service.serve(variant).await;
        Self { service, origin, token, their_token, my_ids, their_ids }
    }

    /// My list with these parameters, which are sent as they are.
    async fn raw(&self, query: &str) -> Answer {
        let url = list(&self.origin, &format!("workspace_id=mine&page_size=4&{query}"));
        self.service.get(&url, &self.token).await
    }

    /// My list with this cursor.
    async fn get(&self, cursor: &str) -> Answer {
        let encoded: String = form_urlencoded::byte_serialize(cursor.as_bytes()).collect();
        self.raw(&format!("cursor={encoded}")).await
    }

    /// A good cursor.
    async fn cursor(&self) -> String {
        cursor_of(&self.raw("").await)
    }

    fn are_mine(&self, page: &Answer) -> bool {
        page.ids().iter().all(|id| self.my_ids.contains(id))
    }
}

/// The cursor in the link to the next page.
fn cursor_of(page: &Answer) -> String {
    let link = page.next().expect("there is a next page");
    let (_, query) = link.split_once('?').unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix("cursor=")).unwrap().to_owned()
}

fn place(created_at: impl std::fmt::Display, id: Uuid, direction: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(r#"{{"created_at":{created_at},"id":"{id}","direction":"{direction}"}}"#))
}

#[tokio::test]
async fn another_tenants_cursor_is_only_a_place() {
    for subject in SUBJECTS {
        let neighbours = Neighbours::new(subject).await;
        let theirs = list(&neighbours.origin, "workspace_id=theirs&page_size=4");
        let theirs = neighbours.service.get(&theirs, &neighbours.their_token).await;
        let page = neighbours.get(&cursor_of(&theirs)).await;
        assert_eq!((page.ids().len(), neighbours.are_mine(&page)), (4, true));

        // Also one that names a row of theirs, at the very time of one of mine, and includes it.
        for direction in ["next", "previous"] {
            let created_at = at("2024-01-01T00:04:00Z").timestamp_micros();
            let named = format!(
                r#"{{"created_at":{created_at},"id":"{}","direction":"{direction}","inclusive":true}}"#,
                neighbours.their_ids[4]
            );
            let page = neighbours.get(&URL_SAFE_NO_PAD.encode(named)).await;
            assert_eq!((page.ids().len(), neighbours.are_mine(&page)), (4, true));
        }

        // A cursor is no pass: who may not read a workspace is told so before anybody looks at it.
        for cursor in [neighbours.cursor().await, "x".to_owned()] {
            let url = list(&neighbours.origin, &format!("workspace_id=theirs&cursor={cursor}"));
            let refused = neighbours.service.get(&url, &neighbours.token).await;
            refused.refuses(403, "You do not have permission to perform this action.");
        }
    }
}

#[tokio::test]
async fn places_far_outside_of_all_time_are_places_where_postgresql_has_such_a_time() {
    for subject in SUBJECTS {
        let neighbours = Neighbours::new(subject).await;
        for id in [Uuid::nil(), Uuid::max()] {
            for (created_at, direction, rows) in [
                ("-1", "next", 0),
                ("-1", "previous", 4),
                ("0", "previous", 4),
                ("-210866803200000000", "next", 0),
                ("-210866803200000000", "previous", 4),
                ("8000000000000000000", "next", 4),
                ("8000000000000000000", "previous", 0),
            ] {
                let page = neighbours.get(&place(created_at, id, direction)).await;
                assert_eq!(page.ids().len(), rows, "{subject:?}: {created_at} {direction}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_cursor_is_not_found() {
    for subject in SUBJECTS {
        let neighbours = Neighbours::new(subject).await;
        let cursor = neighbours.cursor().await;
        let id = Uuid::nil();
        let mut refused = vec![
            "123".to_owned(),
            "zzzz".to_owned(),
            "!!!!".to_owned(),
            "é".to_owned(),
            "\0".to_owned(),
            format!("{cursor}\0"),
            format!("{cursor}="),
            format!(" {cursor}"),
            format!("{cursor}{cursor}"),
            cursor.repeat(10),
            "A".repeat(512),
            "A".repeat(513),
            "A".repeat(50_000),
            // Cursors of the framework.
            "cD0yMDIzLTEyLTI1".to_owned(),
            "cj0x".to_owned(),
            place("1.5", id, "next"),
            place("null", id, "next"),
            place("\"2024-01-01\"", id, "next"),
            place("9223372036854775807", id, "next"),
            place("-9223372036854775808", id, "next"),
            place("-210866803200000001", id, "next"),
            place("1e3", id, "next"),
            place("1", id, "sideways"),
            place("1,\"created_at\":2", id, "next"),
            URL_SAFE_NO_PAD.encode("[".repeat(300)),
            URL_SAFE_NO_PAD.encode([0xff, 0xfe, 0x00]),
        ];
        refused.extend((1..cursor.len()).map(|length| cursor[..length].to_owned()));
        for text in refused {
            neighbours.get(&text).await.refuses(404, "Invalid cursor");
        }
        // Bytes that are no text become replacement characters, which no cursor has.
        for raw in ["%FF%FE", "%C3", "%ED%A0%80", "%00", "%", "%zz", "+", "%20"] {
            neighbours.raw(&format!("cursor={raw}")).await.refuses(404, "Invalid cursor");
        }
        neighbours.raw(&format!("cursor={cursor}%FF")).await.refuses(404, "Invalid cursor");
    }
}

#[tokio::test]
async fn every_flipped_bit_is_refused_or_by_chance_a_place() {
    for subject in SUBJECTS {
        let neighbours = Neighbours::new(subject).await;
        let cursor = neighbours.cursor().await;
        for index in 0..cursor.len() {
            for bit in 0..7 {
                let mut bytes = cursor.clone().into_bytes();
                bytes[index] ^= 1 << bit;
                let answer = neighbours.get(&String::from_utf8(bytes).unwrap()).await;
                match answer.status.as_u16() {
                    200 => assert!(neighbours.are_mine(&answer)),
                    404 => answer.refuses(404, "Invalid cursor"),
                    other => panic!("{other}: {}", answer.text),
                }
            }
        }
    }
}

#[tokio::test]
async fn the_last_of_several_cursors_counts_and_under_other_filters_it_is_the_same_place() {
    for subject in SUBJECTS {
        let neighbours = Neighbours::new(subject).await;
        let cursor = neighbours.cursor().await;
        let first = neighbours.raw("").await.ids();
        let second = neighbours.get(&cursor).await.ids();
        assert!(first.iter().all(|id| !second.contains(id)));
        for (query, ids) in [
            (format!("cursor=nonsense&cursor={cursor}"), &second),
            (format!("cursor=&cursor=%00&cursor={cursor}"), &second),
            (format!("cursor={cursor}&cursor="), &first),
            (format!("cursor={cursor}&status=active"), &second),
            (format!("cursor={cursor}&status=active&quality__neq=dead"), &second),
            (format!("cursor={cursor}&status=blocked"), &Vec::new()),
        ] {
            assert_eq!(neighbours.raw(&query).await.ids(), *ids, "{subject:?}: {query}");
        }
        let last_is_bad = neighbours.raw(&format!("cursor={cursor}&cursor=nonsense")).await;
        last_is_bad.refuses(404, "Invalid cursor");
    }
}
