//! Matches at both ends of a list that is longer than anything looks at in its order: what is found near and what is
//! found far must make one walk.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::oracle::{self, Meaning};
use crate::cursors::SUBJECTS;
use crate::service::{Answer, Service, list};
use crate::world;

/// Of 64,000 customers the 30 newest, the 45 oldest and three in the middle pass the filters of the test, and all are one
/// employee's. Four of them share each moment. By `duration` the three in the middle don't pass, so that the ends are
/// further apart than any walk of the order reaches.
const ROWS: &str = "
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, carrier, duration, other_attributes,
                          employee_id, created_at)
    SELECT $1, 'c' || g, '', CASE WHEN x.is_match OR g % 2 = 0 THEN 'active' ELSE 'blocked' END,
           CASE WHEN x.is_match OR g % 2 = 1 THEN 'hot' ELSE 'cold' END, 'pending',
           CASE WHEN x.is_match THEN 'rare' END, CASE WHEN x.is_match AND g NOT BETWEEN 11000 AND 12001 THEN 7 ELSE 500 END,
           CASE WHEN x.is_match THEN '{\"city\": \"Huế\"}' ELSE '{\"city\": \"Hà Nội\"}' END::jsonb,
           (SELECT id FROM employee WHERE workspace_id = $1),
           timestamptz '2024-01-01Z' - (g / 4) * interval '1 minute'
      FROM generate_series(1, 64000) g,
           LATERAL (SELECT g <= 30 OR g > 64000 - 45 OR g IN (11000, 12000, 12001)) AS x (is_match)";

type Place = (DateTime<Utc>, Uuid);

/// Somebody who asks for one filtered list, and what it holds.
struct Asker<'s> {
    service: &'s Service,
    origin: &'s str,
    token: &'s str,
    filters: &'s str,
    expected: Vec<Uuid>,
}

impl Asker<'_> {
    async fn get(&self, query: &str) -> Answer {
        let url = list(self.origin, &format!("workspace_id=one&{query}&{}", self.filters));
        self.service.get(&url, self.token).await
    }

    async fn walks(&self, page_size: usize) {
        let mut page = self.get(&format!("page_size={page_size}")).await;
        let mut found = page.ids();
        while let Some(next) = page.next() {
            page = self.service.get(&next, self.token).await;
            found.extend(page.ids());
        }
        assert_eq!(found, self.expected, "forward, {page_size} of {}", self.filters);
        let mut found = page.ids();
        while let Some(previous) = page.previous() {
            page = self.service.get(&previous, self.token).await;
            found.splice(0..0, page.ids());
        }
        assert_eq!(found, self.expected, "back, {page_size} of {}", self.filters);
    }

    /// As old clients do.
    async fn leaves_out(&self, offset: usize) {
        let page = self.get(&format!("limit=10&offset={offset}")).await;
        let wanted: Vec<Uuid> = self.expected.iter().skip(offset).take(10).copied().collect();
        assert_eq!(page.ids(), wanted, "from {offset} of {}", self.filters);
        let matches = self.expected.len();
        let links = (page.previous().is_some(), page.next().is_some());
        assert_eq!(
            links,
            (offset > 0 && matches > 0, offset + 10 < matches),
            "from {offset} of {}",
            self.filters
        );
    }

    /// From a place where nobody stands who passes: what is shown are these, and all others are behind.
    async fn begins_at(&self, (created_at, id): Place, direction: &str, shown: &[Uuid]) {
        let created_at = created_at.timestamp_micros();
        let cursor = format!(r#"{{"created_at":{created_at},"id":"{id}","direction":"{direction}"}}"#);
        let page = self.get(&format!("page_size=50&cursor={}", URL_SAFE_NO_PAD.encode(cursor))).await;
        assert_eq!(page.ids(), shown, "{direction} of {}", self.filters);
        let is_more = !self.expected.is_empty();
        let links = (page.previous().is_some(), page.next().is_some());
        let wanted = if direction == "next" { (is_more, false) } else { (false, is_more) };
        assert_eq!(links, wanted, "{direction} of {}", self.filters);
    }
}

async fn place(db: &mut PgConnection, name: &str) -> Place {
    sqlx::query_as("SELECT created_at, id FROM customer WHERE name = $1")
        .bind(name)
        .fetch_one(db)
        .await
        .unwrap()
}

/// The label that all matches have.
async fn label(db: &mut PgConnection, workspace: Uuid) -> Uuid {
    sqlx::query_scalar(
        "WITH label AS (INSERT INTO label (workspace_id, name) VALUES ($1, 'rare') RETURNING id),
              given AS (INSERT INTO customer_label SELECT c.id, label.id FROM customer c, label WHERE c.carrier = 'rare')
         SELECT id FROM label",
    )
    .bind(workspace)
    .fetch_one(db)
    .await
    .unwrap()
}

/// Filters, what they mean, and how many pass.
fn filters(label: Uuid) -> Vec<(String, Vec<Meaning>, usize)> {
    let one_of = |column, value: &str| Meaning::OneOf(column, vec![value.to_owned()]);
    let (active, has_label) = (one_of("status", "active"), Meaning::AnyLabel(vec![label]));
    let city = Meaning::Attribute("city".to_owned(), "Huế".to_owned());
    let of_both = vec![has_label.clone(), city.clone()];
    [
        ("status=active&quality=hot", vec![active.clone(), one_of("quality", "hot")], 78),
        ("carrier=rare", vec![one_of("carrier", "rare")], 78),
        ("duration__lt=8&is_test=0", vec![Meaning::Duration("<", "8")], 75),
        (&format!("labels__id={label}"), vec![has_label.clone()], 78),
        (&format!("labels__id={label}&status=active"), vec![active.clone(), has_label], 78),
        ("other_attributes=city=Huế", vec![city], 78),
        (&format!("labels__id={label}&other_attributes=city=Huế"), of_both, 78),
        ("duration__gt=500&status=active", vec![active, Meaning::Duration(">", "500")], 0),
    ]
    .map(|(query, meanings, matches)| (query.to_owned(), meanings, matches))
    .into()
}

#[tokio::test]
async fn matches_at_both_ends_of_a_long_list_make_one_walk() {
    for (level, variant) in SUBJECTS {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let workspace = world::workspace(&mut db, "one").await;
        let employee = world::employee(&mut db, workspace, "e").await;
        world::fill(&mut db, workspace, ROWS).await;
        let label = label(&mut db, workspace).await;
        sqlx::raw_sql("VACUUM (ANALYZE) customer").execute(&mut db).await.unwrap();
        let manager = world::user(&mut db, "manager", None, &[workspace]).await;
        let assigned = world::user(&mut db, "employee", Some(employee), &[workspace]).await;
        let origin = service.serve(variant).await;
        let (behind_near, before_far) = (place(&mut db, "c40").await, place(&mut db, "c63950").await);

        for (filters, meanings, matches) in filters(label) {
            for (token, employee) in [(&manager, None), (&assigned, Some(employee))] {
                let expected = oracle::ids(&mut db, workspace, employee, &meanings).await;
                assert_eq!(expected.len(), matches, "{filters}");
                let asker = Asker { service: &service, origin: &origin, token, filters: &filters, expected };
                // Pages that end before the near matches do, with them, behind them, and at the very end.
                for page_size in [7, 30, 31, 100] {
                    asker.walks(page_size).await;
                }
                for offset in [0, 25, 30, 60, 78] {
                    asker.leaves_out(offset).await;
                }
                let (near, far) = (matches.min(30), matches.saturating_sub(45));
                asker.begins_at(behind_near, "previous", &asker.expected[..near]).await;
                asker.begins_at(before_far, "next", &asker.expected[far..]).await;
            }
        }
    }
}
