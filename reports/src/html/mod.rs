//! The report: one HTML page that needs nothing but itself.
//!
//! It is made on the server, without a script: charts are inline SVG, styles stand in the page, and nothing is
//! fetched, so that it reads the same offline, under a strict content-security policy, in print, in the dark, on a
//! phone, and by a screen reader. The order is that of a reader's questions: did it pass and by how much, what ran,
//! how fast is it, why, can the figures be trusted, how is it run again. A section without data is absent.

pub(crate) mod badge;
pub(crate) mod charts;
pub(crate) mod figure;
mod sections;

pub(crate) use self::sections::budgets;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use self::sections::machine;
use crate::comparison::CONFIDENCE;
use crate::run::Run;
use crate::summary::{self, Summary};

pub(crate) use sections::ran::load;
pub(crate) use sections::times::PERCENTILES;
pub(crate) use sections::verdict::{headline, standing};

const STYLE: &str = include_str!("style.css");

/// What all sections look at: the run, and its summaries.
struct Page<'a> {
    run: &'a Run,
    summaries: Vec<Summary<'a>>,
    operations: Vec<&'a str>,
    subjects: Vec<&'a str>,
}

impl<'a> Page<'a> {
    fn of(run: &'a Run) -> Self {
        Self {
            run,
            summaries: summary::all(run),
            operations: summary::operations(run),
            subjects: run.subjects.iter().map(|subject| subject.name.as_str()).collect(),
        }
    }

    /// The place of a subject in the run, which decides its colour and mark.
    fn index(&self, subject: &str) -> usize {
        self.subjects.iter().position(|name| *name == subject).unwrap_or(0)
    }

    /// The summaries of one operation, in the order of the subjects.
    fn under(&self, operation: &str) -> Vec<&Summary<'a>> {
        self.summaries.iter().filter(|summary| summary.case.operation == operation).collect()
    }
}

/// The page of a run.
#[must_use]
pub fn page(run: &Run) -> String {
    let page = Page::of(run);
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("budgets", "Budgets", sections::budgets::section(&page)),
        ("warnings", "Before you trust a figure", sections::warnings::section(&page)),
        ("ran", "What ran", Some(sections::ran::section(&page))),
        ("times", "Response times", sections::times::section(&page)),
        ("tail", "The tail", sections::tail::section(&page)),
        ("work", "Work in the database", sections::work::section(&page)),
        ("rounds", "Rounds", sections::rounds::section(&page)),
        ("timeline", "Second by second", sections::timeline::section(&page)),
        ("meanwhile", "The database and the machine meanwhile", sections::meanwhile::section(&page)),
        ("data", "How the data was made", sections::data::section(&page)),
        ("checks", "Checks", sections::checks::section(&page)),
        ("environment", "Environment", Some(sections::environment::section(&page))),
        ("reading", "How to read this", Some(sections::reading::section(&page, CONFIDENCE))),
        ("again", "How to run it again", Some(sections::again::section(&page))),
    ];
    let body = html! {
        (sections::verdict::header(&page))
        (contents(sections))
        footer { p { "Made by callbench " (run.environment.callbench) " from result.json, from which it can be made again." } }
    };
    document(&run.name, &run.environment.callbench, "", &body)
}

/// The list of the sections that have a body, and these sections: id, heading and body of each.
pub(crate) fn contents(sections: Vec<(&str, &str, Option<Markup>)>) -> Markup {
    let present: Vec<(&str, &str, Markup)> =
        sections.into_iter().filter_map(|(id, title, body)| Some((id, title, body?))).collect();
    html! {
        nav aria-label="Sections" {
            @for (id, title, _) in &present { a href={ "#" (id) } { (title) } }
        }
        main {
            @for (id, title, body) in &present {
                section id=(id) { h2 { (title) } (body) }
            }
        }
    }
}

/// A page around a body. `style` is what this kind of page has beside the style of all.
pub(crate) fn document(name: &str, callbench: &str, style: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is fetched and nothing runs; the browser holds the page to it.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="generator" content={ "callbench " (callbench) };
                title { (name) " · callbench" }
                style { (PreEscaped(STYLE)) (PreEscaped(style)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    /// Every attribute through which a page can fetch something.
    fn fetched(page: &str) -> Vec<&str> {
        ["src=\"", "href=\"", "url(", "srcset=\"", "data=\"", "action=\""]
            .into_iter()
            .flat_map(|opening| page.split(opening).skip(1))
            .map(|rest| rest.split(['"', ')']).next().unwrap_or_default())
            .filter(|target| !target.starts_with('#'))
            .collect()
    }

    #[test]
    fn the_page_fetches_nothing_and_runs_nothing() {
        let page = page(&sample::run());
        assert_eq!(fetched(&page), Vec::<&str>::new());
        for forbidden in
            ["<script", "@import", "<link", "<iframe", "javascript:", " onclick", "http://", "https://"]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(fetched("<a href=\"https://x\">"), ["https://x"], "the guard itself works");
    }

    #[test]
    fn every_figure_has_a_chart_a_finding_and_its_data() {
        let page = page(&sample::run());
        let figures: Vec<&str> =
            page.split("<figure").skip(1).map(|rest| rest.split("</figure>").next().unwrap()).collect();
        assert!(figures.len() >= 8, "{}", figures.len());
        for figure in figures {
            let caption = figure.split("<figcaption>").nth(1).unwrap().split("</figcaption>").next().unwrap();
            assert!(caption.len() > 20 && caption.trim_end().ends_with('.'), "{caption}");
            let charts: Vec<&str> = figure.split("<svg").skip(1).collect();
            assert_eq!(charts.len(), 2, "one for wide and one for narrow pages: {caption}");
            for chart in charts {
                assert!(
                    chart.contains("role=\"img\"") && chart.contains("<title>") && chart.contains("<desc>")
                );
                let shapes =
                    ["<path", "<circle", "<rect", "<polygon"].iter().any(|shape| chart.contains(shape));
                assert!(shapes, "an empty chart under: {caption}");
            }
            assert!(figure.contains("<details") && figure.contains("<table"), "{caption}");
        }
    }

    #[test]
    fn no_number_is_missing_its_value() {
        let page = page(&sample::run());
        for bad in ["NaN", "inf%", "infinity", "null", "undefined"] {
            assert!(!page.contains(bad), "{bad}");
        }
    }

    #[test]
    fn every_element_that_opens_closes() {
        let page = page(&sample::run());
        for element in [
            "div", "section", "figure", "svg", "g", "path", "circle", "line", "rect", "text", "table", "td",
            "th", "tr", "details",
        ] {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
    }

    #[test]
    fn whatever_a_run_holds_is_escaped() {
        let mut run = sample::run();
        let evil = "<script>alert(1)</script>\"'&";
        run.name = evil.into();
        run.command = evil.into();
        run.warnings = vec![evil.into()];
        run.subjects[1].description = evil.into();
        run.work[0].statements[0].sql = evil.into();
        run.checks[0].detail = evil.into();
        let wait = &mut run.probes[0].worst_wait.as_mut().unwrap().waits[0];
        wait.waiting_statement = Some(evil.into());
        wait.blocking_statement = Some(evil.into());
        wait.relation = Some(evil.into());
        run.plan.workspace = evil.into();
        run.environment.cpu = evil.into();
        for window in &mut run.windows {
            window.operation = window.operation.replace("first_page", evil);
            window.invalid = vec![evil.into()];
            window.errors.insert(evil.into(), 1);
        }
        for verdict in &mut run.verdicts {
            verdict.rule = evil.into();
            verdict.reason = evil.into();
        }
        let page = page(&run);
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn sections_without_data_are_absent() {
        let mut run = sample::unjudged();
        run.work.clear();
        run.checks.clear();
        run.warnings.clear();
        run.probes.clear();
        run.dataset = None;
        run.environment.database = None;
        let bare = page(&run);
        for id in ["budgets", "warnings", "work", "meanwhile", "data", "checks"] {
            assert!(
                !bare.contains(&format!("id=\"{id}\"")) && !bare.contains(&format!("href=\"#{id}\"")),
                "{id}"
            );
        }
        assert!(bare.contains("id=\"times\""));
    }

    #[test]
    fn a_run_that_measured_nothing_still_has_a_page() {
        let mut run = sample::unjudged();
        run.windows.clear();
        run.work.clear();
        run.dataset = None;
        run.complete = false;
        let page = page(&run);
        assert!(page.contains("interrupted") && !page.contains("<figure"));
    }

    #[test]
    fn a_single_subject_is_shown_without_a_comparison() {
        let mut run = sample::unjudged();
        run.subjects.retain(|subject| subject.name == "live");
        run.windows.retain(|window| window.subject == "live");
        run.work.retain(|work| work.subject == "live");
        let page = page(&run);
        assert!(!page.contains("faster") && page.contains("id=\"tail\""));
    }

    #[test]
    fn the_page_stays_small() {
        let length = page(&sample::run()).len();
        assert!(length < 300 * 1024, "{length}");
    }
}
