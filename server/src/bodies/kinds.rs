//! Texts, choices, yes and no, ids: what each accepts and how it says no. Django REST framework is lenient in places, and
//! so is this: a number is a text, `"yes"` and `1` are true, white space around a text goes.

use serde_json::json;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use uuid::Uuid;

use crate::bodies::json::{Json, Kind, LoneSurrogate};
use crate::bodies::object::Judged;

/// A text without white space around it, of at most `longest` characters, and not empty.
pub(crate) fn text(longest: usize) -> impl Fn(Json<'_>) -> Judged<String> {
    move |json| {
        let text = trimmed(json)?;
        if text.is_empty() {
            return Err(json!(["This field may not be blank."]));
        }
        let wrong = wrong_with(&text, longest);
        if wrong.is_empty() { Ok(text) } else { Err(json!(wrong)) }
    }
}

/// As [`text`], but it may be empty, and `holds` has a further say, with a message of its own.
pub(crate) fn special_text(
    longest: usize,
    holds: fn(&str) -> bool,
    message: &'static str,
) -> impl Fn(Json<'_>) -> Judged<String> {
    move |json| {
        let text = trimmed(json)?;
        if text.is_empty() {
            return Ok(text);
        }
        let mut wrong = wrong_with(&text, longest);
        if !holds(&text) {
            wrong.push(message.to_owned());
        }
        if wrong.is_empty() { Ok(text) } else { Err(json!(wrong)) }
    }
}

fn trimmed(json: Json<'_>) -> Judged<String> {
    match json.kind() {
        Kind::Text | Kind::Number => content(json).map(|text| text.trim().to_owned()),
        _ => Err(json!(["Not a valid string."])),
    }
}

fn content(json: Json<'_>) -> Judged<String> {
    json.content().map_err(|LoneSurrogate(unit)| json!([surrogate_message(unit)]))
}

/// PostgreSQL stores no half of a surrogate pair.
pub(crate) fn surrogate_message(unit: u16) -> String {
    format!("Surrogate characters are not allowed: U+{unit:X}.")
}

/// PostgreSQL stores no NUL.
pub(crate) const NULL_CHARACTERS: &str = "Null characters are not allowed.";

fn wrong_with(text: &str, longest: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    if text.chars().count() > longest {
        wrong.push(format!("Ensure this field has no more than {longest} characters."));
    }
    if text.contains('\0') {
        wrong.push(NULL_CHARACTERS.to_owned());
    }
    wrong
}

/// One of these words.
pub(crate) fn choice(words: &'static [&'static str]) -> impl Fn(Json<'_>) -> Judged<&'static str> {
    move |json| {
        let said = content(json)?;
        let found = words.iter().find(|word| **word == said).filter(|_| json.kind() == Kind::Text);
        found.copied().ok_or_else(|| json!([format!("\"{said}\" is not a valid choice.")]))
    }
}

/// What [`choice`] takes, for the document of the API.
pub(crate) fn choice_schema(words: &'static [&'static str], default: Option<&str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words.iter().copied()))
        .default(default.map(Into::into))
        .examples(words.first().copied())
        .build()
}

/// Yes or no, in the many ways to say so.
pub(crate) fn boolean(json: Json<'_>) -> Judged<bool> {
    let said = match json.kind() {
        Kind::Bool | Kind::Number | Kind::Text => content(json)?.trim().to_ascii_lowercase(),
        _ => String::new(),
    };
    match said.as_str() {
        "t" | "y" | "yes" | "true" | "on" | "1" | "1.0" => Ok(true),
        "f" | "n" | "no" | "false" | "off" | "0" | "0.0" => Ok(false),
        _ => Err(json!(["Must be a valid boolean."])),
    }
}

/// A UUID, with or without hyphens.
pub(crate) fn uuid(json: Json<'_>) -> Judged<Uuid> {
    let id = match json.kind() {
        Kind::Text => json.content().ok().and_then(|text| Uuid::try_parse(&text).ok()),
        _ => None,
    };
    id.ok_or_else(|| json!(["Must be a valid UUID."]))
}

/// The message about an id of something that is not there, or not in this workspace: nobody can tell the two apart.
pub(crate) fn no_such(id: Uuid) -> String {
    format!("Invalid pk \"{id}\" - object does not exist.")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judge<T>(text: &str, judge: impl Fn(Json<'_>) -> Judged<T>) -> Judged<T> {
        judge(Json::parse(text.as_bytes()).unwrap())
    }

    #[track_caller]
    fn refuses<T: std::fmt::Debug>(judged: Judged<T>, messages: &[&str]) {
        assert_eq!(judged.unwrap_err(), json!(messages));
    }

    #[test]
    fn texts_are_trimmed_counted_in_characters_and_hold_no_nul() {
        assert_eq!(judge("\" Đỗ \\n\"", text(2)).unwrap(), "Đỗ");
        assert_eq!(judge("84901234567", text(20)).unwrap(), "84901234567");
        refuses(judge("\"Đỗ!\"", text(2)), &["Ensure this field has no more than 2 characters."]);
        refuses(judge("\"  \"", text(2)), &["This field may not be blank."]);
        refuses(judge("\"a\\u0000\"", text(2)), &["Null characters are not allowed."]);
        refuses(
            judge("\"a\\u0000b\"", text(2)),
            &["Ensure this field has no more than 2 characters.", "Null characters are not allowed."],
        );
        refuses(judge("\"\\ud800\"", text(2)), &["Surrogate characters are not allowed: U+D800."]);
        for other in ["true", "[]", "{}"] {
            refuses(judge(other, text(9)), &["Not a valid string."]);
        }
    }

    #[test]
    fn a_choice_is_one_of_the_words_as_they_are_written() {
        assert_eq!(judge("\"hot\"", choice(&["hot", "cold"])).unwrap(), "hot");
        for (said, told) in [("\"Hot\"", "Hot"), ("\"\"", ""), ("1", "1"), ("[\"hot\"]", "[\"hot\"]")] {
            let message = format!("\"{told}\" is not a valid choice.");
            refuses(judge(said, choice(&["hot", "cold"])), &[&message]);
        }
    }

    #[test]
    fn booleans_are_said_in_many_ways() {
        for yes in ["true", "1", "\"yes\"", "\"TRUE\"", "\"on\"", "1.0"] {
            assert!(judge(yes, boolean).unwrap(), "{yes}");
        }
        for no in ["false", "0", "\"n\"", "\"Off\""] {
            assert!(!judge(no, boolean).unwrap(), "{no}");
        }
        for other in ["2", "\"maybe\"", "\"\"", "[]", "{}", "\"\\ud800x\""] {
            assert!(judge(other, boolean).is_err(), "{other}");
        }
        refuses(judge("\"maybe\"", boolean), &["Must be a valid boolean."]);
    }

    #[test]
    fn an_id_is_a_uuid_in_a_string() {
        let id = Uuid::from_u128(0xabc);
        for text in [id.hyphenated().to_string(), id.simple().to_string().to_uppercase()] {
            assert_eq!(judge(&format!("\"{text}\""), uuid).unwrap(), id);
        }
        for other in ["1", "\"1\"", "\"\"", "true", "[]", "\"\\u0000\"", "\"\\ud800\""] {
            refuses(judge(other, uuid), &["Must be a valid UUID."]);
        }
    }

    #[test]
    fn a_special_text_may_be_empty_and_tells_everything_that_is_wrong() {
        let judged = |said| judge(said, special_text(3, |text| text.starts_with('a'), "No a."));
        assert_eq!(judged("\" \"").unwrap(), "");
        assert_eq!(judged("\"abc\"").unwrap(), "abc");
        let Err(Value::Array(messages)) = judged("\"bcde\"") else { panic!() };
        assert_eq!(messages.len(), 2);
    }
}
