//! Numbers with their units, as they are typed.

use std::time::Duration;

/// `50/s` or `3000/min`, in requests per second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    let wrong = || "expected a rate such as 50/s, 0.5/s or 3000/min".to_owned();
    let (number, per) = text.split_once('/').ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    let per_second = match per.trim() {
        "s" => number,
        "min" => number / 60.0,
        _ => return Err(wrong()),
    };
    if per_second.is_finite() && per_second > 0.0 && per_second <= 1e6 {
        Ok(per_second)
    } else {
        Err("a rate lies above 0 and at most at 1000000/s".to_owned())
    }
}

/// `500ms`, `30s`, `2min`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "expected a time such as 500ms, 30s or 2min".to_owned();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wrong)?;
    let number: f64 = text[..split].trim().parse().map_err(|_| wrong())?;
    let seconds = match &text[split..] {
        "ms" => number / 1000.0,
        "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wrong()),
    };
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("a time lies between 100ms and 24h".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_a_unit() {
        assert_eq!(rate("50/s"), Ok(50.0));
        assert_eq!(rate("30/min"), Ok(0.5));
        for wrong in ["50", "0/s", "-1/s", "x/s", "1/h", "inf/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2min"), Ok(Duration::from_mins(2)));
        for wrong in ["30", "s", "1 day", "0s", "-3s", "100h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
