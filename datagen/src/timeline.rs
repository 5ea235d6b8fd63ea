//! When things happen: a monotone map between positions in `[0, 1)` and instants.
//!
//! Rows are spread over positions, and the timeline turns positions into times, so that many rows fall where the
//! weight is high. Each hour has an integer weight: the local hour of the week (dialling hours in `Asia/Ho_Chi_Minh`, a
//! quiet Sunday), times a factor of its day (campaign days and slow days), times the growth of the platform; all of
//! these stand in the profile. The weights are summed once; inside an hour time runs evenly, to the microsecond.
//!
//! The way back ([`Timeline::position`]) never overshoots: whatever lies before the position of `t` happens at `t` or
//! earlier. That is what lets a call choose among exactly those customers that exist already, without a look-up.
//!
//! A position is a fraction of 2^64; times are microseconds since 1970, UTC.

use crate::kernel::{Scope, below};
use crate::profile::Time;

/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600_000_000;
/// Microseconds in a day.
pub const DAY_US: i64 = 24 * HOUR_US;

/// `Asia/Ho_Chi_Minh` is seven hours ahead of UTC, all year.
const LOCAL_HOURS_AHEAD: i64 = 7;

/// No hour has less than this part of the weight of the heaviest, so that each is at least 2^33 positions wide.
const LEAST_PART: u128 = 1 << 14;

/// A timeline over whole hours.
#[derive(Debug, Clone)]
pub struct Timeline {
    start_us: i64,
    hours: Vec<Hour>,
    /// The hour that holds each 2^-15 of the positions, from where the search goes forward.
    guide: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Hour {
    /// The first position of the hour.
    from: u64,
    /// Microseconds per position, times 2^64.
    us_per_position: u64,
    /// Positions per microsecond, times 2^31.
    positions_per_us: u64,
}

impl Timeline {
    /// The timeline from `start_us` to `end_us`, both cut to the hour. At its end weights are `growth_percent` percent
    /// of what they are at its start; `days` gives each day its factor. At most ten years.
    ///
    /// # Panics
    /// If there are no hours between start and end.
    #[must_use]
    pub fn new(start_us: i64, end_us: i64, growth_percent: u64, weights: &Time, days: Scope) -> Self {
        let first_hour = start_us.div_euclid(HOUR_US);
        let count = end_us.div_euclid(HOUR_US) - first_hour;
        assert!(count > 0, "a timeline needs at least an hour");
        let spread = weights.day_spread_percent;
        let weights = (0..count).map(|at| {
            let local_hour = first_hour + at + LOCAL_HOURS_AHEAD;
            let local_day = local_hour.div_euclid(24);
            // 1970-01-01 was a Thursday.
            let day_of_week = usize::try_from((local_day + 3).rem_euclid(7)).expect("0 to 6");
            let hour_of_day = usize::try_from(local_hour.rem_euclid(24)).expect("0 to 23");
            let day = 100 - spread + below(days.entity(local_day.cast_unsigned()).draw(0), 2 * spread);
            let grown = 100 * count.cast_unsigned() + (growth_percent - 100) * at.cast_unsigned();
            u128::from(weights.hours[hour_of_day] * weights.days_of_week[day_of_week])
                * u128::from(day)
                * u128::from(grown)
        });
        let mut weights: Vec<u128> = weights.collect();
        let least = weights.iter().max().map_or(1, |heaviest| heaviest.div_ceil(LEAST_PART).max(1));
        for weight in &mut weights {
            *weight = (*weight).max(least);
        }
        let total: u128 = weights.iter().sum();

        let mut hours: Vec<Hour> = Vec::with_capacity(weights.len());
        let mut before = 0_u128;
        for weight in weights {
            let from = position_of(before, total);
            before += weight;
            // The end of all positions, 2^64, does not fit; the last hour is one position shorter.
            let to = if before == total { u64::MAX } else { position_of(before, total) };
            let width = u128::from(to - from);
            let hour_us = u128::from(HOUR_US.cast_unsigned());
            let narrow =
                |scaled: u128| u64::try_from(scaled).expect("an hour is at least 2^33 positions wide");
            hours.push(Hour {
                from,
                us_per_position: narrow((hour_us << 64) / width),
                positions_per_us: narrow((width << 31) / hour_us),
            });
        }
        let mut guide = Vec::with_capacity(1 << 15);
        let mut hour = 0_u32;
        for bucket in 0..1_u64 << 15 {
            while hours.get(hour as usize + 1).is_some_and(|next| next.from <= bucket << 49) {
                hour += 1;
            }
            guide.push(hour);
        }
        Self { start_us: first_hour * HOUR_US, hours, guide }
    }

    /// The time of `position`, in microseconds since 1970. Grows with the position, not always strictly.
    #[must_use]
    pub fn at(&self, position: u64) -> i64 {
        let mut at = self.guide[(position >> 49) as usize] as usize;
        while self.hours.get(at + 1).is_some_and(|next| next.from <= position) {
            at += 1;
        }
        let hour = self.hours[at];
        let into_us = below(position - hour.from, hour.us_per_position);
        self.start_us + at.cast_signed() as i64 * HOUR_US + into_us.cast_signed()
    }

    /// A position whose time, and so the time of every position before it, is `time_us` or earlier; the greatest such
    /// one, but for rounding. 0 before the start, `u64::MAX` after the end.
    #[must_use]
    pub fn position(&self, time_us: i64) -> u64 {
        let since_us = time_us - self.start_us;
        let Ok(since_us) = u64::try_from(since_us) else { return 0 };
        let hour_us = HOUR_US.cast_unsigned();
        let hour = usize::try_from(since_us / hour_us).ok().and_then(|at| self.hours.get(at));
        let Some(hour) = hour else { return u64::MAX };
        let into = (u128::from(since_us % hour_us) * u128::from(hour.positions_per_us)) >> 31;
        hour.from + u64::try_from(into).expect("less than the width of the hour")
    }

    /// The start of the first hour, in microseconds since 1970.
    #[must_use]
    pub fn start_us(&self) -> i64 {
        self.start_us
    }

    /// The end of the last hour, in microseconds since 1970; nothing happens at or after it.
    #[must_use]
    pub fn end_us(&self) -> i64 {
        self.start_us + self.hours.len().cast_signed() as i64 * HOUR_US
    }
}

fn position_of(part: u128, total: u128) -> u64 {
    // Both cut to 63 bits, so that the part times 2^64 fits.
    let cut = (u128::BITS - total.leading_zeros()).saturating_sub(63);
    u64::try_from(((part >> cut) << 64) / (total >> cut)).expect("a part below the total")
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, FixedOffset, Timelike};
    use proptest::prelude::*;

    use super::*;

    const START_US: i64 = 1_700_000_000_000_000;

    fn two_years() -> Timeline {
        Timeline::new(START_US, START_US + 730 * DAY_US, 250, &Time::default(), Scope::new(1, "days"))
    }

    fn local(time_us: i64) -> DateTime<FixedOffset> {
        DateTime::from_timestamp_micros(time_us)
            .unwrap()
            .with_timezone(&FixedOffset::east_opt(7 * 3_600).unwrap())
    }

    #[test]
    fn the_first_and_the_last_position_lie_inside() {
        let timeline = two_years();
        assert_eq!(timeline.at(0), timeline.start_us());
        assert!(timeline.at(u64::MAX) < timeline.end_us());
        assert!(timeline.at(u64::MAX) > timeline.end_us() - HOUR_US);
        assert_eq!(timeline.position(timeline.start_us() - 1), 0);
        assert_eq!(timeline.position(timeline.end_us()), u64::MAX);
    }

    #[test]
    fn values_stay_what_they_are_for_ever() {
        let timeline = two_years();
        let at = |quarter: u64| timeline.at(quarter << 62);
        assert_eq!([at(1), at(2), at(3)], GOLDEN);
    }

    const GOLDEN: [i64; 3] = [1_722_310_795_449_543, 1_738_748_766_384_953, 1_751_464_083_537_012];

    #[test]
    fn people_call_in_local_working_hours_more_each_year_and_hardly_on_sundays() {
        let timeline = two_years();
        let (mut nights, mut sundays, mut second_year) = (0, 0, 0);
        for step in 0..100_000_u64 {
            let time_us = timeline.at(step * (u64::MAX / 100_000));
            let time = local(time_us);
            nights += u32::from(!(6..22).contains(&time.hour()));
            sundays += u32::from(time.weekday() == chrono::Weekday::Sun);
            second_year += u32::from(time_us >= START_US + 365 * DAY_US);
        }
        assert!((500..3_000).contains(&nights), "{nights}");
        assert!((500..3_000).contains(&sundays), "{sundays}");
        assert!((56_000..66_000).contains(&second_year), "{second_year}");
    }

    #[test]
    fn any_profile_gives_a_timeline_that_runs_both_ways() {
        let even = Time { hours: vec![1; 24], days_of_week: vec![1; 7], day_spread_percent: 0 };
        let mut hours = vec![0; 24];
        hours[9] = 1_000;
        let steep = Time { hours, days_of_week: vec![0, 0, 0, 0, 0, 0, 1_000], day_spread_percent: 99 };
        for (weights, days, growth_percent) in
            [(even, 30, 100), (steep.clone(), 30, 1_000), (steep, 3_650, 1_000)]
        {
            let end_us = START_US + days * DAY_US;
            let timeline = Timeline::new(START_US, end_us, growth_percent, &weights, Scope::new(1, "days"));
            let mut before_us = i64::MIN;
            for step in 0..20_000_u64 {
                let position = step * (u64::MAX / 20_000);
                let time_us = timeline.at(position);
                assert!(time_us >= before_us && time_us < timeline.end_us());
                before_us = time_us;
                let back_us = timeline.at(timeline.position(time_us));
                assert!((time_us - 2..=time_us).contains(&back_us), "{time_us} became {back_us}");
            }
        }
    }

    proptest! {
        #[test]
        fn time_never_runs_backwards(a: u64, b: u64) {
            let timeline = two_years();
            prop_assert!(timeline.at(a.min(b)) <= timeline.at(a.max(b)));
        }

        #[test]
        fn neighbouring_positions_keep_their_order(a: u64, step in 0_u64..1 << 40) {
            let timeline = two_years();
            prop_assert!(timeline.at(a) <= timeline.at(a.saturating_add(step)));
        }

        #[test]
        fn the_way_back_never_overshoots_and_hardly_undershoots(offset_us in 0_i64..730 * DAY_US) {
            let timeline = two_years();
            let time_us = START_US - START_US.rem_euclid(HOUR_US) + offset_us;
            let back_us = timeline.at(timeline.position(time_us));
            prop_assert!(back_us <= time_us);
            prop_assert!(back_us >= time_us - 2);
        }
    }
}
