//! The page of benches: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::terminal::{HEADINGS, READING, cells, head};
use super::{Bench, Benches, Group};
use crate::html::figure::{scrolled, table};
use crate::html::{contents, document};
use crate::quantity;

/// The page.
pub(super) fn page(benches: &Benches) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(&benches.warnings)),
        ("benches", "Benches", Some(html! { @for group in &benches.groups { (self::group(group)) } })),
        (
            "reading",
            "How to read this",
            Some(
                html! { p { (READING) "; between: that of the lower end over the baseline's upper end, and the other way round." } },
            ),
        ),
        ("again", "How to make it again", Some(html! { pre { code { "cargo bench\n" (benches.command) } } })),
    ];
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (benches.name) }
                span { time datetime=(benches.read_at.to_rfc3339()) { (quantity::moment(benches.read_at)) } }
            }
            h1 { (head(benches)) "." }
        }
        (contents(sections))
        footer { p { "Made by callbench " (benches.callbench) " from benches.json." } }
    };
    document(&benches.name, &benches.callbench, "", &body)
}

fn group(group: &Group) -> Markup {
    let headings: Vec<&str> = HEADINGS.into_iter().chain(["between"]).collect();
    let row = |bench: &Bench| cells(bench).into_iter().chain([between(bench)]).collect();
    let rows: Vec<Vec<String>> = group.benches.iter().map(row).collect();
    html! { h3 { (group.name) } (scrolled(&table(&headings, &rows))) }
}

/// The bounds of the ratio. There is no room for them in a terminal.
fn between(bench: &Bench) -> String {
    bench.beside_baseline.as_ref().map_or_else(String::new, |beside| {
        format!("{} and {}", quantity::times(beside.lower), quantity::times(beside.upper))
    })
}

fn warnings(warnings: &[String]) -> Option<Markup> {
    (!warnings.is_empty())
        .then(|| html! { ul class="warnings" { @for warning in warnings { li { (warning) } } } })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_has_every_bench_and_fetches_nothing() {
        let benches = sample::benches();
        let page = page(&benches);
        for bench in benches.groups.iter().flat_map(|group| &group.benches) {
            assert!(page.contains(&bench.name()), "{}", bench.name());
        }
        for forbidden in ["<script", "@import", "<link", "http://", "https://", "src=", "url(", "NaN"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(!page.contains("id=\"warnings\""), "a section without data is absent");
    }

    #[test]
    fn names_are_escaped() {
        let mut benches = sample::benches();
        benches.groups[0].name = "<script>".to_owned();
        benches.groups[0].benches[0].function = "a < b & c".to_owned();
        benches.warnings.push("<b>".to_owned());
        let page = page(&benches);
        assert!(
            page.contains("&lt;script&gt;")
                && page.contains("a &lt; b &amp; c")
                && page.contains("&lt;b&gt;")
        );
        assert!(!page.contains("<script>") && !page.contains("<b>"));
    }
}
