//! What a file describes, as something that a client does.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Body, Client, Method, Request};
use serde_json::Value;

use super::asker::{Asker, Credentials};
use super::expectation::Expectation;
use super::placeholders::Source;
use super::shape::Shape;
use super::template::Template;
use crate::error::Error;
use crate::operations::{Draw, Fault, Operation, Prepared, Promise, Reply, Turns, root_cause};
use crate::plan::Target;

/// A scenario of a file.
#[derive(Debug, Clone)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) writes: bool,
    pub(super) credentials: Arc<Credentials>,
    pub(super) form: Arc<Form>,
}

/// What its requests and their replies look like.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: Template,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Option<Content>,
    pub(super) expectation: Expectation,
    /// What the places of the templates stand for.
    pub(super) used: Vec<(String, Source)>,
}

/// The body of a request.
#[derive(Debug)]
pub(super) enum Content {
    Json(Shape),
    Text(Template),
}

impl Operation for Described {
    fn name(&self) -> &str {
        &self.name
    }

    fn writes(&self) -> bool {
        self.writes
    }

    fn content(&self) -> String {
        // As it was read: comments, spaces and the order of sections are gone, and the lines of other files are in it.
        let Self { name: _, writes, credentials, form } = self;
        format!("{writes} {credentials:?} {form:?}")
    }

    fn prepare<'a>(&'a self, client: &'a Client, target: &'a Target) -> Promise<'a, Arc<dyn Prepared>> {
        Box::pin(async move {
            let (mut askers, mut weights) = (Vec::new(), Vec::new());
            for identity in target.identities() {
                let used = &self.form.used;
                let asker = Asker::meet(client, target, &identity, &self.credentials, used).await?;
                self.form.refuse_unfit(&asker)?;
                askers.push(asker);
                weights.push(identity.weight);
            }
            let ready = Ready { form: Arc::clone(&self.form), crowd: Arc::new(Crowd { askers, weights }) };
            if !self.writes {
                ready.look(client).await?;
            }
            let prepared: Arc<dyn Prepared> = Arc::new(ready);
            Ok(prepared)
        })
    }
}

impl Form {
    /// Refuses values that can't be sent where they should stand.
    fn refuse_unfit(&self, asker: &Asker) -> Result<(), Error> {
        let unfit = |place: usize, value: &str, why: &str| Error::UnfitValue {
            data: self.used[place].0.clone(),
            value: value.to_owned(),
            why: why.to_owned(),
        };
        for place in self.path.places_before('?') {
            if let Some(value) = asker.texts(place).find(|value| matches!(*value, "." | "..")) {
                return Err(unfit(place, value, "in a path it means a folder"));
            }
        }
        for (name, template) in &self.headers {
            for place in template.places() {
                let bad = asker.texts(place).find(|value| HeaderValue::from_bytes(value.as_bytes()).is_err());
                if let Some(value) = bad {
                    return Err(unfit(place, value, &format!("the header {name} can't carry it")));
                }
            }
        }
        Ok(())
    }

    /// The request of somebody with these values.
    fn request(&self, asker: &Asker, values: &[Value]) -> Request {
        let mut request = Request::new(self.method.clone(), asker.url(&self.path, values));
        let (header, value) = asker.credentials.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header, value);
        match &self.body {
            None => {}
            Some(Content::Json(_)) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Some(Content::Text(_)) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            }
        }
        for (name, template) in &self.headers {
            // Texts that no header can carry were refused while preparing.
            if let Ok(value) = HeaderValue::from_bytes(template.text(values).as_bytes()) {
                headers.insert(name, value);
            }
        }
        *request.body_mut() = self.body.as_ref().map(|content| match content {
            Content::Json(shape) => Body::from(shape.fill(values).to_string()),
            Content::Text(template) => Body::from(template.text(values)),
        });
        request
    }
}

/// Everybody who asks, and how often.
#[derive(Debug)]
struct Crowd {
    /// At least one.
    askers: Vec<Asker>,
    weights: Vec<f64>,
}

#[derive(Debug)]
struct Ready {
    form: Arc<Form>,
    crowd: Arc<Crowd>,
}

impl Ready {
    /// Whether the server answers at all. What it answers is looked at where it is counted.
    async fn look(&self, client: &Client) -> Result<(), Error> {
        let request = self.turns().request(&mut Draw::new(0, 0));
        let url = request.url().to_string();
        match client.execute(request).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Unreachable { url, cause: root_cause(&error) }),
        }
    }
}

impl Prepared for Ready {
    fn turns(&self) -> Box<dyn Turns> {
        Box::new(Worker { form: Arc::clone(&self.form), crowd: Arc::clone(&self.crowd), values: Vec::new() })
    }
}

struct Worker {
    form: Arc<Form>,
    crowd: Arc<Crowd>,
    /// Of the last request.
    values: Vec<Value>,
}

impl Turns for Worker {
    fn request(&mut self, draw: &mut Draw) -> Request {
        let Crowd { askers, weights } = &*self.crowd;
        let asker = &askers[if askers.len() > 1 { draw.weighted(weights) } else { 0 }];
        self.values = asker.draw(draw);
        self.form.request(asker, &self.values)
    }

    fn check(&mut self, reply: &Reply) -> Result<(), Fault> {
        self.form.expectation.check(reply, &self.values)
    }
}
