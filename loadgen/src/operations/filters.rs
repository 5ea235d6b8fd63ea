//! The list under filters.
//!
//! *Usual* filters are those that people set: one condition on a column, sometimes two, with values that their rows have.
//! *Worst* ones are made to find nothing, or little, or only among the oldest rows, which is what an index in the order of
//! the list can't help with.

use std::borrow::Cow;

use reqwest::{Method, Request};
use serde::Deserialize;
use serde_json::Value;

use super::Draw;
use super::asking::Ask;
use super::exchange::{Fault, Reply};
use super::tenant::{Customer, Tenant};

/// `GET /api/v1/customers/?workspace_id=…&<filters>`
#[derive(Debug, Clone)]
pub(super) struct Filters {
    kinds: &'static [(Kind, f64)],
    page_size: u32,
    asked: Vec<(&'static str, String)>,
}

/// A kind of filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Status,
    Quality,
    CallStatus,
    NotStatus,
    Carrier,
    LongCalls,
    Attribute,
    Checked,
    StatusAndQuality,
    CarrierAndDuration,
    /// A value that no row has.
    Absent,
    /// A label that nobody has.
    AbsentLabel,
    /// An attribute that nobody has.
    AbsentAttribute,
    /// Longer than any call.
    OutOfRange,
    /// Conditions each of which many rows satisfy, and few all of them.
    Contradiction,
    /// An attribute and a column.
    AttributeAndStatus,
}

/// What people filter by, and how often.
const USUAL: [(Kind, f64); 10] = [
    (Kind::Status, 30.0),
    (Kind::Quality, 15.0),
    (Kind::CallStatus, 15.0),
    (Kind::NotStatus, 5.0),
    (Kind::Carrier, 8.0),
    (Kind::LongCalls, 7.0),
    (Kind::Attribute, 5.0),
    (Kind::Checked, 5.0),
    (Kind::StatusAndQuality, 7.0),
    (Kind::CarrierAndDuration, 3.0),
];

/// What hurts, all alike.
const WORST: [(Kind, f64); 6] = [
    (Kind::Absent, 1.0),
    (Kind::AbsentLabel, 1.0),
    (Kind::AbsentAttribute, 1.0),
    (Kind::OutOfRange, 1.0),
    (Kind::Contradiction, 1.0),
    (Kind::AttributeAndStatus, 1.0),
];

impl Filters {
    /// As people set them.
    pub(super) fn usual() -> Self {
        Self { kinds: &USUAL, page_size: 50, asked: Vec::new() }
    }

    /// Those that hurt.
    pub(super) fn worst() -> Self {
        Self { kinds: &WORST, page_size: 50, asked: Vec::new() }
    }
}

impl Ask for Filters {
    fn request(&mut self, tenant: &Tenant, draw: &mut Draw) -> Request {
        let weights: Vec<f64> = self.kinds.iter().map(|(_, weight)| *weight).collect();
        let (kind, _) = self.kinds[draw.weighted(&weights)];
        self.asked = conditions(kind, tenant.customer(draw), draw);
        let mut url = tenant.url("/api/v1/customers/");
        url.query_pairs_mut().append_pair("page_size", &self.page_size.to_string()).extend_pairs(&self.asked);
        tenant.ask(Method::GET, url)
    }

    fn check(&mut self, tenant: &Tenant, reply: &Reply) -> Result<(), Fault> {
        reply.must_be(200)?;
        let Ok(page) = serde_json::from_slice::<Page<'_>>(&reply.body) else {
            return Err(Fault::wrong("not a page"));
        };
        let own = tenant.workspace_id.as_deref();
        if page.results.iter().any(|row| own.is_some_and(|own| own != row.workspace_id)) {
            return Err(Fault::wrong("a row of another workspace"));
        }
        if page.results.len() > self.page_size as usize {
            return Err(Fault::wrong("another number of rows"));
        }
        if page.results.iter().any(|row| self.asked.iter().any(|(name, value)| !row.satisfies(name, value))) {
            return Err(Fault::wrong("a row that the filter excludes"));
        }
        Ok(())
    }
}

/// The parameters of a filter, with values of a row where it has them.
fn conditions(kind: Kind, row: Option<&Customer>, draw: &mut Draw) -> Vec<(&'static str, String)> {
    let status = || ("status", value(row.map(|row| &row.status), "active"));
    let quality = || ("quality", value(row.map(|row| &row.quality), "hot"));
    let call_status = || ("call_status", value(row.map(|row| &row.call_status), "pending"));
    let carrier = || ("carrier", value(row.map(|row| &row.carrier), "Viettel"));
    let attribute = || {
        let attributes = row.map(|row| &row.other_attributes).into_iter().flatten();
        let texts = attributes.filter_map(|(key, value)| Some((key, value.as_str()?)));
        let found = texts.into_iter().find(|(key, _)| !key.contains('='));
        found.map_or_else(|| "city=Hue".to_owned(), |(key, text)| format!("{key}={text}"))
    };
    match kind {
        Kind::Status => vec![status()],
        Kind::Quality => vec![quality()],
        Kind::CallStatus => vec![call_status()],
        Kind::NotStatus => vec![("status__neq", status().1)],
        Kind::Carrier => vec![carrier()],
        Kind::LongCalls => vec![("duration__gte", draw.index(300).to_string())],
        Kind::Attribute => vec![("other_attributes", attribute())],
        Kind::Checked => vec![("checked", (draw.index(2) == 1).to_string())],
        Kind::StatusAndQuality => vec![status(), quality()],
        Kind::CarrierAndDuration => vec![carrier(), ("duration__lt", draw.index(300).to_string())],
        Kind::Absent => vec![("carrier", format!("no carrier {}", draw.index(1_000_000)))],
        Kind::AbsentLabel => vec![("labels__id", nobody(draw))],
        Kind::AbsentAttribute => {
            vec![("other_attributes", format!("no key=no value {}", draw.index(1_000_000)))]
        }
        Kind::OutOfRange => vec![("duration__gt", (1_000_000_000 + draw.index(1_000_000)).to_string())],
        Kind::Contradiction => {
            vec![
                status(),
                quality(),
                call_status(),
                carrier(),
                ("duration__gte", draw.index(3_000).to_string()),
            ]
        }
        Kind::AttributeAndStatus => vec![status(), ("other_attributes", attribute())],
    }
}

/// The value of a row, if it has one that stands for itself.
fn value(of_row: Option<&Option<String>>, other: &str) -> String {
    of_row.and_then(Option::as_deref).filter(|value| is_plain(value)).unwrap_or(other).to_owned()
}

/// Whether a value stands for itself in a list of values.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.trim() == value && !value.contains(',')
}

/// An id that nobody has: of a version that no generator makes.
fn nobody(draw: &mut Draw) -> String {
    let low = draw.index(1 << 30);
    format!("00000000-0000-0000-0000-{low:012x}")
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<Row<'a>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    workspace_id: Cow<'a, str>,
    #[serde(default, borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    quality: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    call_status: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    carrier: Option<Cow<'a, str>>,
    #[serde(default)]
    duration: Value,
    #[serde(default)]
    checked: Option<bool>,
}

impl Row<'_> {
    /// Whether it satisfies a condition, as far as the row shows it.
    fn satisfies(&self, name: &str, value: &str) -> bool {
        let duration = || self.duration.as_f64().zip(value.parse().ok());
        match name {
            "status" => self.status.as_deref() == Some(value),
            "status__neq" => self.status.as_deref() != Some(value),
            "quality" => self.quality.as_deref() == Some(value),
            "call_status" => self.call_status.as_deref() == Some(value),
            "carrier" => self.carrier.as_deref() == Some(value),
            "checked" => self.checked.is_none_or(|checked| checked.to_string() == value),
            "duration__gt" => duration().is_none_or(|(has, limit): (f64, f64)| has > limit),
            "duration__gte" => duration().is_none_or(|(has, limit): (f64, f64)| has >= limit),
            "duration__lt" => duration().is_none_or(|(has, limit): (f64, f64)| has < limit),
            "labels__id" => false,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_the_filter_excludes_is_noticed() {
        let row = br#"{"workspace_id": "w", "status": "active", "quality": null, "carrier": "Viettel",
                       "duration": 12.5, "checked": true}"#;
        let row: Row<'_> = serde_json::from_slice(row).unwrap();
        for (name, value, satisfies) in [
            ("status", "active", true),
            ("status", "blocked", false),
            ("status__neq", "active", false),
            ("quality", "hot", false),
            ("carrier", "Viettel", true),
            ("duration__gt", "12.5", false),
            ("duration__gte", "12.5", true),
            ("duration__lt", "12.5", false),
            ("checked", "false", false),
            ("labels__id", "00000000-0000-0000-0000-000000000001", false),
            ("other_attributes", "city=Hue", true),
        ] {
            assert_eq!(row.satisfies(name, value), satisfies, "{name}={value}");
        }
    }

    #[test]
    fn values_come_from_rows_where_they_stand_for_themselves() {
        let row = r#"{"id": "1", "status": "a,b", "quality": "hot ", "carrier": "Mobi", "call_status": "",
                      "other_attributes": {"n": 1, "k=v": "x", "city": "Da Nang"}}"#;
        let row: Customer = serde_json::from_str(row).unwrap();
        let of = |kind| conditions(kind, Some(&row), &mut Draw::new(1, 1));
        let is = |name, value: &str| vec![(name, value.to_owned())];
        assert_eq!(of(Kind::Status), is("status", "active"));
        assert_eq!(of(Kind::Quality), is("quality", "hot"));
        assert_eq!(of(Kind::CallStatus), is("call_status", "pending"));
        assert_eq!(of(Kind::Carrier), is("carrier", "Mobi"));
        assert_eq!(of(Kind::Attribute), is("other_attributes", "city=Da Nang"));
    }

    #[test]
    fn all_kinds_are_asked_for() {
        for (kinds, weights) in [(&USUAL[..], 100.0), (&WORST[..], 6.0)] {
            assert!((kinds.iter().map(|(_, weight)| weight).sum::<f64>() - weights).abs() < 1e-9);
        }
    }
}
