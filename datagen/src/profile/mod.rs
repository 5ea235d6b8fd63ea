//! The profile: the numbers that give the rows their shape.
//!
//! [`Profile::default`] is a fit to what is known of production; a TOML file overrides what it names
//! ([`Profile::from_toml`]), and [`Profile::to_commented_toml`] prints all of it. All values are integers, because no
//! floating-point library shall decide a byte. Shares are in per mille, and shares of one whole sum to 1,000. The
//! profile belongs to the specification: with another profile a data set is another one.

mod check;
mod odds;
mod text;

use serde::{Deserialize, Serialize};

pub(crate) use odds::{CALL_STATUSES, Odds, QUALITIES, STATUSES};

/// What a profile can have wrong.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// It is no TOML, or names something that does not exist.
    #[error("the profile can't be read: line {line}, column {column}: {message}")]
    Toml {
        /// The line, counted from 1.
        line: usize,
        /// The letter in the line, counted from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A value that can't be used.
    #[error("the profile can't be used: `{key}` {problem}")]
    Value {
        /// The key, with its section: `calls.days`.
        key: &'static str,
        /// What is wrong, with the value.
        problem: String,
    },
}

/// The shape of a data set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Sizes of workspaces.
    pub workspaces: Workspaces,
    /// Customers and their columns.
    pub customers: Customers,
    /// Labels on customers.
    pub labels: Labels,
    /// Customers in campaigns.
    pub enrolments: Enrolments,
    /// The notes in `other_attributes`.
    pub attributes: Attributes,
    /// Calls and their columns.
    pub calls: Calls,
    /// When things happen.
    pub time: Time,
}

/// Sizes of workspaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Workspaces {
    /// Exponent of Zipf's law for the customers of all workspaces but the largest, in eighths.
    pub customers_exponent_eighths: u32,
    /// The same for their calls.
    pub calls_exponent_eighths: u32,
    /// The fewest labels of a workspace.
    pub labels_least: u64,
    /// The most labels of a workspace.
    pub labels_most: u64,
    /// A workspace has one more employee for so many customers.
    pub customers_per_employee: u64,
    /// The fewest employees of a workspace.
    pub employees_least: u64,
    /// The most employees of a workspace.
    pub employees_most: u64,
}

impl Default for Workspaces {
    fn default() -> Self {
        Self {
            customers_exponent_eighths: 4,
            calls_exponent_eighths: 6,
            labels_least: 8,
            labels_most: 30,
            customers_per_employee: 2_000,
            employees_least: 4,
            employees_most: 500,
        }
    }
}

/// Customers and their columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Customers {
    /// Years in which customers came, up to two weeks before the date of the data.
    pub years: u64,
    /// How many come per day at the end, in percent of how many came at the start.
    pub growth_percent: u64,
    /// Share of the 256 stretches of time in which all customers came by one import.
    pub imports_per_mille: u64,
    /// Share of soft-deleted customers.
    pub deleted_per_mille: u64,
    /// Share of customers who may not be called.
    pub never_called_per_mille: u64,
    /// Share of customers without an email.
    pub without_email_per_mille: u64,
    /// Share of customers without an employee.
    pub without_employee_per_mille: u64,
    /// Share of customers without a carrier.
    pub without_carrier_per_mille: u64,
    /// Shares of `quality`, which follows from how engaged a customer is.
    pub quality: Quality,
    /// Shares of `status`.
    pub status: StatusOf,
    /// Shares of `call_status`.
    pub call_status: CallStatusOf,
}

impl Default for Customers {
    fn default() -> Self {
        Self {
            years: 3,
            growth_percent: 300,
            imports_per_mille: 62,
            deleted_per_mille: 60,
            never_called_per_mille: 30,
            without_email_per_mille: 280,
            without_employee_per_mille: 150,
            without_carrier_per_mille: 50,
            quality: Quality::default(),
            status: StatusOf::default(),
            call_status: CallStatusOf::default(),
        }
    }
}

/// Shares of the qualities of customers, in per mille.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quality {
    /// The most engaged.
    pub hot: u64,
    /// Well engaged.
    pub warm: u64,
    /// Hardly engaged.
    pub cold: u64,
    /// Not engaged.
    pub dead: u64,
}

impl Default for Quality {
    fn default() -> Self {
        Self { hot: 80, warm: 270, cold: 450, dead: 200 }
    }
}

/// Shares of `status`, for the first group that a customer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusOf {
    /// The oldest customers, 1 in 32.
    pub oldest: Status,
    /// The newest customers, 1 in 64.
    pub newest: Status,
    /// Customers with the quality hot, warm or cold.
    pub engaged: Status,
    /// Customers with the quality dead.
    pub unengaged: Status,
}

impl Default for StatusOf {
    fn default() -> Self {
        Self {
            oldest: Status { active: 100, inactive: 200, blocked: 700, pending: 0 },
            newest: Status { active: 400, inactive: 0, blocked: 0, pending: 600 },
            engaged: Status { active: 870, inactive: 128, blocked: 0, pending: 2 },
            unengaged: Status { active: 298, inactive: 700, blocked: 2, pending: 0 },
        }
    }
}

/// Shares of the values of `status`, in per mille. All four have to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the values of the column")]
pub struct Status {
    pub active: u64,
    pub inactive: u64,
    pub blocked: u64,
    pub pending: u64,
}

/// Shares of `call_status`, for the first group that a customer belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallStatusOf {
    /// The newest customers, 1 in 64.
    pub newest: CallStatus,
    /// Customers with the quality hot or warm.
    pub warm: CallStatus,
    /// Customers with the quality cold.
    pub cold: CallStatus,
    /// Customers with the quality dead.
    pub dead: CallStatus,
}

impl Default for CallStatusOf {
    fn default() -> Self {
        Self {
            newest: CallStatus { pending: 700, calling: 30, completed: 200, failed: 70 },
            warm: CallStatus { pending: 100, calling: 3, completed: 850, failed: 47 },
            cold: CallStatus { pending: 200, calling: 2, completed: 550, failed: 248 },
            dead: CallStatus { pending: 150, calling: 0, completed: 150, failed: 700 },
        }
    }
}

/// Shares of the values of `call_status`, in per mille. All four have to be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are the values of the column")]
pub struct CallStatus {
    pub pending: u64,
    pub calling: u64,
    pub completed: u64,
    pub failed: u64,
}

/// Labels on customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    /// Shares of customers with 0, 1, 2 … labels, in per mille.
    pub per_customer: Vec<u64>,
}

impl Default for Labels {
    fn default() -> Self {
        Self { per_customer: vec![350, 300, 200, 100, 50] }
    }
}

/// Customers in campaigns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrolments {
    /// Shares of customers in 0, 1, 2 … campaigns, in per mille.
    pub per_customer: Vec<u64>,
}

impl Default for Enrolments {
    fn default() -> Self {
        Self { per_customer: vec![450, 350, 150, 50] }
    }
}

/// The notes in `other_attributes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// Share of customers with long notes.
    pub long_notes_per_mille: u64,
    /// The least length of long notes, in bytes.
    pub long_notes_least_bytes: usize,
    /// The greatest length of long notes, in bytes, but for the end of the last sentence.
    pub long_notes_most_bytes: usize,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { long_notes_per_mille: 5, long_notes_least_bytes: 2_100, long_notes_most_bytes: 4_100 }
    }
}

/// Calls and their columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Calls {
    /// Days in which calls were made, up to the date of the data.
    pub days: u64,
    /// How many are made per day at the end, in percent of how many were made at the start.
    pub growth_percent: u64,
    /// Share of calls that go to the few customers who are called over and over.
    pub heavy_tail_per_mille: u64,
    /// Shares of `call_type`.
    pub kinds: Kinds,
    /// Share of direct calls that the customer made.
    pub inbound_per_mille: u64,
    /// Share of inbound calls that are completed.
    pub inbound_answered_per_mille: u64,
    /// Share of outbound calls that are completed, with the least engaged customer.
    pub answered_base_per_mille: u64,
    /// How much more it is with the most engaged customer.
    pub answered_slope_per_mille: u64,
    /// Share of calls without an answer that are missed; the others are busy.
    pub missed_per_mille: u64,
    /// Share of completed calls with a recording.
    pub recorded_per_mille: u64,
    /// Share of completed calls with a sentiment.
    pub sentiment_per_mille: u64,
    /// Share of calls with a billing rate.
    pub rated_per_mille: u64,
    /// Median of the talk time.
    pub median_talk_seconds: u64,
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            days: 730,
            growth_percent: 250,
            heavy_tail_per_mille: 500,
            kinds: Kinds::default(),
            inbound_per_mille: 550,
            inbound_answered_per_mille: 850,
            answered_base_per_mille: 480,
            answered_slope_per_mille: 400,
            missed_per_mille: 700,
            recorded_per_mille: 600,
            sentiment_per_mille: 800,
            rated_per_mille: 920,
            median_talk_seconds: 72,
        }
    }
}

/// Shares of the kinds of calls, in per mille.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields are the values of the column")]
pub struct Kinds {
    pub campaign: u64,
    pub direct: u64,
    pub callback: u64,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { campaign: 550, direct: 300, callback: 150 }
    }
}

/// When things happen, in local time (`Asia/Ho_Chi_Minh`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// Weights of the 24 hours of a day.
    pub hours: Vec<u64>,
    /// Weights of the days of the week, Monday first.
    pub days_of_week: Vec<u64>,
    /// How far the factor of a single day lies from 100 percent at most: campaign days and slow days.
    pub day_spread_percent: u64,
}

impl Default for Time {
    fn default() -> Self {
        Self {
            // Dialling from 8:00 to 11:30, 13:30 to 17:30, 19:00 to 21:00; a quiet Sunday.
            hours: vec![
                1, 1, 1, 1, 1, 2, 8, 30, 100, 120, 118, 70, 22, 60, 110, 116, 104, 62, 30, 66, 60, 18, 5, 2,
            ],
            days_of_week: vec![104, 110, 107, 103, 96, 45, 9],
            day_spread_percent: 50,
        }
    }
}

impl Profile {
    /// Reads a profile; what the text does not name stays as in [`Profile::default`].
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            ProfileError::Toml {
                line: 1 + before.matches('\n').count(),
                column: 1 + line.chars().count(),
                message: error.message().trim().replace('\n', ", "),
            }
        })?;
        profile.check()?;
        Ok(profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_overrides_only_what_it_names() {
        let profile = Profile::from_toml(
            "[customers]\ndeleted_per_mille = 100\n[calls]\nkinds = { campaign = 700, direct = 150, callback = 150 }",
        )
        .unwrap();
        let expected = Profile {
            customers: Customers { deleted_per_mille: 100, ..Customers::default() },
            calls: Calls { kinds: Kinds { campaign: 700, direct: 150, callback: 150 }, ..Calls::default() },
            ..Profile::default()
        };
        assert_eq!(profile, expected);
        assert_eq!(Profile::from_toml("").unwrap(), Profile::default());
    }

    #[test]
    fn a_mistake_is_shown_with_its_line_and_column() {
        for (text, place, word) in [
            ("[calls]\ndays = \"many\"", "line 2, column 8", "expected u64"),
            ("[calls]\ndays = 30\ndaze = 30", "line 3, column 1", "daze"),
            ("[calls]\ndays = -1", "line 2, column 8", "-1"),
            ("[calls", "line 1, column 7", "unclosed table"),
            ("[calls]\nkinds = { campaign = \"ế\", direct = 1.5 }", "line 2, column 22", "invalid type"),
            ("[colls]\ndays = 30", "line 1, column 2", "colls"),
            ("[customers.status]\noldest = { blocked = 1000 }", "line 2, column 10", "active"),
        ] {
            let error = Profile::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(place) && error.contains(word), "{text}: {error}");
        }
    }
}
