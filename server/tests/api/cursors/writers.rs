//! A walk forward and back while others insert, delete and update between its requests, over thousands of customers of
//! the very same time, under filters, and with a page size that changes on the way.

use std::collections::HashSet;
use std::fmt::Debug;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::walker::{SUBJECTS, Walker};
use crate::service::{Answer, list};
use crate::world;

/// Filters beside what they mean.
const FILTERS: [(&str, &str); 7] = [
    ("", "true"),
    ("&status=active", "status = 'active'"),
    ("&status__neq=active", "status <> 'active'"),
    ("&quality=hot,cold", "quality IN ('hot', 'cold')"),
    ("&status=active&quality__neq=hot", "status = 'active' AND quality <> 'hot'"),
    ("&duration__gte=50", "duration >= 50"),
    ("&other_attributes=n=1&is_test=false", "other_attributes ->> 'n' = '1' AND NOT is_test"),
];

/// 300 customers that are newer than all others, `$2` of the very same time, and 300 older ones. The `lasting` ones stay
/// as they are, the `doomed` are there to be changed. `$3`: whether any last before and behind the ties too.
const ROWS: &str = "
    INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, duration, other_attributes, created_at)
    SELECT $1, 'c' || g, CASE WHEN g % 2 = 0 AND ($3 OR g BETWEEN 301 AND 300 + $2) THEN 'lasting' ELSE 'doomed' END,
           (ARRAY['active', 'active', 'blocked'])[1 + (g / 2) % 3], (ARRAY['hot', 'warm', 'cold', 'dead', ''])[1 + (g / 2) % 5],
           'pending', (g / 2) % 100, jsonb_build_object('n', (g / 2) % 3),
           timestamptz '2024-01-01Z' - (greatest(g - 300 - $2, 0) + least(g - 300, 0)) * interval '1 millisecond'
      FROM generate_series(1, 600 + $2) g";

/// Where new customers stand.
#[derive(Debug, Clone, Copy)]
enum Where {
    Top,
    /// At the very time of the last row that was shown.
    Boundary,
    Bottom,
}

/// What others do between two requests; all but `Touch` leaves the lasting customers alone.
#[derive(Debug, Clone, Copy)]
enum Write {
    Insert(Where),
    /// The last row that was shown goes.
    Lose,
    /// One in six goes, for good or softly.
    Delete(u32, bool),
    /// One in five leaves the filters that it passes, and passes others.
    Toggle(u32),
    /// One in seven moves to another time.
    Move(u32),
    /// What neither the order nor a filter looks at, on all customers.
    Touch(u32),
}

impl Write {
    async fn apply(self, db: &mut PgConnection, workspace: Uuid, boundary: Option<Row>) {
        let doomed = |seed: u32, one_in: u32| {
            format!(
                "WHERE workspace_id = $1 AND phone = 'doomed' AND hashtext(id::text || {seed}) % {one_in} = 0"
            )
        };
        let boundary = boundary.unwrap_or((DateTime::UNIX_EPOCH, Uuid::nil()));
        let sql = match self {
            Self::Insert(place) => format!(
                "INSERT INTO customer (workspace_id, name, phone, status, quality, call_status, duration,
                                       other_attributes, created_at)
                 SELECT $1, 'new', 'doomed', (ARRAY['active', 'blocked'])[1 + g % 2],
                        (ARRAY['hot', 'warm', 'cold'])[1 + g % 3], 'pending', g * 20, '{{\"n\": 1}}',
                        {} FROM generate_series(1, 6) g",
                match place {
                    Where::Top => "timestamptz '2024-06-01Z' + g % 3 * interval '1 day'",
                    Where::Boundary => "$2",
                    Where::Bottom => "timestamptz '2023-06-01Z' - g % 3 * interval '1 day'",
                }
            ),
            Self::Lose => {
                "DELETE FROM customer WHERE workspace_id = $1 AND phone = 'doomed' AND id = $3".to_owned()
            }
            Self::Delete(seed, true) => {
                format!("UPDATE customer SET is_deleted = true, deleted_at = now() {}", doomed(seed, 6))
            }
            Self::Delete(seed, false) => format!("DELETE FROM customer {}", doomed(seed, 6)),
            Self::Toggle(seed) => format!(
                "UPDATE customer SET status = CASE status WHEN 'active' THEN 'blocked' ELSE 'active' END,
                                     quality = CASE quality WHEN 'hot' THEN 'warm' ELSE 'hot' END,
                                     duration = 100 - duration, is_test = NOT is_test {}",
                doomed(seed, 5)
            ),
            Self::Move(seed) => format!(
                "UPDATE customer SET created_at = created_at + hashtext(name) % 9 * interval '1 minute' {}",
                doomed(seed, 7)
            ),
            Self::Touch(seed) => format!(
                "UPDATE customer SET email = 'e' || {seed}, checked = NOT checked, updated_at = now()
                  WHERE workspace_id = $1 AND hashtext(id::text || {seed}) % 3 = 0"
            ),
        };
        // Not every statement names all three; PostgreSQL wants to know the types of those that it is given.
        let sql = format!("WITH given AS (SELECT $1::uuid, $2::timestamptz, $3::uuid) {sql}");
        sqlx::query(AssertSqlSafe(sql))
            .bind(workspace)
            .bind(boundary.0)
            .bind(boundary.1)
            .execute(db)
            .await
            .unwrap();
    }
}

/// A walk, and what happens beside it: before each request, some writes, and the size of the next page.
#[derive(Debug, Clone)]
struct Plan {
    ties: i32,
    /// Whether customers last before and behind the ties too.
    edges_last: bool,
    /// Whether the rest of the list goes when none of the lasting customers is ahead any more.
    rest_goes: bool,
    filter: usize,
    steps: Vec<(Vec<Write>, u32)>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let write = prop_oneof![
        prop::sample::select(vec![Where::Top, Where::Boundary, Where::Bottom]).prop_map(Write::Insert),
        Just(Write::Lose),
        (any::<u32>(), any::<bool>()).prop_map(|(seed, is_soft)| Write::Delete(seed, is_soft)),
        any::<u32>().prop_map(Write::Toggle),
        any::<u32>().prop_map(Write::Move),
        any::<u32>().prop_map(Write::Touch),
    ];
    let steps = prop::collection::vec((prop::collection::vec(write, 0..3), 60..=200_u32), 1..50);
    (1_000..2_500_i32, any::<bool>(), any::<bool>(), 0..FILTERS.len(), steps).prop_map(
        |(ties, edges_last, rest_goes, filter, steps)| Plan { ties, edges_last, rest_goes, filter, steps },
    )
}

/// A row by its keys: the greater, the nearer to the top of the list.
type Row = (DateTime<Utc>, Uuid);

fn rows(page: &Answer) -> Vec<Row> {
    page.results()
        .iter()
        .map(|row| {
            (
                row["created_at"].as_str().unwrap().parse().unwrap(),
                row["id"].as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

fn same<T: Copy + PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), TestCaseError> {
    prop_assert!(found == expected, "{what}: {found:?} instead of {expected:?}");
    Ok(())
}

/// A plan that is carried out, in a workspace of its own.
struct Route<'w> {
    walker: &'w mut Walker,
    workspace: Uuid,
    /// What the filter means.
    condition: &'static str,
    rest_goes: bool,
    steps: std::vec::IntoIter<(Vec<Write>, u32)>,
    empty_pages: usize,
}

impl Route<'_> {
    /// The customer that passes this and stands nearest beyond a row, on the side that the comparison names.
    async fn nearest(&mut self, condition: &str, comparison: &str, from: Row) -> Option<Row> {
        let order = if comparison == "<" { "DESC" } else { "ASC" };
        let sql = format!(
            "SELECT created_at, id FROM customer
              WHERE workspace_id = $1 AND NOT is_deleted AND {condition} AND (created_at, id) {comparison} ($2, $3)
              ORDER BY created_at {order}, id {order} LIMIT 1"
        );
        sqlx::query_as(AssertSqlSafe(sql))
            .bind(self.workspace)
            .bind(from.0)
            .bind(from.1)
            .fetch_optional(&mut self.walker.db)
            .await
            .unwrap()
    }

    /// The links of a page, against what lies behind them.
    async fn judge(&mut self, page: &Answer, shown: &[Row], is_down: bool) -> Result<(), TestCaseError> {
        if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
            let follows = self.nearest(self.condition, "<", *last).await.is_some();
            same("a row follows", page.next().is_some(), follows)?;
            let precedes = self.nearest(self.condition, ">", *first).await.is_some();
            return same("a row precedes", page.previous().is_some(), precedes);
        }
        // All that there is lies on the side that the walk came from, and its end is the first thing on the way back.
        self.empty_pages += 1;
        let (onward, back) =
            if is_down { (page.next(), page.previous()) } else { (page.previous(), page.next()) };
        same("an empty page leads on", onward.is_some(), false)?;
        let end = if is_down {
            self.nearest(self.condition, ">", (DateTime::UNIX_EPOCH, Uuid::nil())).await
        } else {
            self.nearest(self.condition, "<", (DateTime::<Utc>::MAX_UTC, Uuid::max())).await
        };
        same("an empty page leads back", back.is_some(), end.is_some())?;
        let Some(back) = back else { return Ok(()) };
        let shown = rows(&self.walker.follow(Some(back)).await);
        same("the way back begins at", if is_down { shown.last() } else { shown.first() }.copied(), end)
    }

    /// Walks down or up from a page, which was judged on the way to it. Gives the rows that were seen, page by page, and
    /// the last page.
    async fn walk(
        &mut self,
        mut page: Answer,
        is_down: bool,
    ) -> Result<(Vec<Vec<Row>>, Answer), TestCaseError> {
        let lasting = format!("{} AND phone = 'lasting'", self.condition);
        let ahead = if is_down { "<" } else { ">" };
        let mut pages = vec![rows(&page)];
        while let Some(onward) = if is_down { page.next() } else { page.previous() } {
            let shown = &pages[pages.len() - 1];
            let edge = if is_down { shown.last() } else { shown.first() }.copied();
            let (writes, page_size) = self.steps.next().unwrap_or((Vec::new(), 150));
            for write in writes {
                write.apply(&mut self.walker.db, self.workspace, edge).await;
            }
            if let Some(edge) = edge.filter(|_| self.rest_goes)
                && self.nearest(&lasting, ahead, edge).await.is_none()
            {
                self.lose_all(ahead, edge).await;
            }
            page = self.walker.follow(Some(resized(&onward, page_size))).await;
            let shown = rows(&page);
            self.judge(&page, &shown, is_down).await?;
            pages.push(shown);
        }
        Ok((pages, page))
    }

    /// All that may go on one side of a row goes.
    async fn lose_all(&mut self, comparison: &str, (created_at, id): Row) {
        let sql = format!(
            "UPDATE customer SET is_deleted = true
              WHERE workspace_id = $1 AND phone = 'doomed' AND (created_at, id) {comparison} ($2, $3)"
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(self.workspace)
            .bind(created_at)
            .bind(id)
            .execute(&mut self.walker.db)
            .await
            .unwrap();
    }
}

/// Carries out a plan, and counts the empty pages that it came to.
async fn carry_out(walker: &mut Walker, plan: &Plan) -> Result<usize, TestCaseError> {
    let workspace = world::workspace(&mut walker.db, &Uuid::new_v4().to_string()).await;
    walker.token = world::user(&mut walker.db, "admin", None, &[workspace]).await;
    sqlx::query(ROWS)
        .bind(workspace)
        .bind(plan.ties)
        .bind(plan.edges_last)
        .execute(&mut walker.db)
        .await
        .unwrap();
    let (query, condition) = FILTERS[plan.filter];
    let lasting: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(format!(
        "SELECT id FROM customer WHERE workspace_id = $1 AND {condition} AND phone = 'lasting'"
    )))
    .bind(workspace)
    .fetch_all(&mut walker.db)
    .await
    .unwrap();
    prop_assert!(lasting.len() > 50, "only {} customers last", lasting.len());

    let first = list(&walker.origin, &format!("workspace_id={workspace}&page_size=100{query}"));
    let first = walker.follow(Some(first)).await;
    let steps = plan.steps.clone().into_iter();
    let mut route = Route { walker, workspace, condition, rest_goes: plan.rest_goes, steps, empty_pages: 0 };
    route.judge(&first, &rows(&first), true).await?;
    let (down, last) = route.walk(first, true).await?;
    seen_once("down", &down.concat(), &lasting)?;
    let (mut up, _) = route.walk(last, false).await?;
    up.reverse();
    seen_once("up", &up.concat(), &lasting)?;
    Ok(route.empty_pages)
}

/// The link with another size of the page.
fn resized(link: &str, page_size: u32) -> String {
    let (before, rest) = link.split_once("page_size=").unwrap();
    let rest = rest.trim_start_matches(|character: char| character.is_ascii_digit());
    format!("{before}page_size={page_size}{rest}")
}

/// The rows of a walk are in order, none of them twice, and each of the lasting customers is among them.
fn seen_once(way: &str, seen: &[Row], lasting: &[Uuid]) -> Result<(), TestCaseError> {
    prop_assert!(seen.is_sorted_by(|one, other| one > other), "the way {way} is out of order");
    let ids: HashSet<&Uuid> = seen.iter().map(|(_, id)| id).collect();
    let missed = lasting.iter().filter(|id| !ids.contains(id)).count();
    same(&format!("customers that last and were not seen on the way {way}"), missed, 0)
}

#[test]
fn a_row_that_lives_through_the_walk_is_seen_once_whatever_is_written_beside_it() {
    let runtime = Runtime::new().unwrap();
    for subject in SUBJECTS {
        let walker = std::cell::RefCell::new(runtime.block_on(Walker::new(subject)));
        let empty_pages = std::cell::Cell::new(0);
        let config =
            Config { cases: 16, failure_persistence: None, max_shrink_iters: 60, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        runner
            .run(&plans(), |plan| {
                let empty = runtime.block_on(carry_out(&mut walker.borrow_mut(), &plan))?;
                empty_pages.set(empty_pages.get() + empty);
                Ok(())
            })
            .unwrap_or_else(|wrong| panic!("{subject:?}: {wrong}"));
        assert!(empty_pages.get() >= 3, "only {} empty pages were met", empty_pages.get());
    }
}
