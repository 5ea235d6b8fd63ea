//! Nothing of anybody else in any answer, and nothing of anybody else changed, whatever is sent.
//!
//! Requests are drawn at random from a seed, which every failure names: `ISOLATION_SEED=… cargo test isolation` draws
//! them again. Each answer, with its headers and with its cursors decoded, is taken apart into words. A word that is an
//! id or a marker of something that the request may not see is a leak, unless the request itself sent it. Before and
//! after each request the rows that it may not touch are compared as PostgreSQL prints them, with what tells whether a
//! row was written at all.
//!
//! A profile tells of a request that was made earlier, perhaps by somebody else: of rows that are deleted by now, and of
//! whatever that request itself sent.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use migrations::Level;
use reqwest::Method;
use server::Variant;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::service::{Answer, Service};
use planted::{Planted, View, plant, strays};
use requests::{ANSWERED, Draw, Drawn};

mod planted;
mod requests;

/// Requests that are drawn at least.
const FEWEST: usize = 400;
/// And at most, until every path and method has succeeded.
const MOST: usize = 4_000;
/// After how many requests the rows are made anew: many are deleted by then.
const GENERATION: usize = 40;

/// The words of a text that could be ids, markers or times; ids in one spelling. What is encoded in a cursor counts too.
fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-' && letter != '_') {
        if let Ok(id) = Uuid::try_parse(word) {
            words.insert(id.to_string());
        } else if word.len() > 40
            && let Some(inner) =
                URL_SAFE_NO_PAD.decode(word).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        {
            words.extend(self::words(&inner));
        } else if word.contains('-') {
            words.insert(word.to_owned());
        }
    }
    words
}

/// Whose a word is.
#[derive(Debug, Clone, Copy)]
enum Owner {
    Customer(Uuid),
    Workspace(Uuid),
}

/// What there is at a moment.
struct Rows {
    owners: HashMap<String, Owner>,
    /// Live and deleted, with their workspace and employee.
    customers: HashMap<Uuid, (Uuid, Option<Uuid>, bool)>,
}

impl Rows {
    async fn read(db: &mut PgConnection, planted: &Planted) -> Self {
        let customers: Vec<(Uuid, Uuid, Option<Uuid>, bool)> =
            sqlx::query_as("SELECT id, workspace_id, employee_id, is_deleted FROM customer")
                .fetch_all(&mut *db)
                .await
                .unwrap();
        let of_customers: Vec<(String, Uuid)> = sqlx::query_as(
            r#"SELECT id::text, id FROM customer
               UNION ALL SELECT id::text, customer_id FROM call
               UNION ALL SELECT id::text, customer_id FROM call_campaign_customer
               UNION ALL SELECT transcript, customer_id FROM call WHERE transcript IS NOT NULL
               UNION ALL SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), id FROM customer
                          WHERE created_at < '2000-01-01'
               UNION ALL SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), customer_id FROM call
                          WHERE created_at < '2000-01-01'"#,
        )
        .fetch_all(&mut *db)
        .await
        .unwrap();
        let of_workspaces: Vec<(String, Uuid)> = sqlx::query_as(
            "SELECT id::text, id FROM workspace
             UNION ALL SELECT slug, id FROM workspace UNION ALL SELECT name, id FROM workspace
             UNION ALL SELECT id::text, workspace_id FROM employee UNION ALL SELECT name, workspace_id FROM employee
             UNION ALL SELECT id::text, workspace_id FROM label UNION ALL SELECT name, workspace_id FROM label
             UNION ALL SELECT id::text, workspace_id FROM call_campaign
             UNION ALL SELECT name, workspace_id FROM call_campaign",
        )
        .fetch_all(&mut *db)
        .await
        .unwrap();
        let of_customers = of_customers.into_iter().map(|(word, id)| (word, Owner::Customer(id)));
        let of_workspaces = of_workspaces.into_iter().map(|(word, id)| (word, Owner::Workspace(id)));
        let of_requests = planted.profiles().map(|(name, id)| (name, Owner::Workspace(id)));
        Self {
            owners: of_customers.chain(of_workspaces).chain(of_requests).collect(),
            customers: customers
                .into_iter()
                .map(|(id, workspace, employee, is_deleted)| (id, (workspace, employee, is_deleted)))
                .collect(),
        }
    }

    /// What is left of a view: an employee without a customer sees nothing.
    fn narrowed(&self, view: Option<View>) -> Option<View> {
        view.filter(|view| {
            view.employee.is_none() || self.customers.keys().any(|id| self.is_seen(*id, Some(*view)))
        })
    }

    fn is_seen(&self, customer: Uuid, view: Option<View>) -> bool {
        let (Some(view), Some((workspace, employee, is_deleted))) = (view, self.customers.get(&customer))
        else {
            return false;
        };
        *workspace == view.workspace
            && (view.is_of_the_past || !is_deleted)
            && (view.employee.is_none() || *employee == view.employee)
    }

    fn hidden(&self, view: Option<View>) -> Vec<Uuid> {
        self.customers.keys().copied().filter(|id| !self.is_seen(*id, view)).collect()
    }

    /// The words of an answer that the view does not account for.
    fn leaks(&self, answer: &Answer, sent: &HashSet<String>, view: Option<View>) -> Vec<String> {
        let text = format!("{:?} {}", answer.headers, answer.text);
        let mut leaks = words(&text);
        leaks.retain(|word| {
            !sent.contains(word)
                && match self.owners.get(word) {
                    Some(Owner::Customer(id)) => !self.is_seen(*id, view),
                    Some(Owner::Workspace(id)) => view.is_none_or(|view| view.workspace != *id),
                    None => false,
                }
        });
        leaks.into_iter().collect()
    }
}

/// The rows of all tables, and of those that belong to hidden customers or to other workspaces, as one digest each.
async fn digests(
    db: &mut PgConnection,
    level: Level,
    hidden: &[Uuid],
    workspace: Option<Uuid>,
) -> (String, String) {
    let totals = if level == Level::Optimized {
        "UNION ALL SELECT t::text || t.xmin, t.customer_id = ANY ($1) OR t.workspace_id IS DISTINCT FROM $2
           FROM customer_call_stats AS t"
    } else {
        ""
    };
    let sql = format!(
        "SELECT md5(string_agg(line, '|' ORDER BY line)),
                md5(string_agg(line, '|' ORDER BY line) FILTER (WHERE is_hidden))
           FROM (SELECT c::text || c.xmin AS line, c.id = ANY ($1) OR c.workspace_id IS DISTINCT FROM $2 AS is_hidden
                   FROM customer AS c
                 UNION ALL SELECT k::text || k.xmin, k.customer_id = ANY ($1) OR k.workspace_id IS DISTINCT FROM $2
                   FROM call AS k
                 UNION ALL SELECT x::text || x.xmin, x.customer_id = ANY ($1) FROM customer_label AS x
                 {totals}
                 UNION ALL SELECT t::text || t.xmin, true FROM call_campaign_customer AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM call_campaign AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM label AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM employee AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM workspace AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM app_user AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM user_workspace AS t
                 UNION ALL SELECT t::text || t.xmin, true FROM auth_token AS t) AS rows"
    );
    sqlx::query_as(AssertSqlSafe(sql)).bind(hidden).bind(workspace).fetch_one(db).await.unwrap()
}

async fn send(service: &Service, origin: &str, token: &str, drawn: &Drawn) -> Answer {
    let url = format!("{origin}/api/v1/{}", drawn.url);
    let mut headers = vec![("content-type", "application/json")];
    if drawn.is_strict {
        headers.push(("prefer", "handling=strict"));
    }
    let body = drawn.body.clone().into_bytes();
    service.send_body(drawn.method.clone(), &url, Some(token), &headers, body).await
}

fn seed() -> u64 {
    match std::env::var("ISOLATION_SEED") {
        Ok(seed) => seed.parse().expect("ISOLATION_SEED is a number"),
        Err(_) => rand::random(),
    }
}

async fn nothing_leaks(level: Level, variant: Variant) {
    let seed = seed();
    let service = Service::at(level).await;
    let mut db = service.connection().await;
    let planted = Planted::new(&mut db).await;
    let known_strays = strays(&mut db).await;
    let origin = service.serve(variant).await;
    planted.keep_profiles(&service, &origin).await;
    // What profiled requests have sent, by their workspaces.
    let mut told: HashMap<Uuid, HashSet<String>> = HashMap::new();
    let mut draw = Draw::new(seed, &planted);
    let mut unanswered: HashSet<(&str, &str)> = ANSWERED.into_iter().collect();
    let mut sent_so_far = 0;
    while sent_so_far < FEWEST || (!unanswered.is_empty() && sent_so_far < MOST) {
        if sent_so_far % GENERATION == 0 {
            plant(&mut db).await;
        }
        sent_so_far += 1;
        let drawn = draw.request();
        let actor = draw.actor();
        let rows = Rows::read(&mut db, &planted).await;
        let view = if drawn.is_for_profiles() {
            actor.view_of_requests(drawn.workspace)
        } else {
            rows.narrowed(actor.view(drawn.workspace))
        };
        let hidden = rows.hidden(view);
        let touchable = view.map(|view| view.workspace);
        let before = digests(&mut db, level, &hidden, touchable).await;

        let answer = send(&service, &origin, &actor.token, &drawn).await;

        let after = digests(&mut db, level, &hidden, touchable).await;
        let case = format!(
            "ISOLATION_SEED={seed}, request {sent_so_far} to {variant}, {} sent {drawn:#?} and got {} {}",
            actor.who, answer.status, answer.text
        );
        let mut sent = words(&format!("{} {}", drawn.url, drawn.body));
        if let Some(workspace) = drawn.workspace.filter(|_| answer.headers.contains_key("server-timing")) {
            told.entry(workspace).or_default().extend(sent.iter().cloned());
        }
        if drawn.is_for_profiles()
            && let Some(told) = view.and_then(|view| told.get(&view.workspace))
        {
            sent.extend(told.iter().cloned());
        }
        let leaks = rows.leaks(&answer, &sent, view);
        assert!(leaks.is_empty(), "leaked {leaks:?}: {case}");
        assert!(!answer.status.is_server_error(), "{case}");
        assert_eq!(before.1, after.1, "changed what is hidden: {case}");
        let reads = matches!(drawn.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if reads || !answer.status.is_success() {
            assert_eq!(before.0, after.0, "changed something: {case}");
        }
        let crossing = strays(&mut db).await;
        assert!(
            crossing.0 <= known_strays.0 && crossing.1 <= known_strays.1 && crossing.2 <= known_strays.2,
            "references across workspaces: {crossing:?}: {case}"
        );
        if answer.status.is_success() {
            assert!(view.is_some(), "answered: {case}");
            unanswered.retain(|(method, path)| (drawn.method.as_str(), drawn.path) != (*method, *path));
            if drawn.path == "customers/" && drawn.method == Method::GET {
                let links = [answer.next(), answer.previous()].into_iter().flatten();
                let cursors = links.filter_map(|link| {
                    let (_, query) = link.split_once('?')?;
                    let of = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor")?;
                    Some(of.1.into_owned())
                });
                draw.cursors.extend(cursors);
            }
        }
    }
    assert!(unanswered.is_empty(), "never answered: {unanswered:?}, ISOLATION_SEED={seed}");
}

#[tokio::test]
async fn naive_shows_and_changes_nothing_of_another_tenant_or_colleague() {
    nothing_leaks(Level::Before, Variant::Naive).await;
}

#[tokio::test]
async fn live_shows_and_changes_nothing_of_another_tenant_or_colleague() {
    nothing_leaks(Level::Indexed, Variant::Live).await;
}

#[tokio::test]
async fn rollup_shows_and_changes_nothing_of_another_tenant_or_colleague() {
    nothing_leaks(Level::Optimized, Variant::Rollup).await;
}
