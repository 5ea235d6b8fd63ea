//! The same turns as requests to the API.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Client, Method, Url};
use serde_json::{Value, json};
use uuid::Uuid;

use super::case::Turn;
use super::rows::Rows;
use super::{Error, Server};
use crate::operations::{Reply, bearer, client, get, request, root_cause, send};

/// How long an answer may take: a transaction that loses time and again takes a while.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the server says when a transaction lost every time.
const CONTENDED: &str = "Others are changing the same rows.";

/// The counter of the server's own retries, whatever stands before it.
const RETRIES: &str = "db_retries_total";

/// A client of one writer.
#[derive(Debug)]
pub(super) struct ApiHand {
    client: Client,
    base: Url,
    authorization: HeaderValue,
    workspace: String,
    rows: Rows,
}

/// What an answer says.
pub(super) enum Said {
    /// So many rows are changed.
    Changed(u64),
    /// The server's transaction lost in every try.
    Contended,
    /// Anything else.
    Failed(String),
}

impl ApiHand {
    pub(super) fn open(server: &Server, rows: &Rows) -> Result<Self, Error> {
        let base = base(server)?;
        Ok(Self {
            client: client(PATIENCE)?,
            base,
            authorization: bearer(&server.token)?,
            workspace: rows.workspace.to_string(),
            rows: rows.clone(),
        })
    }

    /// One request.
    pub(super) async fn attempt(&self, turn: &Turn) -> Said {
        let ids = |picks: &[usize]| -> Vec<Uuid> { picks.iter().map(|pick| self.rows.ids[*pick]).collect() };
        let (method, path, body, status, counted) = match turn {
            Turn::Insert { rows, .. } => {
                let customer = json!({ "name": self.rows.mark, "phone": "0" });
                let customers = vec![customer; rows.len()];
                (Method::POST, "/api/v1/customers/bulk/", Value::from(customers), 201, "created")
            }
            Turn::Delete(picks) => {
                let body = json!({ "ids": ids(picks) });
                (Method::POST, "/api/v1/customers/bulk-delete/", body, 200, "deleted")
            }
            Turn::Calls(picks) => {
                let call = |customer: &Uuid| {
                    json!({
                        "customer_id": customer, "direction": "outbound", "status": "completed", "call_type": "direct",
                        "duration": 60, "duration_seconds": 60,
                    })
                };
                let calls: Vec<Value> = ids(picks).iter().map(call).collect();
                (Method::POST, "/api/v1/calls/bulk/", Value::from(calls), 201, "created")
            }
            Turn::Update(picks) | Turn::UpdateThenLock(picks) => {
                let body = json!({ "ids": ids(picks), "set": { "quality": "warm" } });
                (Method::PATCH, "/api/v1/customers/bulk/", body, 200, "updated")
            }
            Turn::ReadModifyWrite(pick) => {
                let body = json!({ "ids": ids(&[*pick]), "set": { "quality": "warm" } });
                (Method::PATCH, "/api/v1/customers/bulk/", body, 200, "updated")
            }
        };
        let mut asked = request(method, self.url(path), self.authorization.clone());
        asked.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *asked.body_mut() = Some(Body::from(body.to_string()));
        match send(&self.client, asked).await.outcome {
            Err(kind) => Said::Failed(format!("no answer: {kind}")),
            Ok(reply) => understood(&reply, status, counted),
        }
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.query_pairs_mut().append_pair("workspace_id", &self.workspace);
        url
    }
}

fn understood(reply: &Reply, status: u16, counted: &str) -> Said {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let detail = body["detail"].as_str().unwrap_or_default();
    match (reply.status, body[counted].as_u64()) {
        (answered, Some(rows)) if answered == status => Said::Changed(rows),
        (503, _) if detail.starts_with(CONTENDED) => Said::Contended,
        (answered, _) => Said::Failed(format!("status {answered} {detail}").trim_end().to_owned()),
    }
}

/// How often the server has begun a transaction again because it had lost, as its metrics say.
pub(super) async fn retries(server: &Server) -> Result<u64, Error> {
    let mut url = base(server)?;
    url.set_path("/metrics");
    let unreachable = |error: reqwest::Error| {
        Error::Load(crate::Error::Unreachable { url: url.to_string(), cause: root_cause(&error) })
    };
    let asked = get(url.clone(), bearer(&server.token)?);
    let answer = client(PATIENCE)?.execute(asked).await.and_then(reqwest::Response::error_for_status);
    let text = answer.map_err(unreachable)?.text().await.map_err(unreachable)?;
    counter(&text, RETRIES).ok_or_else(|| Error::NoRetries(url.to_string()))
}

/// The sum of a counter over its labels, in the text of metrics, whatever stands before its name.
fn counter(text: &str, name: &str) -> Option<u64> {
    let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (key, value) = line.rsplit_once(' ')?;
        let key = key.split('{').next()?;
        key.ends_with(name).then(|| value.parse::<u64>().ok())?
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0) + value))
}

fn base(server: &Server) -> Result<Url, Error> {
    server.base_url.parse().map_err(|_| {
        let what = "it is no URL".to_owned();
        Error::Load(crate::Error::BadTarget { url: server.base_url.clone(), what })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_under_any_prefix_and_added_up() {
        let text = "# TYPE callbench_db_retries counter\ncallbench_db_retries_total 3\nx_db_retries_total{a=\"b c\"} 4\nother 9\n";
        assert_eq!(counter(text, "db_retries_total"), Some(7));
        assert_eq!(counter("other 9", "db_retries_total"), None);
    }
}
