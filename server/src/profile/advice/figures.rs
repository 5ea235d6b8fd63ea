//! Numbers as sentences have them.

/// A count with its thousands apart: `1,500`.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time: three digits below a millisecond, one above.
pub(crate) fn ms(milliseconds: f64) -> String {
    if milliseconds < 1.0 { format!("{milliseconds:.3} ms") } else { format!("{milliseconds:.1} ms") }
}

/// Kilobytes, in the unit that suits.
pub(crate) fn kilobytes(kilobytes: f64) -> String {
    if kilobytes < 1024.0 { format!("{kilobytes:.0} kB") } else { format!("{:.1} MB", kilobytes / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_plain() {
        for (number, text) in [(0.0, "0"), (999.4, "999"), (1500.0, "1,500"), (1_234_567.0, "1,234,567")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((ms(0.0314), ms(12.345)), ("0.031 ms".to_owned(), "12.3 ms".to_owned()));
        assert_eq!((kilobytes(512.4), kilobytes(4608.0)), ("512 kB".to_owned(), "4.5 MB".to_owned()));
    }
}
