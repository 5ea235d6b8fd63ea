//! What every endpoint of the API does with `_profile`. One layer around all of them does it, so it is described here
//! once.

use std::collections::BTreeSet;

use utoipa::Modify;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, RefBuilder, Schema, Type};
use utoipa::openapi::{OpenApi, RefOr, Required, Response};

use super::{API, operations, sealed};

/// Refusals of those who may not ask for a profile; they have none.
const WITHOUT: [&str; 2] = ["401", "403"];

/// The member of a body that holds the profile.
const MEMBER: &str = "_profiling";

/// Adds the parameter, and what it adds to answers. After `sealed`, which makes objects of the answers' schemas.
pub(super) struct Profiled;

impl Modify for Profiled {
    fn modify(&self, document: &mut OpenApi) {
        // Schemas of whole answers that stand among the components.
        let mut answers = BTreeSet::new();
        for (path, operation) in operations(&mut document.paths) {
            if !path.starts_with(API) {
                continue;
            }
            operation.parameters.get_or_insert_default().push(parameter());
            for (status, response) in &mut operation.responses.responses {
                if let RefOr::T(response) = response
                    && !WITHOUT.contains(&status.as_str())
                {
                    headers(response);
                    for content in response.content.values_mut() {
                        if let RefOr::T(content) = content
                            && let Some(schema) = &mut content.schema
                        {
                            extend(schema, &mut answers);
                        }
                    }
                }
            }
        }
        let Some(components) = &mut document.components else { return };
        for name in answers {
            if let Some(schema) = components.schemas.get_mut(&name) {
                extend(schema, &mut BTreeSet::new());
            }
        }
    }
}

fn parameter() -> RefOr<Parameter> {
    let values = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["true", "explain"]));
    let parameter = ParameterBuilder::new()
        .name("_profile")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(
            "Asks for a profile of this request, for admins and managers. `true`: what the request did, in `_profiling` of \
             a body that is a JSON object, and in `Server-Timing`; kept for an hour under `/api/v1/profiles/`. `explain`: \
             also the plans of its statements, which run again for that, read-only and within the limit of time of the \
             request. For everybody else, with another value, and on a server that makes no profiles it does nothing.",
        ))
        .schema(Some(Schema::Object(values.build())))
        .example(Some("true".into()))
        .build();
    RefOr::T(parameter)
}

fn headers(response: &mut Response) {
    for (name, description) in [
        ("Server-Timing", "What each layer of the server took; only with a profile."),
        ("Cache-Control", "`no-store`; only with a profile."),
    ] {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
        response.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

/// Adds the profile to what an answer can be where that is an object; what stands elsewhere is named in `elsewhere`.
fn extend(schema: &mut RefOr<Schema>, elsewhere: &mut BTreeSet<String>) {
    match schema {
        RefOr::Ref(reference) => {
            elsewhere.extend(reference.ref_location.strip_prefix(sealed::SCHEMAS).map(str::to_owned));
        }
        RefOr::T(Schema::Object(object)) => {
            let profile = RefBuilder::new()
                .ref_location_from_schema_name("Profile")
                .description(Some("Only where one was asked for with `_profile`."));
            object.properties.insert(MEMBER.to_owned(), RefOr::Ref(profile.build()));
        }
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(|item| extend(item, elsewhere)),
        RefOr::T(_) => {}
    }
}
