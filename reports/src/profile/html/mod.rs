//! The page of a session: like the report of a run, one file that fetches nothing and runs nothing.
//!
//! It answers in the order of a reader's questions: does it hold, what should be changed, where did the time go, which
//! statements, how were they carried out. Everything is about the median answer, except where it says so. A section without
//! data is absent.

mod layers;
mod plans;
mod statements;

use maud::{Markup, html};

use super::record::Profile;
use super::session::Session;
use super::sql::on_one_line;
use super::words::{choice, headline, standing};
use crate::html::charts::repeats::repeats;
use crate::html::figure::{Size, figure, scrolled, table};
use crate::html::{badge, contents, document};
use crate::quantity;

const STYLE: &str = include_str!("profile.css");

/// The page of a session.
#[must_use]
pub fn page(session: &Session) -> String {
    let nothing = Profile::default();
    let profile = session.shown().map_or(&nothing, |shown| shown.profile());
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("assertions", "Assertions", assertions(session)),
        ("advice", "What to change", advice(profile)),
        ("layers", "Layers", layers::section(profile)),
        ("statements", "Statements", statements::section(profile)),
        ("repeated", "Once for each row", statements::one_by_one(profile)),
        ("rest", "Permission, serializer, memory", layers::rest(profile)),
        ("repeats", "Repeats", distribution(session)),
        ("plans", "Plans", plans::section(profile)),
        ("raw", "All of it", Some(raw(session))),
    ];
    let body = html! {
        (header(session, profile))
        (contents(sections))
        footer { p { "Made by callbench " (session.callbench) " from profile.json." } }
    };
    document(&session.name, &session.callbench, STYLE, &body)
}

fn header(session: &Session, profile: &Profile) -> Markup {
    let method = profile.method.as_deref().unwrap_or("GET");
    html! {
        header {
            p class="eyebrow" {
                "callbench" span { (session.name) }
                span { time datetime=(session.started_at.to_rfc3339()) { (quantity::moment(session.started_at)) } }
                span { (session.server.name) @if let Some(level) = &session.server.level { " on level " (level) } }
            }
            h1 { (badge::standing(standing(&session.verdicts))) (headline(profile)) }
            p class="request" { code { (on_one_line(method)) " " (session.path) } }
            p class="muted" { "Shown is " (choice(session)) "." }
            @let cards = cards(profile);
            @if !cards.is_empty() {
                div class="cards" {
                    @for (title, big, small) in cards {
                        div class="card" { h2 { (title) } p class="big" { (big) } p class="muted" { (small) } }
                    }
                }
            }
        }
    }
}

/// Heading, figure and remark of each head fact that the server gives.
fn cards(profile: &Profile) -> Vec<(&'static str, String, String)> {
    let ms = |ms: Option<f64>, words: &str| {
        ms.map_or_else(String::new, |ms| format!("{} {words}", quantity::time_ms(ms)))
    };
    let mut cards = Vec::new();
    if let Some(total) = profile.total_time_ms {
        cards.push((
            "Total time",
            quantity::time_ms(total),
            ms(profile.cpu_time_ms, "on a core of the server"),
        ));
    }
    if let Some(count) = profile.query_count {
        let time = ms(profile.total_query_time_ms, "in statements");
        let found = match profile.queries.n_plus_one_detected {
            Some(true) => "; N+1 found",
            Some(false) => "; no N+1",
            None => "",
        };
        cards.push((
            "Statements",
            quantity::count(count),
            format!("{time}{found}").trim_start_matches("; ").to_owned(),
        ));
    }
    if let Some(layer) = &profile.bottleneck_layer {
        let kind =
            profile.bottleneck_type.as_deref().map_or_else(String::new, |kind| format!("bound by {kind}"));
        cards.push(("Most of it in", layer.clone(), kind));
    }
    if let Some(bytes) = profile.memory.allocated_bytes {
        let peak = profile.memory.peak_bytes;
        let peak = peak
            .map_or_else(String::new, |peak| format!("at most {} at a time", quantity::bytes(peak as f64)));
        cards.push(("Memory", quantity::bytes(bytes as f64), peak));
    }
    cards
}

fn assertions(session: &Session) -> Option<Markup> {
    if session.verdicts.is_empty() {
        return None;
    }
    Some(html! {
        p class="muted" { "Judged is the answer that is shown. Beside it stands for how many of the counted answers an assertion holds." }
        (scrolled(&html! {
            table {
                thead { tr { th scope="col" { "Verdict" } th scope="col" { "Assertion" } th class="n" scope="col" { "Measured" } th class="n" scope="col" { "Holds for" } } }
                tbody {
                    @for verdict in &session.verdicts {
                        tr {
                            td { (badge::outcome(verdict.outcome)) }
                            td {
                                code { (verdict.assertion) }
                                @if !verdict.reason.is_empty() { p class="why" { (verdict.reason) } }
                            }
                            td class="n" { @if let Some(value) = &verdict.measured { (value) } @else { "–" } }
                            td class="n" { (verdict.held) " of " (verdict.of) }
                        }
                    }
                }
            }
        }))
    })
}

fn advice(profile: &Profile) -> Option<Markup> {
    (!profile.recommendations.is_empty()).then(|| {
        html! { ol class="advice" { @for sentence in &profile.recommendations { li { (sentence) } } } }
    })
}

/// Total times of all counted answers, where there is more than one.
fn distribution(session: &Session) -> Option<Markup> {
    let totals = session.totals_ms();
    if totals.len() < 2 || totals.len() != session.repeats.len() {
        return None;
    }
    let (low, high) =
        totals.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), ms| (low.min(*ms), high.max(*ms)));
    let finding = format!(
        "{} took {} to {}; the one with the median total, {}, is what this page shows.",
        quantity::plural(totals.len() as u64, "counted request"),
        quantity::time_ms(low),
        quantity::time_ms(high),
        totals.get(session.median).map_or_else(String::new, |ms| quantity::time_ms(*ms)),
    );
    let rows: Vec<Vec<String>> = session
        .repeats
        .iter()
        .enumerate()
        .map(|(at, repeat)| {
            let profile = repeat.profile();
            let ms = |ms: Option<f64>| ms.map_or_else(|| "–".into(), quantity::time_ms);
            vec![
                format!("{}{}", at + 1, if at == session.median { ", shown" } else { "" }),
                ms(profile.total_time_ms),
                ms(profile.total_query_time_ms),
                profile.query_count.map_or_else(|| "–".into(), quantity::count),
            ]
        })
        .collect();
    Some(figure(
        Size::Full,
        &finding,
        |width| repeats(&totals, session.median, "Total time of each request", width),
        &table(&["Request", "Total", "In statements", "Statements"], &rows),
    ))
}

fn raw(session: &Session) -> Markup {
    let json = session.shown().and_then(|shown| serde_json::to_string_pretty(shown.raw()).ok());
    html! {
        pre { code { (session.command) } }
        p class="muted" {
            "asks again. profile.json beside this page holds every answer as the server gave it"
            @if session.warm_up.is_some() { ", with the warm-up" }
            "."
        }
        @if let Some(json) = json {
            details class="raw" { summary { "The JSON of the answer that is shown" } pre { code { (json) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::sample;
    use super::super::session::Repeat;
    use super::*;

    /// The page without what is folded away at its end.
    fn told(page: &str) -> &str {
        page.split("<details class=\"raw\">").next().unwrap()
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let page = page(&sample::naive_session());
        for forbidden in [
            "<script",
            "@import",
            "<link",
            "<iframe",
            "javascript:",
            " onclick",
            "http://",
            "https://",
            "src=",
            "url(",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        let links = page.split("href=\"").skip(1);
        assert!(links.clone().count() >= 8 && links.into_iter().all(|link| link.starts_with('#')));
    }

    #[test]
    fn everything_that_a_session_holds_has_its_section() {
        let page = page(&sample::naive_session());
        for id in
            ["assertions", "advice", "layers", "statements", "repeated", "rest", "repeats", "plans", "raw"]
        {
            assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
        }
        for words in [
            "752 statements in 60.0 ms",
            "✗ fail",
            "near it are `query_count`",
            "5 of 5",
            "0 of 5",
            "transcript",
        ] {
            assert!(told(&page).contains(words), "{words}");
        }
        assert!(page.contains("the median by total time of 5 requests (58.3 ms to 75.4 ms)"));
    }

    #[test]
    fn sections_without_data_are_absent() {
        let page = page(&sample::session(vec![sample::plain()], &[]));
        for id in ["assertions", "advice", "repeated", "rest", "repeats", "plans"] {
            assert!(!page.contains(&format!("id=\"{id}\"")) && !page.contains(&format!("#{id}\"")), "{id}");
        }
        assert!(page.contains("id=\"statements\"") && page.contains("2 statements in 3.10 ms"));
        let bare = super::page(&sample::session(vec![Repeat::read(json!({})).unwrap()], &[]));
        assert!(bare.contains("A profile without figures") && !bare.contains("<figure"));
    }

    /// Every text becomes the evil one.
    fn spoil(value: &mut Value, evil: &str) {
        match value {
            Value::String(text) => evil.clone_into(text),
            Value::Array(list) => list.iter_mut().for_each(|value| spoil(value, evil)),
            Value::Object(fields) => fields.values_mut().for_each(|value| spoil(value, evil)),
            _ => {}
        }
    }

    #[test]
    fn whatever_a_server_sends_is_escaped() {
        let evil = "<script>alert(1)</script>\"'&</svg>";
        let mut raw = sample::naive(40.0).raw().clone();
        spoil(&mut raw, evil);
        let repeat = Repeat::read(raw).unwrap();
        let mut session = sample::session(vec![repeat.clone(), repeat], &["method == x", "xyz < 1"]);
        session.path = evil.into();
        session.command = evil.into();
        session.name = evil.into();
        session.server.name = evil.into();
        let page = page(&session);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
    }

    #[test]
    fn every_element_that_opens_closes() {
        let page = page(&sample::naive_session());
        for element in [
            "div", "section", "figure", "svg", "g", "path", "rect", "text", "table", "td", "th", "tr",
            "details", "ol", "pre",
        ] {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
    }

    #[test]
    fn no_number_is_missing_its_value() {
        let page = page(&sample::naive_session());
        for bad in ["NaN", "inf%", ">inf", "infinity", "null", "undefined", ">None"] {
            assert!(!told(&page).contains(bad), "{bad}");
        }
    }

    #[test]
    fn hundreds_of_statements_and_long_texts_make_no_huge_page() {
        let told = told(&page(&sample::naive_session())).len();
        assert!(told < 150 * 1024, "{told}");
        let mut raw = sample::naive(40.0).raw().clone();
        raw["statements"][1]["sql"] = json!(format!("SELECT {} FROM customer", "a_column, ".repeat(2_000)));
        let page = page(&sample::session(vec![Repeat::read(raw).unwrap()], &[]));
        let labels = page.split("<text").skip(1).filter_map(|text| text.split('>').nth(1));
        assert!(labels.into_iter().all(|label| label.chars().count() < 80));
    }
}
