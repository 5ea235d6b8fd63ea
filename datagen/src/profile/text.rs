//! The profile as a TOML file that explains itself.

use std::fmt::{Display, Write as _};

use super::{CallStatus, Profile, Status};

impl Profile {
    /// The whole profile as TOML, each key with what it means, its unit and where its default comes from.
    #[must_use]
    pub fn to_commented_toml(&self) -> String {
        let mut page = Page(String::new());
        page.comment(
            "The profile of a data set: the numbers that give the rows their shape. Keep what you change; what a \
             file does not name stays as it is here. All values are integers. Shares are in per mille; shares of \
             one whole sum to 1000. Where no source is named, the value is an assumption of ours.",
        );
        self.workspaces(&mut page);
        self.customers(&mut page);
        page.section("labels");
        page.key(
            "Shares of customers with 0, 1, 2 ... labels, up to 8. Which labels is skewed: the first label of a \
             workspace stands on a third of its customers, the last on exactly one.",
            "per_customer",
            list(&self.labels.per_customer),
        );
        page.section("enrolments");
        page.key(
            "Shares of customers in 0, 1, 2 or 3 campaigns.",
            "per_customer",
            list(&self.enrolments.per_customer),
        );
        page.section("attributes");
        page.key(
            "Share of customers whose other_attributes hold long notes; above 2 KB PostgreSQL stores a value out of \
             line (its documentation, section TOAST).",
            "long_notes_per_mille",
            self.attributes.long_notes_per_mille,
        );
        page.key(
            "Length of such notes, in bytes.",
            "long_notes_least_bytes",
            self.attributes.long_notes_least_bytes,
        );
        page.line("long_notes_most_bytes", self.attributes.long_notes_most_bytes);
        self.calls(&mut page);
        self.time(&mut page);
        page.0
    }

    fn workspaces(&self, page: &mut Page) {
        let workspaces = &self.workspaces;
        page.section("workspaces");
        page.key(
            "The largest workspace has the size that was asked for; the others share their customers in proportion \
             to rank^(-s), rank 2 and up (Zipf's law, which the documentation of Citus gives for tenants). s in \
             eighths, 0 to 16; 4 and 6 lie near the fit to 70M customers of which 1M in the largest workspace, and \
             1B calls of which 50M.",
            "customers_exponent_eighths",
            workspaces.customers_exponent_eighths,
        );
        page.key(
            "The same for their calls. Above the exponent of customers: larger workspaces call each customer more.",
            "calls_exponent_eighths",
            workspaces.calls_exponent_eighths,
        );
        page.key("Labels of a workspace, 2 to 37.", "labels_least", workspaces.labels_least);
        page.line("labels_most", workspaces.labels_most);
        page.key(
            "A workspace has employees_least employees and one more for so many customers, up to employees_most.",
            "customers_per_employee",
            workspaces.customers_per_employee,
        );
        page.line("employees_least", workspaces.employees_least);
        page.line("employees_most", workspaces.employees_most);
    }

    fn customers(&self, page: &mut Page) {
        let customers = &self.customers;
        page.section("customers");
        page.key(
            "Years in which customers came, 1 to 10; the last came two weeks before the date of the data.",
            "years",
            customers.years,
        );
        page.key(
            "Customers per day at the end of that time, in percent of those at its start, 100 to 1000.",
            "growth_percent",
            customers.growth_percent,
        );
        page.key(
            "Time is cut into 256 stretches with as many customers each; in this share of them all customers came by \
             one import, with one created_at. 0: no imports at all; otherwise the first four stretches and one near \
             the end are always imports.",
            "imports_per_mille",
            customers.imports_per_mille,
        );
        page.key(
            "Share of soft-deleted customers, at most 500.",
            "deleted_per_mille",
            customers.deleted_per_mille,
        );
        page.key(
            "Share of customers without consent, who are never called, at most 500.",
            "never_called_per_mille",
            customers.never_called_per_mille,
        );
        page.key(
            "Share of customers without an email.",
            "without_email_per_mille",
            customers.without_email_per_mille,
        );
        page.key(
            "Share of customers for whom no employee is responsible.",
            "without_employee_per_mille",
            customers.without_employee_per_mille,
        );
        page.key(
            "Share of customers whose carrier is not known, at most 900.",
            "without_carrier_per_mille",
            customers.without_carrier_per_mille,
        );
        let quality = &customers.quality;
        page.key(
            "Shares of quality. It follows from how engaged a customer is, and so does how often they answer.",
            "quality",
            format_args!(
                "{{ hot = {}, warm = {}, cold = {}, dead = {} }}",
                quality.hot, quality.warm, quality.cold, quality.dead
            ),
        );
        page.section("customers.status");
        page.key(
            "Shares of status: of the oldest customers (1 in 32), else of the newest (1 in 64), else of those with the \
             quality hot, warm or cold, else of the others. `blocked` is a value at the far end of the time order.",
            "oldest",
            status(&customers.status.oldest),
        );
        page.line("newest", status(&customers.status.newest));
        page.line("engaged", status(&customers.status.engaged));
        page.line("unengaged", status(&customers.status.unengaged));
        page.section("customers.call_status");
        page.key(
            "Shares of call_status: of the newest customers (1 in 64), else by quality; hot ones count as warm.",
            "newest",
            call_status(&customers.call_status.newest),
        );
        page.line("warm", call_status(&customers.call_status.warm));
        page.line("cold", call_status(&customers.call_status.cold));
        page.line("dead", call_status(&customers.call_status.dead));
    }

    fn calls(&self, page: &mut Page) {
        let calls = &self.calls;
        page.section("calls");
        page.key(
            "Days in which calls were made, up to the date of the data, 30 to 3650.",
            "days",
            calls.days,
        );
        page.key(
            "Calls per day at the end of that time, in percent of those at its start, 100 to 1000.",
            "growth_percent",
            calls.growth_percent,
        );
        page.key(
            "Share of calls that follow a heavy tail over the customers (density x^(-2/3) / 3): a few have very many. \
             The others prefer customers who came lately.",
            "heavy_tail_per_mille",
            calls.heavy_tail_per_mille,
        );
        page.key(
            "Shares of call_type.",
            "kinds",
            format_args!(
                "{{ campaign = {}, direct = {}, callback = {} }}",
                calls.kinds.campaign, calls.kinds.direct, calls.kinds.callback
            ),
        );
        page.key(
            "Share of direct calls that the customer made.",
            "inbound_per_mille",
            calls.inbound_per_mille,
        );
        page.key(
            "Share of inbound calls that are completed.",
            "inbound_answered_per_mille",
            calls.inbound_answered_per_mille,
        );
        page.key(
            "Share of outbound calls that are completed: base with the least engaged customer, base + slope with the \
             most engaged, at most 1000 together.",
            "answered_base_per_mille",
            calls.answered_base_per_mille,
        );
        page.line("answered_slope_per_mille", calls.answered_slope_per_mille);
        page.key(
            "Share of missed calls among those that were not completed; the others were busy.",
            "missed_per_mille",
            calls.missed_per_mille,
        );
        page.key(
            "Share of completed calls with a recording, and with a sentiment.",
            "recorded_per_mille",
            calls.recorded_per_mille,
        );
        page.line("sentiment_per_mille", calls.sentiment_per_mille);
        page.key("Share of calls with a billing rate.", "rated_per_mille", calls.rated_per_mille);
        page.key(
            "Median of the talk time in seconds, 1 to 3600. Its shape is log-normal with a sigma of 0.95 (Brown et \
             al., Statistical Analysis of a Telephone Call Center, JASA 2005).",
            "median_talk_seconds",
            calls.median_talk_seconds,
        );
    }

    fn time(&self, page: &mut Page) {
        let time = &self.time;
        page.section("time");
        page.key(
            "Weights of the hours from 0:00 to 23:00, Asia/Ho_Chi_Minh, 0 to 1000. No hour weighs less than 1/16384 \
             of the heaviest. Two humps and a dip at noon, as call centres have them (JASA 2005, as above).",
            "hours",
            list(&time.hours),
        );
        page.key(
            "Weights of the days of the week, Monday first, 0 to 1000.",
            "days_of_week",
            list(&time.days_of_week),
        );
        page.key(
            "Each day has a factor between 100 - spread and 100 + spread percent, 0 to 99: days vary more than \
             chance alone makes them (JASA 2005: calls are over-dispersed).",
            "day_spread_percent",
            time.day_spread_percent,
        );
    }
}

fn list(values: &[u64]) -> String {
    let values: Vec<String> = values.iter().map(u64::to_string).collect();
    format!("[{}]", values.join(", "))
}

fn status(of: &Status) -> String {
    let Status { active, inactive, blocked, pending } = of;
    format!("{{ active = {active}, inactive = {inactive}, blocked = {blocked}, pending = {pending} }}")
}

fn call_status(of: &CallStatus) -> String {
    let CallStatus { pending, calling, completed, failed } = of;
    format!("{{ pending = {pending}, calling = {calling}, completed = {completed}, failed = {failed} }}")
}

/// Columns of the page.
const COLUMNS: usize = 100;

/// The text so far.
struct Page(String);

impl Page {
    fn section(&mut self, name: &str) {
        self.put(format_args!("\n[{name}]\n"));
    }

    /// A key and above it what it means.
    fn key(&mut self, comment: &str, key: &str, value: impl Display) {
        self.comment(comment);
        self.line(key, value);
    }

    /// A key that the comment above speaks of too.
    fn line(&mut self, key: &str, value: impl Display) {
        self.put(format_args!("{key} = {value}\n"));
    }

    fn comment(&mut self, words: &str) {
        let mut column = COLUMNS;
        for word in words.split(' ') {
            let letters = word.chars().count();
            if column + 1 + letters > COLUMNS {
                let begin = if self.0.is_empty() || self.0.ends_with('\n') { "#" } else { "\n#" };
                self.put(format_args!("{begin}"));
                column = 1;
            }
            self.put(format_args!(" {word}"));
            column += 1 + letters;
        }
        self.put(format_args!("\n"));
    }

    fn put(&mut self, words: std::fmt::Arguments<'_>) {
        self.0.write_fmt(words).expect("a string takes everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Calls, Quality, Time};

    #[test]
    fn the_printed_profile_reads_back_as_it_was() {
        let mut other = Profile::default();
        other.customers.quality = Quality { hot: 1, warm: 2, cold: 3, dead: 994 };
        other.calls = Calls { days: 31, median_talk_seconds: 5, ..Calls::default() };
        other.time = Time { hours: (0..24).collect(), ..Time::default() };
        for profile in [Profile::default(), other] {
            assert_eq!(Profile::from_toml(&profile.to_commented_toml()).unwrap(), profile);
        }
    }

    #[test]
    fn every_key_is_printed() {
        fn keys(table: &serde_json::Value, prefix: &str, into: &mut Vec<String>) {
            for (key, value) in table.as_object().into_iter().flatten() {
                let key = format!("{prefix}{key}");
                keys(value, &format!("{key}."), into);
                into.push(key);
            }
        }
        let default = Profile::default();
        let printed: serde_json::Value = toml::from_str(&default.to_commented_toml()).unwrap();
        let [mut found, mut expected] = [Vec::new(), Vec::new()];
        keys(&printed, "", &mut found);
        keys(&serde_json::to_value(&default).unwrap(), "", &mut expected);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    #[test]
    fn no_line_of_comment_is_longer_than_the_page() {
        for line in Profile::default().to_commented_toml().lines().filter(|line| line.starts_with('#')) {
            assert!(line.chars().count() <= COLUMNS, "{line}");
        }
    }
}
