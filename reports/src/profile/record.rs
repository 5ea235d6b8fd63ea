//! The profile of one request, as a server gives it.
//!
//! Servers differ in what they know. What this program does not know is passed over (and kept in [`super::Repeat`]); what a
//! server does not give is absent here, never zero: one that counts no memory has not done without.
//!
//! Times are milliseconds. Those of the layers sum to the total.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `_profiling` of an answer.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, expecting = "an object with the keys of a profile")]
pub struct Profile {
    /// The name of the request in the log of the server.
    pub request_id: Option<String>,
    /// When it came, as the server writes times.
    pub at: Option<String>,
    /// `GET`.
    pub method: Option<String>,
    /// The route.
    pub endpoint: Option<String>,
    /// The query without `_profile`.
    pub query: Option<String>,
    /// How the server answers lists.
    pub variant: Option<String>,
    /// The tenant.
    pub workspace_id: Option<String>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Statements sent to the database.
    pub query_count: Option<u64>,
    /// Time in which a statement of the request was under way.
    pub total_query_time_ms: Option<f64>,
    /// Time of the layer that makes the body.
    pub serialization_time_ms: Option<f64>,
    /// From the first byte of the request to the last of the answer, as the server sees it.
    pub total_time_ms: Option<f64>,
    /// The same, under the name that some clients look for.
    pub response_time_ms: Option<f64>,
    /// The total by layers.
    #[serde(deserialize_with = "given")]
    pub breakdown: Breakdown,
    /// `io` or `cpu`.
    pub bottleneck_type: Option<String>,
    /// The layer that took longest.
    pub bottleneck_layer: Option<String>,
    /// Time on a core.
    pub cpu_time_ms: Option<f64>,
    /// Time in which the request waited for a connection.
    pub pool_wait_ms: Option<f64>,
    /// What the statements have in common.
    #[serde(deserialize_with = "given")]
    pub queries: Queries,
    /// The checks of what the user may.
    #[serde(deserialize_with = "given")]
    pub permission: Permission,
    /// From rows to the body.
    #[serde(deserialize_with = "given")]
    pub serializer: Serializer,
    /// What the request allocated.
    #[serde(deserialize_with = "given")]
    pub memory: Memory,
    /// What to change, in sentences.
    #[serde(deserialize_with = "given")]
    pub recommendations: Vec<String>,
    /// Every statement, in the order of their starts.
    #[serde(deserialize_with = "given")]
    pub statements: Vec<Statement>,
    /// The plans, where they were asked for.
    #[serde(deserialize_with = "given")]
    pub plans: Vec<Plan>,
}

/// The total by layers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Breakdown {
    /// Around everything else: routes, tokens, writing the answer.
    pub middleware_time_ms: Option<f64>,
    /// May this user see this workspace?
    pub permission_time_ms: Option<f64>,
    /// Finding the rows.
    pub queryset_time_ms: Option<f64>,
    /// From rows to the body.
    pub serializer_time_ms: Option<f64>,
}

impl Breakdown {
    /// Names and times of the layers that the server gives, from the outside in.
    #[must_use]
    pub fn layers(&self) -> Vec<(&'static str, f64)> {
        let times = [
            self.middleware_time_ms,
            self.permission_time_ms,
            self.queryset_time_ms,
            self.serializer_time_ms,
        ];
        LAYERS.into_iter().zip(times).filter_map(|(name, ms)| Some((name, ms?))).collect()
    }
}

/// The names of the layers, from the outside in.
pub(super) const LAYERS: [&str; 4] = ["middleware", "permission", "queryset", "serializer"];

/// What the statements have in common.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Queries {
    /// Statements.
    pub total_queries: Option<u64>,
    /// Their time.
    pub total_time_ms: Option<f64>,
    /// Statements of equal text as one, the longest in all first. A server may leave out the short ones.
    #[serde(deserialize_with = "given")]
    pub slowest_queries: Vec<Texts>,
    /// Whether a statement ran once for each row of another.
    pub n_plus_one_detected: Option<bool>,
    /// Which ones did.
    #[serde(deserialize_with = "given")]
    pub n_plus_one: Vec<Repeated>,
    /// Statements that share their text with another.
    pub similar: Option<u64>,
    /// Statements that asked again, with the same values, what had been asked before.
    pub duplicates: Option<u64>,
    /// Columns that were fetched and not used.
    #[serde(deserialize_with = "given")]
    pub unused_columns: Vec<Unused>,
}

/// Statements of equal text.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// The text.
    pub sql: String,
    /// Their time in all.
    pub time_ms: Option<f64>,
    /// How many.
    pub count: Option<u64>,
    /// How many of them had run before with the same values.
    pub duplicates: Option<u64>,
    /// Their rows in all.
    pub rows: Option<u64>,
    /// The layer that sent them.
    pub layer: Option<String>,
}

/// A statement that ran once for each row of another.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Repeated {
    /// The text.
    pub sql: String,
    /// How often.
    pub count: Option<u64>,
    /// Its time in all.
    pub time_ms: Option<f64>,
}

/// Columns that a statement fetched and nobody used.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Unused {
    /// The text.
    pub sql: String,
    /// The columns.
    #[serde(deserialize_with = "given")]
    pub columns: Vec<String>,
}

/// The checks of what the user may.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Permission {
    /// Statements of the checks.
    pub statements: Option<u64>,
    /// Their time.
    pub time_ms: Option<f64>,
    /// Those that count rows, where it would do to know whether there is one.
    #[serde(deserialize_with = "given")]
    pub count_statements: Vec<Mention>,
    /// Those that read a table from end to end.
    #[serde(deserialize_with = "given")]
    pub full_scans: Vec<Mention>,
    /// Checks that were made before in the same request.
    pub repeated_checks: Option<u64>,
}

/// A statement that is mentioned: by its text alone, or with something about it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Mention {
    /// The text.
    Text(String),
    /// The text, and fields that are not looked at.
    Statement {
        /// The text.
        sql: String,
    },
    /// Anything else.
    Other(Value),
}

impl Mention {
    /// What is mentioned.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Text(words) | Self::Statement { sql: words } => words.clone(),
            Self::Other(value) => value.to_string(),
        }
    }
}

/// From rows to the body.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Serializer {
    /// Records in the body.
    pub records: Option<u64>,
    /// Microseconds for each.
    pub us_per_record: Option<f64>,
    /// Share of the total, between 0 and 1.
    pub share: Option<f64>,
    /// What was loaded for one record at a time.
    #[serde(deserialize_with = "given")]
    pub loaded_one_by_one: Vec<Loaded>,
}

/// A statement that loads something for one record at a time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Loaded {
    /// The text.
    pub sql: String,
    /// How often.
    pub count: Option<u64>,
}

/// What the request allocated.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Bytes in all, freed or not.
    pub allocated_bytes: Option<u64>,
    /// Most bytes held at a time, above those held when it began. Below zero for a request that only freed.
    pub peak_bytes: Option<i64>,
    /// Number of allocations.
    pub allocations: Option<u64>,
}

/// A statement that ran.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Statement {
    /// The text.
    pub sql: String,
    /// The layer that sent it.
    pub layer: Option<String>,
    /// The pool of connections that it ran on.
    pub pool: Option<String>,
    /// When it was sent, from the start of the request.
    pub start_ms: Option<f64>,
    /// How long until its last row had come.
    pub time_ms: Option<f64>,
    /// Rows.
    pub rows: Option<u64>,
    /// A fingerprint of its values: equal values have equal ones.
    pub values: Option<String>,
}

/// The plan of a statement, as `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)` writes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// The text.
    pub sql: String,
    /// The plan that ran. See [`super::Explained::read`].
    pub plan: Value,
    /// The plan that is made for these values, where the one that ran is made for all and differs; null otherwise.
    pub custom_plan: Value,
    /// Why there is no plan.
    pub error: Option<String>,
}

/// `null` says as little as a missing field.
fn given<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_server_does_not_give_is_absent_and_not_zero() {
        let profile: Profile = serde_json::from_value(json!({
            "query_count": 0, "total_time_ms": 1.5, "memory": null, "queries": {}, "plans": null, "newer": {"x": 1}
        }))
        .unwrap();
        assert_eq!((profile.query_count, profile.total_time_ms), (Some(0), Some(1.5)));
        assert_eq!((profile.memory.allocated_bytes, profile.queries.total_queries), (None, None));
        assert_eq!(profile.queries.n_plus_one_detected, None);
        assert!(profile.breakdown.layers().is_empty() && profile.plans.is_empty());
    }

    #[test]
    fn a_statement_is_mentioned_by_its_text_with_or_without_fields_around_it() {
        let permission: Permission = serde_json::from_value(json!({
            "count_statements": ["SELECT 1", {"sql": "SELECT 2", "count": 3}, 7]
        }))
        .unwrap();
        let words: Vec<String> = permission.count_statements.iter().map(Mention::words).collect();
        assert_eq!(words, ["SELECT 1", "SELECT 2", "7"]);
    }
}
