//! The values of parameters: what a text in the query string means, or why it means nothing.
//!
//! Django's form fields set the example, and are not followed where they would accept what no client means: digits of
//! other scripts and `1_000` are no numbers here.

use uuid::Uuid;

use crate::customers::reading::Message;

/// A comma-separated list: items trimmed, empty ones dropped, sorted, each once.
pub(crate) fn texts(text: &str) -> Vec<String> {
    let mut items: Vec<String> = items(text).map(str::to_owned).collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// A list of UUIDs, with or without hyphens, sorted, each once. The first that is none is named.
pub(crate) fn uuids(text: &str) -> Result<Vec<Uuid>, Message> {
    let mut ids = items(text)
        .map(|item| uuid(item).ok_or_else(|| format!("“{item}” is not a valid UUID.").into()))
        .collect::<Result<Vec<Uuid>, Message>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// The two spellings by their lengths; the others that the parser knows, with braces and as a URN, are none of ours.
fn uuid(text: &str) -> Option<Uuid> {
    matches!(text.len(), 32 | 36).then(|| Uuid::try_parse(text).ok()).flatten()
}

/// A finite decimal number, as the nearest double, which is what the column holds.
///
/// A sign before it, an exponent, and space around it are allowed; the space because `+5` arrives as ` 5`, when the plus
/// was not encoded. A number beyond the range of doubles becomes infinite, and then compares with every stored value as
/// the number itself does.
pub(crate) fn number(text: &str) -> Result<f64, Message> {
    let text = text.trim();
    if !is_decimal(text) {
        return Err("Enter a number.".into());
    }
    text.parse().map_err(|_| "Enter a number.".into())
}

/// Digits with perhaps a sign, a point and an exponent: what the parser of floats takes, without its words.
fn is_decimal(text: &str) -> bool {
    fn unsigned(text: &str) -> &str {
        text.strip_prefix(['+', '-']).unwrap_or(text)
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (unsigned(mantissa), Some(unsigned(exponent))),
        None => (unsigned(text), None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    is_digits(whole)
        && is_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|digits| !digits.is_empty() && is_digits(digits))
}

/// `true`, `false`, `1` or `0`, in any case.
pub(crate) fn boolean(text: &str) -> Result<bool, Message> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("Must be a valid boolean.".into()),
    }
}

/// A key and a value, split at the first `=`. Space belongs to either; the value may be empty, the key may not.
pub(crate) fn key_value(text: &str) -> Result<(String, String), Message> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("Expected key=value.".into()),
    }
}

/// One of these words, exactly as it stands here.
pub(crate) fn one_of(text: &str, words: &[&'static str]) -> Result<&'static str, Message> {
    words
        .iter()
        .find(|word| **word == text)
        .copied()
        .ok_or_else(|| format!("Select a valid choice. {text} is not one of the available choices.").into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_trimmed_without_empty_items_sorted_and_has_each_item_once() {
        assert_eq!(texts(" b ,,a\t,b, ,\u{a0}c d,"), ["a", "b", "c d"]);
        assert!(texts(" , ,").is_empty());
    }

    #[test]
    fn a_uuid_is_read_with_or_without_hyphens_in_any_case() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
        let text = "01234567-89ab-cdef-0123-456789abcdef, 0123456789ABCDEF0123456789abcdef,";
        assert_eq!(uuids(text), Ok(vec![id]));
        assert_eq!(uuids(" ,"), Ok(Vec::new()));
        for bad in
            ["x", "{01234567-89ab-cdef-0123-456789abcdef}", "urn:uuid:01234567-89ab-cdef-0123-456789abcdef"]
        {
            assert_eq!(
                uuids(&format!("{text} {bad} ,y")),
                Err(format!("“{bad}” is not a valid UUID.").into())
            );
        }
        // Hyphens stand where they belong, or not at all.
        assert!(uuids("0123456789ab-cdef-0123-456789abcdef01").is_err());
    }

    #[test]
    fn a_number_is_a_finite_decimal_and_nothing_else_that_somebody_calls_a_number() {
        for (text, value) in [
            ("0", 0.0),
            ("-0", 0.0),
            ("12.50", 12.5),
            ("+1", 1.0),
            (" 1 ", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E+3", 1000.0),
            ("-1.5e-3", -0.0015),
            ("007", 7.0),
            ("1e-999", 0.0),
            ("1e999", f64::INFINITY),
            ("-1e99999999999999999999", f64::NEG_INFINITY),
            ("12345678901234567890", 12_345_678_901_234_567_890.0),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        assert_eq!(number(&"9".repeat(50_000)), Ok(f64::INFINITY));
        assert_eq!(number(&format!("0.{}1", "0".repeat(50_000))), Ok(0.0));
        for bad in [
            " ",
            ".",
            "-",
            "+",
            "e",
            "e5",
            "1e",
            "1e+",
            ".e1",
            "--1",
            "+-1",
            "1 2",
            "1,5",
            "1.2.3",
            "1e2e3",
            "1e1.5",
            "1_000",
            "0x10",
            "nan",
            "NaN",
            "inf",
            "-Infinity",
            "١٢",
            "１",
            "1f",
            "½",
            "ten",
        ] {
            assert_eq!(number(bad), Err("Enter a number.".into()), "{bad}");
        }
    }

    #[test]
    fn a_boolean_is_one_of_four_words_in_any_case() {
        for (text, value) in [("true", true), ("TRUE", true), ("1", true), ("False", false), ("0", false)] {
            assert_eq!(boolean(text), Ok(value), "{text}");
        }
        for bad in ["yes", "t", "2", "01", " true", "null", "TRÜE"] {
            assert_eq!(boolean(bad), Err("Must be a valid boolean.".into()), "{bad}");
        }
    }

    #[test]
    fn a_pair_is_split_at_the_first_sign_and_never_trimmed() {
        for (text, key, value) in [
            ("city=Hanoi", "city", "Hanoi"),
            ("a=b=c", "a", "b=c"),
            (" a = b ", " a ", " b "),
            ("a=", "a", ""),
            ("a==", "a", "="),
            (" =x", " ", "x"),
            ("ключ=значение", "ключ", "значение"),
        ] {
            assert_eq!(key_value(text), Ok((key.to_owned(), value.to_owned())), "{text}");
        }
        for bad in ["=", "=x", "city", " "] {
            assert_eq!(key_value(bad), Err("Expected key=value.".into()), "{bad}");
        }
    }

    proptest! {
        /// Whatever passes the grammar parses, so its own error is never met.
        #[test]
        fn a_decimal_always_parses(text in "[+-]?([0-9]{1,30}\\.?[0-9]{0,30}|\\.[0-9]{1,30})([eE][+-]?[0-9]{1,12})?") {
            prop_assert!(is_decimal(&text));
            prop_assert_eq!(number(&text), Ok(text.parse::<f64>().unwrap()));
        }

        #[test]
        fn what_is_no_decimal_is_refused(text in "[0-9eE.+_xa-f-]{0,8}") {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"eE.+-".contains(&byte));
            prop_assert_eq!(number(&text).is_ok(), is_plain && text.parse::<f64>().is_ok());
        }
    }
}
