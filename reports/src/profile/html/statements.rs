//! The statements: when they ran, and which texts took how long.

use maud::{Markup, html};

use super::super::groups::{Group, groups};
use super::super::record::{LAYERS, Profile};
use super::super::sql::{in_lines, on_one_line, shortened};
use super::super::words::alike;
use super::layers::place;
use crate::html::charts::waterfall::{LETTERS, Lane, waterfall};
use crate::html::figure::{Size, figure, scrolled, table};
use crate::quantity;

/// Lanes of the waterfall. The texts that took least share the last one.
const MOST_LANES: usize = 40;

/// Letters of a text before it is unfolded.
const SUMMARY: usize = 160;

pub(super) fn section(profile: &Profile) -> Option<Markup> {
    let groups = groups(profile);
    if groups.is_empty() {
        return None;
    }
    Some(html! {
        @if let Some(figure) = over_time(profile, &groups) { (figure) }
        p class="muted" { (alike(profile, &groups)) "; the longest in all first." }
        (scrolled(&texts(&groups)))
    })
}

/// The waterfall; `None` where the server does not say when statements ran.
fn over_time(profile: &Profile, groups: &[Group]) -> Option<Markup> {
    let lanes = lanes(profile, groups);
    if lanes.is_empty() {
        return None;
    }
    let end_ms = profile.response_time_ms.or(profile.total_time_ms).unwrap_or(0.0);
    let first = lanes.iter().map(began).fold(f64::INFINITY, f64::min);
    let most = groups.iter().max_by_key(|group| group.count)?;
    let comb = if most.count > 1 {
        format!(" One of them ran {} times.", quantity::count(most.count))
    } else {
        String::new()
    };
    let finding = format!(
        "{} on {}, the first after {}.{comb}",
        quantity::plural(profile.statements.len() as u64, "statement"),
        quantity::plural(lanes.len() as u64, "lane"),
        quantity::time_ms(first),
    );
    let rows: Vec<Vec<String>> = lanes
        .iter()
        .map(|lane| vec![lane.label[0].clone(), quantity::time_ms(began(lane)), lane.words.clone()])
        .collect();
    Some(figure(
        Size::Full,
        &finding,
        |width| waterfall(&lanes, &LAYERS, end_ms, "Statements over the time of the request", width),
        &table(&["Statement", "First at", "Number and time"], &rows),
    ))
}

fn began(lane: &Lane) -> f64 {
    lane.bars.iter().map(|(start, _)| *start).fold(f64::INFINITY, f64::min)
}

/// A lane for each text, in the order of their first statements.
fn lanes(profile: &Profile, groups: &[Group]) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = groups
        .iter()
        .take(MOST_LANES)
        .map(|group| Lane {
            label: LETTERS.map(|letters| shortened(&group.sql, letters)),
            words: words(group.count, group.time_ms),
            layer: place(group.layer.as_deref()),
            bars: Vec::new(),
        })
        .collect();
    let mut others = Vec::new();
    for statement in &profile.statements {
        let (Some(start), Some(length)) = (statement.start_ms, statement.time_ms) else { continue };
        let of = groups.iter().position(|group| group.sql == statement.sql && group.layer == statement.layer);
        match of.and_then(|place| lanes.get_mut(place)) {
            Some(lane) => lane.bars.push((start, length)),
            None => others.push((start, length)),
        }
    }
    lanes.retain(|lane| !lane.bars.is_empty());
    lanes.sort_by(|a, b| began(a).total_cmp(&began(b)));
    if !others.is_empty() {
        let label =
            format!("and {}", quantity::plural(groups.len().saturating_sub(MOST_LANES) as u64, "more text"));
        lanes.push(Lane {
            label: [label.clone(), label],
            words: words(others.len() as u64, Some(others.iter().map(|(_, length)| length).sum())),
            layer: None,
            bars: others,
        });
    }
    lanes
}

/// `50 x, 4.20 ms`.
fn words(count: u64, ms: Option<f64>) -> String {
    let time = ms.map_or_else(String::new, |ms| format!(", {}", quantity::time_ms(ms)));
    format!("{} x{time}", quantity::count(count))
}

fn texts(groups: &[Group]) -> Markup {
    let count = |number: Option<u64>| number.map_or_else(|| "–".into(), quantity::count);
    html! {
        table class="groups" {
            thead { tr {
                th scope="col" { "Statement" } th scope="col" { "Layer" } th class="n" scope="col" { "Count" } th class="n" scope="col" { "Time" }
                th class="n" scope="col" { "Rows" } th class="n" scope="col" { "Same values" }
            } }
            tbody {
                @for group in groups {
                    tr {
                        td { (folded(&group.sql)) }
                        td { span class=[place(group.layer.as_deref()).map(|place| format!("c{place}"))] { (group.layer.as_deref().unwrap_or("–")) } }
                        td class="n" { (quantity::count(group.count)) }
                        td class="n" { (group.time_ms.map_or_else(|| "–".into(), quantity::time_ms)) }
                        td class="n" { (count(group.rows)) }
                        td class="n" { (count(group.duplicates)) }
                    }
                }
            }
        }
    }
}

/// A text: whole if it is short and on one line, folded and in lines otherwise.
pub(super) fn folded(sql: &str) -> Markup {
    let line = shortened(sql, SUMMARY);
    html! {
        @if line == on_one_line(sql) && !sql.trim().contains('\n') {
            code class="sql" { (line) }
        } @else {
            details class="sql" { summary { code { (line) } } pre { code { (in_lines(sql)) } } }
        }
    }
}

/// What ran once for each row of another statement, and what was fetched for nothing.
pub(super) fn one_by_one(profile: &Profile) -> Option<Markup> {
    let queries = &profile.queries;
    let listed = |sql: &str| queries.n_plus_one.iter().any(|repeated| repeated.sql == sql);
    // Most of what the serializer loads one by one is in the list already.
    let loaded: Vec<_> =
        profile.serializer.loaded_one_by_one.iter().filter(|loaded| !listed(&loaded.sql)).collect();
    if queries.n_plus_one.is_empty() && loaded.is_empty() && queries.unused_columns.is_empty() {
        return None;
    }
    let repeated =
        queries.n_plus_one.iter().map(|repeated| (repeated.count, repeated.time_ms, &repeated.sql));
    let rows: Vec<_> =
        repeated.chain(loaded.into_iter().map(|loaded| (loaded.count, None, &loaded.sql))).collect();
    Some(html! {
        @if !rows.is_empty() {
            p { "These ran once for each row of another statement (N+1). One statement for all rows does the same work." }
            (scrolled(&html! {
                table class="groups" {
                    thead { tr { th scope="col" { "Statement" } th class="n" scope="col" { "Count" } th class="n" scope="col" { "Time" } } }
                    tbody {
                        @for (count, ms, sql) in &rows {
                            tr {
                                td { (folded(sql)) }
                                td class="n" { (count.map_or_else(|| "–".into(), quantity::count)) }
                                td class="n" { (ms.map_or_else(|| "–".into(), quantity::time_ms)) }
                            }
                        }
                    }
                }
            }))
        }
        @if !queries.unused_columns.is_empty() {
            h3 { "Fetched and not used" }
            @for unused in &queries.unused_columns {
                p { (unused.columns.join(", ")) }
                (folded(&unused.sql))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::sample;
    use super::super::super::session::Repeat;
    use super::*;

    #[test]
    fn the_waterfall_has_a_lane_for_each_text_in_the_order_of_their_starts() {
        let repeat = sample::naive(40.0);
        let lanes = lanes(repeat.profile(), &groups(repeat.profile()));
        assert_eq!(lanes.len(), 17);
        assert!(lanes.is_sorted_by(|a, b| began(a) <= began(b)));
        assert_eq!(lanes.iter().map(|lane| lane.bars.len()).sum::<usize>(), 752);
        assert_eq!((lanes[0].layer, lanes[1].layer, lanes[2].layer), (Some(1), Some(2), Some(3)));
        assert_eq!(lanes[1].words, "1 x, 2.50 ms");
    }

    #[test]
    fn many_texts_share_the_last_lane() {
        let statements: Vec<_> = (0..90)
            .map(|at| json!({"sql": format!("SELECT {at}"), "start_ms": at, "time_ms": 1.0}))
            .collect();
        let repeat = Repeat::read(json!({ "statements": statements })).unwrap();
        let lanes = lanes(repeat.profile(), &groups(repeat.profile()));
        assert_eq!(lanes.len(), 41);
        assert_eq!(
            (lanes[40].label[0].as_str(), lanes[40].words.as_str()),
            ("and 50 more texts", "50 x, 50.0 ms")
        );
    }

    #[test]
    fn a_long_text_is_folded_with_its_own_lines() {
        let short = folded("SELECT 1").into_string();
        assert!(!short.contains("<details"), "{short}");
        let long = folded("SELECT 1\nFROM   call").into_string();
        assert!(long.contains("<summary><code>SELECT 1 FROM call</code>"), "{long}");
        assert!(long.contains("<pre><code>SELECT 1\nFROM   call</code></pre>"), "{long}");
    }
}
