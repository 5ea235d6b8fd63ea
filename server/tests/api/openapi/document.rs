//! The document as the server gives it, and the means to hold answers against it.

use std::collections::BTreeSet;

use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::service::{Answer, Service};

/// What `/openapi.json` answers.
pub(super) struct Document(pub(super) Value);

impl Document {
    pub(super) async fn of(service: &Service, origin: &str) -> Self {
        let answer = service.send(Method::GET, &format!("{origin}/openapi.json"), None, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        Self(answer.json())
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
    }

    /// The schema at this place of the document, with everything that it refers to.
    pub(super) fn schema(&self, pointer: &str) -> Validator {
        assert!(self.0.pointer(pointer).is_some(), "the document has nothing at {pointer}");
        // A fragment of a URI has no braces.
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let schema = json!({ "$ref": format!("#{fragment}"), "paths": self.0["paths"],
                             "components": self.0["components"] });
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
    }

    /// The schema of the answer of an operation with this status.
    pub(super) fn answer(&self, path: &str, method: &str, status: u16) -> Validator {
        let path = path.replace('~', "~0").replace('/', "~1");
        self.schema(&format!("/paths/{path}/{method}/responses/{status}/content/application~1json/schema"))
    }

    /// The schema of the body of an operation.
    pub(super) fn body(&self, path: &str, method: &str) -> Validator {
        let path = path.replace('~', "~0").replace('/', "~1");
        self.schema(&format!("/paths/{path}/{method}/requestBody/content/application~1json/schema"))
    }

    /// The names of the schemas that answers lead to.
    pub(super) fn answered(&self) -> BTreeSet<String> {
        fn follow(document: &Value, thing: &Value, reached: &mut BTreeSet<String>) {
            let mut found = Vec::new();
            visit(thing, "", &mut |_, fields| {
                found.extend(fields.get("$ref").map(|target| target.as_str().unwrap().to_owned()));
            });
            for target in found {
                if reached.insert(target.rsplit('/').next().unwrap().to_owned()) {
                    follow(document, document.pointer(target.strip_prefix('#').unwrap()).unwrap(), reached);
                }
            }
        }
        let mut reached = BTreeSet::new();
        for (_, _, operation) in self.operations() {
            follow(&self.0, &operation["responses"], &mut reached);
        }
        reached
    }

    /// Asserts that this is what the document says that the operation answers: the body and the headers.
    #[track_caller]
    pub(super) fn holds(&self, path: &str, method: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let described = &self.0["paths"][path][method]["responses"][status.to_string()];
        assert!(described.is_object(), "{method} {path} says nothing of {status}: {}", answer.text);
        if described.get("content").is_none() {
            assert_eq!(answer.text, "", "{method} {path} {status} has no body");
            return self.has_headers(path, method, answer);
        }
        let faults: Vec<_> = self
            .answer(path, method, status)
            .iter_errors(&answer.json())
            .map(|fault| format!("{fault} at {}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{method} {path} {status}: {faults:#?}\n{}", answer.text);
        self.has_headers(path, method, answer);
    }

    /// Asserts that the headers of an answer are described.
    #[track_caller]
    fn has_headers(&self, path: &str, method: &str, answer: &Answer) {
        let status = answer.status.as_u16();
        let described = &self.0["paths"][path][method]["responses"][status.to_string()]["headers"];
        for name in answer.headers.keys().map(reqwest::header::HeaderName::as_str) {
            let is_http = [
                "content-type",
                "content-length",
                "connection",
                "date",
                "vary",
                "access-control-allow-origin",
                "access-control-expose-headers",
            ]
            .contains(&name);
            let is_described =
                described.as_object().unwrap().keys().any(|known| known.eq_ignore_ascii_case(name));
            assert!(is_http || is_described, "{method} {path} {status}: the header {name} is not described");
        }
    }
}

/// Calls `visit` with every object of a document, and where it is.
pub(super) fn visit(
    value: &Value,
    place: &str,
    seen: &mut impl FnMut(&str, &serde_json::Map<String, Value>),
) {
    match value {
        Value::Object(fields) => {
            seen(place, fields);
            for (name, field) in fields {
                visit(field, &format!("{place}/{name}"), seen);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit(item, &format!("{place}/{index}"), seen);
            }
        }
        _ => {}
    }
}
