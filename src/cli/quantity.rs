//! Numbers with their units, as they are typed.

use std::time::Duration;

use loadgen::arrivals::Rate;

/// `50/s` or `3000/min`, or two of them for a ramp: `100/s..2000/s`.
pub(super) fn rate(text: &str) -> Result<Rate, String> {
    let rate = match text.split_once("..") {
        Some((from, to)) => Rate::ramp(per_second(from)?, per_second(to)?),
        None => Rate::constant(per_second(text)?),
    };
    rate.check().map(|()| rate)
}

/// A rate that stays as it is, in requests per second.
pub(super) fn constant_rate(text: &str) -> Result<f64, String> {
    let per_second = per_second(text)?;
    Rate::constant(per_second).check().map(|()| per_second)
}

/// `10%`: between 0.1 % and 100 %.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let wrong = || "expected a share such as 10%, between 0.1% and 100%".to_owned();
    let percent: f64 = text.strip_suffix('%').ok_or_else(wrong)?.trim().parse().map_err(|_| wrong())?;
    if (0.1..=100.0).contains(&percent) { Ok(percent / 100.0) } else { Err(wrong()) }
}

fn per_second(text: &str) -> Result<f64, String> {
    let wrong = || "expected a rate such as 50/s, 30/min, 12/h or 100/s..2000/s".to_owned();
    let (number, per) = text.split_once('/').ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    match per.trim() {
        "s" => Ok(number),
        "min" => Ok(number / 60.0),
        "h" => Ok(number / 3600.0),
        _ => Err(wrong()),
    }
}

/// `2x`: twice as fast.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let wrong = || "expected a speed such as 2x or 0.5x, from 0.001x to 1000x".to_owned();
    let times: f64 = text.strip_suffix('x').unwrap_or(text).trim().parse().map_err(|_| wrong())?;
    if (0.001..=1000.0).contains(&times) { Ok(times) } else { Err(wrong()) }
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
        assert_eq!(rate("50/s"), Ok(Rate::constant(50.0)));
        assert_eq!(rate("30/min"), Ok(Rate::constant(0.5)));
        assert_eq!(rate("1800/h"), Ok(Rate::constant(0.5)));
        for wrong in ["50", "0/s", "-1/s", "x/s", "1/d", "inf/s", "NaN/s", "2000000/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_that_stays_has_no_second_end_and_a_share_has_its_sign() {
        assert_eq!(constant_rate("30/min"), Ok(0.5));
        assert!(constant_rate("1/s..2/s").is_err() && constant_rate("0/s").is_err());
        assert_eq!(share("10%"), Ok(0.1));
        for wrong in ["10", "0%", "101%", "x%", "NaN%"] {
            assert!(share(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_ramp_has_two_rates_of_which_one_may_be_0() {
        assert_eq!(rate("100/s..2000/s"), Ok(Rate::ramp(100.0, 2000.0)));
        assert_eq!(rate("0/s..30/min"), Ok(Rate::ramp(0.0, 0.5)));
        assert_eq!(rate("5/s .. 0/s"), Ok(Rate::ramp(5.0, 0.0)));
        for wrong in ["0/s..0/s", "100..200/s", "1/s..", "1/s..2/s..3/s", "1/s..-1/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_speed_is_a_multiple() {
        assert_eq!(speed("2x"), Ok(2.0));
        assert_eq!(speed("0.5"), Ok(0.5));
        for wrong in ["x", "0x", "-2x", "NaNx", "1e9x", "fast"] {
            assert!(speed(wrong).is_err(), "{wrong}");
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
