//! Assertions held against the answers of a session.
//!
//! Judged is the median answer, the one that is shown: a single slow answer must not fail a gate, and a single fast one
//! must not pass it. How many of the others it holds for stands beside the verdict.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::assertion::{Assertion, Literal};
use super::session::Repeat;
use crate::operator::Operator;
use crate::run::Outcome;

/// What was found out about one assertion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The assertion as written.
    pub assertion: String,
    /// Whether it holds for the median answer; inconclusive where that has no such key, or a value of another kind.
    pub outcome: Outcome,
    /// The value of the key in the median answer; `None` without one that can be compared.
    pub measured: Option<Value>,
    /// For how many counted answers it holds.
    pub held: u64,
    /// Counted answers.
    pub of: u64,
    /// Why it could not be judged; empty for a pass and a fail.
    pub reason: String,
}

/// Judges by the answer at place `median`.
#[must_use]
pub fn judge(assertions: &[Assertion], repeats: &[Repeat], median: usize) -> Vec<Judgement> {
    let Some(shown) = repeats.get(median) else { return Vec::new() };
    assertions
        .iter()
        .map(|assertion| {
            let holds = |repeat: &&Repeat| compared(assertion, repeat.raw()).is_ok_and(|(holds, _)| holds);
            let (outcome, measured, reason) = match compared(assertion, shown.raw()) {
                Ok((true, value)) => (Outcome::Pass, Some(value), String::new()),
                Ok((false, value)) => (Outcome::Fail, Some(value), String::new()),
                Err(reason) => (Outcome::Inconclusive, None, reason),
            };
            Judgement {
                assertion: assertion.text.clone(),
                outcome,
                measured,
                held: repeats.iter().filter(holds).count() as u64,
                of: repeats.len() as u64,
                reason,
            }
        })
        .collect()
}

/// 0 if every assertion holds (also if there is none), 1 if one does not, 2 if none fails and one could not be judged.
#[must_use]
pub fn exit_code(judgements: &[Judgement]) -> u8 {
    let any = |outcome| judgements.iter().any(|judgement| judgement.outcome == outcome);
    if any(Outcome::Fail) {
        1
    } else if any(Outcome::Inconclusive) {
        2
    } else {
        0
    }
}

/// Whether an assertion holds, and the value that was found; the error is a sentence.
fn compared(assertion: &Assertion, profile: &Value) -> Result<(bool, Value), String> {
    let name = assertion.key.join(".");
    let Some(found) = at(profile, &assertion.key) else { return Err(missing(&name, profile)) };
    let equality = |equal: bool| (assertion.operator == Operator::Equal) == equal;
    let holds = match (&found, &assertion.value) {
        (Value::Number(value), Literal::Number(limit)) => {
            assertion.operator.holds(value.as_f64().unwrap_or(f64::NAN), *limit)
        }
        (Value::Bool(value), Literal::Flag(flag)) => equality(value == flag),
        (Value::String(value), Literal::Text(text)) => equality(value == text),
        (Value::Array(_) | Value::Object(_), _) => return Err(is_many(&name, &found)),
        (value, Literal::Null) => equality(value.is_null()),
        (Value::Null, _) if !assertion.operator.is_ordering() => equality(false),
        (Value::Null, _) => return Err(format!("`{name}` has no value in this profile")),
        (value, literal) => {
            return Err(format!("`{name}` is {value}, which can't be compared with {literal}"));
        }
    };
    Ok((holds, found))
}

/// What stands at a key. A number is a place in a list, and `length` is the length of one.
fn at(profile: &Value, key: &[String]) -> Option<Value> {
    let mut value = profile;
    for (place, part) in key.iter().enumerate() {
        value = match value {
            Value::Object(fields) => fields.get(part)?,
            Value::Array(list) if part == "length" && place + 1 == key.len() => {
                return Some(list.len().into());
            }
            Value::Array(list) => list.get(part.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(value.clone())
}

fn is_many(name: &str, value: &Value) -> String {
    if let Value::Array(list) = value {
        return format!(
            "`{name}` is a list of {}; compare its length, as in `{name}.length == 0`",
            list.len()
        );
    }
    let keys: Vec<String> = keys(value).into_iter().map(|key| format!("`{name}.{key}`")).collect();
    format!("`{name}` is a group; compare one of {}", keys.join(", "))
}

/// That a key is missing, with those that may have been meant, or else with all that can be compared at the top.
fn missing(name: &str, profile: &Value) -> String {
    let known = keys(profile);
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let wanted = name.to_lowercase();
    // A key of a group is often asked for without the name of the group.
    let likeness = |key: &str| {
        let whole = strsim::jaro_winkler(&wanted, key);
        whole.max(strsim::jaro_winkler(&last(&wanted), &last(key)))
    };
    let mut near: Vec<(f64, &String)> =
        known.iter().map(|key| (likeness(key), key)).filter(|(likeness, _)| *likeness >= 0.85).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let names =
        |keys: Vec<&String>| keys.into_iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    if near.is_empty() {
        let top = known.iter().filter(|key| !key.contains('.')).collect();
        return format!("the profile has no key `{name}`; it has {}", names(top));
    }
    let near = near.into_iter().take(3).map(|(_, key)| key).collect();
    format!("the profile has no key `{name}`; near it are {}", names(near))
}

/// All keys that can be compared: with the names of groups before them, lists by their length.
fn keys(profile: &Value) -> Vec<String> {
    let Value::Object(fields) = profile else { return Vec::new() };
    let mut all = Vec::new();
    for (name, value) in fields {
        match value {
            Value::Object(_) => all.extend(keys(value).into_iter().map(|key| format!("{name}.{key}"))),
            Value::Array(_) => all.push(format!("{name}.length")),
            _ => all.push(name.clone()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repeats(counts: &[u64]) -> Vec<Repeat> {
        let profile = |count: &u64| {
            json!({
                "query_count": count, "variant": "live", "workspace_id": null, "recommendations": ["a", "b"],
                "queries": { "n_plus_one_detected": false, "slowest_queries": [{ "sql": "S", "count": 3 }] },
                "memory": { "allocated_bytes": 1000, "peak_bytes": 500 },
            })
        };
        counts.iter().map(|count| Repeat::read(profile(count)).unwrap()).collect()
    }

    fn judged(text: &str, counts: &[u64], median: usize) -> Judgement {
        judge(&[text.parse().unwrap()], &repeats(counts), median).remove(0)
    }

    #[test]
    fn the_median_answer_is_judged_and_the_others_are_counted() {
        let judgement = judged("query_count < 10", &[5, 20, 7, 30], 2);
        assert_eq!((judgement.outcome, judgement.held, judgement.of), (Outcome::Pass, 2, 4));
        assert_eq!(judgement.measured, Some(json!(7)));
        let judgement = judged("query_count < 10", &[5, 20, 7, 30], 1);
        assert_eq!((judgement.outcome, judgement.held), (Outcome::Fail, 2));
    }

    #[test]
    fn every_kind_of_value_can_be_compared() {
        for (text, outcome) in [
            ("memory.allocated_bytes <= 1000", Outcome::Pass),
            ("queries.n_plus_one_detected == false", Outcome::Pass),
            ("queries.n_plus_one_detected != false", Outcome::Fail),
            ("variant == live", Outcome::Pass),
            ("variant != 'live'", Outcome::Fail),
            ("workspace_id == null", Outcome::Pass),
            ("workspace_id != 'x'", Outcome::Pass),
            ("workspace_id == 'x'", Outcome::Fail),
            ("variant == null", Outcome::Fail),
            ("recommendations.length == 2", Outcome::Pass),
            ("recommendations.1 == b", Outcome::Pass),
            ("queries.slowest_queries.0.count >= 4", Outcome::Fail),
        ] {
            let judgement = judged(text, &[5], 0);
            assert_eq!((judgement.outcome, judgement.reason.as_str()), (outcome, ""), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_judged_says_why_and_names_the_keys_that_may_have_been_meant() {
        for (text, words) in [
            ("qeury_count < 10", "no key `qeury_count`; near it are `query_count`"),
            ("allocated_bytes < 10", "near it are `memory.allocated_bytes`"),
            ("memory.peek_bytes < 10", "near it are `memory.peak_bytes`"),
            ("xyz < 10", "no key `xyz`; it has `query_count`, `variant`, `workspace_id`"),
            ("variant < 10", "`variant` is \"live\", which can't be compared with 10"),
            ("query_count == few", "`query_count` is 5, which can't be compared with \"few\""),
            ("workspace_id < 10", "`workspace_id` has no value"),
            ("recommendations < 10", "a list of 2; compare its length, as in `recommendations.length == 0`"),
            ("memory < 10", "a group; compare one of `memory.allocated_bytes`, `memory.peak_bytes`"),
            ("recommendations.7 == b", "no key `recommendations.7`"),
            ("query_count.x == 1", "no key `query_count.x`"),
        ] {
            let judgement = judged(text, &[5, 5], 0);
            assert_eq!((judgement.outcome, judgement.held), (Outcome::Inconclusive, 0), "{text}");
            assert!(judgement.reason.contains(words), "{text}: {}", judgement.reason);
        }
    }

    #[test]
    fn a_failed_assertion_outweighs_one_that_could_not_be_judged() {
        let of = |texts: &[&str]| {
            let assertions: Vec<Assertion> = texts.iter().map(|text| text.parse().unwrap()).collect();
            exit_code(&judge(&assertions, &repeats(&[5]), 0))
        };
        assert_eq!(of(&[]), 0);
        assert_eq!(of(&["query_count < 10"]), 0);
        assert_eq!(of(&["query_count < 10", "xyz < 1"]), 2);
        assert_eq!(of(&["query_count < 5", "xyz < 1"]), 1);
    }
}
