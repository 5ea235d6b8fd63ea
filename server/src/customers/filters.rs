//! Which customers of the workspace a request asks for.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::query::Query;
use crate::refusal::Refusal;

/// The customers asked for: all conditions hold at once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filters {
    /// On `status`.
    pub(crate) status: Choice,
    /// On `quality`.
    pub(crate) quality: Choice,
    /// On `call_status`.
    pub(crate) call_status: Choice,
    /// `carrier` is one of these, which are sorted, each once; none of them matches nothing.
    pub(crate) carrier: Option<Vec<String>>,
    /// Bounds of `duration`.
    pub(crate) duration: Vec<(Comparison, f64)>,
    /// For each list, at least one of its labels stands on the customer.
    pub(crate) labels: Vec<Vec<Uuid>>,
    /// None of these labels stands on the customer.
    pub(crate) without_labels: Vec<Uuid>,
    /// A top-level key of `other_attributes` and the text of its value.
    pub(crate) attribute: Option<(String, String)>,
    /// `is_test` is this.
    pub(crate) is_test: Option<bool>,
    /// `checked` is this.
    pub(crate) checked: Option<bool>,
}

/// A condition on a column of few values, which is never null; "null or empty" is the empty string.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Choice {
    /// The value is one of these, which are sorted, each once; none of them matches nothing.
    pub(crate) any_of: Option<Vec<String>>,
    /// The value is none of these, which are sorted, each once.
    pub(crate) none_of: Vec<String>,
}

/// How a column compares with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Filters {
    /// Whether the whole list is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads all filters; everything that is wrong with them is said at once.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let mut wrong = BTreeMap::new();
        let filters = Self {
            status: Choice {
                any_of: one_of(query, ["status", "status__in"], &mut wrong),
                none_of: Vec::new(),
            },
            quality: Choice {
                any_of: one_of(query, ["quality", "quality__in"], &mut wrong),
                none_of: Vec::new(),
            },
            ..Self::default()
        };
        if wrong.is_empty() { Ok(filters) } else { Err(Refusal::InvalidParameters(wrong)) }
    }
}

/// The values that satisfy both spellings of a filter: those that are in every list given.
fn one_of(
    query: &Query,
    spellings: [&str; 2],
    wrong: &mut BTreeMap<String, Vec<String>>,
) -> Option<Vec<String>> {
    let mut allowed: Option<Vec<String>> = None;
    for name in spellings {
        let Some(text) = query.given(name) else { continue };
        if text.contains('\0') {
            wrong.insert(name.to_owned(), vec!["Null characters are not allowed.".to_owned()]);
            continue;
        }
        let mut values = list(text);
        if values.is_empty() {
            continue;
        }
        if let Some(others) = &allowed {
            values.retain(|value| others.contains(value));
        }
        allowed = Some(values);
    }
    allowed
}

/// A comma-separated list: items trimmed, empty ones dropped, each kept once.
fn list(text: &str) -> Vec<String> {
    let mut items: Vec<String> =
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    items.sort_unstable();
    items.dedup();
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Filters {
        Filters::read(&Query::parse(raw)).unwrap()
    }

    fn values(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn lists_are_trimmed_and_empty_items_dropped() {
        assert_eq!(
            read("status=%20pending,,active%09,active").status.any_of,
            Some(values(&["active", "pending"]))
        );
    }

    #[test]
    fn an_empty_value_filters_nothing_and_the_last_repetition_wins() {
        for raw in ["", "status=", "status=,%20,", "status=active&status="] {
            assert_eq!(read(raw), Filters::default(), "{raw}");
        }
        assert_eq!(read("quality=hot&quality=cold").quality.any_of, Some(values(&["cold"])));
    }

    #[test]
    fn both_spellings_of_a_filter_must_hold() {
        assert_eq!(
            read("status=active,pending&status__in=pending,blocked").status.any_of,
            Some(values(&["pending"]))
        );
        assert_eq!(read("status=active&status__in=blocked").status.any_of, Some(values(&[])));
    }

    #[test]
    fn every_filter_with_a_nul_is_named() {
        let refusal = Filters::read(&Query::parse("status=%00&quality__in=a%00b&quality=hot")).unwrap_err();
        let Refusal::InvalidParameters(wrong) = refusal else { panic!("{refusal:?}") };
        assert_eq!(wrong.into_keys().collect::<Vec<_>>(), ["quality__in", "status"]);
    }
}
