//! Requests at random, over every path and method, with ids of both sides and of nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::planted::{Actor, LET_IN, PROFILES, Planted, Pool, SIDES, profile};
use crate::service::FILTERS;

/// Paths below `/api/v1/` with the methods that can succeed there; those that occur twice are asked more often.
pub(super) const ANSWERED: [(&str, &str); 20] = [
    ("GET", "customers/"),
    ("GET", "customers/"),
    ("GET", "customers/"),
    ("HEAD", "customers/"),
    ("OPTIONS", "customers/"),
    ("POST", "customers/"),
    ("POST", "customers/bulk/"),
    ("PATCH", "customers/bulk/"),
    ("POST", "customers/bulk-delete/"),
    ("GET", "customers/{id}/"),
    ("PATCH", "customers/{id}/"),
    ("PATCH", "customers/{id}/"),
    ("DELETE", "customers/{id}/"),
    ("POST", "calls/"),
    ("POST", "calls/bulk/"),
    ("GET", "workspaces/{workspace}/"),
    ("GET", "profiles/"),
    ("GET", ONE_PROFILE),
    ("GET", ONE_PROFILE),
    ("GET", ONE_PROFILE),
];

/// The path of what a request of somebody has told.
const ONE_PROFILE: &str = "profiles/{request}/";

/// And those that can't.
const REFUSED: [(&str, &str); 7] = [
    ("PUT", "customers/"),
    ("DELETE", "customers/bulk/"),
    ("PUT", "customers/{id}/"),
    ("GET", "calls/"),
    ("DELETE", "workspaces/{workspace}/"),
    ("POST", "profiles/"),
    ("DELETE", ONE_PROFILE),
];

/// A request that was drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) method: Method,
    /// The path as it stands in [`ANSWERED`].
    pub(super) path: &'static str,
    /// The path and query.
    pub(super) url: String,
    pub(super) body: String,
    pub(super) is_strict: bool,
    /// The workspace that it names, if there is such.
    pub(super) workspace: Option<Uuid>,
}

impl Drawn {
    /// Whether it asks for what other requests have told.
    pub(super) fn is_for_profiles(&self) -> bool {
        self.path.starts_with("profiles/")
    }
}

/// Draws requests. The same seed draws the same requests, given the same cursors.
pub(super) struct Draw<'p> {
    rng: Xoshiro256PlusPlus,
    planted: &'p Planted,
    /// Cursors that were found in answers.
    pub(super) cursors: Vec<String>,
    /// The side that is asked for: most ids are of it.
    side: usize,
}

impl<'p> Draw<'p> {
    pub(super) fn new(seed: u64, planted: &'p Planted) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), planted, cursors: Vec::new(), side: 0 }
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn one<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        of.choose(&mut self.rng).unwrap()
    }

    /// Mostly one of those who are let into our workspace: whoever is let in nowhere is soon done with.
    pub(super) fn actor(&mut self) -> &'p Actor {
        let actors = &self.planted.actors;
        if self.chance(0.6) { self.one(&actors[..LET_IN]) } else { self.one(actors) }
    }

    /// One id out of the pools: mostly of the side that is asked for, sometimes of the other, sometimes of nothing.
    fn id(&mut self, of: fn(&Pool) -> &Vec<Uuid>) -> Uuid {
        match self.rng.random_range(0..20) {
            0 => Uuid::from_u128(self.rng.random()),
            1..5 => *self.one(of(&self.planted.pools[1 - self.side])),
            _ => *self.one(of(&self.planted.pools[self.side])),
        }
    }

    fn customer(&mut self) -> Uuid {
        self.id(|pool| &pool.customers)
    }

    fn ids(&mut self, most: usize, of: fn(&Pool) -> &Vec<Uuid>) -> Vec<Uuid> {
        (0..self.rng.random_range(1..=most)).map(|_| self.id(of)).collect()
    }

    /// A workspace as a request may name it.
    fn workspace(&mut self) -> (Option<Uuid>, String) {
        self.side = usize::from(self.chance(0.3));
        let id = self.planted.workspaces[self.side];
        match self.rng.random_range(0..12) {
            0 => (None, String::new()),
            1 => (None, Uuid::from_u128(self.rng.random()).to_string()),
            2 => (None, format!("{}-slug' OR true --", SIDES[self.side].to_lowercase())),
            3 => (Some(id), id.simple().to_string()),
            4..8 => (Some(id), id.to_string()),
            _ => (Some(id), format!("{}-slug", SIDES[self.side].to_lowercase())),
        }
    }

    /// The name of a request that kept a profile, or of one that did not, and the workspace of that profile.
    fn profiled(&mut self) -> (Option<Uuid>, String) {
        let side = usize::from(self.chance(0.5));
        let number = self.rng.random_range(1..=PROFILES + 1);
        let workspace = (number <= PROFILES).then_some(self.planted.workspaces[side]);
        (workspace, profile(SIDES[side], number))
    }

    pub(super) fn request(&mut self) -> Drawn {
        let (method, path) = if self.chance(0.05) { *self.one(&REFUSED) } else { *self.one(&ANSWERED) };
        let (mut workspace, name) = self.workspace();
        let mut query = Serializer::new(String::new());
        let mut filled = path.to_owned();
        if path.starts_with("workspaces") {
            let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            filled = path.replace("{workspace}", &encoded.replace('+', "%20"));
        } else if !name.is_empty() || self.chance(0.5) {
            query.append_pair("workspace_id", &name);
        }
        filled = filled.replace("{id}", &self.customer().to_string());
        if path == ONE_PROFILE {
            // What it is of counts, and not what the query names.
            let (of, name) = self.profiled();
            (workspace, filled) = (of, path.replace("{request}", &name));
        }
        if self.chance(0.1) {
            let wanted = *self.one(&["true", "explain"]);
            query.append_pair("_profile", wanted);
        }
        if self.chance(0.1) {
            filled = filled.trim_end_matches('/').to_owned();
        }
        if path == "customers/" {
            for (name, value) in self.parameters() {
                query.append_pair(name, &value);
            }
        }
        let body = match (method, path) {
            ("POST", "customers/") => self.new_customer().to_string(),
            ("POST", "customers/bulk/") => {
                let many: Vec<Value> =
                    (0..self.rng.random_range(1..4)).map(|_| self.new_customer()).collect();
                json!(many).to_string()
            }
            ("PATCH", "customers/bulk/") => {
                json!({ "ids": self.ids(5, |pool| &pool.customers), "set": self.change() }).to_string()
            }
            ("POST", "customers/bulk-delete/") => {
                json!({ "ids": self.ids(3, |pool| &pool.customers) }).to_string()
            }
            ("PATCH" | "PUT", _) => self.change().to_string(),
            ("POST", "calls/") => self.call().to_string(),
            ("POST", "calls/bulk/") => {
                let many: Vec<Value> = (0..self.rng.random_range(1..3)).map(|_| self.call()).collect();
                json!(many).to_string()
            }
            _ => String::new(),
        };
        let is_strict = self.chance(0.05);
        let method = method.parse().unwrap();
        Drawn { method, path, url: format!("{filled}?{}", query.finish()), body, is_strict, workspace }
    }

    /// Parameters of the list: each filter now and then, and a place to begin.
    fn parameters(&mut self) -> Vec<(&'static str, String)> {
        let mut parameters = vec![("page_size", self.one(&["1", "2", "3", "5", "20"]).to_string())];
        for name in FILTERS.into_iter().chain(["count"]) {
            if self.chance(0.05) {
                parameters.push((name, self.value(name)));
            }
        }
        match self.rng.random_range(0..8) {
            0..4 => parameters.push(("cursor", self.cursor())),
            4 => parameters.push(("page", self.rng.random_range(0..6).to_string())),
            5 => parameters.push(("offset", self.rng.random_range(0..30).to_string())),
            _ => {}
        }
        parameters
    }

    fn value(&mut self, name: &str) -> String {
        let side = if self.chance(0.6) { self.side } else { 1 - self.side };
        let marker = format!("{}-c{}", SIDES[side], self.rng.random_range(1..15));
        if name.starts_with("duration") {
            return self.rng.random_range(0..15).to_string();
        }
        if name.contains("labels") {
            let labels = self.ids(3, |pool| &pool.labels);
            return labels.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
        }
        match name {
            "status__isnull" | "quality__isnull" | "is_test" | "checked" => {
                self.one(&["true", "0"]).to_string()
            }
            "carrier" | "carrier__in" => marker,
            "other_attributes" => format!("mark={marker}"),
            "count" => "estimated".to_owned(),
            _ => self.one(&["active", "blocked", "hot,cold", "pending", "x' OR true --"]).to_string(),
        }
    }

    /// A cursor from an answer to anybody, or one of a place that is a customer's of either side, or neither.
    fn cursor(&mut self) -> String {
        if !self.cursors.is_empty() && self.chance(0.4) {
            return self.cursors.choose(&mut self.rng).unwrap().clone();
        }
        if self.chance(0.1) {
            return "eyJjcmVhdGVkX2F0Ijo".to_owned();
        }
        // 1 January 1999, and the days and hours after it at which the customers were made.
        let (day, hour) = (self.rng.random_range(0..16_i64), self.rng.random_range(0..4_i64));
        let created_at = (915_148_800 + day * 86_400 + hour * 3_600) * 1_000_000;
        let (id, direction) = (self.customer(), *self.one(&["next", "previous"]));
        URL_SAFE_NO_PAD
            .encode(format!(r#"{{"created_at":{created_at},"id":"{id}","direction":"{direction}"}}"#))
    }

    fn change(&mut self) -> Value {
        let mut body = json!({
            // Only the server writes these.
            "workspace_id": self.one(&self.planted.workspaces), "id": self.customer(), "is_deleted": false,
        });
        for name in ["name", "email", "status", "employee_id", "label_ids", "checked", "other_attributes"] {
            if self.chance(0.25) {
                body[name] = match name {
                    "employee_id" if self.chance(0.2) => Value::Null,
                    "employee_id" => json!(self.id(|pool| &pool.employees)),
                    "label_ids" => json!(self.ids(2, |pool| &pool.labels)),
                    "email" => json!("written@example.com"),
                    "checked" => json!(true),
                    "other_attributes" => json!({ "mark": "written" }),
                    "status" => json!("active"),
                    _ => json!("written"),
                };
            }
        }
        body
    }

    fn new_customer(&mut self) -> Value {
        let mut body = self.change();
        body["name"] = json!("written");
        body["phone"] = json!("1");
        body
    }

    fn call(&mut self) -> Value {
        let customer = self.customer();
        let mut body = json!({
            "customer_id": customer, "direction": "inbound", "status": "completed", "call_type": "direct",
            "billing_rate": 1, "duration": 60, "workspace_id": self.one(&self.planted.workspaces),
        });
        // The enrolments lie as the customers do.
        let own = self.planted.pools.iter().find_map(|pool| {
            let position = pool.customers.iter().position(|id| *id == customer)?;
            Some(pool.enrolments[position])
        });
        match self.rng.random_range(0..3) {
            0 => body["campaign_customer_id"] = json!(self.id(|pool| &pool.enrolments)),
            1 => body["campaign_customer_id"] = json!(own),
            _ => {}
        }
        body
    }
}
