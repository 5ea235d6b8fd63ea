//! The document by itself: it is of its standard, with nothing left unsaid and nothing said that leads nowhere.

use std::collections::BTreeSet;

use migrations::Level;
use serde_json::{Value, json};
use server::Variant;

use super::{Document, PROFILE, visit};
use crate::service::Service;

#[tokio::test]
async fn the_document_is_openapi_3_1() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    assert_eq!(document.0["openapi"], "3.1.0");
    assert!(document.0["info"]["title"].is_string() && document.0["info"]["version"].is_string());

    let mut names = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} is there twice");
        assert!(["get", "post", "put", "patch", "delete"].contains(&method), "{method} {path}");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        let tags = document.0["tags"].as_array().unwrap();
        for tag in operation["tags"].as_array().unwrap() {
            assert!(tags.iter().any(|known| known["name"] == *tag), "{name}: the tag {tag} is not explained");
        }
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let keys: BTreeSet<_> = parameters
            .iter()
            .map(|parameter| (parameter["in"].to_string(), parameter["name"].to_string()))
            .collect();
        assert_eq!(keys.len(), parameters.len(), "{name}: a parameter is there twice");
        for parameter in &parameters {
            assert!(parameter["schema"].is_object() && parameter["description"].is_string(), "{parameter}");
            if let Some(example) = parameter.get("example") {
                let schema = jsonschema::draft202012::new(&parameter["schema"]).unwrap();
                assert!(schema.is_valid(example), "{name}: {parameter}");
            }
        }
        let in_path: Vec<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for variable in &in_path {
            let described = parameters.iter().find(|parameter| parameter["name"] == *variable).unwrap();
            assert_eq!((&described["in"], &described["required"]), (&json!("path"), &json!(true)), "{name}");
        }
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(described, in_path.len(), "{name}: parameters of the path");
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(
                status.parse::<u16>().is_ok_and(|status| (200..600).contains(&status)),
                "{name} {status}"
            );
            assert!(!response["description"].as_str().unwrap().is_empty(), "{name} {status}");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{name} {status}");
        }
        if path.starts_with("/api/") {
            assert_eq!(operation["security"], json!([{ "bearer": [] }]), "{name}");
            let has_body = operation.get("requestBody").is_some();
            // What is asked for by nothing but a path can't be asked for badly, nor can a profile.
            let can_be_bad = |parameter: &Value| parameter["in"] != "path" && parameter["name"] != "_profile";
            let is_asked = has_body || parameters.iter().any(can_be_bad);
            for (status, is_there) in [
                ("400", is_asked),
                ("401", true),
                ("403", true),
                ("413", has_body),
                ("415", has_body),
                ("500", true),
                ("503", true),
            ] {
                assert_eq!(operation["responses"][status].is_object(), is_there, "{name}: {status}");
            }
            let has = |name: &str| keys.contains(&(json!("query").to_string(), json!(name).to_string()));
            let is_named_by_path = path.starts_with("/api/v1/workspaces/") || path == PROFILE;
            assert_eq!(has("workspace_id"), !is_named_by_path, "{name}: workspace_id");
            assert!(has("_profile"), "{name}");
        } else {
            assert!(operation.get("security").is_none() && parameters.is_empty(), "{name}");
        }
    }
    assert_eq!(document.0["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");

    let mut used = BTreeSet::new();
    visit(&document.0, "", &mut |place, fields| {
        if let Some(target) = fields.get("$ref") {
            let target = target.as_str().unwrap().strip_prefix('#').expect("references stay in the document");
            assert!(document.0.pointer(target).is_some(), "{place} refers to {target}, which is not there");
            used.insert(target.rsplit('/').next().unwrap().to_owned());
        }
    });
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name} is no JSON Schema");
        assert!(used.contains(name), "nothing refers to the schema {name}");
    }
}

#[tokio::test]
async fn answers_have_all_their_fields_described_and_no_others() {
    let service = Service::at(Level::Indexed).await;
    let origin = service.serve(Variant::Live).await;
    let document = Document::of(&service, &origin).await;
    let mut answers = Vec::new();
    for (path, method, operation) in document.operations() {
        for status in operation["responses"].as_object().unwrap().keys() {
            answers.push(format!("{path} {method} {status}"));
        }
    }
    assert!(answers.len() > 10);
    // Which parts of an answer may be absent.
    let optional = ["Profile.plans"];
    let answered = document.answered();
    for (name, schema) in document.0["components"]["schemas"].as_object().unwrap() {
        // Of a body, what is not described is ignored.
        if !answered.contains(name) {
            continue;
        }
        visit(schema, name, &mut |place, fields| {
            let Some(properties) =
                fields.get("properties").filter(|_| fields.get("type") == Some(&json!("object")))
            else {
                return;
            };
            assert_eq!(
                fields.get("additionalProperties"),
                Some(&json!(false)),
                "{place} allows other fields"
            );
            let required = fields.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
            for property in properties.as_object().unwrap().keys() {
                let place = format!("{place}.{property}");
                assert!(
                    required.contains(&json!(property))
                        || property == "_profiling"
                        || optional.contains(&place.as_str()),
                    "{place} may be absent"
                );
            }
        });
    }
}
