//! The server under examination: how it is asked, what its first page showed, and what was made there.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reports::conformance::Paging;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use serde_json::Value;
use uuid::Uuid;

use super::Examination;
use super::ask::{Ask, CUSTOMERS, Place, Reply, text_of};
use super::rows::Page;
use crate::error::Error;
use crate::operations;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Rows of the page that parameters are taken from.
const FIRST_ROWS: &str = "50";

/// A server that has answered once.
pub(super) struct Server {
    client: Client,
    base: Url,
    examination: Examination,
    first: Page,
    requests: AtomicU64,
    made: Mutex<Vec<String>>,
}

/// Why there is no answer.
pub(super) enum Silence {
    /// Nobody listens any more.
    Gone(Error),
    /// This request broke off; others may not.
    Broken(String),
}

impl Server {
    /// Asks for the first page. Whoever is refused it can examine nothing.
    pub(super) async fn meet(examination: &Examination) -> Result<Self, Error> {
        let base_url = &examination.base_url;
        let base = Url::parse(base_url)
            .map_err(|error| Error::Plan { what: format!("`{base_url}` is not a URL: {error}") })?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(Error::Plan { what: format!("`{base_url}` is not an http or https URL") });
        }
        let tokens = [&examination.other_token, &examination.employee_token].into_iter().flatten();
        for token in tokens.chain([&examination.token]) {
            operations::bearer(token)?;
        }
        // Redirects are part of what is examined, and so are headers that unpacking would take away.
        let client = Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .build()
            .map_err(|error| Error::Engine { what: error.to_string() })?;
        let mut server = Self {
            client,
            base,
            examination: examination.clone(),
            first: Page::default(),
            requests: AtomicU64::new(0),
            made: Mutex::default(),
        };
        let ask = server.ask(Method::GET, CUSTOMERS).with("page_size", FIRST_ROWS);
        let url = server.url(&ask).to_string();
        let reply = server.send(ask).await.map_err(|silence| match silence {
            Silence::Gone(error) => error,
            Silence::Broken(cause) => Error::Unreachable { url: url.clone(), cause },
        })?;
        if reply.status != 200 {
            let body = reply.text.chars().take(200).collect();
            return Err(Error::Refused { url, status: reply.status, body });
        }
        server.first = Page::read(&reply.text).map_err(|what| Error::NotAPage { url, what })?;
        Ok(server)
    }

    /// A request of the user under examination in their workspace.
    pub(super) fn ask(&self, method: Method, path: &str) -> Ask {
        Ask {
            method,
            place: Place::Path(path.to_owned()),
            query: vec![("workspace_id".to_owned(), self.examination.workspace.clone())],
            token: Some(self.examination.token.clone()),
            headers: Vec::new(),
            body: None,
        }
    }

    /// What was asked for.
    pub(super) fn examination(&self) -> &Examination {
        &self.examination
    }

    /// The first page as it was seen at the beginning.
    pub(super) fn first(&self) -> &Page {
        &self.first
    }

    /// The UUID of the workspace, if it is known.
    pub(super) fn workspace_id(&self) -> Option<Uuid> {
        let of_rows = self.first.rows.first().and_then(|row| row["workspace_id"].as_str());
        Uuid::parse_str(of_rows.unwrap_or(&self.examination.workspace)).ok()
    }

    /// How links name pages.
    pub(super) fn paging(&self) -> Paging {
        let Some(next) = self.first.next.as_ref().filter(|next| self.link(next).is_ok()) else {
            return Paging::Unknown;
        };
        let has = |wanted: &str| self.parameter(next, wanted).is_some();
        if has("page") && !has("cursor") { Paging::Numbers } else { Paging::Cursors }
    }

    /// Requests sent so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// A link as a URL, also a relative one; the reason if it leads to another server, which must not get the token.
    pub(super) fn link(&self, link: &str) -> Result<Url, String> {
        let url = self.base.join(link).map_err(|error| format!("`{link}`, which is no URL: {error}"))?;
        if url.origin() == self.base.origin() {
            Ok(url)
        } else {
            Err(format!("`{link}`, which leads to another server"))
        }
    }

    /// The value of a parameter of a link, if it is one to this server that has it.
    pub(super) fn parameter(&self, link: &str, name: &str) -> Option<String> {
        let url = self.link(link).ok()?;
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    fn url(&self, ask: &Ask) -> Url {
        let mut url = match &ask.place {
            Place::Link(url) => return url.clone(),
            Place::Path(path) => {
                let mut url = self.base.clone();
                url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
                url
            }
        };
        url.set_query(None);
        url.set_fragment(None);
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        url
    }

    /// Sends a request and reads the whole answer. Customers that it makes are remembered, whatever was intended.
    pub(super) async fn send(&self, ask: Ask) -> Result<Reply, Silence> {
        let url = self.url(&ask);
        let asked = format!("{} {url}", ask.method);
        let mut request = self.client.request(ask.method.clone(), url.clone());
        if let Some(token) = &ask.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = ask.body {
            request = request.body(body);
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let silence = |error: &reqwest::Error| {
            let cause = operations::root_cause(error);
            if error.is_connect() {
                Silence::Gone(Error::Unreachable { url: url.to_string(), cause })
            } else {
                Silence::Broken(cause)
            }
        };
        let response = request.send().await.map_err(|error| silence(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.map_err(|error| silence(&error))?;
        let reply = Reply { asked, status, headers, text: String::from_utf8_lossy(&bytes).into_owned() };
        if ask.method == Method::POST && url.path().contains("/customers") && reply.status < 300 {
            self.remember(&reply.json());
        }
        Ok(reply)
    }

    fn remember(&self, body: &Value) {
        let ids = body["ids"].as_array().into_iter().flatten().chain(body.get("id")).map(text_of);
        if let Ok(mut made) = self.made.lock() {
            made.extend(ids);
        }
    }

    /// Deletes what was made. The ids of those that are still there.
    pub(super) async fn clean_up(&self) -> Vec<String> {
        let made = self.made.lock().map(|mut made| std::mem::take(&mut *made)).unwrap_or_default();
        let mut left = Vec::new();
        for id in made {
            let ask = self.ask(Method::DELETE, &format!("{CUSTOMERS}{id}/"));
            match self.send(ask).await {
                Ok(reply) if matches!(reply.status, 200 | 204 | 404 | 410) => (),
                _ => left.push(id),
            }
        }
        left
    }
}
