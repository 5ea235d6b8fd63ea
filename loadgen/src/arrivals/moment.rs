//! The time of a recorded arrival: seconds, or a timestamp.

use std::time::Duration;

use chrono::DateTime;

/// A time as it was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    Seconds(f64),
    Time(DateTime<chrono::FixedOffset>),
}

impl Moment {
    /// Reads it; the error is a sentence without an end.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(seconds) = text.parse::<f64>() {
            return if seconds.is_finite() && seconds >= 0.0 {
                Ok(Self::Seconds(seconds))
            } else {
                Err(format!("`{text}` is not a time: seconds are 0 or more"))
            };
        }
        DateTime::parse_from_rfc3339(text).map(Self::Time).map_err(|_| {
            format!(
                "`{text}` is not a time: write seconds, such as 0.153, or a timestamp, such as \
                 2026-07-01T12:00:00.153Z"
            )
        })
    }

    /// The distance from `first`, which has to be written in the same way.
    pub(super) fn since(self, first: Self) -> Result<Duration, String> {
        let before = || "it is due before the first line; sort the lines by time".to_owned();
        match (self, first) {
            (Self::Seconds(at), Self::Seconds(first)) if at < first => Err(before()),
            (Self::Seconds(at), Self::Seconds(first)) => {
                Duration::try_from_secs_f64(at - first).map_err(|_| format!("`{at}` s are too many"))
            }
            (Self::Time(at), Self::Time(first)) => (at - first).to_std().map_err(|_| before()),
            (Self::Seconds(_), Self::Time(_)) => {
                Err("it has seconds where the first line has a timestamp".to_owned())
            }
            (Self::Time(_), Self::Seconds(_)) => {
                Err("it has a timestamp where the first line has seconds".to_owned())
            }
        }
    }
}
