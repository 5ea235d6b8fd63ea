//! Every filter alone, and all pairs and triples of filters on different parameters, from the top of the list and from
//! its middle.

use std::io::Write;

use uuid::Uuid;

use crate::client::Client;
use crate::tenant::Tenant;
use crate::{quantile, times};

/// Requests behind the p99 of a single filter; 299 is the least that bears one with confidence 0.95.
const REQUESTS: usize = 300;

/// How many of the slowest combinations are measured again, and how often.
const WORST: usize = 5;
const WORST_REQUESTS: usize = 100;

/// What is filtered on, and a value of it. Filters of the same parameter are not combined with each other.
#[derive(Debug, Clone)]
struct Filter {
    parameter: &'static str,
    value: String,
}

/// Common, rare, absent, oldest-only and newest-only values.
fn filters(tenant: &Tenant) -> Vec<Filter> {
    let [rare, middling, common] = tenant.labels.map(|label| label.to_string());
    let mut filters = Vec::new();
    let mut add = |parameter: &'static str, values: &[&str]| {
        filters.extend(values.iter().map(|value| Filter { parameter, value: (*value).to_owned() }));
    };
    add("status", &["active", "blocked", "pending", "absent"]);
    add("status__neq", &["active"]);
    add("quality", &["hot", "dead", "absent"]);
    add("call_status", &["completed", "calling"]);
    add("carrier", &["Viettel", "Gmobile", "absent"]);
    add("is_test", &["true"]);
    add("checked", &["true"]);
    add("duration__gt", &["10", "10000", "1e9"]);
    add("duration__lt", &["1"]);
    add("duration", &["0", "-1"]);
    add("labels__id", &[&common, &middling, &rare, &Uuid::nil().to_string()]);
    add("labels__id__neq", &[&common]);
    add("other_attributes", &["city=Đà Nẵng", "vip=true", "age=30", "score=1.10", "city=nowhere"]);
    filters
}

fn path(list: &str, filters: &[&Filter]) -> String {
    let mut query = form_urlencoded::Serializer::new(list.to_owned());
    query.extend_pairs(filters.iter().map(|Filter { parameter, value }| (parameter, value)));
    query.finish()
}

fn named(filters: &[&Filter]) -> String {
    let names: Vec<String> =
        filters.iter().map(|Filter { parameter, value }| format!("{parameter}={value}")).collect();
    names.join(" & ")
}

pub(crate) async fn measure(
    out: &mut impl Write,
    client: &mut Client,
    list: &str,
    tenant: &Tenant,
) -> anyhow::Result<()> {
    let filters = filters(tenant);
    writeln!(out, "\nsingle filters, {REQUESTS} requests each, one connection, first page")?;
    for filter in &filters {
        let path = path(list, &[filter]);
        let rows = client.get(&path).await?.rows()?;
        let times = times(client, &path, REQUESTS).await?;
        let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
        writeln!(out, "{:50} {rows:>3} rows  p50 {p50:>6.2}  p99 {p99:>6.2}", named(&[filter]))?;
    }

    let middle = format!("{list}&cursor={}", tenant.middle);
    for (size, combinations) in [("pairs", pairs(&filters)), ("triples", triples(&filters))] {
        let mut slowest = Vec::new();
        for combination in &combinations {
            for (place, start) in [("top", list), ("middle", middle.as_str())] {
                let path = path(start, combination);
                let once = times(client, &path, 1).await?;
                slowest.push((once[0], place, path, named(combination)));
            }
        }
        slowest.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all: Vec<f64> = slowest.iter().rev().map(|(time, ..)| *time).collect();
        writeln!(
            out,
            "\n{size}: {} requests (warm, each once): p50 {:.2}, p99 {:.2}, slowest {:.2} ms; the slowest {WORST} again, \
             {WORST_REQUESTS} requests each",
            all.len(),
            quantile(&all, 0.5),
            quantile(&all, 0.99),
            quantile(&all, 1.0),
        )?;
        for (_, place, path, name) in slowest.into_iter().take(WORST) {
            let times = times(client, &path, WORST_REQUESTS).await?;
            let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
            writeln!(out, "{place:>6}: p50 {p50:>6.2}  p99 {p99:>6.2}  {name}")?;
        }
    }
    Ok(())
}

fn pairs(filters: &[Filter]) -> Vec<Vec<&Filter>> {
    let mut pairs = Vec::new();
    for (index, a) in filters.iter().enumerate() {
        pairs.extend(filters[index + 1..].iter().filter(|b| b.parameter != a.parameter).map(|b| vec![a, b]));
    }
    pairs
}

fn triples(filters: &[Filter]) -> Vec<Vec<&Filter>> {
    let mut triples = Vec::new();
    for (index, a) in filters.iter().enumerate() {
        for pair in pairs(&filters[index + 1..]) {
            if pair.iter().all(|other| other.parameter != a.parameter) {
                triples.push([vec![a], pair].concat());
            }
        }
    }
    triples
}
