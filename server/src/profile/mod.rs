//! How a request explains itself: what it did is noted while it runs (`recorder`, `meter`), and made into a report
//! afterwards (`report`, out of `groups`, `plans` and `advice`).
//!
//! A request that did not ask for a profile pays for one look into its task-local context per statement and per layer.

mod advice;
mod evidence;
mod groups;
mod meter;
mod plans;
mod recorder;
mod report;

pub(crate) use groups::grouped;
pub(crate) use meter::Metered;
pub(crate) use plans::explain;
pub(crate) use recorder::{Layer, Recorder, Statement};
pub(crate) use report::{About, Line, Report, SERVER_TIMING};

use crate::database::tally;
use crate::permission::Admission;
use crate::query::Query;

/// The parameter that asks for a profile.
const PARAMETER: &str = "_profile";

/// What a request wants to know about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nothing.
    Nothing,
    /// Times and statements.
    Profile,
    /// The plans of the statements too.
    Plans,
}

impl Wanted {
    /// What a query string asks for. What is neither `explain` nor a word for yes is a no.
    pub(crate) fn by(raw_query: &str) -> Self {
        // Nearly all requests end here, without a query being taken apart.
        if !raw_query.contains(PARAMETER) {
            return Self::Nothing;
        }
        match Query::parse(raw_query).given(PARAMETER) {
            Some("explain") => Self::Plans,
            Some("true" | "True" | "1") => Self::Profile,
            _ => Self::Nothing,
        }
    }
}

/// Whether the request that runs here is profiled.
pub(crate) fn is_on() -> bool {
    tally::recorder().is_some()
}

/// Says that the request that runs here goes on in another layer.
pub(crate) fn enter(layer: Layer) {
    if let Some(recorder) = tally::recorder() {
        recorder.enter(layer);
    }
}

/// Says that the request that runs here was let in.
pub(crate) fn let_in(admission: Admission) {
    if let Some(recorder) = tally::recorder() {
        recorder.let_in(admission);
    }
}

/// Says how many records the answer of the request that runs here has.
pub(crate) fn answers(records: usize) {
    if let Some(recorder) = tally::recorder() {
        recorder.answers(records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_word_asks_for_a_profile() {
        for (query, wanted) in [
            ("", Wanted::Nothing),
            ("workspace_id=w&_profile=true", Wanted::Profile),
            ("_profile=1", Wanted::Profile),
            ("_profile=explain&x=1", Wanted::Plans),
            ("%5Fprofile=true", Wanted::Nothing),
            ("_profile=", Wanted::Nothing),
            ("_profile=false", Wanted::Nothing),
            ("_profile=explain&_profile=0", Wanted::Nothing),
            ("x=_profile", Wanted::Nothing),
        ] {
            assert_eq!(Wanted::by(query), wanted, "{query}");
        }
    }
}
