//! What is to be measured, and where.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reports::run::Subject;
use reqwest::Url;

use crate::arrivals::{LONGEST_REPLAY, Pattern, Replay};
use crate::engine::REQUEST_TIMEOUT;
use crate::error::Error;
use crate::load::{Load, Open};
use crate::operations::{FirstPage, Page100};
use crate::scenarios::Scenario;
use crate::shard::Shard;

/// What is to be measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is requested, in the order of the report. See [`crate::scenarios`].
    pub scenarios: Vec<Scenario>,
    /// Rounds, at least 1: each measures every target and operation once, and the control target once more.
    pub rounds: u32,
    /// How long requests are offered in each window.
    pub window: Duration,
    /// A window for a slow target is extended until it holds 3 requests, to at most this.
    pub longest_window: Duration,
    /// The most time that a target and operation get to become warm. Nothing in it is measured.
    pub warm_up: Duration,
    /// Open or closed loop.
    pub load: Load,
    /// How long the answer to a measured request may take. Then it is given up and recorded as the failure `timeout`, with the
    /// time that was waited for it.
    pub timeout: Duration,
    /// Rows per page, 1 to 200.
    pub page_size: u32,
    /// The workspace under test (slug or UUID), for the record; each target is asked for [`Target::workspace`].
    pub workspace: String,
    /// Seed of the arrivals and of the order of windows.
    pub seed: u64,
    /// Whether databases and processes are sampled once a second while windows run.
    pub probes: bool,
    /// The part of the schedule that is sent; `None` for the whole. Only for one window of the open loop.
    pub shard: Option<Shard>,
    /// When the first window opens; `None` as soon as everything is warm. Who is more than 1 s late gives up.
    pub start_at: Option<DateTime<Utc>>,
}

impl Default for Plan {
    /// Both pages of the list, six rounds of 1.25 s at 50 constant arrivals per second.
    fn default() -> Self {
        Self {
            scenarios: vec![Scenario::of(Arc::new(FirstPage)), Scenario::of(Arc::new(Page100))],
            rounds: 6,
            window: Duration::from_millis(1250),
            longest_window: Duration::from_secs(6),
            warm_up: Duration::from_millis(1500),
            load: Load::Open(Open::constant(50.0, 64)),
            timeout: REQUEST_TIMEOUT,
            page_size: 50,
            workspace: "enterprise-workspace-1".to_owned(),
            seed: 1,
            probes: true,
            shard: None,
            start_at: None,
        }
    }
}

impl Plan {
    /// Says what is wrong with the plan, if anything is. [`crate::measure`] begins with it.
    pub fn validate(&self) -> Result<(), Error> {
        let wrong = |what: String| Err(Error::Plan { what });
        if self.scenarios.is_empty() {
            return wrong("it names no scenario".to_owned());
        }
        if self.rounds == 0 {
            return wrong("it has 0 rounds, and needs at least 1".to_owned());
        }
        if self.window.is_zero() {
            return wrong("its windows last 0 s".to_owned());
        }
        if self.window > LONGEST_REPLAY {
            let days = LONGEST_REPLAY.as_secs() / 86_400;
            return wrong(format!(
                "its windows last {} s, which is more than {days} days",
                self.window.as_secs()
            ));
        }
        if self.page_size == 0 {
            return wrong("its pages have 0 rows".to_owned());
        }
        if self.timeout.is_zero() {
            return wrong("it gives up its requests after 0 s".to_owned());
        }
        self.load.check().or_else(wrong)?;
        if let Some(shard) = self.shard {
            shard.check(self).or_else(wrong)?;
        }
        match &self.load {
            Load::Open(Open { pattern: Pattern::Replayed { replay, .. }, .. }) => {
                self.check_scenarios(replay).or_else(wrong)
            }
            Load::Open(_) | Load::Closed { .. } => Ok(()),
        }
    }

    /// A replay has to name scenarios of the plan, and to leave none of them without an arrival.
    fn check_scenarios(&self, replay: &Replay) -> Result<(), String> {
        let file = replay.name();
        let is_known = |name: &&String| {
            let knows = |scenario: &Scenario| scenario.name == **name || scenario.place_of(name).is_some();
            self.scenarios.iter().any(knows)
        };
        if let Some(strange) = replay.scenarios().iter().find(|name| !is_known(name)) {
            return Err(format!("{file} asks for `{strange}`, which is none of its scenarios"));
        }
        let is_idle =
            |scenario: &&Scenario| !scenario.is_mix() && replay.only(&scenario.name).arrivals() == 0;
        match self.scenarios.iter().find(is_idle) {
            Some(idle) => Err(format!("{file} has no arrival for its scenario `{}`", idle.name)),
            None => Ok(()),
        }
    }

    /// How many requests may be in flight at once: the size of the pool of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.load.workers()
    }

    /// The plan as it is kept in the result, when these are its targets.
    #[must_use]
    pub fn kept(&self, targets: &[Target]) -> reports::run::Plan {
        let whole = reports::run::Plan {
            operations: self.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
            rounds: self.rounds,
            workspace: self.workspace.clone(),
            page_size: self.page_size,
            load: (&self.load).into(),
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
            cache: "warm".to_owned(),
            seed: self.seed,
            shard: None,
        };
        let shard = self.shard.map(|shard| reports::run::Shard {
            index: shard.index,
            of: shard.of,
            start_at: self.start_at,
            late_ms: None,
            plan_sha256: shard.plan_sha256(self, targets, &whole),
        });
        reports::run::Plan { shard, ..whole }
    }
}

/// A server to measure.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it is called in the result.
    pub subject: Subject,
    /// What stands before `/api/v1/customers/`, with or without a slash at the end.
    pub base_url: String,
    /// Bearer token.
    pub token: String,
    /// The workspace, as slug or UUID.
    pub workspace: String,
    /// Others who ask beside that user, where a scenario draws who asks; each as often as their weight beside the 1 of that
    /// user says.
    pub crowd: Vec<Identity>,
    /// Rows per page to ask this target for; normally [`Plan::page_size`].
    pub page_size: u32,
    /// Its database, for the probes; `None` leaves the counted work out.
    pub database_url: Option<String>,
    /// The process of the server, where it runs on this machine.
    pub server_pid: Option<u32>,
    /// Measured twice a round, so that two looks at the same thing give the noise floor (A/A).
    pub control: bool,
}

/// A user in a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// Bearer token.
    pub token: String,
    /// The workspace, as slug or UUID.
    pub workspace: String,
    /// How often they ask, beside the weights of the others; positive.
    pub weight: f64,
}

impl Target {
    /// A server of which nothing else is known, asked by one user for pages of 50 rows.
    #[must_use]
    pub fn new(name: &str, base_url: &str, token: &str, workspace: &str) -> Self {
        Self {
            subject: Subject { name: name.to_owned(), level: None, description: base_url.to_owned() },
            base_url: base_url.to_owned(),
            token: token.to_owned(),
            workspace: workspace.to_owned(),
            crowd: Vec::new(),
            page_size: 50,
            database_url: None,
            server_pid: None,
            control: false,
        }
    }

    /// Everybody who asks: the user of the target first.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let own = Identity { token: self.token.clone(), workspace: self.workspace.clone(), weight: 1.0 };
        [own].into_iter().chain(self.crowd.iter().cloned()).collect()
    }

    /// The same server, asked by somebody else.
    #[must_use]
    pub fn seen_by(&self, identity: &Identity) -> Self {
        Self { token: identity.token.clone(), workspace: identity.workspace.clone(), ..self.clone() }
    }

    /// The URL of the first page of the list.
    pub fn list_url(&self) -> Result<Url, Error> {
        let mut url = self.url("/api/v1/customers/")?;
        url.query_pairs_mut()
            .append_pair("workspace_id", &self.workspace)
            .append_pair("page_size", &self.page_size.to_string());
        Ok(url)
    }

    /// The URL of a path of this server, which begins with a slash and may have a query.
    pub(crate) fn url(&self, path: &str) -> Result<Url, Error> {
        let wrong = |url: &str, what: &str| Error::BadTarget { url: url.to_owned(), what: what.to_owned() };
        let base = &self.base_url;
        let mut parsed = Url::parse(base).map_err(|error| wrong(base, &error.to_string()))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // Neither fails for a URL that has had one.
            let _ = (parsed.set_username(""), parsed.set_password(None));
            let what = "it has a user or a password in it, and servers are asked with a token alone";
            return Err(wrong(parsed.as_str(), what));
        }
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(wrong(base, "it is no http or https URL"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(wrong(base, "it has a query or a fragment, after which no path can stand"));
        }
        let whole = format!("{}{path}", parsed.as_str().trim_end_matches('/'));
        Url::parse(&whole).map_err(|error| wrong(base, &error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn target(base_url: &str) -> Target {
        Target::new("live", base_url, "t", "a b")
    }

    #[test]
    fn a_base_url_works_with_and_without_a_slash_at_its_end() {
        let expected = "http://127.0.0.1:8000/x/api/v1/customers/?workspace_id=a+b&page_size=50";
        assert_eq!(target("http://127.0.0.1:8000/x").list_url().unwrap().as_str(), expected);
        assert_eq!(target("http://127.0.0.1:8000/x/").list_url().unwrap().as_str(), expected);
    }

    #[test]
    fn a_base_url_without_a_scheme_is_refused_with_its_value() {
        let error = target("localhost:8000").list_url().unwrap_err().to_string();
        assert!(error.contains("`localhost:8000`"), "{error}");
    }

    #[test]
    fn what_no_path_can_follow_is_refused_and_no_password_is_shown() {
        for (base_url, word) in [
            ("", "relative URL"),
            ("127.0.0.1:8000", "relative URL"),
            ("ftp://127.0.0.1", "no http or https URL"),
            // With a path after it, the path's first part would be the host.
            ("http://", "empty host"),
            ("https:///", "empty host"),
            ("http://127.0.0.1:8000/?x=1", "a query"),
            ("http://127.0.0.1:8000/#x", "a fragment"),
            ("http://me:secret@127.0.0.1:8000", "`http://127.0.0.1:8000/`"),
            ("http://:secret@127.0.0.1:8000", "a password"),
            ("http://secret@127.0.0.1:8000", "a token alone"),
        ] {
            let error = target(base_url).list_url().unwrap_err().to_string();
            assert!(error.contains(word) && !error.contains("secret"), "{base_url}: {error}");
        }
    }

    #[test]
    fn plans_that_offer_nothing_are_refused() {
        let open = |rate, max_in_flight| Load::Open(Open::constant(rate, max_in_flight));
        for load in [open(0.0, 1), open(f64::NAN, 1), open(-1.0, 1), open(1.0, 0), Load::Closed { users: 0 }]
        {
            assert!(Plan { load: load.clone(), ..Plan::default() }.validate().is_err(), "{load:?}");
        }
        assert!(Plan { rounds: 0, ..Plan::default() }.validate().is_err());
        assert!(Plan { scenarios: vec![], ..Plan::default() }.validate().is_err());
        assert!(Plan { window: Duration::MAX, ..Plan::default() }.validate().is_err());
        assert!(Plan::default().validate().is_ok());
    }

    #[test]
    fn a_replay_and_its_plan_have_to_speak_of_the_same_scenarios() {
        let plan = |text: &'static str, speed| {
            let replay = Arc::new(Replay::read("a.log".to_owned(), text.as_bytes()).unwrap());
            let pattern = Pattern::Replayed { replay, speed };
            Plan { load: Load::Open(Open { pattern, ..Open::constant(1.0, 1) }), ..Plan::default() }
        };
        let said = |text, speed| plan(text, speed).validate().unwrap_err().to_string();
        assert!(said("0 detail", 1.0).contains("`detail`"), "{}", said("0 detail", 1.0));
        assert!(said("0 first_page", 1.0).contains("no arrival for its scenario `page_100`"));
        assert!(said("0", 0.0).contains("a speed of 0") && said("0", f64::NAN).contains("NaN"));
        assert!(plan("0 first_page\n1 page_100", 1.0).validate().is_ok());
        assert!(plan("0", 1.0).validate().is_ok());
    }
}
