//! Numbers: floats, integers, and decimals that stay exact. A number in a string is one too.

use serde_json::json;

use crate::bodies::json::{Json, Kind};
use crate::bodies::object::Judged;

const NO_NUMBER: &str = "A valid number is required.";
const NO_INTEGER: &str = "A valid integer is required.";

/// The text of a number, or of a string that may hold one.
fn digits(json: Json<'_>) -> Option<String> {
    match json.kind() {
        Kind::Number | Kind::Text => json.content().ok().map(|text| text.trim().to_owned()),
        _ => None,
    }
}

/// A finite number.
pub(crate) fn float(json: Json<'_>) -> Judged<f64> {
    let number = digits(json).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
    // A zero with a sign would be printed with it.
    number.map(|number| number + 0.0).ok_or_else(|| json!([NO_NUMBER]))
}

/// A number from `least` to `most`.
pub(crate) fn float_within(least: f64, most: f64) -> impl Fn(Json<'_>) -> Judged<f64> {
    move |json| match float(json)? {
        number if number < least => Err(json!([too_small(&format!("{least:?}"))])),
        number if number > most => Err(json!([too_large(&format!("{most:?}"))])),
        number => Ok(number),
    }
}

/// A whole number from 0 to what the column holds; `12.0` is one.
pub(crate) fn count(json: Json<'_>) -> Judged<i32> {
    let text = digits(json).ok_or_else(|| json!([NO_INTEGER]))?;
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => "",
        None => &text,
    };
    let (is_negative, magnitude) = match whole.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, whole.strip_prefix('+').unwrap_or(whole)),
    };
    if magnitude.is_empty() || !magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(json!([NO_INTEGER]));
    }
    let magnitude = magnitude.trim_start_matches('0');
    match magnitude.parse::<i32>() {
        _ if magnitude.is_empty() => Ok(0),
        _ if is_negative => Err(json!([too_small("0")])),
        Ok(number) => Ok(number),
        Err(_) => Err(json!([too_large(&i32::MAX.to_string())])),
    }
}

fn too_small(least: &str) -> String {
    format!("Ensure this value is greater than or equal to {least}.")
}

fn too_large(most: &str) -> String {
    format!("Ensure this value is less than or equal to {most}.")
}

/// An amount that is not negative, of at most `digits` digits, `decimals` of them after the point: as the plain text that
/// PostgreSQL reads. Exact, because it never becomes a float.
pub(crate) fn decimal(most_digits: usize, decimals: usize) -> impl Fn(Json<'_>) -> Judged<String> {
    move |json| {
        let number = digits(json).as_deref().and_then(Decimal::read).ok_or_else(|| json!([NO_NUMBER]))?;
        let told = if number.whole.len() + number.fraction.len() > most_digits && !number.is_zero() {
            format!("Ensure that there are no more than {most_digits} digits in total.")
        } else if number.fraction.len() > decimals {
            format!("Ensure that there are no more than {decimals} decimal places.")
        } else if number.whole.len() > most_digits - decimals {
            format!(
                "Ensure that there are no more than {} digits before the decimal point.",
                most_digits - decimals
            )
        } else if number.is_negative && !number.is_zero() {
            too_small("0")
        } else {
            return Ok(format!("{}.{}", or_zero(&number.whole), or_zero(&number.fraction)));
        };
        Err(json!([told]))
    }
}

fn or_zero(digits: &str) -> &str {
    if digits.is_empty() { "0" } else { digits }
}

/// A decimal number written out.
#[derive(Debug, PartialEq)]
struct Decimal {
    is_negative: bool,
    /// Digits before the point, without leading zeros.
    whole: String,
    /// Digits after the point, zeros at the end included: a client that sends them means them.
    fraction: String,
}

/// Exponents beyond this can't lead to a number that any column holds.
const FAR: i64 = 1_000;

impl Decimal {
    /// Reads `-12.50e3`; there must be a digit.
    fn read(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                (mantissa, exponent.parse::<i64>().ok().filter(|far| far.abs() <= FAR)?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: String = [whole, fraction].concat();
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let point = i64::try_from(whole.len()).ok()? + exponent;
        let (whole, fraction) = match usize::try_from(point) {
            Ok(point) if point <= all.len() => (all[..point].to_owned(), all[point..].to_owned()),
            Ok(point) => (format!("{all:0<point$}"), String::new()),
            Err(_) => {
                let zeros = usize::try_from(-point).ok()?;
                (String::new(), format!("{}{all}", "0".repeat(zeros)))
            }
        };
        Some(Self { is_negative, whole: whole.trim_start_matches('0').to_owned(), fraction })
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.bytes().all(|byte| byte == b'0')
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn judge<T>(text: &str, judge: impl Fn(Json<'_>) -> Judged<T>) -> Judged<T> {
        judge(Json::parse(text.as_bytes()).unwrap())
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "the very bits are meant")]
    fn floats_are_finite() {
        assert_eq!(judge("12.5", float).unwrap(), 12.5);
        assert_eq!(judge("\" 1e3 \"", float).unwrap(), 1000.0);
        assert!(judge("-0", float).unwrap().is_sign_positive());
        for wrong in ["1e400", "\"NaN\"", "\"inf\"", "\"-Infinity\"", "\"\"", "true", "[1]", "{}", "\"12a\""]
        {
            assert_eq!(judge(wrong, float).unwrap_err(), json!([NO_NUMBER]), "{wrong}");
        }
        let within = |text| judge(text, float_within(-1.0, 1.0));
        assert_eq!(within("1").unwrap(), 1.0);
        assert_eq!(within("1.1").unwrap_err(), json!(["Ensure this value is less than or equal to 1.0."]));
        assert_eq!(
            within("-1.1").unwrap_err(),
            json!(["Ensure this value is greater than or equal to -1.0."])
        );
    }

    #[test]
    fn counts_are_whole_not_negative_and_fit_their_column() {
        for (text, number) in
            [("0", 0), ("-0", 0), ("2147483647", i32::MAX), ("\"007\"", 7), ("12.0", 12), ("12.", 12)]
        {
            let json = if text == "12." { "\"12.\"" } else { text };
            assert_eq!(judge(json, count).unwrap(), number, "{text}");
        }
        for wrong in ["12.5", "\"\"", "\"-\"", "\"12a\"", "\"1.0.0\"", "true", "[]", "\"0x10\"", "\".0\""] {
            assert_eq!(judge(wrong, count).unwrap_err(), json!([NO_INTEGER]), "{wrong}");
        }
        for large in ["2147483648", "99999999999999999999999"] {
            let told = "Ensure this value is less than or equal to 2147483647.";
            assert_eq!(judge(large, count).unwrap_err(), json!([told]), "{large}");
        }
        for small in ["-1", "-99999999999999999999999"] {
            let told = "Ensure this value is greater than or equal to 0.";
            assert_eq!(judge(small, count).unwrap_err(), json!([told]), "{small}");
        }
    }

    #[test]
    fn decimals_are_exact_and_fit_their_column() {
        let rate = |text| judge(text, decimal(10, 4));
        for (text, plain) in [
            ("0", "0.0"),
            ("-0.00", "0.00"),
            ("999999.9999", "999999.9999"),
            ("\"1.10\"", "1.10"),
            ("\"000001.5\"", "1.5"),
            ("12345e-4", "1.2345"),
            ("1e-4", "0.0001"),
            ("1.5E5", "150000.0"),
            ("\".5\"", "0.5"),
        ] {
            assert_eq!(rate(text).unwrap(), plain, "{text}");
        }
        for (text, told) in [
            ("0.00001", "Ensure that there are no more than 4 decimal places."),
            ("1000000", "Ensure that there are no more than 6 digits before the decimal point."),
            ("1e6", "Ensure that there are no more than 6 digits before the decimal point."),
            ("1234567.89012", "Ensure that there are no more than 10 digits in total."),
            ("1e99", "Ensure that there are no more than 10 digits in total."),
            ("-0.0001", "Ensure this value is greater than or equal to 0."),
        ] {
            assert_eq!(rate(text).unwrap_err(), json!([told]), "{text}");
        }
        for wrong in
            ["\"NaN\"", "\"Infinity\"", "\"\"", "\"-\"", "\".\"", "\"1,5\"", "true", "[]", "1e99999999999"]
        {
            assert_eq!(rate(wrong).unwrap_err(), Value::from(vec![NO_NUMBER]), "{wrong}");
        }
    }
}
