//! Requests that the server is asked to explain: sent with `_profile`, one at a time, and their profiles taken out of the
//! answers.
//!
//! Requests follow each other without load, since a profile shows what one request does, not what a crowd does to it. The
//! first one pays for what the later ones find ready (a connection, the plans of its statements, the pages in memory), so
//! it is kept apart.

use reports::profile::Repeat;
use reqwest::{Client, Method, Request, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::REQUEST_TIMEOUT;
use crate::error::Error;
use crate::operations::{self, Draw};
use crate::plan::Target;
use crate::quotation;
use crate::scenarios::{Catalogue, Part, Scenario};

/// Requests of a scenario that draws them, unless it is said how many.
const DRAWN: u32 = 5;

/// Draws for each request that is wanted, since the same may be drawn again.
const DRAWS: u64 = 10;

/// Seed of what is drawn: the same requests each time.
const SEED: u64 = 1;

/// What is to be explained.
#[derive(Clone)]
pub enum Asked {
    /// A path with its query, which begins with a slash.
    Path(String),
    /// The requests of a scenario.
    Scenario(Scenario),
}

impl Asked {
    /// Reads a path, or the name of a scenario.
    pub fn read(text: &str, scenarios: &Catalogue) -> Result<Self, Error> {
        if text.starts_with('/') {
            return Ok(Self::Path(text.to_owned()));
        }
        scenarios.find(text).map(Self::Scenario).map_err(|_| Error::NotARequest {
            text: text.to_owned(),
            known: scenarios.names(),
            suggestion: scenarios.nearest(text),
        })
    }
}

/// How it is asked.
#[derive(Clone)]
pub struct Inquiry {
    /// What is to be explained.
    pub asked: Asked,
    /// With the plans of its statements.
    pub explain: bool,
    /// How many different requests of a scenario are explained, or of each part of a mix; fewer where it does not draw as
    /// many. `None`: one of each part of a mix, else five.
    pub requests: Option<u32>,
    /// How often each is sent, at least once. Of several times the first one is not counted.
    pub repeat: u32,
}

/// Everything that was explained.
#[derive(Debug, Clone)]
pub struct Profiles {
    /// In the order of sending; at least one.
    pub requests: Vec<Profiled>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// What the server said of one request.
#[derive(Debug, Clone)]
pub struct Profiled {
    /// The scenario, and the part of it where that is a mix; `None` for a path.
    pub operation: Option<String>,
    /// Path and query as they were sent.
    pub path: String,
    /// The first of several answers.
    pub warm_up: Option<Repeat>,
    /// All others, in the order of sending; at least one.
    pub repeats: Vec<Repeat>,
}

/// Sends the requests, one after the other. The first that gets no profile ends it.
pub async fn profile(inquiry: &Inquiry, target: &Target) -> Result<Profiles, Error> {
    let client = operations::client(REQUEST_TIMEOUT)?;
    let mut warnings = Vec::new();
    let requests = match &inquiry.asked {
        Asked::Path(path) => {
            vec![(None, operations::get(target.url(path)?, operations::bearer(&target.token)?))]
        }
        Asked::Scenario(scenario) => {
            let of_each = inquiry.requests.unwrap_or(if scenario.is_mix() { 1 } else { DRAWN });
            requests_of(scenario, of_each.max(1), &client, target, &mut warnings).await?
        }
    };
    let mut profiled = Vec::new();
    for (operation, mut request) in requests {
        let url = explained(request.url().clone(), inquiry.explain);
        request.url_mut().clone_from(&url);
        let mut repeats = Vec::new();
        for _ in 0..inquiry.repeat.max(1) {
            repeats.push(answer(&client, again(&request)?).await?);
        }
        let warm_up = (repeats.len() > 1).then(|| repeats.remove(0));
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        profiled.push(Profiled { operation, path, warm_up, repeats });
    }
    Ok(Profiles { requests: profiled, warnings })
}

/// The same request once more.
fn again(request: &Request) -> Result<Request, Error> {
    request.try_clone().ok_or_else(|| Error::Plan {
        what: format!("the body of {} can't be sent twice, and what is profiled is", request.url()),
    })
}

/// What a scenario requests, as often as it draws something else, and from each of its parts. Parts that write are left out
/// of a mix.
async fn requests_of(
    scenario: &Scenario,
    of_each: u32,
    client: &Client,
    target: &Target,
    warnings: &mut Vec<String>,
) -> Result<Vec<(Option<String>, Request)>, Error> {
    let mut requests = Vec::new();
    for part in &scenario.parts {
        let name = scenario.name_of(part);
        let drawn = if part.operation.writes() {
            Vec::new()
        } else {
            drawn_of(part, of_each, client, target).await?
        };
        if drawn.is_empty() {
            let sentence = format!("`{name}` writes, and what is profiled is sent several times");
            if !scenario.is_mix() {
                return Err(Error::Plan { what: sentence });
            }
            warnings.push(format!("{sentence}: it is left out"));
        }
        requests.extend(drawn.into_iter().map(|request| (Some(name.clone()), request)));
    }
    if requests.is_empty() {
        return Err(Error::Plan {
            what: format!("all parts of `{}` write, and none is profiled", scenario.name),
        });
    }
    Ok(requests)
}

/// Different requests of a part; none if it writes.
async fn drawn_of(part: &Part, wanted: u32, client: &Client, target: &Target) -> Result<Vec<Request>, Error> {
    let prepared = part.operation.prepare(client, target).await?;
    let mut turns = prepared.turns();
    let mut drawn: Vec<Request> = Vec::new();
    for number in 0..u64::from(wanted) * DRAWS {
        let request = turns.request(&mut Draw::new(SEED, number));
        if request.method() != Method::GET {
            return Ok(Vec::new());
        }
        if drawn.iter().all(|known| known.url() != request.url()) {
            drawn.push(request);
        }
        if drawn.len() as u64 >= u64::from(wanted) {
            break;
        }
    }
    Ok(drawn)
}

async fn answer(client: &Client, request: Request) -> Result<Repeat, Error> {
    let url = request.url().clone();
    let unreachable = |error: &reqwest::Error| Error::Unreachable {
        url: url.to_string(),
        cause: operations::root_cause(error),
    };
    let response = client.execute(request).await.map_err(|error| unreachable(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let url = answered(&url, response.url());
    let body = response.bytes().await.map_err(|error| unreachable(&error))?;
    if status != 200 {
        return Err(Error::ProfileRefused { url, status, body: quotation::of_body(&body) });
    }
    // What is no JSON object has no profile in it either.
    let profiling = serde_json::from_slice(&body).ok().and_then(|body: Body| body.profiling);
    let Some(profiling) = profiling else {
        return Err(Error::NotProfiled { url, body: quotation::without_profile(&headers, &body) });
    };
    Repeat::read(profiling).map_err(|error| Error::BadProfile { url, what: error.to_string() })
}

/// Who has answered: another one than was asked, where that sent the client away.
fn answered(asked: &Url, url: &Url) -> String {
    if url == asked { url.to_string() } else { format!("{url}, where {asked} leads to,") }
}

/// The body of an answer; other fields are not looked at.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "_profiling")]
    profiling: Option<Value>,
}

/// The URL with `_profile`, in place of one that it may have. The rest of the query stays as it is written.
fn explained(mut url: Url, explain: bool) -> Url {
    let query = url.query().unwrap_or_default();
    let others =
        query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("_profile"));
    let asked = if explain { "_profile=explain" } else { "_profile=true" };
    let query = others.chain([asked]).collect::<Vec<_>>().join("&");
    url.set_query(Some(&query));
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_sent_as_it_was_written() {
        for (from, explain, to) in [
            ("http://h/a/", true, "http://h/a/?_profile=explain"),
            ("http://h/a/?q=%C3%A9+x&b", false, "http://h/a/?q=%C3%A9+x&b&_profile=true"),
            ("http://h/a/?_profile=true&x=1&_profile#top", true, "http://h/a/?x=1&_profile=explain"),
        ] {
            assert_eq!(explained(from.parse().unwrap(), explain).as_str(), to);
        }
    }

    #[test]
    fn a_path_begins_with_a_slash_and_all_else_is_a_scenario() {
        let scenarios = Catalogue::built_in();
        let read = |text: &str| Asked::read(text, &scenarios);
        assert!(matches!(read("/api/v1/customers/?x=1"), Ok(Asked::Path(path)) if path.ends_with("?x=1")));
        assert!(matches!(read("page_100"), Ok(Asked::Scenario(scenario)) if scenario.name == "page_100"));
        let error = read("fist_page").err().unwrap().to_string();
        assert!(error.contains("did you mean `first_page`?") && error.contains("begins with `/`"), "{error}");
        let error = read("http://127.0.0.1:8000/api").err().unwrap().to_string();
        assert!(error.ends_with("the address of a server goes into --target"), "{error}");
    }
}
