//! One filter of a query string beside what it means: every parameter of the contract, with values that are common,
//! rare, absent, only on the oldest customers, empty, or written in an unusual way.

use sqlx::PgConnection;
use uuid::Uuid;

use super::oracle::Meaning;

/// A filter as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) meaning: Meaning,
}

impl Sample {
    fn new(name: &'static str, text: impl Into<String>, meaning: Meaning) -> Self {
        Self { name, text: text.into(), meaning }
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

/// All samples for a workspace with the labels of `rows`, and one label of a neighbour.
pub(crate) async fn samples(db: &mut PgConnection, workspace: Uuid, neighbour: Uuid) -> Vec<Sample> {
    let mut all = Vec::new();
    choices(&mut all);
    carriers(&mut all);
    durations(&mut all);
    attributes(&mut all);
    for column in ["is_test", "checked"] {
        for (text, wanted) in [("true", true), ("FALSE", false), ("1", true), ("0", false)] {
            all.push(Sample::new(column, text, Meaning::Flag(column, wanted)));
        }
    }
    let label = async |db: &mut PgConnection, workspace: Uuid, name: &str| -> Uuid {
        sqlx::query_scalar("SELECT id FROM label WHERE workspace_id = $1 AND name = $2")
            .bind(workspace)
            .bind(name)
            .fetch_one(db)
            .await
            .unwrap()
    };
    let (common, other) = (label(db, workspace, "a").await, label(db, workspace, "B").await);
    let (rare, unused) = (label(db, workspace, "rare").await, label(db, workspace, "unused").await);
    let foreign = label(db, neighbour, "a").await;
    labels(&mut all, &[vec![common], vec![rare], vec![unused], vec![foreign], vec![common, other, unused]]);
    all
}

fn choices(all: &mut Vec<Sample>) {
    let lists: [(&str, &[&str]); 7] = [
        ("active", &["active"]),
        ("hot, active ,,pending,rare", &["hot", "active", "pending", "rare"]),
        ("archived", &["archived"]),
        ("rare,absent", &["rare", "absent"]),
        ("đang gọi,dead,failed,failed", &["đang gọi", "dead", "failed"]),
        (
            "cold,warm,completed,blocked,inactive,calling",
            &["cold", "warm", "completed", "blocked", "inactive", "calling"],
        ),
        ("Active", &["Active"]),
    ];
    for (text, values) in lists {
        for (column, one_of, one_in, none_of) in [
            ("status", "status", "status__in", "status__neq"),
            ("quality", "quality", "quality__in", "quality__neq"),
            ("call_status", "call_status", "call_status__in", "call_status__neq"),
        ] {
            for name in [one_of, one_in] {
                all.push(Sample::new(name, text, Meaning::OneOf(column, texts(values))));
            }
            all.push(Sample::new(none_of, text, Meaning::NoneOf(column, texts(values))));
        }
    }
    for (column, name) in [("status", "status__isnull"), ("quality", "quality__isnull")] {
        for (text, is_empty) in [("true", true), ("false", false), ("1", true), ("False", false)] {
            all.push(Sample::new(name, text, Meaning::Valuable(column, is_empty)));
        }
    }
}

fn carriers(all: &mut Vec<Sample>) {
    for (text, value) in [
        ("viettel", "viettel"),
        ("a,b", "a,b"),
        (" Saigon Postel", "Saigon Postel"),
        ("Ω", "Ω"),
        ("Viettel", "Viettel"),
    ] {
        all.push(Sample::new("carrier", text, Meaning::OneOf("carrier", texts(&[value]))));
    }
    for (text, values) in [
        ("viettel,mobifone", &["viettel", "mobifone"][..]),
        ("Ω, none,", &["Ω", "none"]),
        ("a,b", &["a", "b"]),
    ] {
        all.push(Sample::new("carrier__in", text, Meaning::OneOf("carrier", texts(values))));
    }
}

fn durations(all: &mut Vec<Sample>) {
    for (name, operator) in [
        ("duration", "="),
        ("duration__neq", "<>"),
        ("duration__lt", "<"),
        ("duration__lte", "<="),
        ("duration__gt", ">"),
        ("duration__gte", ">="),
    ] {
        for (text, number) in [
            ("30", "30"),
            (".1", "0.1"),
            (" 305E-1", "30.5"),
            ("-5", "-5"),
            ("1e3", "1000"),
            ("1e300", "1e300"),
            ("1e999", "Infinity"),
            ("-1e999", "-Infinity"),
            ("77.7", "77.7"),
        ] {
            all.push(Sample::new(name, text, Meaning::Duration(operator, number)));
        }
    }
}

fn attributes(all: &mut Vec<Sample>) {
    for (key, value) in [
        ("age", "30"),
        ("age", "30.0"),
        ("age", "3e1"),
        ("age", " 30"),
        (" age", " 30"),
        ("age", "null"),
        ("age", ""),
        ("age", "[30]"),
        ("price", "1.10"),
        ("price", "1.1"),
        ("price", "1e-7"),
        ("price", "0.0000001"),
        ("price", "-0"),
        ("price", "0"),
        ("price", "1e30"),
        ("price", "1000000000000000000000000000000"),
        ("big", "12345678901234567890"),
        ("vip", "true"),
        ("vip", "True"),
        ("vip", "false"),
        ("vip", "1"),
        ("city", "Hà Nội"),
        ("ключ", "значение"),
        ("a", "b=c=d"),
        ("a", "absent"),
        ("q\"\\", "\"\\q"),
        ("nl", "a\nb"),
        ("u", "A"),
        ("u", "\\u0041"),
        ("absent", "30"),
    ] {
        let meaning = Meaning::Attribute(key.to_owned(), value.to_owned());
        all.push(Sample::new("other_attributes", format!("{key}={value}"), meaning));
    }
    // Split at the first sign: this is the key `a`, which has no such value, and never the key `a=b`.
    let meaning = Meaning::Attribute("a".to_owned(), "b=c=d=e".to_owned());
    all.push(Sample::new("other_attributes", "a=b=c=d=e", meaning));
}

fn labels(all: &mut Vec<Sample>, lists: &[Vec<Uuid>]) {
    for (index, list) in lists.iter().enumerate() {
        let written: Vec<String> = list
            .iter()
            .map(|id| if index % 2 == 0 { id.to_string() } else { id.simple().to_string().to_uppercase() })
            .collect();
        for name in ["labels__id", "campaign_labels__id__in"] {
            all.push(Sample::new(name, written.join(", "), Meaning::AnyLabel(list.clone())));
        }
        all.push(Sample::new("labels__id__neq", written.join(","), Meaning::NoLabel(list.clone())));
    }
}
