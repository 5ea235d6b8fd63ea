//! The pages of curves: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::terminal::{cells, row, stage, standing, verdict};
use super::{Axis, Capacity, Curve, Objective, Series, Step, Verdict};
use crate::html::charts::power::{Axes, Point, Row, number, power, time};
use crate::html::figure::{Size, figure, scrolled, table};
use crate::html::{badge, contents, document, machine};
use crate::quantity;
use crate::run::Environment;

/// The page of a search.
pub(super) fn capacity(capacity: &Capacity) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(&capacity.warnings)),
        ("curve", "Response against rate", curve_of_rates(capacity)),
        ("steps", "Steps", steps(capacity)),
        ("how", "How it was searched", Some(how(capacity))),
        ("environment", "Environment", Some(environment(&capacity.environment))),
        ("again", "How to search again", Some(again(&capacity.command))),
    ];
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (capacity.name) }
                span { time datetime=(capacity.started_at.to_rfc3339()) { (quantity::moment(capacity.started_at)) } }
            }
            h1 { (badge::standing(standing(capacity))) (capacity.answer) }
            p class="muted" { (capacity.subject.description) }
            div class="cards" {
                (card("Holds", capacity.lower, if capacity.confirmed { "confirmed by a longer step" } else { "not confirmed" }))
                (card("Breaks", capacity.upper, "the lowest rate that did not hold"))
            }
        }
        (contents(sections))
        footer { p { "Made by callbench " (capacity.environment.callbench) " from capacity.json." } }
    };
    document(&capacity.name, &capacity.environment.callbench, "", &body)
}

fn card(title: &str, rate: Option<f64>, remark: &str) -> Markup {
    html! {
        div class="card" {
            h2 { (title) }
            p class="big" { (rate.map_or_else(|| "–".to_owned(), quantity::per_second)) }
            p class="muted" { @if rate.is_some() { (remark) } @else { "not found" } }
        }
    }
}

fn curve_of_rates(capacity: &Capacity) -> Option<Markup> {
    let mut steps: Vec<&Step> = capacity.steps.iter().filter(|step| step.requests > 0).collect();
    if steps.is_empty() {
        return None;
    }
    steps.sort_by(|a, b| a.asked_per_second.total_cmp(&b.asked_per_second));
    let points = |percentile: fn(&Step) -> Option<u64>, name: &str| -> Vec<Point> {
        let point = |step: &&Step| {
            let us = percentile(step)? as f64;
            let title = format!(
                "{name} {} at {}: {}",
                quantity::time_us(us),
                quantity::per_second(step.asked_per_second),
                verdict(step.verdict)
            );
            Some(Point { x: step.asked_per_second, y: us, hollow: step.verdict != Verdict::Holds, title })
        };
        steps.iter().filter_map(point).collect()
    };
    let rows = [("p99", points(|step| step.p99_us, "p99")), ("p50", points(|step| step.p50_us, "p50"))]
        .map(|(name, points)| Row { name, points, joined: true, fitted: None });
    let limits = capacity.objectives.iter().filter_map(|text| {
        let limit = text.parse::<Objective>().ok()?.limit_us()?;
        Some((limit, text.clone()))
    });
    let axes = Axes {
        title: "Response times against the rate that was offered",
        x: "requests per second",
        x_label: number,
        y_label: time,
        limits: limits.collect(),
    };
    let finding = format!("{} Hollow marks are steps that did not hold.", capacity.answer);
    let data: Vec<Vec<String>> = steps
        .iter()
        .map(|step| {
            let [_, asked, reached, p50, p99, failed, ..] = row(step);
            vec![asked, reached, p50, p99, failed]
        })
        .collect();
    let data = table(&["Asked", "Reached", "p50", "p99", "Failed"], &data);
    Some(figure(Size::Full, &finding, |width| power(&rows, &axes, width), &data))
}

fn steps(capacity: &Capacity) -> Option<Markup> {
    let headings =
        ["Step", "Asked", "Reached", "p50", "p99", "Failed", "Client", "Server", "Database", "Verdict"];
    (!capacity.steps.is_empty()).then(|| {
        html! {
            (scrolled(&html! {
                table {
                    thead { tr { @for (column, heading) in headings.iter().enumerate() { th class=[(column > 0 && column < 9).then_some("n")] scope="col" { (heading) } } } }
                    tbody {
                        @for step in &capacity.steps {
                            @let cells = row(step);
                            tr {
                                th scope="row" { (cells[0]) }
                                @for cell in &cells[1..9] { td class="n" { (cell) } }
                                td {
                                    (cells[9])
                                    @for reason in &step.reasons { p class="why" { (reason) } }
                                    @for (kind, count) in &step.errors { p class="why" { (quantity::count(*count)) " x " (kind) } }
                                }
                            }
                        }
                    }
                }
            }))
            p class="muted" { "Client, server and database: cores kept busy, from the opening of the step to its last answer. Poisson arrivals waver: of a few hundred, a tenth more or fewer than asked is usual." }
        }
    })
}

fn how(capacity: &Capacity) -> Markup {
    let settings = &capacity.settings;
    let process = match settings.process {
        crate::run::Process::Poisson => "at random, as those of independent users (Poisson)",
        _ => "evenly",
    };
    let facts = [
        ("scenario", capacity.scenario.clone()),
        ("objectives", capacity.objectives.join(", ")),
        ("workspace", capacity.workspace.clone()),
        ("rows per page", capacity.page_size.to_string()),
        ("first rate", quantity::per_second(settings.from_per_second)),
        ("highest rate", quantity::per_second(settings.max_per_second)),
        ("precision", quantity::share(settings.precision)),
        ("a step", quantity::seconds(settings.step_s)),
        ("the confirmation", quantity::seconds(settings.confirm_s)),
        ("warm-up before each", quantity::seconds(settings.warm_up_s)),
        ("most in flight", settings.max_in_flight.to_string()),
        ("arrivals come", process.to_owned()),
        ("seed", settings.seed.to_string()),
    ];
    html! {
        p {
            "Rates double until one breaks (" code { (stage(super::Stage::Ladder)) } "), then the bounds are narrowed ("
            code { (stage(super::Stage::Narrowing)) } "), and the lower one has to hold again in a longer step ("
            code { (stage(super::Stage::Confirming)) } "). Each step is an open loop with a warm-up and a schedule of its own, after "
            "the one before was answered to its last request. A step holds if every objective does and no queue was left to grow; "
            "one that breaks because the client was late is not held against the server. Steps with too few requests for an "
            "objective last longer."
        }
        (scrolled(&facts_table(&facts)))
    }
}

/// The page of a curve.
pub(super) fn curve(curve: &Curve) -> String {
    let findings = curve.findings();
    let names: Vec<String> = curve.operations().iter().map(|operation| (*operation).to_owned()).collect();
    let figures = |buffers: bool| -> Option<Markup> {
        let figures: Vec<Markup> =
            names.iter().filter_map(|operation| figure_of(curve, operation, buffers)).collect();
        (!figures.is_empty()).then(|| html! { @for figure in figures { (figure) } })
    };
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(&curve.warnings)),
        ("times", "Response times", figures(false)),
        ("buffers", "Buffers", figures(true)),
        ("points", "Points", points(curve)),
        ("checks", "Checks", checks(curve)),
        ("environment", "Environment", Some(environment(&curve.environment))),
        ("again", "How to measure again", Some(again(&curve.command))),
    ];
    let word = match curve.exit_code() {
        0 => "Measured",
        1 => "Fail",
        _ => "Not judged",
    };
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (curve.name) }
                span { time datetime=(curve.started_at.to_rfc3339()) { (quantity::moment(curve.started_at)) } }
            }
            h1 { (badge::standing(word)) (findings.first().cloned().unwrap_or_else(|| "Nothing was measured.".to_owned())) }
            @for finding in findings.iter().skip(1) { p { (finding) } }
        }
        (contents(sections))
        footer { p { "Made by callbench " (curve.environment.callbench) " from " (curve.axis.command()) ".json." } }
    };
    document(&curve.name, &curve.environment.callbench, "", &body)
}

fn figure_of(curve: &Curve, operation: &str, buffers: bool) -> Option<Markup> {
    let series: Vec<&Series> = curve.series.iter().filter(|series| series.operation == operation).collect();
    let fit = |series: &Series| if buffers { series.buffers } else { series.latency };
    let value = |point: &super::Point| if buffers { point.buffers } else { Some(point.p50_us as f64) };
    let label = if buffers { quantity::number } else { quantity::time_us };
    let rows: Vec<Row<'_>> = series
        .iter()
        .map(|series| Row {
            name: &series.subject,
            points: series
                .points
                .iter()
                .filter_map(|point| {
                    let y = value(point).filter(|value| *value > 0.0)?;
                    let title =
                        format!("{}: {} at {}", series.subject, label(y), quantity::count(point.size));
                    Some(Point { x: point.size as f64, y, hollow: point.failed > 0, title })
                })
                .collect(),
            joined: false,
            fitted: fit(series).and_then(|fit| {
                let ends = [series.points.first()?, series.points.last()?];
                Some(ends.map(|end| (end.size as f64, fit.at(end.size as f64))))
            }),
        })
        .collect();
    if rows.iter().all(|row| row.points.is_empty()) {
        return None;
    }
    let what = if buffers { "buffers per request" } else { "median response" };
    let exponents: Vec<String> = series
        .iter()
        .filter_map(|series| {
            let fit = fit(series)?;
            Some(format!(
                "{} goes with {}^{fit} (r² {:.2})",
                series.subject,
                curve.axis.noun(),
                fit.r_squared
            ))
        })
        .collect();
    let size = match curve.axis {
        Axis::Page => "number of the page",
        Axis::Customers => "customers in the workspace",
    };
    let finding =
        format!("{}, {what} against the {size}: {}.", quantity::heading(operation), exponents.join(", "));
    let axes = Axes {
        title: &format!("{operation}: {what}"),
        x: size,
        x_label: number,
        y_label: if buffers { number } else { time },
        limits: Vec::new(),
    };
    let data: Vec<Vec<String>> = series
        .iter()
        .flat_map(|series| {
            series.points.iter().map(|point| {
                let shown = value(point).map_or_else(|| "–".to_owned(), label);
                vec![series.subject.clone(), quantity::count(point.size), shown]
            })
        })
        .collect();
    let data = table(&["Subject", size, what], &data);
    Some(figure(Size::Full, &finding, |width| power(&rows, &axes, width), &data))
}

fn points(curve: &Curve) -> Option<Markup> {
    let rows: Vec<Vec<String>> = curve
        .series
        .iter()
        .flat_map(|series| {
            series.points.iter().map(|point| {
                let name = format!("{} of {}", series.operation, series.subject);
                [name].into_iter().chain(cells(point)).collect()
            })
        })
        .collect();
    let headings =
        ["Measured", curve.axis.noun(), "requests", "failed", "p50", "p95", "buffers/req", "statements/req"];
    (!rows.is_empty()).then(|| scrolled(&table(&headings, &rows)))
}

fn checks(curve: &Curve) -> Option<Markup> {
    (!curve.checks.is_empty()).then(|| {
        html! {
            ul { @for check in &curve.checks { li { @if check.passed { "✓ " } @else { "✗ " } (check.name) " (" (check.detail) ")" } } }
        }
    })
}

fn warnings(warnings: &[String]) -> Option<Markup> {
    (!warnings.is_empty())
        .then(|| html! { ul class="warnings" { @for warning in warnings { li { (warning) } } } })
}

fn environment(environment: &Environment) -> Markup {
    let mut facts = machine(environment);
    facts.extend(environment.database.as_ref().map(|database| ("database", database.version.clone())));
    scrolled(&facts_table(&facts))
}

fn facts_table(facts: &[(&str, String)]) -> Markup {
    html! { table class="facts" { tbody { @for (name, value) in facts { tr { th scope="row" { (name) } td { (value) } } } } } }
}

fn again(command: &str) -> Markup {
    html! { pre { code { (command) } } }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn pages() -> [String; 2] {
        [capacity(&sample::capacity()), curve(&sample::depth())]
    }

    #[test]
    fn the_pages_fetch_nothing_run_nothing_and_close_what_they_open() {
        for page in pages() {
            for forbidden in [
                "<script",
                "@import",
                "<link",
                "javascript:",
                "http://",
                "https://",
                "src=",
                "url(",
                "NaN",
                "inf",
            ] {
                assert!(!page.contains(forbidden), "{forbidden}");
            }
            for element in
                ["div", "section", "figure", "svg", "g", "line", "circle", "table", "td", "th", "tr"]
            {
                let opened = page.matches(&format!("<{element} ")).count()
                    + page.matches(&format!("<{element}>")).count();
                assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
            }
        }
    }

    #[test]
    fn a_search_shows_its_answer_its_curve_with_the_limit_and_every_step() {
        let found = sample::capacity();
        let page = capacity(&found);
        assert!(page.contains("holds first_page at 113/s") && page.contains("class=\"badge pass\""));
        assert!(page.contains("class=\"limit\"") && page.contains("p99 &lt; 100ms"));
        let hollow = page.matches("fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"").count();
        // Two steps broke, each with p99 and p50, in a wide chart and a narrow one.
        assert_eq!(hollow, 8);
        assert_eq!(
            page.split("id=\"steps\"").nth(1).unwrap().matches("<tr").count(),
            1 + found.steps.len() + 13 + 7
        );
    }

    #[test]
    fn a_curve_has_a_figure_of_times_and_one_of_buffers_with_the_exponents() {
        let page = curve(&sample::depth());
        assert_eq!(page.matches("<figure").count(), 2);
        assert!(page.contains("naive goes with page^1.00") && page.contains("live goes with page^0.00"));
        assert_eq!(page.matches("stroke-dasharray=\"5 4\"").count(), 8);
    }

    #[test]
    fn whatever_is_kept_is_escaped() {
        let evil = "<script>alert(1)</script>\"'&";
        let mut found = sample::capacity();
        (found.subject.name, found.scenario, found.command) = (evil.into(), evil.into(), evil.into());
        found.steps[0].errors.insert(evil.into(), 3);
        found.steps[0].reasons = vec![evil.into()];
        let mut depth = sample::depth();
        (depth.series[0].subject, depth.warnings) = (evil.into(), vec![evil.into()]);
        for page in [capacity(&found.answered()), curve(&depth)] {
            assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
        }
    }
}
