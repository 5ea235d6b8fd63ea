//! Numbers as people read them: three significant digits, a unit, thousands set apart.

use chrono::{DateTime, Utc};

use crate::run::Unit;

/// A time given in nanoseconds: `0.812 ns`, `62.1 ns`, and from a microsecond on as [`time_us`] has it.
#[must_use]
pub fn time_ns(ns: f64) -> String {
    if ns < 999.5 { format!("{} ns", significant(ns)) } else { time_us(ns / 1e3) }
}

/// A time given in microseconds: `812 us`, `6.21 ms`, `450 ms`, `1.45 s`, `2 min 05 s`.
#[must_use]
pub fn time_us(us: f64) -> String {
    if us < 999.5 {
        format!("{} us", significant(us))
    } else if us < 999_500.0 {
        format!("{} ms", significant(us / 1e3))
    } else if us < 119_500_000.0 {
        format!("{} s", significant(us / 1e6))
    } else {
        let seconds = (us / 1e6).round();
        format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0)
    }
}

/// A duration given in seconds, as [`time_us`] has it.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    time_us(seconds * 1e6)
}

/// A time given in milliseconds, as [`time_us`] has it.
#[must_use]
pub fn time_ms(ms: f64) -> String {
    time_us(ms * 1e3)
}

/// A point in time, to the minute: `1 July 2026, 09:05 UTC`.
#[must_use]
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// A whole number with its thousands set apart by commas.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number that need not be whole: at least three significant digits, no trailing zeros, thousands set apart.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".into();
    }
    if value.abs() >= 999.5 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rounded and taken absolute"
        )]
        let whole = count(value.abs().round() as u64);
        return if value < 0.0 { format!("-{whole}") } else { whole };
    }
    let text = significant(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share between 0 and 1 as a percentage: `0 %`, `0.0075 %`, `98.6 %`.
#[must_use]
pub fn share(share: f64) -> String {
    format!("{} %", number(share * 100.0))
}

/// A share without needless digits: `±4 %`, `±0.7 %`.
#[must_use]
pub fn spread(spread: f64) -> String {
    let percent = spread * 100.0;
    if percent < 0.95 { format!("±{percent:.1} %") } else { format!("±{percent:.0} %") }
}

/// A size in bytes, in powers of 1024: `512 B`, `96.0 KiB`, `1.20 GiB`.
#[must_use]
pub fn bytes(bytes: f64) -> String {
    // A difference of two readings may be a negative zero.
    let mut size = bytes + 0.0;
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if size < 1023.5 {
            return if unit == "B" {
                format!("{size:.0} B")
            } else {
                format!("{} {unit}", significant(size))
            };
        }
        size /= 1024.0;
    }
    format!("{} TiB", significant(size))
}

/// A multiple: `0.0142x`, `2x`, `73x`.
#[must_use]
pub fn times(ratio: f64) -> String {
    format!("{}x", number(ratio))
}

/// A rate in events per second.
#[must_use]
pub fn per_second(rate: f64) -> String {
    format!("{}/s", number(rate))
}

/// A judged value in its unit.
#[must_use]
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Microseconds => time_us(value),
        Unit::Share => share(value),
        Unit::Count | Unit::PerRequest => number(value),
        Unit::BytesPerRequest => bytes(value),
        Unit::PerSecond => per_second(value),
        Unit::Ratio => times(value),
    }
}

/// The name of an operation or subject as a heading: `first_page` becomes `First page`.
#[must_use]
pub fn heading(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 round`, `6 rounds`.
#[must_use]
pub fn plural(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Three significant digits, without an exponent; smaller numbers keep three digits after their leading zeros.
fn significant(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".into();
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a finite number is small")]
    let leading = magnitude.log10().floor() as i32;
    let decimals = usize::try_from(2 - leading).unwrap_or(0).min(12);
    let text = format!("{value:.decimals$}");
    // Rounding may have carried into a new digit (9.996 -> 10.00): one decimal fewer then.
    if decimals > 0 && text.trim_start_matches(['-', '0', '.']).replace('.', "").len() > 3 {
        let decimals = decimals - 1;
        return format!("{value:.decimals$}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_carry_three_digits_and_the_unit_that_suits_them() {
        let texts =
            [1.0, 812.0, 6_210.0, 9_996.0, 45_300.0, 450_000.0, 999_700.0, 1_450_000.0, 125_000_000.0]
                .map(time_us);
        assert_eq!(
            texts,
            [
                "1.00 us",
                "812 us",
                "6.21 ms",
                "10.0 ms",
                "45.3 ms",
                "450 ms",
                "1.00 s",
                "1.45 s",
                "2 min 05 s"
            ]
        );
    }

    #[test]
    fn short_times_are_nanoseconds() {
        let texts = [0.0, 0.8123, 62.14, 999.4, 999.6, 6_210.0].map(time_ns);
        assert_eq!(texts, ["0 ns", "0.812 ns", "62.1 ns", "999 ns", "1.00 us", "6.21 us"]);
    }

    #[test]
    fn numbers_drop_zeros_that_say_nothing() {
        let texts = [0.0, 2.0, 2.5, 0.014_23, 12.345, 757.0, 3_120.4, 1_000_000.0].map(number);
        assert_eq!(texts, ["0", "2", "2.5", "0.0142", "12.3", "757", "3,120", "1,000,000"]);
    }

    #[test]
    fn shares_sizes_and_multiples_have_their_sign() {
        assert_eq!([share(0.0), share(0.986), share(0.000_075)], ["0 %", "98.6 %", "0.0075 %"]);
        assert_eq!(
            [bytes(512.0), bytes(98_304.0), bytes(1.2 * 1024.0 * 1024.0 * 1024.0)],
            ["512 B", "96.0 KiB", "1.20 GiB"]
        );
        assert_eq!(
            [times(0.0142), times(73.0), spread(0.041), spread(0.007)],
            ["0.0142x", "73x", "±4 %", "±0.7 %"]
        );
    }

    #[test]
    fn headings_and_plurals_are_english() {
        assert_eq!(heading("first_page"), "First page");
        assert_eq!([plural(1, "round"), plural(1_200, "request")], ["1 round", "1,200 requests"]);
    }
}
