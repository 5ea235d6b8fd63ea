//! Who sends the requests of a described scenario: a user of a workspace, and what they can choose from.

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url};
use serde_json::Value;
use uuid::Builder;

use rand::RngExt as _;

use super::data::{Origin, Pool};
use super::gather;
use super::placeholders::Source;
use super::template::Template;
use crate::error::Error;
use crate::operations::Draw;
use crate::plan::{Identity, Target};

/// The header that tells the server who asks.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) header: HeaderName,
    /// Its value, made of the token and the workspace.
    pub(super) value: Template,
    /// Which value stands in which place of it.
    pub(super) used: Vec<(String, Source)>,
}

/// A user in a workspace.
#[derive(Debug)]
pub(super) struct Asker {
    pub(super) base: Url,
    pub(super) credentials: (HeaderName, HeaderValue),
    /// What the placeholders of the scenario draw from.
    choices: Vec<Choice>,
}

#[derive(Debug)]
enum Choice {
    Always(Value),
    Number,
    Uuid,
    One(Pool),
}

impl Asker {
    /// Gets to know an identity: asks the server for the data that `used` names and that it has to give.
    pub(super) async fn meet(
        client: &Client,
        target: &Target,
        identity: &Identity,
        credentials: &Credentials,
        used: &[(String, Source)],
    ) -> Result<Self, Error> {
        let mut asker = Self {
            base: target.url("/")?,
            credentials: (credentials.header.clone(), header_of(credentials, identity)?),
            choices: Vec::new(),
        };
        for (name, source) in used {
            let choice = match source {
                Source::Workspace => Choice::Always(identity.workspace.clone().into()),
                Source::Token => Choice::Always(identity.token.clone().into()),
                Source::Number => Choice::Number,
                Source::Uuid => Choice::Uuid,
                Source::Data(data) => Choice::One(match &data.origin {
                    Origin::Given(values) => Pool::of(values.clone(), data.skew),
                    Origin::Range(first, count) => Pool::of_range(*first, *count, data.skew),
                    Origin::Asked(inquiry) => {
                        let workspace = Value::String(identity.workspace.clone());
                        let url = asker.url(&inquiry.path, &[workspace]);
                        let values = gather::values(client, &asker, name, inquiry, url).await?;
                        Pool::of(values.into(), data.skew)
                    }
                }),
            };
            asker.choices.push(choice);
        }
        Ok(asker)
    }

    /// The values of one request.
    pub(super) fn draw(&self, draw: &mut Draw) -> Vec<Value> {
        let one = |choice: &Choice| match choice {
            Choice::Always(value) => value.clone(),
            Choice::Number => draw.number().into(),
            Choice::Uuid => Builder::from_random_bytes(draw.random().random()).into_uuid().to_string().into(),
            Choice::One(pool) => pool.draw(draw),
        };
        self.choices.iter().map(one).collect()
    }

    /// All texts that can stand in the place of a placeholder.
    pub(super) fn texts(&self, place: usize) -> Box<dyn Iterator<Item = &str> + '_> {
        match &self.choices[place] {
            Choice::Always(value) => Box::new(value.as_str().into_iter()),
            Choice::One(pool) => Box::new(pool.texts()),
            Choice::Number | Choice::Uuid => Box::new(std::iter::empty()),
        }
    }

    /// The URL of a path, with its query if it has one, on the server.
    pub(super) fn url(&self, path: &Template, values: &[Value]) -> Url {
        let whole = path.url_text(values);
        let (path, query) =
            whole.split_once('?').map_or((whole.as_str(), None), |(path, query)| (path, Some(query)));
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        url
    }
}

fn header_of(credentials: &Credentials, identity: &Identity) -> Result<HeaderValue, Error> {
    let values: Vec<Value> = credentials
        .used
        .iter()
        .map(|(_, source)| match source {
            Source::Token => identity.token.clone().into(),
            _ => identity.workspace.clone().into(),
        })
        .collect();
    let text = credentials.value.text(&values);
    let mut value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Error::Plan {
        what: "the token holds characters that no HTTP header can carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
