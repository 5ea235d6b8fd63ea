//! Which customers of the workspace a request asks for.

use uuid::Uuid;

use crate::customers::reading::Reading;
use crate::customers::values;

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
    /// For each list, at least one of its labels stands on the customer; none of them matches nothing. No label is both
    /// here and among those that must not stand there.
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

    /// Those on columns that the index of the list has, and the others: on labels and attributes.
    pub(crate) fn split(&self) -> (Self, Self) {
        let Self { labels, without_labels, attribute, .. } = self.clone();
        let others = Self { labels, without_labels, attribute, ..Self::default() };
        let columns =
            Self { labels: Vec::new(), without_labels: Vec::new(), attribute: None, ..self.clone() };
        (columns, others)
    }

    /// How many conditions on labels and attributes there are.
    pub(crate) fn beside_columns(&self) -> usize {
        self.labels.len()
            + usize::from(!self.without_labels.is_empty())
            + usize::from(self.attribute.is_some())
    }

    /// Reads all filters. Several on one column must all hold, so what they allow is intersected.
    pub(crate) fn read(reading: &mut Reading) -> Self {
        let without_labels = reading.value("labels__id__neq", values::uuids).unwrap_or_default();
        Self {
            status: STATUS.read(reading),
            quality: QUALITY.read(reading),
            call_status: CALL_STATUS.read(reading),
            carrier: carrier(reading),
            duration: DURATION
                .into_iter()
                .filter_map(|(name, comparison)| Some((comparison, reading.value(name, values::number)?)))
                .collect(),
            labels: ["labels__id", "campaign_labels__id__in"]
                .into_iter()
                .filter_map(|name| reading.value(name, values::uuids))
                .filter(|labels| !labels.is_empty())
                // A label that must not be there helps nobody to be found: "one of these and not this" is one of the others.
                .map(|labels| labels.into_iter().filter(|label| !without_labels.contains(label)).collect())
                .collect(),
            without_labels,
            attribute: reading.value("other_attributes", values::key_value),
            is_test: reading.value("is_test", values::boolean),
            checked: reading.value("checked", values::boolean),
        }
    }
}

/// The parameters that say something about one column of few values.
struct Spellings {
    any_of: [&'static str; 2],
    none_of: &'static str,
    is_empty: Option<&'static str>,
}

const STATUS: Spellings =
    Spellings { any_of: ["status", "status__in"], none_of: "status__neq", is_empty: Some("status__isnull") };

const QUALITY: Spellings = Spellings {
    any_of: ["quality", "quality__in"],
    none_of: "quality__neq",
    is_empty: Some("quality__isnull"),
};

const CALL_STATUS: Spellings =
    Spellings { any_of: ["call_status", "call_status__in"], none_of: "call_status__neq", is_empty: None };

const DURATION: [(&str, Comparison); 6] = [
    ("duration", Comparison::Equal),
    ("duration__gt", Comparison::Greater),
    ("duration__lt", Comparison::Less),
    ("duration__gte", Comparison::GreaterOrEqual),
    ("duration__lte", Comparison::LessOrEqual),
    ("duration__neq", Comparison::NotEqual),
];

impl Spellings {
    fn read(&self, reading: &mut Reading) -> Choice {
        let mut choice = Choice::default();
        for name in self.any_of {
            allow_only(&mut choice.any_of, texts(reading, name));
        }
        choice.none_of = texts(reading, self.none_of).unwrap_or_default();
        match self.is_empty.and_then(|name| reading.value(name, values::boolean)) {
            Some(true) => allow_only(&mut choice.any_of, Some(vec![String::new()])),
            // A list has no empty items, so this one is new, and the first in order.
            Some(false) => choice.none_of.insert(0, String::new()),
            None => {}
        }
        choice
    }
}

/// `carrier` is one value, in which a comma is a comma. It is trimmed as every text is that Django reads.
fn carrier(reading: &mut Reading) -> Option<Vec<String>> {
    let mut allowed = None;
    let one = reading.value("carrier", |text| Ok(text.trim().to_owned())).filter(|text| !text.is_empty());
    allow_only(&mut allowed, one.map(|text| vec![text]));
    allow_only(&mut allowed, texts(reading, "carrier__in"));
    allowed
}

/// A list, unless there is nothing in it, which filters nothing.
fn texts(reading: &mut Reading, name: &'static str) -> Option<Vec<String>> {
    reading.value(name, |text| Ok(values::texts(text))).filter(|items| !items.is_empty())
}

/// Takes from `allowed` what is not in `values`, if there are any. Both are sorted.
fn allow_only(allowed: &mut Option<Vec<String>>, values: Option<Vec<String>>) {
    let Some(mut values) = values else { return };
    if let Some(before) = allowed {
        values.retain(|value| before.binary_search(value).is_ok());
    }
    *allowed = Some(values);
}

#[cfg(test)]
mod tests;
