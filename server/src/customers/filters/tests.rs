//! Every spelling of every filter, alone and together.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::customers::parameters;
use crate::query::Query;
use crate::refusal::Refusal;

fn try_read(raw: &str) -> Result<Filters, Refusal> {
    let query = Query::parse(raw);
    let mut reading = Reading::of(&query);
    let filters = Filters::read(&mut reading);
    reading.finish(filters)
}

#[track_caller]
fn read(raw: &str) -> Filters {
    try_read(raw).unwrap_or_else(|refusal| panic!("{raw}: {refusal:?}"))
}

#[track_caller]
fn wrong(raw: &str) -> Value {
    match try_read(raw) {
        Err(Refusal::InvalidParameters(wrong)) => json!(wrong),
        other => panic!("{raw}: {other:?}"),
    }
}

fn values(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn choice(any_of: Option<&[&str]>, none_of: &[&str]) -> Choice {
    Choice { any_of: any_of.map(values), none_of: values(none_of) }
}

#[test]
fn lists_are_trimmed_and_empty_items_dropped() {
    assert_eq!(read("status=%20pending,,active%09,active").status, choice(Some(&["active", "pending"]), &[]));
}

#[test]
fn an_empty_value_filters_nothing_and_the_last_repetition_wins() {
    for raw in [
        "status=,%20,",
        "status=active&status=",
        "carrier=%20",
        "labels__id=,",
        "labels__id__neq=%20",
        "Status=a",
    ] {
        assert!(read(raw).is_empty(), "{raw}");
    }
    for name in parameters::filters() {
        assert!(read(&format!("{name}=")).is_empty(), "{name}");
    }
    assert_eq!(read("quality=hot&quality=cold").quality, choice(Some(&["cold"]), &[]));
    assert_eq!(read("is_test=maybe&is_test=1").is_test, Some(true), "what doesn't count is not judged");
}

#[test]
fn a_column_of_few_values_takes_every_spelling_and_all_of_them_hold() {
    for (raw, expected) in [
        ("=active", choice(Some(&["active"]), &[])),
        ("__in=active,pending", choice(Some(&["active", "pending"]), &[])),
        ("=active,pending&@__in=pending,blocked", choice(Some(&["pending"]), &[])),
        ("=active&@__in=blocked", choice(Some(&[]), &[])),
        ("__neq=b,a", choice(None, &["a", "b"])),
        ("=a,b&@__neq=b", choice(Some(&["a", "b"]), &["b"])),
    ] {
        for column in ["status", "quality", "call_status"] {
            let raw = format!("{column}{}", raw.replace('@', column));
            let filters = read(&raw);
            let mut columns = vec![filters.status, filters.quality, filters.call_status];
            columns.retain(|choice| *choice != Choice::default());
            assert_eq!(columns, std::slice::from_ref(&expected), "{raw}");
        }
    }
    for (raw, expected) in [
        ("__isnull=true", choice(Some(&[""]), &[])),
        ("__isnull=0", choice(None, &[""])),
        ("=a&@__isnull=True", choice(Some(&[]), &[])),
        ("=a&@__isnull=FALSE&@__neq=z,b", choice(Some(&["a"]), &["", "b", "z"])),
        ("__neq=a&@__isnull=1", choice(Some(&[""]), &["a"])),
    ] {
        let read = |column: &str| read(&format!("{column}{}", raw.replace('@', column)));
        assert_eq!(read("status").status, expected, "{raw}");
        assert_eq!(read("quality").quality, expected, "{raw}");
    }
    assert!(read("call_status__isnull=true").is_empty(), "there is no such filter");
}

#[test]
fn a_carrier_is_one_text_and_carrier_in_is_a_list() {
    for (raw, expected) in [
        ("carrier=viettel", &["viettel"][..]),
        ("carrier=a,b", &["a,b"]),
        ("carrier=+Saigon+Postel+", &["Saigon Postel"]),
        ("carrier__in=b,a", &["a", "b"]),
        ("carrier=a&carrier__in=b,a", &["a"]),
        ("carrier=a,b&carrier__in=b,a", &[]),
    ] {
        assert_eq!(read(raw).carrier, Some(values(expected)), "{raw}");
    }
}

#[test]
fn every_bound_of_the_duration_holds() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let raw =
        "duration__lte=6&duration__neq=1e1&duration=1&duration__gt=-2.5&duration__lt=.5&duration__gte=%2B5";
    assert_eq!(
        read(raw).duration,
        [
            (Equal, 1.0),
            (Greater, -2.5),
            (Less, 0.5),
            (GreaterOrEqual, 5.0),
            (LessOrEqual, 6.0),
            (NotEqual, 10.0)
        ]
    );
}

#[test]
fn filters_are_on_columns_of_the_index_or_on_something_else() {
    let query = "status=active&carrier=c&duration=5&is_test=0";
    let all = read(&format!("{query}&other_attributes=a=b&labels__id__neq={}", Uuid::nil()));
    let others = read(&format!("other_attributes=a=b&labels__id__neq={}", Uuid::nil()));
    assert_eq!(all.split(), (read(query), others.clone()));
    assert_eq!(others.split(), (Filters::default(), others));
}

#[test]
fn labels_are_lists_of_ids_each_of_which_must_be_met() {
    let id = Uuid::from_u128;
    let (one, two, three) = (id(1), id(2), id(3));
    let raw = format!(
        "labels__id={},{one},{two}&campaign_labels__id__in={two}&labels__id__neq={three}",
        two.simple()
    );
    let filters = read(&raw);
    assert_eq!(filters.labels, [vec![one, two], vec![two]]);
    assert_eq!(filters.without_labels, [three]);
    // "One of these and not this" is one of the others, or nobody.
    let filters =
        read(&format!("labels__id={one},{two}&campaign_labels__id__in={two}&labels__id__neq={two}"));
    assert_eq!(filters.labels, [vec![one], vec![]]);
    assert_eq!(filters.without_labels, [two]);
}

#[test]
fn attributes_and_flags_are_read_as_they_stand() {
    let filters = read("other_attributes=+a+%3D=b%3D&is_test=TRUE&checked=0");
    assert_eq!(filters.attribute, Some((" a ".to_owned(), "=b=".to_owned())));
    assert_eq!((filters.is_test, filters.checked), (Some(true), Some(false)));
}

#[test]
fn everything_that_is_wrong_is_said_at_once_in_the_words_of_the_contract() {
    assert_eq!(
        wrong(
            "status=active&duration__gte=NaN&duration=ten&is_test=yes&quality__isnull=2&labels__id=x,y\
             &campaign_labels__id__in=%22&labels__id__neq=1&other_attributes=city&call_status__in=%00"
        ),
        json!({
            "duration__gte": ["Enter a number."],
            "duration": ["Enter a number."],
            "is_test": ["Must be a valid boolean."],
            "quality__isnull": ["Must be a valid boolean."],
            "labels__id": ["“x” is not a valid UUID."],
            "campaign_labels__id__in": ["“\"” is not a valid UUID."],
            "labels__id__neq": ["“1” is not a valid UUID."],
            "other_attributes": ["Expected key=value."],
            "call_status__in": ["Null characters are not allowed."],
        })
    );
}

#[test]
fn every_filter_of_the_table_is_read_and_refuses_a_nul() {
    for name in parameters::filters() {
        for value in ["%00", "a%00b", "k%00=v", "k=v%00", "1%00", ",%00,"] {
            let message = json!({ name: ["Null characters are not allowed."] });
            assert_eq!(wrong(&format!("{name}={value}")), message, "{name}={value}");
        }
    }
    assert_eq!(parameters::filters().count(), 25);
}

#[test]
fn the_longest_lists_are_read() {
    let list = (0..16_000).rev().map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let filters =
        read(&format!("status={list}&status__in={list},x&status__neq={list}&carrier__in={list},{list}"));
    let status = filters.status;
    assert_eq!((status.any_of.unwrap().len(), status.none_of.len()), (16_000, 16_000));
    assert_eq!(filters.carrier.unwrap().len(), 16_000);
}

proptest! {
    /// Whatever is sent is read or refused, and lists are sorted, each value once, as those who use them rely on.
    #[test]
    fn any_query_is_read_or_refused(
        pairs in prop::collection::vec(
            (prop::sample::select(parameters::filters().collect::<Vec<_>>()), "[a-c,= 0-2.e%T\\PC-]{0,12}"), 0..6)
    ) {
        let raw = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        if let Ok(filters) = try_read(&raw) {
            let Filters { status, quality, call_status, carrier, .. } = filters;
            let choices = [status, quality, call_status];
            let any_of = choices.iter().filter_map(|choice| choice.any_of.as_ref()).chain(&carrier);
            for list in any_of.chain(choices.iter().map(|choice| &choice.none_of)) {
                prop_assert!(list.is_sorted_by(|one, other| one < other), "{list:?}");
            }
            for list in filters.labels.iter().chain([&filters.without_labels]) {
                prop_assert!(list.is_sorted_by(|one, other| one < other), "{list:?}");
            }
        }
    }
}
