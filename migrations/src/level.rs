//! The rungs of the ladder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A state of the schema. Levels are ordered; each contains what the ones below it build, minus what it retires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The tables with the single-column indexes that production has today.
    Before,
    /// The indexes that the original specification asks for, the redundant ones retired.
    Indexed,
    /// Lifetime totals per customer, kept by triggers; indexes as measurement shows them to be better.
    Optimized,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 3] = [Self::Before, Self::Indexed, Self::Optimized];

    /// The name on the command line and in the bookkeeping.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Indexed => "indexed",
            Self::Optimized => "optimized",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is not the name of a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a level; choose before, indexed or optimized")]
pub struct UnknownLevel(pub String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_reads_back_from_its_name() {
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = "fast".parse::<Level>().unwrap_err();
        assert_eq!(error.to_string(), "`fast` is not a level; choose before, indexed or optimized");
    }
}
