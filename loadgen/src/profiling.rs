//! A request that the server is asked to explain: sent with `_profile`, one at a time, and its profile taken out of the
//! answer.
//!
//! Requests follow each other without load, since a profile shows what one request does, not what a crowd does to it. The
//! first one pays for what the later ones find ready (a connection, the plans of its statements, the pages in memory), so
//! it is kept apart.

use reports::profile::Repeat;
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::engine::REQUEST_TIMEOUT;
use crate::error::Error;
use crate::operations::{self, Draw};
use crate::plan::Target;
use crate::quotation;
use crate::scenarios::{Catalogue, Scenario};

/// What is to be explained.
#[derive(Clone)]
pub enum Asked {
    /// A path with its query, which begins with a slash.
    Path(String),
    /// The request of a scenario.
    Scenario(Scenario),
}

impl Asked {
    /// Reads a path, or the name of a scenario.
    pub fn read(text: &str) -> Result<Self, Error> {
        if text.starts_with('/') {
            return Ok(Self::Path(text.to_owned()));
        }
        let scenarios = Catalogue::built_in();
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
    /// How many requests are sent, at least 1. Of several the first one is not counted.
    pub requests: u32,
}

/// What the server said.
#[derive(Debug, Clone)]
pub struct Profiled {
    /// Path and query as they were sent.
    pub path: String,
    /// The first of several answers.
    pub warm_up: Option<Repeat>,
    /// All others, in the order of sending; at least one.
    pub repeats: Vec<Repeat>,
}

/// Sends the requests, one after the other. The first that gets no profile ends it.
pub async fn profile(inquiry: &Inquiry, target: &Target) -> Result<Profiled, Error> {
    let client = operations::client(REQUEST_TIMEOUT)?;
    let url = match &inquiry.asked {
        Asked::Path(path) => target.url(path)?,
        Asked::Scenario(scenario) => url_of(scenario, &client, target).await?,
    };
    let url = explained(url, inquiry.explain);
    let mut repeats = Vec::new();
    for _ in 0..inquiry.requests.max(1) {
        repeats.push(answer(&client, target, &url).await?);
    }
    let warm_up = (repeats.len() > 1).then(|| repeats.remove(0));
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Ok(Profiled { path, warm_up, repeats })
}

/// What a scenario requests: the page that it has seen, or its first request.
async fn url_of(scenario: &Scenario, client: &Client, target: &Target) -> Result<Url, Error> {
    let [part] = &*scenario.parts else {
        let what = format!("`{}` is a mix; profile one of its operations", scenario.name);
        return Err(Error::Plan { what });
    };
    let prepared = part.operation.prepare(client, target).await?;
    let request = prepared.turns().request(&mut Draw::new(1, 0));
    if request.method() != Method::GET {
        let what = format!("`{}` writes, and what is profiled is sent several times", scenario.name);
        return Err(Error::Plan { what });
    }
    Ok(request.url().clone())
}

async fn answer(client: &Client, target: &Target, url: &Url) -> Result<Repeat, Error> {
    let unreachable = |error: &reqwest::Error| Error::Unreachable {
        url: url.to_string(),
        cause: operations::root_cause(error),
    };
    let request = operations::get(url.clone(), operations::bearer(&target.token)?);
    let response = client.execute(request).await.map_err(|error| unreachable(&error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let url = answered(url, response.url());
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
        assert!(
            matches!(Asked::read("/api/v1/customers/?x=1"), Ok(Asked::Path(path)) if path.ends_with("?x=1"))
        );
        assert!(
            matches!(Asked::read("page_100"), Ok(Asked::Scenario(scenario)) if scenario.name == "page_100")
        );
        let error = Asked::read("fist_page").err().unwrap().to_string();
        assert!(error.contains("did you mean `first_page`?") && error.contains("begins with `/`"), "{error}");
        let error = Asked::read("http://127.0.0.1:8000/api").err().unwrap().to_string();
        assert!(error.ends_with("the address of a server goes into --target"), "{error}");
    }
}
