//! The refusals that every endpoint of the API has, and those of every endpoint that reads a body.

use std::collections::BTreeMap;

use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::sealed::SCHEMAS;

/// What an endpoint reads beside the path.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    /// Parameters.
    Parameters,
    /// An object.
    One,
    /// An array of objects.
    Many,
}

impl Asked {
    /// What this endpoint reads. None if there is nothing that could be wrong.
    fn by(operation: &Operation, schemas: &BTreeMap<String, RefOr<Schema>>) -> Option<Self> {
        let Some(RefOr::T(body)) = &operation.request_body else {
            return operation
                .parameters
                .as_ref()
                .is_some_and(|all| !all.iter().all(is_of_the_path))
                .then_some(Self::Parameters);
        };
        let mut schema = match body.content.get("application/json") {
            Some(RefOr::T(content)) => content.schema.as_ref(),
            _ => None,
        };
        while let Some(RefOr::Ref(reference)) = schema {
            schema = reference.ref_location.strip_prefix(SCHEMAS).and_then(|name| schemas.get(name));
        }
        Some(if matches!(schema, Some(RefOr::T(Schema::Array(_)))) { Self::Many } else { Self::One })
    }
}

fn is_of_the_path(parameter: &RefOr<Parameter>) -> bool {
    matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path)
}

/// Adds what the endpoint has not said itself.
pub(super) fn add(operation: &mut Operation, schemas: &BTreeMap<String, RefOr<Schema>>) {
    let asked = Asked::by(operation, schemas);
    let mut refusals = vec![
        ("401", detail("No credentials, or such that don't hold.", Some(("WWW-Authenticate", "`Bearer`.")))),
        (
            "403",
            detail(
                "No such workspace, or not for this user: the same answer, so that nobody can probe.",
                None,
            ),
        ),
        ("500", detail("Something broke. The log knows what, under the name of the request.", None)),
        (
            "503",
            detail(
                "No database connection became free in time, the request took too long, or others kept changing the same rows.",
                Some(("Retry-After", "Seconds after which to try again.")),
            ),
        ),
    ];
    if let Some(asked) = asked {
        refusals.push(("400", bad_request(asked)));
    }
    if matches!(asked, Some(Asked::One | Asked::Many)) {
        refusals.push(("413", detail("The body is larger than 10 MB.", None)));
        refusals.push(("415", detail("The body is not said to be `application/json`.", None)));
    }
    for (status, response) in refusals {
        operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
}

/// One sentence, and perhaps a header.
fn detail(description: &str, header: Option<(&str, &str)>) -> Response {
    let mut builder = ResponseBuilder::new()
        .description(description)
        .content("application/json", ContentBuilder::new().schema(Some(sentence())).build());
    if let Some((name, description)) = header {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(description)).build();
        builder = builder.header(name, header);
    }
    builder.build()
}

/// One sentence, or messages by parameter; where a body was read, also messages in its shape.
fn bad_request(asked: Asked) -> Response {
    let by_name = if asked == Asked::Parameters { messages() } else { messages_of_a_body() };
    let mut shapes = OneOfBuilder::new().item(sentence()).item(by_name);
    if asked == Asked::Many {
        let description = "For an array: the messages of each item, `{}` for the good ones.";
        shapes = shapes
            .item(ArrayBuilder::new().items(messages_of_a_body()).description(Some(description)).build());
    }
    let schema = RefOr::T(Schema::OneOf(shapes.build()));
    ResponseBuilder::new()
        .description("A parameter or a body that doesn't hold, or a request that makes no sense as a whole.")
        .content("application/json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn sentence() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Detail"))
}

/// By name, a list of sentences.
fn messages() -> ObjectBuilder {
    let sentences = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
    by_name(Schema::Array(sentences.build()))
}

/// By field, a list of sentences, or for a field that is a list itself, messages by place.
fn messages_of_a_body() -> ObjectBuilder {
    let anything = ObjectBuilder::new().schema_type(SchemaType::Array(vec![Type::Array, Type::Object]));
    by_name(anything.into())
}

fn by_name(value: Schema) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("By name, what is wrong with the value: all of it at once."))
        .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value))))
}
