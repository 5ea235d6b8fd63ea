//! Where the time went, layer by layer, and what the layers say of themselves.

use maud::{Markup, html};

use super::super::record::{LAYERS, Mention, Profile};
use super::super::words::{bound, whole_share};
use crate::html::charts::bars::{Bar, bars};
use crate::html::figure::{Size, figure, table};
use crate::quantity;

/// The place of a layer among all, which decides its colour; `None` for one that is not known.
pub(super) fn place(layer: Option<&str>) -> Option<usize> {
    LAYERS.iter().position(|name| Some(*name) == layer)
}

pub(super) fn section(profile: &Profile) -> Option<Markup> {
    let layers = profile.breakdown.layers();
    if layers.is_empty() {
        return None;
    }
    let all: f64 = layers.iter().map(|(_, ms)| ms).sum();
    let share = |ms: f64| if all > 0.0 { whole_share(ms / all) } else { "–".to_owned() };
    let chart = || -> Vec<Bar> {
        let bar = |(name, ms): &(&'static str, f64)| Bar {
            index: place(Some(name)),
            label: (*name).to_owned(),
            value: *ms,
            words: format!("{}, {}", quantity::time_ms(*ms), share(*ms)),
        };
        layers.iter().map(bar).collect()
    };
    let groups = [(String::new(), chart())];
    let rows: Vec<Vec<String>> = layers
        .iter()
        .map(|(name, ms)| vec![(*name).to_owned(), quantity::time_ms(*ms), share(*ms)])
        .collect();
    let bound = bound(profile);
    let finding = if bound.is_empty() {
        "The total time by layers, which sum to it.".to_owned()
    } else {
        let mut letters = bound.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        format!("{first}{}.", letters.as_str())
    };
    Some(figure(
        Size::Full,
        &finding,
        |width| bars(&groups, "Time by layer", width),
        &table(&["Layer", "Time", "Share"], &rows),
    ))
}

/// What the server says of its checks, its serializer and its memory.
pub(super) fn rest(profile: &Profile) -> Option<Markup> {
    let (permission, serializer) = (&profile.permission, &profile.serializer);
    let memory = &profile.memory;
    let facts: Vec<(&str, Option<String>)> = vec![
        ("Statements of permission checks", permission.statements.map(quantity::count)),
        ("Time of permission checks", permission.time_ms.map(quantity::time_ms)),
        ("Checks made again", permission.repeated_checks.map(quantity::count)),
        ("Records in the answer", serializer.records.map(quantity::count)),
        ("Time for each record", serializer.us_per_record.map(quantity::time_us)),
        ("Serializer's share of the total", serializer.share.map(quantity::share)),
        ("Bytes allocated", memory.allocated_bytes.map(|bytes| quantity::bytes(bytes as f64))),
        ("Most bytes at a time", memory.peak_bytes.map(|bytes| quantity::bytes(bytes as f64))),
        ("Allocations", memory.allocations.map(quantity::count)),
    ];
    let facts: Vec<(&str, String)> =
        facts.into_iter().filter_map(|(name, fact)| Some((name, fact?))).collect();
    let mentioned = [
        ("Counts rows where it would do to know of one", &permission.count_statements),
        ("Reads a table from end to end", &permission.full_scans),
    ];
    if facts.is_empty() && mentioned.iter().all(|(_, mentions)| mentions.is_empty()) {
        return None;
    }
    Some(html! {
        table class="facts" { tbody { @for (name, fact) in &facts { tr { th scope="row" { (name) } td { (fact) } } } } }
        @for (what, mentions) in mentioned { (mentions_of(what, mentions)) }
    })
}

fn mentions_of(what: &str, mentions: &[Mention]) -> Markup {
    html! {
        @if !mentions.is_empty() {
            h3 { (what) }
            @for mention in mentions { pre { code { (mention.words()) } } }
        }
    }
}
