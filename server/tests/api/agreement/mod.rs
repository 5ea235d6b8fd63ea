//! Every variant, at every level that it is measured on, against a third, plain wording of the contract: on random rows
//! with everything that goes wrong, under every filter alone, in pairs and in threes, for both kinds of members, forward
//! and back.

mod far;
mod oracle;
mod rows;
mod samples;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use migrations::Level;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::Value;
use server::Variant;
use sqlx::PgConnection;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use uuid::Uuid;

use self::oracle::{Meaning, plain};
use self::rows::ROWS;
use self::samples::{Sample, samples};
use crate::service::{Answer, Service, list};
use crate::world;

/// The most pages of a walk: where there are more customers, pages are larger than asked for.
const PAGES: usize = 5;

/// Servers over one database, and what they must answer.
struct Arena {
    service: Service,
    db: Mutex<PgConnection>,
    servers: Vec<(Variant, String)>,
    workspaces: Vec<Uuid>,
    /// A manager of all workspaces, and in each the employee with most customers.
    manager: String,
    employees: Vec<(Uuid, String)>,
    /// What each customer looks like.
    customers: BTreeMap<Uuid, Value>,
    samples: Vec<Sample>,
}

/// A list that somebody asks for.
#[derive(Debug, Clone)]
struct Case {
    workspace: usize,
    is_employee: bool,
    page_size: usize,
    filters: Vec<Sample>,
}

impl Arena {
    async fn new(level: Level, variants: &[Variant]) -> Self {
        let service = Service::at(level).await;
        let mut db = service.connection().await;
        let mut workspaces = Vec::new();
        for slug in ["one", "two", "three"] {
            workspaces.push(world::workspace(&mut db, slug).await);
        }
        sqlx::raw_sql(ROWS).execute(&mut db).await.unwrap();
        let manager = world::user(&mut db, "manager", None, &workspaces).await;
        let (mut employees, mut customers) = (Vec::new(), BTreeMap::new());
        for workspace in &workspaces {
            let employee: Uuid = sqlx::query_scalar(
                "SELECT employee_id FROM customer WHERE workspace_id = $1 AND NOT is_deleted AND employee_id IS NOT NULL
                  GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
            )
            .bind(workspace)
            .fetch_one(&mut db)
            .await
            .unwrap();
            employees.push((employee, world::user(&mut db, "employee", Some(employee), &[*workspace]).await));
            customers.extend(oracle::customers(&mut db, *workspace).await);
        }
        let samples = samples(&mut db, workspaces[0], workspaces[1]).await;
        let mut servers = Vec::new();
        for variant in variants {
            servers.push((*variant, service.serve(*variant).await));
        }
        Self { service, db: Mutex::new(db), servers, workspaces, manager, employees, customers, samples }
    }

    /// Walks the list forward and back on every server, and says where one of them is wrong, or how many customers it has.
    async fn check(&self, case: &Case) -> Result<usize, String> {
        let (employee, token) = match &self.employees[case.workspace] {
            (employee, token) if case.is_employee => (Some(*employee), token),
            _ => (None, &self.manager),
        };
        let workspace = self.workspaces[case.workspace];
        let meanings: Vec<Meaning> = case.filters.iter().map(|filter| filter.meaning.clone()).collect();
        let expected = oracle::ids(&mut *self.db.lock().await, workspace, employee, &meanings).await;

        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("workspace_id", &workspace.to_string());
        let page_size = case.page_size.max(expected.len().div_ceil(PAGES));
        query.append_pair("page_size", &page_size.to_string());
        query.extend_pairs(case.filters.iter().map(|filter| (filter.name, &filter.text)));
        let query = query.finish();
        for (variant, origin) in &self.servers {
            self.walk(*variant, list(origin, &query), token, &expected)
                .await
                .map_err(|wrong| format!("{variant}: {wrong}\n  of {query}"))?;
        }
        Ok(expected.len())
    }

    async fn walk(
        &self,
        variant: Variant,
        first: String,
        token: &str,
        expected: &[Uuid],
    ) -> Result<(), String> {
        let get = async |url: String| {
            // Strict, so that a parameter that nobody knows can't pass for one that filters nothing.
            let answer =
                self.service.send(Method::GET, &url, Some(token), &[("prefer", "handling=strict")]).await;
            if answer.status == 200 { Ok(answer) } else { Err(format!("{}: {}", answer.status, answer.text)) }
        };
        let mut page = get(first).await?;
        if page.previous().is_some() {
            return Err("there is a page before the first".to_owned());
        }
        let mut found = Vec::new();
        loop {
            self.judge(variant, &page, expected.len())?;
            found.extend(page.ids());
            let Some(next) = page.next() else { break };
            page = get(next).await?;
        }
        if found != expected {
            return Err(difference("forward", &found, expected));
        }
        let mut found = page.ids();
        while let Some(previous) = page.previous() {
            page = get(previous).await?;
            self.judge(variant, &page, expected.len())?;
            found.splice(0..0, page.ids());
        }
        if found == expected { Ok(()) } else { Err(difference("back", &found, expected)) }
    }

    /// Compares each value of a page.
    fn judge(&self, variant: Variant, page: &Answer, matches: usize) -> Result<(), String> {
        let count = page.json()["count"].as_u64();
        let counted = (variant == Variant::Naive).then_some(matches as u64);
        if count != counted {
            return Err(format!("count is {count:?} instead of {counted:?}"));
        }
        for (id, row) in page.ids().into_iter().zip(page.results()) {
            let (row, expected) = (plain(row), self.customers.get(&id));
            if Some(&row) != expected {
                return Err(format!("the customer is {row}\n  instead of {expected:?}"));
            }
        }
        Ok(())
    }
}

fn difference(way: &str, found: &[Uuid], expected: &[Uuid]) -> String {
    let mut text = format!("{way}: {} customers instead of {}", found.len(), expected.len());
    for (what, some, others) in [("missing", expected, found), ("too many", found, expected)] {
        let ids: Vec<&Uuid> = some.iter().filter(|id| !others.contains(id)).collect();
        let _ = write!(text, "\n  {what}: {ids:?}");
    }
    text
}

/// Where each variant is measured, and one level up.
const ARENAS: [(Level, &[Variant]); 2] = [
    (Level::Indexed, &[Variant::Live, Variant::Naive]),
    (Level::Optimized, &[Variant::Rollup, Variant::Live]),
];

fn draw<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

async fn all_agree_on_every_filter_alone(level: Level, variants: &[Variant]) {
    let arena = Arena::new(level, variants).await;
    let mut runner = TestRunner::deterministic();
    let mut check = async |is_employee: bool, filters: &[Sample]| {
        let page_size = draw(&mut runner, &(1..=200_usize));
        let case = Case { workspace: 0, is_employee, page_size, filters: filters.to_vec() };
        arena.check(&case).await.unwrap_or_else(|wrong| panic!("{wrong}"))
    };
    let all = check(false, &[]).await;
    check(true, &[]).await;
    let mut telling = BTreeMap::new();
    for sample in &arena.samples {
        let matches = check(false, std::slice::from_ref(sample)).await;
        *telling.entry(sample.name).or_insert(false) |= 0 < matches && matches < all;
        check(true, std::slice::from_ref(sample)).await;
    }
    assert!(
        telling.values().all(|is_telling| *is_telling),
        "some have only values that tell nothing: {telling:?}"
    );
    assert_eq!(telling.len(), 25, "all filters of the contract");
    for workspace in 1..3 {
        let case = Case { workspace, is_employee: false, page_size: 17, filters: Vec::new() };
        arena.check(&case).await.unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[tokio::test]
async fn live_naive_and_the_oracle_agree_on_every_filter_alone() {
    let (level, variants) = ARENAS[0];
    all_agree_on_every_filter_alone(level, variants).await;
}

#[tokio::test]
async fn rollup_live_and_the_oracle_agree_on_every_filter_alone() {
    let (level, variants) = ARENAS[1];
    all_agree_on_every_filter_alone(level, variants).await;
}

async fn all_agree_on_every_pair_of_filters(level: Level, variants: &[Variant]) {
    let arena = Arena::new(level, variants).await;
    let mut by_name: BTreeMap<&str, Vec<Sample>> = BTreeMap::new();
    for sample in &arena.samples {
        by_name.entry(sample.name).or_default().push(sample.clone());
    }
    let by_name: Vec<_> = by_name.into_values().map(prop::sample::select).collect();
    let mut runner = TestRunner::deterministic();
    let (mut pairs, mut with_matches) = (0, 0);
    for (index, one) in by_name.iter().enumerate() {
        for other in &by_name[..index] {
            let filters = vec![draw(&mut runner, one), draw(&mut runner, other)];
            let (is_employee, page_size) = draw(&mut runner, &(any::<bool>(), 1..=200_usize));
            let case = Case { workspace: 0, is_employee, page_size, filters };
            let matches = arena.check(&case).await.unwrap_or_else(|wrong| panic!("{wrong}"));
            pairs += 1;
            with_matches += usize::from(matches > 0);
        }
    }
    assert_eq!(pairs, 25 * 24 / 2);
    assert!(with_matches * 3 > pairs, "of {pairs} pairs only {with_matches} match anything");
}

#[tokio::test]
async fn live_naive_and_the_oracle_agree_on_every_pair_of_filters() {
    let (level, variants) = ARENAS[0];
    all_agree_on_every_pair_of_filters(level, variants).await;
}

#[tokio::test]
async fn rollup_live_and_the_oracle_agree_on_every_pair_of_filters() {
    let (level, variants) = ARENAS[1];
    all_agree_on_every_pair_of_filters(level, variants).await;
}

/// Up to six filters at once, of which a failure names the fewest that are needed for it.
#[test]
fn all_variants_and_the_oracle_agree_on_any_filters_together() {
    let runtime = Runtime::new().unwrap();
    for (level, variants) in ARENAS {
        let arena = runtime.block_on(Arena::new(level, variants));
        let filters = prop::collection::vec(prop::sample::select(arena.samples.clone()), 0..=6).prop_map(
            |mut filters| {
                // Of equal names the last would count.
                filters.sort_by_key(|filter| filter.name);
                filters.dedup_by_key(|filter| filter.name);
                filters
            },
        );
        let cases = (0..3_usize, any::<bool>(), 1..=200_usize, filters).prop_map(
            |(workspace, is_employee, page_size, filters)| Case {
                workspace,
                is_employee,
                page_size,
                filters,
            },
        );
        let config = Config { cases: 120, failure_persistence: None, ..Config::default() };
        TestRunner::new(config)
            .run(&cases, |case| runtime.block_on(arena.check(&case)).map(drop).map_err(TestCaseError::fail))
            .unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}

#[tokio::test]
async fn the_naive_variant_gives_the_same_rows_on_the_level_that_it_is_measured_on() {
    let arena = Arena::new(Level::Before, &[Variant::Naive]).await;
    for (workspace, is_employee) in [(0, false), (1, true), (2, false)] {
        let case = Case { workspace, is_employee, page_size: 50, filters: Vec::new() };
        arena.check(&case).await.unwrap_or_else(|wrong| panic!("{wrong}"));
    }
}
