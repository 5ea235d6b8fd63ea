//! Walks by cursor: Django REST framework's own scenarios with stricter expectations, ties, edges and empty pages.

use chrono::Duration;
use migrations::Level;
use server::Variant;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::service::{Answer, Service, list};
use crate::world::{self, Customer, at};

/// The rows of DRF's `CursorPaginationTestsMixin`: `created` ascending, with ties.
const DRF_ROWS: [i64; 30] =
    [1, 1, 1, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 9, 9, 9, 9, 9, 9];

struct Walker {
    service: Service,
    db: PgConnection,
    workspace: Uuid,
    token: String,
    origin: String,
}

impl Walker {
    async fn new() -> Self {
        let service = Service::at(Level::Indexed).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        let token = world::user(&mut db, "admin", None, &[workspace]).await;
        let origin = service.serve(Variant::Live).await;
        Self { service, db, workspace, token, origin }
    }

    /// DRF's rows. Our list is newest first, so a greater value is older.
    async fn drf() -> Self {
        let mut walker = Self::new().await;
        for value in DRF_ROWS {
            walker.insert(value).await;
        }
        walker
    }

    async fn insert(&mut self, value: i64) -> Uuid {
        let created_at = at("2024-01-01T00:00:00Z") - Duration::microseconds(value);
        Customer::of(self.workspace, value.to_string(), created_at).insert(&mut self.db).await
    }

    async fn delete(&mut self, condition: &'static str) {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE customer SET is_deleted = true WHERE {condition}"));
        sqlx::query(sql).execute(&mut self.db).await.unwrap();
    }

    async fn first(&self, query: &str) -> Answer {
        self.follow(Some(list(&self.origin, &format!("workspace_id=one&{query}")))).await
    }

    async fn follow(&self, url: Option<String>) -> Answer {
        self.service.get(&url.expect("there is a link"), &self.token).await
    }

    /// All pages, by following `next`.
    async fn forward(&self, query: &str) -> Vec<Answer> {
        let mut pages = vec![self.first(query).await];
        while let Some(url) = pages.last().unwrap().next() {
            pages.push(self.follow(Some(url)).await);
        }
        pages
    }

    /// All pages above this one, by following `previous`; the nearest first.
    async fn backward(&self, from: &Answer) -> Vec<Answer> {
        let mut pages = Vec::new();
        let mut url = from.previous();
        while let Some(link) = url {
            let page = self.follow(Some(link)).await;
            url = page.previous();
            pages.push(page);
        }
        pages
    }
}

fn values(page: &Answer) -> String {
    page.names().concat()
}

#[tokio::test]
async fn forward_pages_are_those_of_django_rest_framework() {
    let walker = Walker::drf().await;
    let pages = walker.forward("page_size=5").await;
    let seen: Vec<String> = pages.iter().map(values).collect();
    assert_eq!(seen, ["11111", "12344", "44567", "77777", "77789", "99999"]);
    assert_eq!(pages[0].previous(), None);
    assert_eq!(pages[5].next(), None);
}

#[tokio::test]
async fn previous_of_each_page_is_the_page_before_it_without_paging_artifacts() {
    let walker = Walker::drf().await;
    let pages = walker.forward("page_size=5").await;
    for (before, page) in pages.iter().zip(&pages[1..]) {
        let back = walker.follow(page.previous()).await;
        assert_eq!(back.ids(), before.ids());
        assert_eq!(walker.follow(back.next()).await.ids(), page.ids());
    }
    assert_eq!(walker.follow(pages[1].previous()).await.previous(), None);
}

#[tokio::test]
async fn page_sizes_of_the_framework_give_its_pages() {
    let walker = Walker::drf().await;
    let sizes = |pages: Vec<Answer>| pages.iter().map(|page| page.ids().len()).collect::<Vec<_>>();
    assert_eq!(sizes(walker.forward("page_size=20").await), [20, 10]);
    assert_eq!(sizes(walker.forward("page_size=30").await), [30]);
    assert_eq!(sizes(walker.forward("page_size=0").await), [30]);
    assert_eq!(sizes(walker.forward("page_size=29").await), [29, 1]);
}

#[tokio::test]
async fn an_empty_page_at_the_end_links_back_to_all_that_remains() {
    let mut walker = Walker::drf().await;
    let pages = walker.forward("page_size=5").await;
    let to_the_end = pages[4].next();
    walker.delete("name = '9'").await;
    let empty = walker.follow(to_the_end).await;
    assert_eq!((empty.ids().len(), empty.next()), (0, None));
    // One 9 stood on the fifth page and is gone too, so the pages on the way back are cut at other rows.
    let back = walker.backward(&empty).await;
    assert_eq!(back.iter().map(values).collect::<Vec<_>>(), ["77778", "77777", "44456", "11234", "1111"]);
}

#[tokio::test]
async fn the_way_back_from_an_empty_page_is_not_blind_to_the_row_it_was_cut_at() {
    let mut walker = Walker::new().await;
    for value in 1..=4 {
        walker.insert(value).await;
    }
    let first = walker.first("page_size=2").await;
    walker.delete("name IN ('3', '4')").await;
    let empty = walker.follow(first.next()).await;
    assert_eq!((values(&empty).as_str(), empty.next()), ("", None));
    let back = walker.follow(empty.previous()).await;
    assert_eq!((values(&back).as_str(), back.previous(), back.next()), ("12", None, None));

    // The same upwards.
    walker.insert(5).await;
    let last = walker.follow(walker.first("page_size=2").await.next()).await;
    assert_eq!(values(&last), "5");
    walker.delete("name IN ('1', '2')").await;
    let empty = walker.follow(last.previous()).await;
    assert_eq!((values(&empty).as_str(), empty.previous()), ("", None));
    assert_eq!(values(&walker.follow(empty.next()).await), "5");

    // And when nothing is left at all, there is no way on.
    walker.delete("true").await;
    let nothing = walker.follow(empty.next()).await;
    assert_eq!((values(&nothing).as_str(), nothing.next(), nothing.previous()), ("", None, None));
}

#[tokio::test]
async fn links_are_null_exactly_when_nothing_lies_behind_them() {
    let mut walker = Walker::new().await;
    let empty = walker.first("").await;
    assert_eq!((empty.ids().len(), empty.next(), empty.previous()), (0, None, None));
    for value in 1..=4 {
        walker.insert(value).await;
    }
    let full = walker.first("page_size=4").await;
    assert_eq!((full.next(), full.previous()), (None, None), "exactly one page");
    let second = walker.follow(walker.first("page_size=2").await.next()).await;
    assert_eq!(second.next(), None, "exactly two pages");
    walker.delete("name IN ('1', '2')").await;
    let url = walker.first("page_size=1").await.next();
    assert_eq!(values(&walker.follow(url.clone()).await), "4");
    walker.delete("name = '3'").await;
    let page = walker.follow(url).await;
    assert_eq!((values(&page).as_str(), page.previous()), ("4", None), "the row before is gone");
}

#[tokio::test]
async fn thousands_of_equal_timestamps_are_walked_once_and_back() {
    let mut walker = Walker::new().await;
    world::fill(
        &mut walker.db,
        walker.workspace,
        "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
         SELECT $1, 'c' || g, '090', (ARRAY['active', 'blocked'])[1 + g % 2], 'hot', 'pending',
                timestamptz '2024-01-01Z' + CASE WHEN g > 2500 THEN g - 2500 ELSE 0 END * interval '1 microsecond'
           FROM generate_series(1, 2600) g",
    )
    .await;
    for (query, expected) in [
        ("page_size=100", 2600),
        ("page_size=97&status=active,blocked", 2600),
        ("page_size=200&status=blocked", 1300),
    ] {
        let pages = walker.forward(query).await;
        let forward: Vec<Uuid> = pages.iter().flat_map(Answer::ids).collect();
        let mut distinct = forward.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((forward.len(), distinct.len()), (expected, expected), "{query}");

        let last = pages.last().unwrap();
        let backward = walker.backward(last).await;
        let mut reversed: Vec<Uuid> = last.ids().into_iter().rev().collect();
        reversed.extend(backward.iter().flat_map(|page| page.ids().into_iter().rev()));
        reversed.reverse();
        assert_eq!(reversed, forward, "{query}");
    }
}

#[tokio::test]
async fn a_row_that_lives_through_the_walk_is_seen_once_whatever_changes_beside_it() {
    let mut walker = Walker::new().await;
    let mut lasting = Vec::new();
    for value in 1..=60 {
        let id = walker.insert(value / 7 * 10).await;
        if value % 3 != 0 {
            lasting.push(id);
        } else {
            sqlx::query("UPDATE customer SET carrier = 'doomed' WHERE id = $1")
                .bind(id)
                .execute(&mut walker.db)
                .await
                .unwrap();
        }
    }
    let mut seen = Vec::new();
    let mut page = walker.first("page_size=4").await;
    loop {
        seen.extend(page.ids());
        let Some(next) = page.next() else { break };
        // Newer rows, rows at the very timestamp of the boundary, and the boundary itself gone.
        let boundary = *page.ids().last().unwrap();
        walker.insert(-1).await;
        sqlx::query(
            "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, created_at)
             SELECT workspace_id, 'new', '090', 'active', 'hot', 'pending', created_at FROM customer WHERE id = $1",
        )
        .bind(boundary)
        .execute(&mut walker.db)
        .await
        .unwrap();
        sqlx::query("DELETE FROM customer WHERE id = $1 AND carrier = 'doomed'")
            .bind(boundary)
            .execute(&mut walker.db)
            .await
            .unwrap();
        sqlx::query("UPDATE customer SET status = 'blocked', updated_at = now() WHERE id = $1")
            .bind(boundary)
            .execute(&mut walker.db)
            .await
            .unwrap();
        page = walker.follow(Some(next)).await;
    }
    for id in lasting {
        assert_eq!(seen.iter().filter(|one| **one == id).count(), 1, "{id}");
    }
}

#[tokio::test]
async fn the_page_size_may_change_in_the_middle_of_a_walk() {
    let walker = Walker::drf().await;
    let second = walker.first("page_size=5").await.next().unwrap().replace("page_size=5", "page_size=7");
    assert_eq!(values(&walker.follow(Some(second)).await), "1234444");
}
