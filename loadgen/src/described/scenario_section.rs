//! Reading `[scenario.NAME]`.

use std::ops::Range;

use reports::document::{Mistake, in_order, string, unknown_key};
use reqwest::Method;
use reqwest::header::HeaderName;
use toml::de::{DeTable, DeValue};

use super::expectation::Expectation;
use super::file::{Place, header_name};
use super::operation::{Content, Form};
use super::placeholders::Placeholders;
use super::plain::{Written, boolean, one_or_many, scalar, table};
use super::shape::Shape;
use super::template::{Template, percent_encoded, text_of};

const SCENARIO_KEYS: [&str; 7] = ["method", "path", "query", "headers", "body", "expect", "writes"];
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

impl Place<'_> {
    /// What a scenario requests, and whether it writes.
    pub(super) fn scenario(
        self,
        name: &str,
        span: &Range<usize>,
        section: &DeTable<'_>,
        mut placeholders: Placeholders<'_>,
    ) -> Result<(Form, bool), Mistake> {
        let known = &mut placeholders;
        let (mut method, mut path, mut query, mut body, mut writes) = (Method::GET, None, None, None, None);
        let (mut headers, mut expectation) = (Vec::new(), Expectation::default());
        for (key, span, value) in in_order(section) {
            match key {
                "method" => method = read_method(value)?,
                "path" => path = Some(self.path(value, known)?),
                "query" => query = Some(self.query(&span, value, known)?),
                "headers" => {
                    refuse_framing(value)?;
                    headers = self.headers(&span, value, known)?;
                }
                "body" => body = Some(self.body(value, known)?),
                "expect" => expectation = self.expectation(&span, value, known)?,
                "writes" => writes = Some(boolean(value)?),
                _ => return Err(unknown_key(span, key, &format!("scenario.{name}"), &SCENARIO_KEYS)),
            }
        }
        let mut path = path.ok_or_else(|| {
            Mistake::new(span.clone(), "scenario without a path", "expected `path = \"/api/products/\"`")
        })?;
        if let Some(query) = query {
            let has_query = path.own_texts().any(|text| text.contains('?'));
            path.push_text(if has_query { "&" } else { "?" });
            path.push(query);
        }
        let writes = writes.unwrap_or(!matches!(method, Method::GET | Method::HEAD | Method::OPTIONS));
        Ok((Form { method, path, headers, body, expectation, used: placeholders.used() }, writes))
    }

    /// The parameters of a query in the order of the file; a list is one that stands there several times.
    fn query(
        self,
        span: &Range<usize>,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Template, Mistake> {
        let expected = "expected names and values, such as { page_size = 50, q = \"{word}\" }";
        let mut query = Template::default();
        for (name, _, value) in in_order(table(value, span, expected)?) {
            for value in one_or_many(value) {
                if query != Template::default() {
                    query.push_text("&");
                }
                query.push_text(&percent_encoded(name));
                query.push_text("=");
                match (value.get_ref(), scalar(value)?) {
                    (_, Some(scalar)) => query.push_text(&percent_encoded(&text_of(&scalar))),
                    (DeValue::String(_), None) => query.push_encoded(self.template(value, placeholders)?),
                    _ => return Err(Mistake::new(value.span(), "value with parts", expected)),
                }
            }
        }
        Ok(query)
    }

    pub(super) fn headers(
        self,
        span: &Range<usize>,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Vec<(HeaderName, Template)>, Mistake> {
        let entries =
            in_order(table(value, span, "expected names and values, such as { X-Source = \"load\" }")?);
        let header =
            |(name, span, value)| Ok((header_name(name, span)?, self.header_value(value, placeholders)?));
        entries.into_iter().map(header).collect()
    }

    fn body(self, value: &Written<'_>, placeholders: &mut Placeholders<'_>) -> Result<Content, Mistake> {
        match value.get_ref() {
            DeValue::String(_) => Ok(Content::Text(self.template(value, placeholders)?)),
            _ => Ok(Content::Json(self.shape(value, placeholders)?)),
        }
    }

    /// JSON with placeholders.
    pub(super) fn shape(
        self,
        value: &Written<'_>,
        placeholders: &mut Placeholders<'_>,
    ) -> Result<Shape, Mistake> {
        if let Some(scalar) = scalar(value)? {
            return Ok(Shape::Plain(scalar));
        }
        match value.get_ref() {
            DeValue::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.shape(item, placeholders)).collect();
                Ok(Shape::Array(items?))
            }
            DeValue::Table(members) => {
                let members = in_order(members)
                    .into_iter()
                    .map(|(key, _, member)| Ok((key.to_owned(), self.shape(member, placeholders)?)));
                Ok(Shape::Object(members.collect::<Result<_, _>>()?))
            }
            _ => Ok(Shape::Text(self.template(value, placeholders)?)),
        }
    }
}

/// Refuses headers that the client writes.
fn refuse_framing(headers: &Written<'_>) -> Result<(), Mistake> {
    let names = headers.get_ref().as_table().map(in_order).unwrap_or_default();
    let framing = ["content-length", "transfer-encoding"];
    match names.into_iter().find(|(name, ..)| framing.contains(&name.to_ascii_lowercase().as_str())) {
        Some((_, span, _)) => {
            let expected = "it follows from the body and is written for you; leave it out";
            Err(Mistake::new(span, "header of the transport", expected))
        }
        None => Ok(()),
    }
}

fn read_method(value: &Written<'_>) -> Result<Method, Mistake> {
    let names = || METHODS.iter().map(Method::as_str);
    let expected = format!("expected one of {}", names().collect::<Vec<_>>().join(", "));
    let word = string(value, &expected)?;
    let known = METHODS.iter().find(|method| method.as_str() == word);
    known
        .cloned()
        .ok_or_else(|| Mistake::new(value.span(), "unknown method", expected).suggest(word, names()))
}
