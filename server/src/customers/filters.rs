//! Which customers of the workspace a request asks for.

use std::collections::BTreeMap;

use crate::query::Query;
use crate::refusal::Refusal;

/// The customers asked for. A column without values is not filtered on; an empty list of values matches nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Filters {
    /// Values of `status`, sorted, each once.
    pub(crate) status: Option<Vec<String>>,
    /// Values of `quality`, sorted, each once.
    pub(crate) quality: Option<Vec<String>>,
}

impl Filters {
    /// Reads all filters; everything that is wrong with them is said at once.
    pub(crate) fn read(query: &Query) -> Result<Self, Refusal> {
        let mut wrong = BTreeMap::new();
        let filters = Self {
            status: one_of(query, ["status", "status__in"], &mut wrong),
            quality: one_of(query, ["quality", "quality__in"], &mut wrong),
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
        assert_eq!(read("status=%20pending,,active%09,active").status, Some(values(&["active", "pending"])));
    }

    #[test]
    fn an_empty_value_filters_nothing_and_the_last_repetition_wins() {
        for raw in ["", "status=", "status=,%20,", "status=active&status="] {
            assert_eq!(read(raw), Filters::default(), "{raw}");
        }
        assert_eq!(read("quality=hot&quality=cold").quality, Some(values(&["cold"])));
    }

    #[test]
    fn both_spellings_of_a_filter_must_hold() {
        assert_eq!(
            read("status=active,pending&status__in=pending,blocked").status,
            Some(values(&["pending"]))
        );
        assert_eq!(read("status=active&status__in=blocked").status, Some(values(&[])));
    }

    #[test]
    fn every_filter_with_a_nul_is_named() {
        let refusal = Filters::read(&Query::parse("status=%00&quality__in=a%00b&quality=hot")).unwrap_err();
        let Refusal::InvalidParameters(wrong) = refusal else { panic!("{refusal:?}") };
        assert_eq!(wrong.into_keys().collect::<Vec<_>>(), ["quality__in", "status"]);
    }
}
