//! Asking the server for the values that requests are made of, page by page as a client would.

use std::collections::BTreeSet;

use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::{Client, Method, Request, Url};
use serde_json::Value;

use super::asker::Asker;
use super::data::Inquiry;
use crate::error::Error;
use crate::operations::root_cause;
use crate::quotation;

/// The values of the data called `name`, at least one, from the page at `url` on.
pub(super) async fn values(
    client: &Client,
    asker: &Asker,
    name: &str,
    inquiry: &Inquiry,
    url: Url,
) -> Result<Vec<Value>, Error> {
    let mut values = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(url);
    while let Some(url) = next.take() {
        let ungathered =
            |what: String| Error::Ungathered { data: name.to_owned(), url: url.to_string(), what };
        let body = fetch(client, asker, name, &url).await?;
        let page: Value = serde_json::from_slice(&body)
            .map_err(|_| ungathered(format!("it is not JSON: {}", quotation::of_body(&body))))?;
        inquiry.each.visit(&page, &mut |value| match value {
            Some(Value::Array(_) | Value::Object(_)) => Err(ungathered(format!(
                "what stands at {} has parts of its own; name one of them in `each`",
                inquiry.each
            ))),
            Some(Value::Null) | None => Ok(()),
            Some(value) => {
                values.push(value.clone());
                Ok(())
            }
        })?;
        if values.is_empty() {
            let what = format!("there is nothing at {}: {}", inquiry.each, quotation::of_body(&body));
            return Err(ungathered(what));
        }
        let link =
            inquiry.next.as_ref().and_then(|pointer| pointer.find(&page)).filter(|link| !link.is_null());
        if let Some(link) = link {
            let link = link.as_str().ok_or_else(|| ungathered(format!("its link {link} is not a text")))?;
            next = Some(follow(asker, &url, link).map_err(|error| {
                error.unwrap_or_else(|| ungathered(format!("its link `{link}` is not a URL")))
            })?);
        }
        seen.insert(url);
        // Links that lead in a circle end where they begin.
        next = next.filter(|next| {
            values.len() < inquiry.at_most && seen.len() < inquiry.at_most && !seen.contains(next)
        });
    }
    values.truncate(inquiry.at_most);
    Ok(values)
}

/// Where a link leads, if that is on the server; the token goes nowhere else.
fn follow(asker: &Asker, from: &Url, link: &str) -> Result<Url, Option<Error>> {
    let url = from.join(link).map_err(|_| None)?;
    if url.origin() == asker.base.origin() {
        Ok(url)
    } else {
        Err(Some(Error::ForeignLink { base_url: asker.base.to_string(), link: Box::new(url) }))
    }
}

async fn fetch(client: &Client, asker: &Asker, name: &str, url: &Url) -> Result<Vec<u8>, Error> {
    let unreachable =
        |error: &reqwest::Error| Error::Unreachable { url: url.to_string(), cause: root_cause(error) };
    let mut request = Request::new(Method::GET, url.clone());
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let (header, value) = asker.credentials.clone();
    request.headers_mut().insert(header, value);
    let response = client.execute(request).await.map_err(|error| unreachable(&error))?;
    let status = response.status();
    let body = response.bytes().await.map_err(|error| unreachable(&error))?;
    if !status.is_success() {
        let what = format!("it was answered with {}: {}", status.as_u16(), quotation::of_body(&body));
        return Err(Error::Ungathered { data: name.to_owned(), url: url.to_string(), what });
    }
    Ok(body.into())
}
