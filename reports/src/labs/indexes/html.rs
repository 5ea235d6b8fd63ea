//! The page of a price list: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::terminal::{INVENTORY, PRICES, inventory_row, notes, price_rows};
use super::{Change, PriceList};
use crate::html::figure::{scrolled, table};
use crate::html::{badge, contents, document, machine};
use crate::quantity;

/// The page.
pub(super) fn page(list: &PriceList) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", lines(&list.warnings)),
        ("prices", "Price list", prices(list)),
        ("inventory", "What is there", Some(inventory(list))),
        ("sentences", "Index by index", Some(sentences(list))),
        ("reads", "What reads lose", reads(list)),
        ("writes", "What writes gain", writes(list)),
        ("operations", "What was done", operations(list)),
        ("notes", "How to read this", lines(&notes(list))),
        ("checks", "Checks", checks(list)),
        ("environment", "Environment", Some(environment(list))),
        ("again", "How to measure again", Some(html! { pre { code { (list.command) } } })),
    ];
    let word = if list.exit_code() == 0 { "Measured" } else { "Fail" };
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (list.name) }
                span { time datetime=(list.started_at.to_rfc3339()) { (quantity::moment(list.started_at)) } }
            }
            h1 { (badge::standing(word)) (headline(list)) }
        }
        (contents(sections))
        footer { p { "Made by callbench " (list.environment.callbench) " from indexes.json." } }
    };
    document(&list.name, &list.environment.callbench, "", &body)
}

fn headline(list: &PriceList) -> String {
    let bytes: f64 = list.indexes.iter().map(|index| index.bytes as f64).sum();
    let all = format!("{} indexes take {}.", list.indexes.len(), quantity::bytes(bytes));
    match &list.ablation {
        None => all,
        Some(ablation) => {
            let idle = ablation.prices.iter().filter(|price| price.needed_by().is_empty()).count();
            let tried = ablation.prices.len();
            format!("{all} Of {tried} that were left out in turn, nothing measured here needs {idle}.")
        }
    }
}

fn prices(list: &PriceList) -> Option<Markup> {
    let rows: Vec<Vec<String>> = price_rows(list).into_iter().map(Vec::from).collect();
    (!rows.is_empty()).then(|| scrolled(&table(&PRICES, &rows)))
}

fn inventory(list: &PriceList) -> Markup {
    let rows: Vec<Vec<String>> = list.indexes.iter().map(|index| inventory_row(index).to_vec()).collect();
    scrolled(&table(&INVENTORY, &rows))
}

fn sentences(list: &PriceList) -> Markup {
    html! {
        @for (index, (name, sentence)) in list.indexes.iter().zip(list.sentences()) {
            h3 { (name) }
            p { code { (index.shape()) } }
            @if !sentence.is_empty() { p { (sentence) "." } }
            @if let Some(density) = index.density {
                p class="muted" {
                    "Leaf pages are " (quantity::share(density.leaf)) " full, " (quantity::share(density.fragmentation)) " of them out of order."
                }
            }
        }
    }
}

fn told(change: &Change, unit: fn(f64) -> String) -> [String; 3] {
    let mark = if change.is_beyond_noise() { "" } else { " (noise)" };
    let ratio = change.ratio().map_or_else(|| "–".to_owned(), quantity::times);
    let with = format!("{} ±{}", unit(change.with), unit(change.noise));
    [with, unit(change.without), format!("{ratio}{mark}")]
}

fn reads(list: &PriceList) -> Option<Markup> {
    let ablation = list.ablation.as_ref()?;
    let row = |index: &str, read: &super::ReadPrice| {
        let [with, without, ratio] = told(&read.buffers, quantity::number);
        let [us, us_without, us_ratio] = told(&read.time_us, quantity::time_us);
        let plan = if read.in_plan { "yes" } else { "no" };
        let instead = read.instead.join(", ");
        let ratio = if read.stopped { "stopped" } else { &ratio };
        [index, &read.operation, &with, &without, ratio, &us, &us_without, &us_ratio, plan, &instead]
            .map(str::to_owned)
            .to_vec()
    };
    let rows: Vec<Vec<String>> = ablation
        .prices
        .iter()
        .flat_map(|price| price.reads.iter().map(|read| row(&price.index, read)))
        .collect();
    let headings =
        ["Index", "read", "blocks", "without", "times", "time", "without", "times", "in its plan", "instead"];
    (!rows.is_empty()).then(|| scrolled(&table(&headings, &rows)))
}

fn writes(list: &PriceList) -> Option<Markup> {
    let ablation = list.ablation.as_ref()?;
    let row = |index: &str, write: &super::WritePrice| {
        let [with, without, ratio] = told(&write.log_bytes, |bytes| format!("{} B", quantity::number(bytes)));
        let [blocks, blocks_without, _] = told(&write.buffers, quantity::number);
        let [us, us_without, us_ratio] = told(&write.time_us, quantity::time_us);
        let [records, records_without, _] = told(&write.records, quantity::number);
        let images = quantity::number(write.images.with);
        let hot = |share: fn(&Change) -> f64| {
            write.hot.as_ref().map_or_else(|| "–".to_owned(), |hot| quantity::share(share(hot)))
        };
        let names = [index.to_owned(), write.operation.clone()];
        let figures = [
            with,
            without,
            ratio,
            records,
            records_without,
            images,
            hot(|hot| hot.with),
            hot(|hot| hot.without),
            blocks,
            blocks_without,
            us,
            us_without,
            us_ratio,
        ];
        names.into_iter().chain(figures).collect()
    };
    let rows: Vec<Vec<String>> = ablation
        .prices
        .iter()
        .flat_map(|price| price.writes.iter().map(|write| row(&price.index, write)))
        .collect();
    let headings = [
        "Index", "write", "log", "without", "times", "records", "without", "images", "HOT", "without",
        "blocks", "without", "time", "without", "times",
    ];
    (!rows.is_empty()).then(|| scrolled(&table(&headings, &rows)))
}

fn operations(list: &PriceList) -> Option<Markup> {
    let ablation = list.ablation.as_ref()?;
    let rows: Vec<Vec<String>> = ablation
        .operations
        .iter()
        .map(|operation| {
            let kind = if operation.writes { "write" } else { "read" };
            vec![
                operation.name.clone(),
                kind.to_owned(),
                quantity::count(operation.times),
                operation.sql.clone(),
            ]
        })
        .collect();
    Some(html! {
        p {
            "Statements on one connection to a copy of the dataset, each explained while it ran. An index is left out by DROP INDEX \
             in a transaction that is rolled back, with all that was written in it. A statement is stopped after "
            (quantity::seconds(ablation.timeout_s)) "."
        }
        (scrolled(&table(&["Operation", "kind", "values", "statement"], &rows)))
    })
}

fn checks(list: &PriceList) -> Option<Markup> {
    (!list.checks.is_empty()).then(|| {
        html! {
            ul { @for check in &list.checks { li { @if check.passed { "✓ " } @else { "✗ " } (check.name) " (" (check.detail) ")" } } }
        }
    })
}

fn lines(sentences: &[String]) -> Option<Markup> {
    (!sentences.is_empty())
        .then(|| html! { ul class="warnings" { @for sentence in sentences { li { (sentence) } } } })
}

fn environment(list: &PriceList) -> Markup {
    let mut facts = machine(&list.environment);
    facts.extend(list.environment.database.as_ref().map(|database| ("database", database.version.clone())));
    facts.extend(list.level.clone().map(|level| ("level of the schema", level)));
    scrolled(&html! {
        table class="facts" { tbody { @for (name, value) in facts { tr { th scope="row" { (name) } td { (value) } } } } }
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_fetches_nothing_runs_nothing_and_has_every_index() {
        let page = page(&sample::list());
        for forbidden in ["<script", "@import", "<link", "http://", "https://", "src=", "url(", "NaN", "inf "]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(page.contains("nothing measured here needs 1."), "{page}");
        for name in ["idx_order", "idx_idle", "customer_pkey"] {
            assert!(page.contains(&format!("<h3>{name}</h3>")), "{name}");
        }
        for element in ["table", "tr", "td", "section", "ul", "li"] {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
    }

    #[test]
    fn whatever_is_kept_is_escaped() {
        let evil = "<script>alert(1)</script>";
        let mut list = sample::list();
        list.indexes[0].predicate = Some(evil.to_owned());
        list.warnings = vec![evil.to_owned()];
        let page = page(&list);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    }
}
