//! What a profile may say: shares that make a whole, and ranges in which the arithmetic of the rows holds.

use std::ops::RangeInclusive;

use super::{CallStatus, Profile, ProfileError, Status};

impl Profile {
    /// Says what about this profile can't be used, if anything.
    pub fn check(&self) -> Result<(), ProfileError> {
        self.check_workspaces()?;
        self.check_customers()?;
        self.check_calls()?;
        // Each row of labels and enrolments has so many draws set aside.
        shares("labels.per_customer", &self.labels.per_customer, 1..=9)?;
        shares("enrolments.per_customer", &self.enrolments.per_customer, 1..=4)?;
        let notes = &self.attributes;
        within("attributes.long_notes_per_mille", notes.long_notes_per_mille, 0..=1_000)?;
        within("attributes.long_notes_least_bytes", notes.long_notes_least_bytes as u64, 1..=100_000)?;
        within(
            "attributes.long_notes_most_bytes",
            notes.long_notes_most_bytes as u64,
            notes.long_notes_least_bytes as u64..=100_000,
        )?;
        weights("time.hours", &self.time.hours, 24)?;
        weights("time.days_of_week", &self.time.days_of_week, 7)?;
        within("time.day_spread_percent", self.time.day_spread_percent, 0..=99)
    }

    fn check_workspaces(&self) -> Result<(), ProfileError> {
        let workspaces = &self.workspaces;
        let exponents = 0..=16;
        within(
            "workspaces.customers_exponent_eighths",
            workspaces.customers_exponent_eighths.into(),
            exponents.clone(),
        )?;
        within("workspaces.calls_exponent_eighths", workspaces.calls_exponent_eighths.into(), exponents)?;
        // One label stands on a single customer, and there are 37 names.
        within("workspaces.labels_least", workspaces.labels_least, 2..=37)?;
        within("workspaces.labels_most", workspaces.labels_most, workspaces.labels_least..=37)?;
        within("workspaces.customers_per_employee", workspaces.customers_per_employee, 1..=1_000_000_000)?;
        within("workspaces.employees_least", workspaces.employees_least, 3..=100_000)?;
        within("workspaces.employees_most", workspaces.employees_most, workspaces.employees_least..=100_000)
    }

    fn check_customers(&self) -> Result<(), ProfileError> {
        let customers = &self.customers;
        within("customers.years", customers.years, 1..=10)?;
        within("customers.growth_percent", customers.growth_percent, 100..=1_000)?;
        within("customers.imports_per_mille", customers.imports_per_mille, 0..=1_000)?;
        // Beyond a half each, a call would look long for a customer who may be called.
        within("customers.deleted_per_mille", customers.deleted_per_mille, 0..=500)?;
        within("customers.never_called_per_mille", customers.never_called_per_mille, 0..=500)?;
        within("customers.without_email_per_mille", customers.without_email_per_mille, 0..=1_000)?;
        within("customers.without_employee_per_mille", customers.without_employee_per_mille, 0..=1_000)?;
        within("customers.without_carrier_per_mille", customers.without_carrier_per_mille, 0..=900)?;
        let quality = &customers.quality;
        whole("customers.quality", &[quality.hot, quality.warm, quality.cold, quality.dead])?;
        let status = &customers.status;
        for (key, Status { active, inactive, blocked, pending }) in [
            ("customers.status.oldest", &status.oldest),
            ("customers.status.newest", &status.newest),
            ("customers.status.engaged", &status.engaged),
            ("customers.status.unengaged", &status.unengaged),
        ] {
            whole(key, &[*active, *inactive, *blocked, *pending])?;
        }
        let status = &customers.call_status;
        for (key, CallStatus { pending, calling, completed, failed }) in [
            ("customers.call_status.newest", &status.newest),
            ("customers.call_status.warm", &status.warm),
            ("customers.call_status.cold", &status.cold),
            ("customers.call_status.dead", &status.dead),
        ] {
            whole(key, &[*pending, *calling, *completed, *failed])?;
        }
        Ok(())
    }

    fn check_calls(&self) -> Result<(), ProfileError> {
        let calls = &self.calls;
        within("calls.days", calls.days, 30..=3_650)?;
        within("calls.growth_percent", calls.growth_percent, 100..=1_000)?;
        for (key, share) in [
            ("calls.heavy_tail_per_mille", calls.heavy_tail_per_mille),
            ("calls.inbound_per_mille", calls.inbound_per_mille),
            ("calls.inbound_answered_per_mille", calls.inbound_answered_per_mille),
            ("calls.answered_base_per_mille", calls.answered_base_per_mille),
            ("calls.missed_per_mille", calls.missed_per_mille),
            ("calls.recorded_per_mille", calls.recorded_per_mille),
            ("calls.sentiment_per_mille", calls.sentiment_per_mille),
            ("calls.rated_per_mille", calls.rated_per_mille),
        ] {
            within(key, share, 0..=1_000)?;
        }
        within(
            "calls.answered_slope_per_mille",
            calls.answered_slope_per_mille,
            0..=1_000 - calls.answered_base_per_mille,
        )?;
        whole("calls.kinds", &[calls.kinds.campaign, calls.kinds.direct, calls.kinds.callback])?;
        within("calls.median_talk_seconds", calls.median_talk_seconds, 1..=3_600)
    }
}

fn wrong(key: &'static str, problem: String) -> Result<(), ProfileError> {
    Err(ProfileError::Value { key, problem })
}

fn within(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<(), ProfileError> {
    if range.contains(&value) {
        return Ok(());
    }
    wrong(key, format!("is {value} and must lie between {} and {}", range.start(), range.end()))
}

/// Shares that have to make a whole.
fn whole(key: &'static str, shares: &[u64]) -> Result<(), ProfileError> {
    let sum: u128 = shares.iter().map(|&share| u128::from(share)).sum();
    if sum == 1_000 {
        return Ok(());
    }
    wrong(key, format!("sums to {sum}; its shares are in per mille and must sum to 1000"))
}

fn shares(key: &'static str, shares: &[u64], count: RangeInclusive<usize>) -> Result<(), ProfileError> {
    if !count.contains(&shares.len()) {
        let given = shares.len();
        return wrong(
            key,
            format!("has {given} shares and must have between {} and {}", count.start(), count.end()),
        );
    }
    whole(key, shares)
}

fn weights(key: &'static str, weights: &[u64], count: usize) -> Result<(), ProfileError> {
    if weights.len() != count {
        return wrong(key, format!("has {} weights and must have {count}", weights.len()));
    }
    if let Some(weight) = weights.iter().find(|&&weight| weight > 1_000) {
        return wrong(key, format!("has the weight {weight}; a weight is at most 1000"));
    }
    if weights.iter().all(|&weight| weight == 0) {
        return wrong(key, "has no weight above 0".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_accepted() {
        Profile::default().check().unwrap();
    }

    #[test]
    fn what_can_not_be_used_is_named_with_its_key_and_value() {
        for (text, key, problem) in [
            ("[calls]\nkinds.direct = 301", "calls.kinds", "sums to 1001"),
            ("[calls]\ndays = 29", "calls.days", "is 29 and must lie between 30 and 3650"),
            ("[calls]\nanswered_base_per_mille = 700", "calls.answered_slope_per_mille", "between 0 and 300"),
            ("[calls]\nmedian_talk_seconds = 0", "calls.median_talk_seconds", "is 0"),
            ("[workspaces]\ncalls_exponent_eighths = 17", "workspaces.calls_exponent_eighths", "is 17"),
            ("[workspaces]\nlabels_least = 31", "workspaces.labels_most", "between 31 and 37"),
            ("[customers]\nnever_called_per_mille = 501", "customers.never_called_per_mille", "is 501"),
            ("[customers.quality]\nhot = 500", "customers.quality", "sums to 1420"),
            (
                "[customers.status]\noldest = { active = 1, inactive = 2, blocked = 3, pending = 4 }",
                "customers.status.oldest",
                "sums to 10",
            ),
            ("[labels]\nper_customer = []", "labels.per_customer", "has 0 shares"),
            ("[labels]\nper_customer = [18446744073709551615, 3]", "labels.per_customer", "sums to 184467"),
            ("[enrolments]\nper_customer = [0, 0, 0, 0, 1000]", "enrolments.per_customer", "has 5 shares"),
            ("[attributes]\nlong_notes_most_bytes = 5", "attributes.long_notes_most_bytes", "is 5"),
            ("[time]\nhours = [1, 2]", "time.hours", "has 2 weights and must have 24"),
            ("[time]\ndays_of_week = [0, 0, 0, 0, 0, 0, 0]", "time.days_of_week", "no weight above 0"),
            ("[time]\ndays_of_week = [1, 1, 1, 1, 1, 1, 1001]", "time.days_of_week", "weight 1001"),
            ("[time]\nday_spread_percent = 100", "time.day_spread_percent", "is 100"),
        ] {
            let error = Profile::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(problem), "{text}: {error}");
        }
    }
}
