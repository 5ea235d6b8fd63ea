//! Holds what the document of the API says of a body against what is read.
//!
//! A reader is more lenient than the document: it takes `"12"` for a number. So a value that the document allows must be
//! accepted, and one of the right type that it forbids must be refused; what is of another type is left alone.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::bodies::json::Json;
use crate::bodies::messages::Messages;

/// The names of all fields of a struct: one that is left out does not compile.
macro_rules! fields_of {
    ($of:ident { $($field:ident),* $(,)? }) => {{
        let $of { $($field: _),* } = $of::default();
        [$(stringify!($field)),*]
    }};
}
pub(crate) use fields_of;

/// Asserts that the document has exactly these fields, and that each is read as it is described.
pub(crate) fn holds<T: ToSchema>(names: &[&str], read: impl Fn(Json<'_>) -> Messages) {
    let schema = serde_json::to_value(T::schema()).unwrap();
    let fields = schema["properties"].as_object().unwrap();
    let described: Vec<&String> = fields.keys().collect();
    let mut read_names = names.to_vec();
    read_names.sort_unstable();
    assert_eq!(described, read_names);

    let messages = |body: &Map<String, Value>| -> Value {
        let body = Value::from(body.clone()).to_string();
        read(Json::parse(body.as_bytes()).unwrap()).into()
    };
    let full: Map<String, Value> =
        fields.iter().map(|(name, field)| (name.clone(), example(name, field))).collect();
    assert_eq!(messages(&full), json!({}));

    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in fields {
        let mut without = full.clone();
        without.remove(name);
        let is_missed = messages(&without).get(name).is_some();
        assert_eq!(is_missed, required.contains(&json!(name)), "{name} is required or not");

        let validator = validator(field);
        assert!(validator.is_valid(&full[name]), "{name}: its example is against the document");
        if let Some(default) = field.get("default") {
            assert!(validator.is_valid(default), "{name}: its default is against the document");
        }
        let (mut allowed, mut forbidden) = (0, 0);
        for value in values(field) {
            let mut body = full.clone();
            body.insert(name.clone(), value.clone());
            let told = messages(&body).get(name).cloned();
            let is_valid = validator.is_valid(&value);
            assert_eq!(told.is_none(), is_valid, "{name}: {value:.80} {told:?} {field}");
            *(if is_valid { &mut allowed } else { &mut forbidden }) += 1;
        }
        assert!(allowed > 0 && forbidden > 0, "{name}: {allowed} values are allowed, {forbidden} are not");
    }
}

fn example(name: &str, field: &Value) -> Value {
    let found = field.get("example").or_else(|| field.pointer("/examples/0"));
    found.unwrap_or_else(|| panic!("{name} has no example: {field}")).clone()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::options().should_validate_formats(true).build(schema).unwrap()
}

/// Values about the limits of a field, of the types that it has; null, and an object, always.
fn values(field: &Value) -> Vec<Value> {
    let has = |name: &str| {
        field["type"] == name || field["type"].as_array().is_some_and(|all| all.contains(&json!(name)))
    };
    let mut values = vec![Value::Null, json!({ "a": 1 })];
    if has("boolean") {
        values.extend([json!(true), json!(false)]);
    }
    if has("number") || has("integer") {
        values.extend([json!(0), json!(1), json!(1.5)]);
        for limit in ["minimum", "maximum"] {
            if let Some(limit) = field[limit].as_f64() {
                values.extend([json!(limit), json!(limit - 1.0), json!(limit + 1.0)]);
            }
        }
    }
    if has("string") {
        values.extend(field["enum"].as_array().into_iter().flatten().cloned());
        values.push(json!("no such word"));
        if field["format"] == "uuid" {
            values.push(field["example"].clone());
        }
        // An empty text is no text of any format, and may be sent all the same.
        if field.get("format").is_none() {
            values.push(json!(""));
        }
        if let Some(longest) = field["maxLength"].as_u64().and_then(|longest| usize::try_from(longest).ok()) {
            values.extend(
                [longest, longest + 1].map(|length| json!(of_length(length, field["format"].as_str()))),
            );
        }
    }
    if has("array") {
        let id = json!("5d3c8a7e-1b52-4a55-8f0e-7c1f4f0b9a22");
        values.extend([json!([]), json!([id]), json!(["x"]), json!([[id]])]);
        if let Some(most) = field["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok()) {
            values.extend([most, most + 1].map(|count| json!(vec![id.clone(); count])));
        }
    }
    values
}

/// A text of this format with so many characters.
fn of_length(length: usize, format: Option<&str>) -> String {
    match format {
        // At most 64 characters before the @ and 63 between two dots, as the standards have it.
        Some("email") => {
            let domain: Vec<char> = "example.".chars().cycle().take(length - "a@.com".len()).collect();
            format!("a@{}m.com", domain[..domain.len() - 1].iter().collect::<String>())
        }
        Some("uri") => format!("{:a<length$}", "https://example.com/"),
        _ => "a".repeat(length),
    }
}
