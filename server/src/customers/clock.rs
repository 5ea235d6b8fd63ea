//! The instants that a page is measured against. All follow from the one clock of the request.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Utc};

/// Where the recent windows of a page begin; both bounds belong to the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Windows {
    /// Exactly 30 days of 24 hours ago.
    pub(crate) last_30_days: DateTime<Utc>,
    /// The first instant of the current month, UTC.
    pub(crate) this_month: DateTime<Utc>,
}

impl Windows {
    /// The windows of a request whose clock says `now`.
    pub(crate) fn at(now: DateTime<Utc>) -> Self {
        let today = now.date_naive();
        let first = NaiveDate::from_ymd_opt(today.year(), today.month(), 1).unwrap_or(today);
        Self {
            last_30_days: now - Duration::days(30),
            this_month: first.and_time(chrono::NaiveTime::MIN).and_utc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_to_the_microsecond() {
        let windows = Windows::at("2024-03-31T23:59:59.999999Z".parse().unwrap());
        assert_eq!(windows.last_30_days, "2024-03-01T23:59:59.999999Z".parse::<DateTime<Utc>>().unwrap());
        assert_eq!(windows.this_month, "2024-03-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
        let new_year = Windows::at("2025-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(new_year.this_month, "2025-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }
}
