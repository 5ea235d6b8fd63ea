//! Amounts of money, exact: whole ten-thousandths, never floats.

use std::fmt;
use std::ops::Add;
use std::str::FromStr;

use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Ten-thousandths in one unit of the currency.
const SCALE: i128 = 10_000;

/// An amount of money in ten-thousandths of the currency's unit. Printed with at least two and at most four decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Money(i128);

/// A text that is not an amount with at most four decimals.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an amount of money with at most four decimals")]
pub(crate) struct NotMoney(String);

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads what PostgreSQL prints for a `numeric` with at most four decimals.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        let parse = || {
            let (is_negative, digits) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number(whole) || !is_number(fraction) || fraction.len() > 4 {
                return None;
            }
            let fraction: i128 = format!("{fraction:0<4}").parse().ok()?;
            let amount = whole.parse::<i128>().ok()?.checked_mul(SCALE)?.checked_add(fraction)?;
            Some(Self(if is_negative { -amount } else { amount }))
        };
        parse().ok_or_else(|| NotMoney(text.to_owned()))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, fraction) = (self.0.abs() / SCALE, self.0.abs() % SCALE);
        match (fraction % 100, fraction % 10) {
            (0, _) => write!(f, "{sign}{whole}.{:02}", fraction / 100),
            (_, 0) => write!(f, "{sign}{whole}.{:03}", fraction / 10),
            _ => write!(f, "{sign}{whole}.{fraction:04}"),
        }
    }
}

/// As a JSON number, digit for digit: `1250.50`, not `1250.5`.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// A number with at most four decimals. Clients that compute with amounts should read its text as a decimal.
impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let description = "An amount of money, exact: two to four decimals.";
        let number = ObjectBuilder::new().schema_type(Type::Number).description(Some(description));
        RefOr::T(number.examples([serde_json::json!(1250.5)]).into())
    }
}

impl ToSchema for Money {}

impl sqlx::Type<sqlx::Postgres> for Money {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <String as sqlx::Type<sqlx::Postgres>>::type_info()
    }
}

/// From `numeric::text`: the text is exact, and reading it needs no library of decimals.
impl<'r> sqlx::Decode<'r, sqlx::Postgres> for Money {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(value.as_str()?.parse::<Self>()?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_have_two_to_four_decimals() {
        for (text, printed) in [
            ("0", "0.00"),
            ("0.0000", "0.00"),
            ("1250.5000", "1250.50"),
            ("11.8642", "11.8642"),
            ("11.8640", "11.864"),
            ("0.0001", "0.0001"),
            ("-0.0500", "-0.05"),
            ("12345678901234567890123.4", "12345678901234567890123.40"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!(money.to_string(), printed);
            assert_eq!(serde_json::to_string(&money).unwrap(), printed);
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "NaN", "Infinity", "1.23456", "1e3", "+1", "--1", "1 "] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_are_inverse(amount in -(1_i128 << 100)..(1_i128 << 100)) {
            prop_assert_eq!(Money(amount).to_string().parse::<Money>().unwrap(), Money(amount));
        }
    }
}
