//! The page of write amplification: like the report of a run, one file that fetches nothing and runs nothing.

use maud::{Markup, html};

use super::split::Split;
use super::terminal::{HEADINGS, REMARKS, row, words};
use super::{Through, Writes};
use crate::html::budgets;
use crate::html::charts::bars::{Bar, bars};
use crate::html::figure::{Size, figure, scrolled, table};
use crate::html::{badge, contents, document};
use crate::quantity;

/// The page.
pub(super) fn page(writes: &Writes) -> String {
    let sections: Vec<(&str, &str, Option<Markup>)> = vec![
        ("warnings", "Before you trust a figure", warnings(writes)),
        ("log", "Log for each row", log(writes)),
        ("levels", "Levels against operations", levels(writes)),
        ("budgets", "Budgets", budgets::table(&writes.verdicts)),
        ("split", "The log by index", splits(writes)),
        ("how", "How it was measured", Some(how(writes))),
        ("environment", "Environment", Some(environment(writes))),
        ("again", "How to measure again", Some(html! { pre { code { (writes.command) } } })),
    ];
    let word = match writes.exit_code() {
        0 => "Measured",
        1 => "Fail",
        _ => "Not judged",
    };
    let body = html! {
        header {
            p class="eyebrow" {
                "callbench" span { (writes.name) }
                span { time datetime=(writes.started_at.to_rfc3339()) { (quantity::moment(writes.started_at)) } }
            }
            h1 { (badge::standing(word)) (headline(writes)) }
        }
        (contents(sections))
        footer { p { "Made by callbench " (writes.environment.callbench) " from writes.json." } }
    };
    document(&writes.name, &writes.environment.callbench, "", &body)
}

/// The log of the first operation at the first level and at the last one; how much was measured where there is one level.
fn headline(writes: &Writes) -> String {
    let operations = writes.operations();
    let ends = || {
        let (first, last) =
            (writes.levels.first()?, writes.levels.last().filter(|_| writes.levels.len() > 1)?);
        let operation = *operations.first()?;
        let words = |level: &super::Level| {
            let one = writes
                .measurements
                .iter()
                .find(|one| one.operation == operation && one.level == level.name)?;
            Some(format!("{} of log at {}", quantity::bytes(one.log_bytes_each()?), level.name))
        };
        Some(format!("{}: {}, {}", quantity::heading(operation), words(first)?, words(last)?))
    };
    ends().unwrap_or_else(|| {
        let operations = quantity::plural(operations.len() as u64, "operation");
        let levels = quantity::plural(writes.levels.len() as u64, "level");
        format!("What a write costs: {operations} at {levels}")
    })
}

fn log(writes: &Writes) -> Option<Markup> {
    let groups: Vec<(String, Vec<Bar>)> = writes
        .operations()
        .into_iter()
        .map(|operation| {
            let measured = writes.measurements.iter().filter(|one| one.operation == operation);
            let bars = measured.filter_map(|one| {
                let value = one.log_bytes_of_a_row()?;
                Some(Bar {
                    index: writes.levels.iter().position(|level| level.name == one.level),
                    label: format!("{}, {}", one.level, one.through.name()),
                    value,
                    words: quantity::bytes(value),
                })
            });
            (quantity::heading(operation), bars.collect())
        })
        .filter(|(_, bars): &(String, Vec<Bar>)| !bars.is_empty())
        .collect();
    let data: Vec<Vec<String>> = groups
        .iter()
        .flat_map(|(operation, bars)| {
            bars.iter().map(move |bar| vec![format!("{operation}, {}", bar.label), bar.words.clone()])
        })
        .collect();
    let finding = "Bytes of log for each row that is written, without full-page images.";
    let data = table(&["Operation", "Log for each row"], &data);
    (!groups.is_empty()).then(|| figure(Size::Full, finding, |width| bars(&groups, finding, width), &data))
}

fn levels(writes: &Writes) -> Option<Markup> {
    let headings: Vec<&str> = ["operation"].into_iter().chain(HEADINGS).collect();
    let rows: Vec<Vec<String>> = writes
        .operations()
        .into_iter()
        .flat_map(|operation| writes.measurements.iter().filter(move |one| one.operation == operation))
        .map(|one| [one.operation.clone()].into_iter().chain(row(one)).collect())
        .collect();
    (!rows.is_empty()).then(|| {
        html! {
            (scrolled(&table(&headings, &rows)))
            @for remark in REMARKS { p class="muted" { (remark) } }
        }
    })
}

fn splits(writes: &Writes) -> Option<Markup> {
    let all: Vec<(String, Split)> = writes
        .operations()
        .into_iter()
        .flat_map(|operation| {
            [Through::Api, Through::Sql].into_iter().filter_map(move |through| {
                let heading = format!("{}, through {}", quantity::heading(operation), words(through));
                Some((heading, Split::of(writes, operation, through)?))
            })
        })
        .collect();
    (!all.is_empty()).then(|| {
        html! {
            p class="muted" { "Bytes for each operation, those of its full-page images, and its records." }
            @for (heading, split) in &all {
                @let headings = split.headings(true);
                @let headings: Vec<&str> = [heading.as_str()].into_iter().chain(headings.iter().map(String::as_str)).collect();
                @let rows: Vec<Vec<String>> = split.rows.iter().map(|row| Split::cells(row, true)).collect();
                (scrolled(&table(&headings, &rows)))
            }
        }
    })
}

fn warnings(writes: &Writes) -> Option<Markup> {
    (!writes.warnings.is_empty())
        .then(|| html! { ul class="warnings" { @for warning in &writes.warnings { li { (warning) } } } })
}

fn how(writes: &Writes) -> Markup {
    html! {
        p {
            "Each operation is done a fixed number of times, one after the other, right after a checkpoint and with none "
            "inside. The rows are drawn with seed " (writes.seed) ", the same ones at every level. The log is read from the position before "
            "the first to the one after the last; its parts are held against what the server counts over the same span."
        }
        (facts(writes.settings.iter().map(|(name, value)| (name.clone(), value.clone()))))
        @for level in &writes.levels {
            (facts(level.tables.iter().map(|table| {
                let autovacuum = if table.autovacuum_off { "autovacuum off" } else { "autovacuum as it is" };
                let indexes = table.indexes.join(", ");
                (format!("{}, {}", level.name, table.name), format!("fillfactor {}, {autovacuum}; {indexes}", table.fillfactor))
            })))
        }
    }
}

fn environment(writes: &Writes) -> Markup {
    let environment = &writes.environment;
    let mut all = vec![
        ("callbench".to_owned(), environment.callbench.clone()),
        ("system".to_owned(), environment.system.clone()),
        ("processor".to_owned(), environment.cpu.clone()),
        ("cores".to_owned(), environment.cores.to_string()),
        ("memory".to_owned(), quantity::bytes(environment.memory_bytes as f64)),
    ];
    all.extend(environment.commit.clone().map(|commit| ("commit".to_owned(), commit)));
    all.extend(environment.database.iter().map(|facts| ("database".to_owned(), facts.version.clone())));
    facts(all)
}

fn facts(facts: impl IntoIterator<Item = (String, String)>) -> Markup {
    scrolled(&html! {
        table class="facts" { tbody { @for (name, value) in facts { tr { th scope="row" { (name) } td { (value) } } } } }
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_fetches_nothing_runs_nothing_and_closes_what_it_opens() {
        let page = page(&sample::writes());
        for forbidden in ["<script", "@import", "<link", "javascript:", "http://", "https://", "src=", "NaN"]
        {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        for element in ["div", "section", "figure", "svg", "table", "td", "th", "tr"] {
            let opened =
                page.matches(&format!("<{element} ")).count() + page.matches(&format!("<{element}>")).count();
            assert_eq!(opened, page.matches(&format!("</{element}>")).count(), "{element}");
        }
        // A split for the API and one for plain SQL, each with the index of the upper level.
        assert_eq!(page.matches("idx_customer_workspace_status").count(), 2);
        assert!(page.contains("Update indexed: 234 B of log at before, 324 B of log at optimized"));
    }

    #[test]
    fn whatever_is_kept_is_escaped() {
        let evil = "<script>alert(1)</script>\"'&";
        let mut writes = sample::writes();
        (writes.name, writes.command, writes.warnings) = (evil.into(), evil.into(), vec![evil.into()]);
        writes.measurements[0].operation = evil.into();
        let page = page(&writes);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"));
    }
}
