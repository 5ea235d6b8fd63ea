//! What is to be measured, and where.

use std::sync::Arc;
use std::time::Duration;

use reports::run::{LoadModel, Subject};
use reqwest::Url;

use crate::arrivals::Process;
use crate::error::Error;
use crate::operations::{FirstPage, Page100};
use crate::scenarios::Scenario;

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
    pub load: LoadModel,
    /// How arrivals are spread in the open loop.
    pub arrivals: Process,
    /// Rows per page, 1 to 200.
    pub page_size: u32,
    /// The workspace under test (slug or UUID), for the record; each target is asked for [`Target::workspace`].
    pub workspace: String,
    /// Seed of the arrivals and of the order of windows.
    pub seed: u64,
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
            load: LoadModel::Open { rate_per_second: 50.0, max_in_flight: 64 },
            arrivals: Process::Constant,
            page_size: 50,
            workspace: "enterprise-workspace-1".to_owned(),
            seed: 1,
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
        if self.page_size == 0 {
            return wrong("its pages have 0 rows".to_owned());
        }
        match self.load {
            LoadModel::Open { rate_per_second, .. }
                if !rate_per_second.is_finite() || rate_per_second <= 0.0 =>
            {
                wrong(format!("a rate of {rate_per_second} requests/s is not a positive number"))
            }
            LoadModel::Open { max_in_flight: 0, .. } => {
                wrong("it allows 0 requests in flight, and needs at least 1".to_owned())
            }
            LoadModel::Closed { users: 0 } => wrong("it has 0 users, and needs at least 1".to_owned()),
            LoadModel::Open { .. } | LoadModel::Closed { .. } => Ok(()),
        }
    }

    /// How many requests may be in flight at once: the size of the pool of workers.
    #[must_use]
    pub fn workers(&self) -> usize {
        match self.load {
            LoadModel::Open { max_in_flight, .. } => max_in_flight,
            LoadModel::Closed { users } => users,
        }
    }
}

/// The plan as it is kept in the result.
impl From<&Plan> for reports::run::Plan {
    fn from(plan: &Plan) -> Self {
        Self {
            operations: plan.scenarios.iter().map(|scenario| scenario.name.clone()).collect(),
            rounds: plan.rounds,
            workspace: plan.workspace.clone(),
            page_size: plan.page_size,
            load: plan.load,
            cache: "warm".to_owned(),
            seed: plan.seed,
        }
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
    use super::*;

    fn target(base_url: &str) -> Target {
        Target {
            subject: Subject { name: "live".into(), level: None, description: String::new() },
            base_url: base_url.into(),
            token: "t".into(),
            workspace: "a b".into(),
            crowd: vec![],
            page_size: 50,
            database_url: None,
            server_pid: None,
            control: false,
        }
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
        let open = |rate_per_second, max_in_flight| LoadModel::Open { rate_per_second, max_in_flight };
        for load in
            [open(0.0, 1), open(f64::NAN, 1), open(-1.0, 1), open(1.0, 0), LoadModel::Closed { users: 0 }]
        {
            assert!(Plan { load, ..Plan::default() }.validate().is_err(), "{load:?}");
        }
        assert!(Plan { rounds: 0, ..Plan::default() }.validate().is_err());
        assert!(Plan { scenarios: vec![], ..Plan::default() }.validate().is_err());
        assert!(Plan::default().validate().is_ok());
    }
}
