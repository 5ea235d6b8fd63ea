//! Schemas of answers are strict: a field that is not described is against the document.
//!
//! A body that a client sends may hold more than is read, so only schemas that answers lead to are sealed. A type with
//! flattened parts comes as `allOf` of schemas, of which each would forbid the fields of the others; its parts are made
//! one object first, which is also how a reader wants to see it.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::Modify;
use utoipa::openapi::schema::{AdditionalProperties, AllOf, Object, Schema};
use utoipa::openapi::{OpenApi, RefOr};

/// Where references begin.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// Seals what answers lead to.
pub(super) struct Answers;

impl Modify for Answers {
    fn modify(&self, document: &mut OpenApi) {
        let Some(components) = &mut document.components else { return };
        let parts = components.schemas.clone();
        for schema in components.schemas.values_mut() {
            if let RefOr::T(Schema::AllOf(all)) = schema
                && let Some(whole) = merged(all, &parts)
            {
                *schema = RefOr::T(Schema::Object(whole));
            }
        }
        let (mut answered, mut used) = (BTreeSet::new(), BTreeSet::new());
        for item in document.paths.paths.values() {
            let operations = [&item.get, &item.post, &item.put, &item.patch, &item.delete];
            for operation in operations.into_iter().flatten() {
                follow(&references(&operation.responses), &components.schemas, &mut answered);
                follow(&references(operation), &components.schemas, &mut used);
            }
        }
        components.schemas.retain(|name, _| used.contains(name));
        for (name, schema) in &mut components.schemas {
            if let RefOr::T(schema) = schema
                && answered.contains(name)
            {
                seal(schema);
            }
        }
    }
}

/// The parts of a flattened type as one object, if all of them are objects.
fn merged(all: &AllOf, parts: &BTreeMap<String, RefOr<Schema>>) -> Option<Object> {
    let mut whole = Object::new();
    whole.description.clone_from(&all.description);
    for item in &all.items {
        let part = match item {
            RefOr::T(part) => part,
            RefOr::Ref(reference) => match parts.get(reference.ref_location.strip_prefix(SCHEMAS)?)? {
                RefOr::T(part) => part,
                RefOr::Ref(_) => return None,
            },
        };
        let part = match part {
            Schema::Object(part) => part.clone(),
            Schema::AllOf(nested) => merged(nested, parts)?,
            _ => return None,
        };
        whole.properties.extend(part.properties);
        whole.required.extend(part.required);
    }
    Some(whole)
}

/// The names of the schemas that something refers to.
fn references(thing: &impl serde::Serialize) -> Vec<String> {
    fn walk(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                let target = fields.get("$ref").and_then(|target| target.as_str());
                found.extend(target.and_then(|target| target.strip_prefix(SCHEMAS)).map(str::to_owned));
                fields.values().for_each(|value| walk(value, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(&serde_json::to_value(thing).unwrap_or_default(), &mut found);
    found
}

/// Adds these names, and all that their schemas refer to.
fn follow(names: &[String], schemas: &BTreeMap<String, RefOr<Schema>>, reached: &mut BTreeSet<String>) {
    for name in names {
        if reached.insert(name.clone())
            && let Some(schema) = schemas.get(name)
        {
            follow(&references(schema), schemas, reached);
        }
    }
}

/// Forbids other fields, here and in the schemas within. An object without fields of its own is a free form.
fn seal(schema: &mut Schema) {
    let seal_part = |part: &mut RefOr<Schema>| {
        if let RefOr::T(part) = part {
            seal(part);
        }
    };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(seal_part);
            if !object.properties.is_empty() && object.additional_properties.is_none() {
                object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(seal_part),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(seal_part),
        Schema::Array(array) => {
            if let utoipa::openapi::schema::ArrayItems::RefOrSchema(items) = &mut array.items {
                seal_part(items);
            }
        }
        _ => {}
    }
}
