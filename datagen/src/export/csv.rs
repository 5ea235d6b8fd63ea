//! A row in COPY's binary format as a line of CSV, in the form that `COPY … (FORMAT csv, HEADER)` reads and writes.
//!
//! The generator stays as it is: its bytes are decoded by the types of the columns. NULL is an empty field without
//! quotes and the empty text is one with quotes (`""`); texts are quoted when they hold a comma, a quote or an end of
//! line, or have a blank at either end. Times are RFC 3339 with microseconds, in UTC; floats have the fewest digits that
//! read back as the same value; numerics are exact.
//!
//! A line `\.` within a text is safe for the server, but psql before 18 takes it for the end of the data, whatever
//! stands around it; the generator writes no such text.

use std::io::Write as _;

use crate::entities::{Column, Kind};
use crate::wire;

/// 2000-01-01, from which the wire counts, in days after 1970-01-01.
const PG_EPOCH_DAYS: i64 = 10_957;
const DAY_US: i64 = 86_400_000_000;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the line with the names of the columns.
pub fn header(columns: &[Column], out: &mut Vec<u8>) {
    for (number, column) in columns.iter().enumerate() {
        separate(number, out);
        out.extend_from_slice(column.name.as_bytes());
    }
    out.push(b'\n');
}

/// Appends `row`, given as the bytes between two row headers, header included, as a line. Its fields must be those of
/// `columns`, encoded by this crate.
pub fn line(columns: &[Column], row: &[u8], out: &mut Vec<u8>) {
    for (number, (column, field)) in columns.iter().zip(wire::fields(row)).enumerate() {
        separate(number, out);
        if let Some(field) = field {
            value(column.kind, field, out);
        }
    }
    out.push(b'\n');
}

fn separate(number: usize, out: &mut Vec<u8>) {
    if number > 0 {
        out.push(b',');
    }
}

fn value(kind: Kind, field: &[u8], out: &mut Vec<u8>) {
    match kind {
        Kind::Uuid => uuid(field, out),
        Kind::Text => text(field, out),
        Kind::Bytea => {
            out.extend_from_slice(b"\\x");
            hex(field, out);
        }
        Kind::Boolean => out.push(if field == [0] { b'f' } else { b't' }),
        Kind::Integer => display(i32::from_be_bytes(exactly(field)), out),
        Kind::Bigint => display(i64::from_be_bytes(exactly(field)), out),
        Kind::Double => double(f64::from_be_bytes(exactly(field)), out),
        Kind::Numeric => numeric(field, out),
        // The first byte is the version of the format.
        Kind::Jsonb => text(&field[1..], out),
        Kind::Timestamptz => time(i64::from_be_bytes(exactly(field)), out),
    }
}

fn exactly<const LENGTH: usize>(field: &[u8]) -> [u8; LENGTH] {
    field.try_into().expect("a field of fixed length was encoded with that length")
}

fn display(value: impl std::fmt::Display, out: &mut Vec<u8>) {
    write!(out, "{value}").expect("a vector takes everything");
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(bytes.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]));
}

fn uuid(field: &[u8], out: &mut Vec<u8>) {
    let mut from = 0;
    for (number, length) in [4, 2, 2, 2, 6].into_iter().enumerate() {
        if number > 0 {
            out.push(b'-');
        }
        hex(&field[from..from + length], out);
        from += length;
    }
}

fn text(text: &[u8], out: &mut Vec<u8>) {
    let blank = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    let special = |byte: &u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');
    if blank(text.first()) || blank(text.last()) || text.iter().any(special) {
        out.push(b'"');
        for piece in text.split_inclusive(|&byte| byte == b'"') {
            out.extend_from_slice(piece);
            if piece.ends_with(b"\"") {
                out.push(b'"');
            }
        }
        out.push(b'"');
    } else {
        out.extend_from_slice(text);
    }
}

fn double(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if value.is_infinite() {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
        display(value, out);
    } else {
        // Without an exponent there would be up to 300 zeros.
        write!(out, "{value:e}").expect("a vector takes everything");
    }
}

/// The field: count of digits to the base of 10,000, weight of the first, sign, decimals, digits (16 bits each), as
/// `numeric_send` of `PostgreSQL` writes them.
fn numeric(field: &[u8], out: &mut Vec<u8>) {
    let mut words = field.chunks_exact(2).map(|word| i16::from_be_bytes([word[0], word[1]]));
    let mut word = || words.next().expect("a numeric has a head of four words");
    let [_count, weight, sign, decimals] = [word(), word(), word(), word()];
    match sign.cast_unsigned() {
        0xc000 => return out.extend_from_slice(b"NaN"),
        0xd000 => return out.extend_from_slice(b"Infinity"),
        0xf000 => return out.extend_from_slice(b"-Infinity"),
        0x4000 => out.push(b'-'),
        _ => {}
    }
    let digits: Vec<i16> = words.collect();
    let digit = |power: i32| {
        usize::try_from(i32::from(weight) - power).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0)
    };
    display(digit(i32::from(weight).max(0)), out);
    for power in (0..i32::from(weight)).rev() {
        write!(out, "{:04}", digit(power)).expect("a vector takes everything");
    }
    let mut left = usize::from(decimals.cast_unsigned());
    if left > 0 {
        out.push(b'.');
    }
    for power in 1.. {
        if left == 0 {
            break;
        }
        let four = format_four(digit(-power));
        let taken = left.min(4);
        out.extend_from_slice(&four[..taken]);
        left -= taken;
    }
}

fn format_four(digit: i16) -> [u8; 4] {
    let digit = digit.unsigned_abs();
    [digit / 1_000, digit / 100 % 10, digit / 10 % 10, digit % 10].map(decimal)
}

fn decimal(digit: u16) -> u8 {
    b"0123456789"[usize::from(digit)]
}

/// Microseconds since 2000 as `2026-03-01T12:34:56.123456+00:00`.
fn time(pg_us: i64, out: &mut Vec<u8>) {
    match pg_us {
        i64::MAX => return out.extend_from_slice(b"infinity"),
        i64::MIN => return out.extend_from_slice(b"-infinity"),
        _ => {}
    }
    let (year, month, day) = civil(pg_us.div_euclid(DAY_US) + PG_EPOCH_DAYS);
    let us = pg_us.rem_euclid(DAY_US);
    let seconds = us / 1_000_000;
    // There is no year 0: 1 BC comes before 1 AD.
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    write!(
        out,
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}+00:00{era}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        us % 1_000_000
    )
    .expect("a vector takes everything");
}

/// Year, month and day of a number of days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`: the year begins in March, and an era is 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
