//! What the data set is to be: the few numbers that, with the version of the generator, decide every byte.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::entities::Table;
use crate::error::Error;
use crate::profile::Profile;

/// The version of the rows. It grows whenever the same specification gives other rows than before, so that a stored
/// data set is never taken for one that today's generator would write.
pub const DATASET_VERSION: u32 = 2;

/// Slug of the workspace under test, the largest one.
pub const LARGEST_SLUG: &str = "enterprise-workspace-1";

/// The seed that is used when none is given.
pub const DEFAULT_SEED: u64 = 20_260_131;

/// A size with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// 2,000 customers and 20,000 calls in the largest workspace, seconds to load: for tests and smoke runs.
    Tiny,
    /// 50,000 and 1,000,000: a developer's database.
    Dev,
    /// 1,000,000 and 5,000,000: what `callbench demo` measures.
    Demo,
    /// 1,000,000 and 50,000,000: the largest workspace of production.
    Enterprise,
}

impl Scale {
    /// All scales, smallest first.
    pub const ALL: [Self; 4] = [Self::Tiny, Self::Dev, Self::Demo, Self::Enterprise];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tiny => "tiny",
            Self::Dev => "dev",
            Self::Demo => "demo",
            Self::Enterprise => "enterprise",
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scale {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|scale| scale.name() == name)
            .ok_or_else(|| Error::UnknownScale(name.to_owned()))
    }
}

/// How much is kept of what was said in a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transcripts {
    /// Nothing.
    #[default]
    None,
    /// A summary of 150 to 300 bytes.
    Short,
    /// A dialogue as long as the call.
    Full,
}

impl Transcripts {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Short => "short",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Transcripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Transcripts {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::None, Self::Short, Self::Full]
            .into_iter()
            .find(|transcripts| transcripts.name() == name)
            .ok_or_else(|| Error::UnknownTranscripts(name.to_owned()))
    }
}

/// The specification of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Name of the scale, or `custom`.
    pub scale: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Customers of the largest workspace.
    pub customers: u64,
    /// Calls of the largest workspace.
    pub calls: u64,
    /// Number of workspaces, the largest one included.
    pub workspaces: u32,
    /// Customers of all other workspaces together; at least one each.
    pub other_customers: u64,
    /// Calls of all other workspaces together.
    pub other_calls: u64,
    /// The instant that the rows take for "now": nothing happens after it. Kept to the hour, rounded down.
    pub as_of: DateTime<Utc>,
    /// The shape of the rows.
    #[serde(default)]
    pub profile: Profile,
    /// What is kept of what was said.
    #[serde(default)]
    pub transcripts: Transcripts,
    /// The tables that are filled; none named: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<Table>,
}

impl Spec {
    /// The specification of a named scale.
    #[must_use]
    pub fn of(scale: Scale, seed: u64, as_of: DateTime<Utc>) -> Self {
        let (customers, calls, workspaces, other_customers, other_calls) = match scale {
            Scale::Tiny => (2_000, 20_000, 21, 2_000, 10_000),
            Scale::Dev => (50_000, 1_000_000, 61, 25_000, 250_000),
            Scale::Demo => (1_000_000, 5_000_000, 241, 200_000, 1_000_000),
            Scale::Enterprise => (1_000_000, 50_000_000, 501, 1_000_000, 10_000_000),
        };
        let scale = scale.name().to_owned();
        Self {
            scale,
            seed,
            customers,
            calls,
            workspaces,
            other_customers,
            other_calls,
            as_of: whole_hour(as_of),
            profile: Profile::default(),
            transcripts: Transcripts::None,
            only: Vec::new(),
        }
    }

    /// A specification of one's own. The other workspaces share a fifth as many customers and calls as the largest
    /// has; set the fields for another ratio.
    #[must_use]
    pub fn custom(customers: u64, calls: u64, workspaces: u32, seed: u64, as_of: DateTime<Utc>) -> Self {
        let others = u64::from(workspaces.saturating_sub(1));
        Self {
            scale: "custom".to_owned(),
            seed,
            customers,
            calls,
            workspaces,
            other_customers: if others == 0 { 0 } else { (customers / 5).max(others) },
            other_calls: if others == 0 { 0 } else { calls / 5 },
            as_of: whole_hour(as_of),
            profile: Profile::default(),
            transcripts: Transcripts::None,
            only: Vec::new(),
        }
    }

    /// Says what about this specification cannot be generated, if anything.
    pub fn check(&self) -> Result<(), Error> {
        let others = u64::from(self.workspaces.saturating_sub(1));
        let limits = [
            (self.workspaces >= 1, "at least one workspace is needed"),
            (self.workspaces <= 100_000, "at most 100,000 workspaces are supported"),
            (self.customers >= 1, "the largest workspace needs at least one customer"),
            (self.other_customers >= others, "each further workspace needs at least one customer"),
            (others > 0 || self.other_customers == 0, "other customers need a second workspace"),
            (others > 0 || self.other_calls == 0, "calls of other workspaces need a second workspace"),
            (
                self.customers.max(self.other_customers) <= 1_000_000_000,
                "at most 1,000,000,000 customers are supported in the largest workspace and in all others",
            ),
            (
                self.calls.max(self.other_calls) <= 4_000_000_000,
                "at most 4,000,000,000 calls are supported in the largest workspace and in all others",
            ),
            (
                (1_000_000_000..=32_000_000_000).contains(&self.as_of.timestamp()),
                "the date of the data must lie between 2001 and 2984",
            ),
        ];
        match limits.into_iter().find(|&(holds, _)| !holds) {
            None => Ok(self.profile.check()?),
            Some((_, limit)) => Err(Error::Spec(limit)),
        }
    }

    /// Whether the specification fills `table`.
    #[must_use]
    pub fn fills(&self, table: Table) -> bool {
        self.only.is_empty() || self.only.contains(&table)
    }

    /// Whether `other` describes the same data set; the dates are compared only if `dates_too`.
    #[must_use]
    pub fn is_same(&self, other: &Self, dates_too: bool) -> bool {
        let undated =
            |spec: &Self| Self { scale: String::new(), as_of: DateTime::UNIX_EPOCH, ..spec.clone() };
        undated(self) == undated(other) && (!dates_too || self.as_of == other.as_of)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} (seed {}, {} customers and {} calls in the largest of {} workspaces, {} and {} in the others",
            self.scale,
            self.seed,
            self.customers,
            self.calls,
            self.workspaces,
            self.other_customers,
            self.other_calls
        )?;
        if self.profile != Profile::default() {
            f.write_str(", custom profile")?;
        }
        if self.transcripts != Transcripts::None {
            write!(f, ", {} transcripts", self.transcripts)?;
        }
        if !self.only.is_empty() {
            let only: Vec<&str> = self.only.iter().map(|table| table.name()).collect();
            write!(f, ", only {}", only.join(", "))?;
        }
        f.write_str(")")
    }
}

fn whole_hour(time: DateTime<Utc>) -> DateTime<Utc> {
    time.duration_trunc(TimeDelta::hours(1)).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:34:56Z".parse().unwrap()
    }

    #[test]
    fn every_scale_is_within_the_limits() {
        for scale in Scale::ALL {
            Spec::of(scale, 1, noon()).check().unwrap();
            assert_eq!(scale.name().parse::<Scale>().unwrap(), scale);
        }
        Spec::custom(70_000_000, 1_000_000_000, 10_000, 1, noon()).check().unwrap();
        Spec::custom(1, 0, 1, 1, noon()).check().unwrap();
    }

    #[test]
    fn what_can_not_be_generated_is_refused() {
        assert!(Spec::custom(0, 0, 1, 1, noon()).check().is_err());
        assert!(Spec::custom(1, 1, 0, 1, noon()).check().is_err());
        let starved = Spec { other_customers: 3, ..Spec::custom(10, 10, 5, 1, noon()) };
        assert!(starved.check().is_err());
        assert!("huge".parse::<Scale>().is_err());
    }

    #[test]
    fn the_same_numbers_at_another_date_are_the_same_data_set_unless_the_date_was_asked_for() {
        let spec = Spec::of(Scale::Tiny, 1, noon());
        let later = Spec::of(Scale::Tiny, 1, noon() + TimeDelta::days(1));
        assert!(spec.is_same(&later, false));
        assert!(!spec.is_same(&later, true));
        assert!(!spec.is_same(&Spec::of(Scale::Tiny, 2, noon()), false));
        assert!(!spec.is_same(&Spec::of(Scale::Dev, 1, noon()), false));
    }

    #[test]
    fn another_profile_makes_another_data_set_and_is_kept() {
        let plain = Spec::of(Scale::Tiny, 1, noon());
        let profile = Profile::from_toml("[customers]\ndeleted_per_mille = 61").unwrap();
        let shaped = Spec { profile, ..plain.clone() };
        assert!(!plain.is_same(&shaped, false));
        assert!(shaped.to_string().ends_with(", custom profile)") && !plain.to_string().contains("profile"));
        let stored = serde_json::to_value(&shaped).unwrap();
        assert_eq!(serde_json::from_value::<Spec>(stored.clone()).unwrap(), shaped);
        // As a ledger of the first version has it.
        let mut without = stored;
        without.as_object_mut().unwrap().remove("profile");
        without.as_object_mut().unwrap().remove("transcripts");
        assert_eq!(serde_json::from_value::<Spec>(without).unwrap(), plain);
    }

    #[test]
    fn transcripts_are_part_of_the_specification() {
        let plain = Spec::of(Scale::Tiny, 1, noon());
        let spoken = Spec { transcripts: "full".parse().unwrap(), ..plain.clone() };
        assert!(!plain.is_same(&spoken, false));
        assert!(spoken.to_string().ends_with(", full transcripts)"));
        assert_eq!(serde_json::to_value(&spoken).unwrap()["transcripts"], "full");
        assert!("long".parse::<Transcripts>().unwrap_err().to_string().contains("none, short and full"));
    }

    #[test]
    fn a_profile_that_can_not_be_used_is_refused() {
        let mut spec = Spec::of(Scale::Tiny, 1, noon());
        spec.profile.calls.days = 0;
        assert!(spec.check().unwrap_err().to_string().contains("`calls.days` is 0"));
    }
}
