//! Any JSON value, kept digit for digit. PostgreSQL holds it as `jsonb`, which can't hold quite everything that is JSON;
//! what it can't is refused here, with a message, instead of there, with an error.
//!
//! `jsonb` keeps numbers as `numeric` and prints them without exponent, so `1e100000` is nine bytes that come back as a
//! hundred thousand. A few thousand of those would make a row that can be written, and never read again; hence a limit
//! to the size with all numbers written out.

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use crate::bodies::json::{Json, LoneSurrogate, escaped_unit, lone_surrogate};
use crate::bodies::kinds::{NULL_CHARACTERS, surrogate_message};
use crate::bodies::object::Judged;
use crate::entrance::MAX_BODY_BYTES;

/// The deepest nesting that is accepted. Readers of JSON have limits too, and many give up above 128.
const DEEPEST: usize = 100;

/// The most digits of a `numeric` before its point.
const MOST_DIGITS: i64 = 131_072;
/// The most digits of a `numeric` after its point.
const MOST_DECIMALS: i64 = 16_383;

/// A value that can be stored, as it was sent.
pub(crate) fn attributes(json: Json<'_>) -> Judged<String> {
    judge(json.raw()).map(|()| json.raw().to_owned()).map_err(|told| json!([told]))
}

/// What a value may be, for the document of the API.
pub(crate) fn schema() -> Object {
    let types = [Type::Object, Type::Array, Type::String, Type::Number, Type::Boolean];
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter(types))
        .description(Some("Any JSON but null, kept digit for digit; as a rule an object."))
        .examples([json!({ "city": "Hanoi", "age": 30 })])
        .build()
}

fn judge(json: &str) -> Result<(), String> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut written_out) = (0, 0_usize, bytes.len());
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at += judge_string(&json[at..])?,
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
                let length = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
                let number = &json[at..at + length];
                let digits = digits_written_out(number).ok_or_else(|| {
                    let begin: String = number.chars().take(40).collect();
                    format!("Value must be valid JSON. The number {begin} is out of range.")
                })?;
                written_out = written_out.saturating_add(digits.saturating_sub(length));
                at += length;
            }
            byte => {
                match byte {
                    b'[' | b'{' => depth += 1,
                    b']' | b'}' => depth -= 1,
                    _ => {}
                }
                if depth > DEEPEST {
                    return Err(format!("Ensure this value is nested no deeper than {DEEPEST} levels."));
                }
                at += 1;
            }
        }
    }
    if written_out > MAX_BODY_BYTES {
        return Err(format!(
            "Ensure this value takes no more than {MAX_BODY_BYTES} bytes with its numbers written out."
        ));
    }
    Ok(())
}

/// Judges the string that a text begins with and says how many bytes it takes.
fn judge_string(text: &str) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let mut end = 1;
    while bytes[end] != b'"' {
        if escaped_unit(&text[end..]) == Some(0) {
            return Err(NULL_CHARACTERS.to_owned());
        }
        end += if bytes[end] == b'\\' { 2 } else { 1 };
        // Not into the middle of a character: escapes are of ASCII, everything else is skipped to its end.
        while !text.is_char_boundary(end) {
            end += 1;
        }
    }
    match lone_surrogate(&text[..end]) {
        Some(LoneSurrogate(unit)) => Err(surrogate_message(unit)),
        None => Ok(end + 1),
    }
}

/// How many digits a number has without exponent; nothing if `numeric` can't hold it.
fn digits_written_out(number: &str) -> Option<usize> {
    let number = number.trim_start_matches('-');
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let length = |digits: &str| i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let digits = length(whole).saturating_add(exponent).max(1);
    let decimals = length(fraction).saturating_sub(exponent).max(0);
    if digits > MOST_DIGITS || decimals > MOST_DECIMALS {
        return None;
    }
    usize::try_from(digits + decimals + 2).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use sqlx::Connection as _;

    use super::*;

    #[test]
    fn what_jsonb_can_not_hold_is_refused() {
        for (json, told) in [
            (r#"{"a": "x\u0000"}"#, "Null characters are not allowed."),
            (r#"{"\u0000": 1}"#, "Null characters are not allowed."),
            (r#"["é\\", "\ud800"]"#, "Surrogate characters are not allowed: U+D800."),
            (r#"{"a": 1e131073}"#, "Value must be valid JSON. The number 1e131073 is out of range."),
            ("-1e-16385", "Value must be valid JSON. The number -1e-16385 is out of range."),
            (
                "1e99999999999999999999",
                "Value must be valid JSON. The number 1e99999999999999999999 is out of range.",
            ),
        ] {
            assert_eq!(judge(json), Err(told.to_owned()), "{json}");
        }
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(judge(&deep(100)), Ok(()));
        assert_eq!(
            judge(&deep(101)),
            Err("Ensure this value is nested no deeper than 100 levels.".to_owned())
        );
        let vast = format!("[{}1]", "1e100000,".repeat(200));
        assert!(judge(&vast).unwrap_err().starts_with("Ensure this value takes no more than 10485760 bytes"));
        assert_eq!(judge(&format!("[{}1]", "1e100000,".repeat(100))), Ok(()));
    }

    /// JSON with all that is hard in it, as text.
    fn json_text() -> impl Strategy<Value = String> {
        let number = "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,6})?";
        let string = r#""([a-z{}\[\],:é€😀 0-9]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83d\\ude00){0,8}""#;
        let leaf = prop_oneof![number, string, Just("null".to_owned()), Just("true".to_owned())];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec((string, inner), 0..4).prop_map(|fields| {
                    let fields: Vec<String> =
                        fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                    format!("{{{}}}", fields.join(","))
                }),
            ]
        })
    }

    #[test]
    fn whatever_is_accepted_can_be_stored_and_hardly_anything_else_is_refused() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let db = RefCell::new(runtime.block_on(async {
            sqlx::PgConnection::connect(&cluster::testing::cluster().await.url("postgres")).await.unwrap()
        }));
        proptest!(|(json in json_text())| {
            prop_assume!(serde_json::from_str::<&serde_json::value::RawValue>(&json).is_ok());
            let stored = runtime.block_on(
                sqlx::query_scalar::<_, String>("SELECT ($1::jsonb)::text").bind(&json).fetch_one(&mut *db.borrow_mut()),
            );
            match (judge(&json), stored) {
                (Ok(()), stored) => prop_assert!(stored.is_ok(), "{json}: {stored:?}"),
                // The bound on digits does not see that zeros lead, or that all is zero.
                (Err(told), Ok(_)) => prop_assert!(told.contains("out of range"), "{json}: {told}"),
                (Err(_), Err(_)) => {}
            }
        });
    }
}
