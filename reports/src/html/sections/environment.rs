//! The machine, the programs and the settings in full.

use maud::{Markup, html};

use super::super::Page;
use super::super::figure::scrolled;
use crate::quantity;
use crate::run::Environment;

/// The programs and the machine.
pub(crate) fn machine(environment: &Environment) -> Vec<(&'static str, String)> {
    let mut facts = vec![("callbench", environment.callbench.clone())];
    facts.extend(environment.commit.clone().map(|commit| ("commit", commit)));
    facts.extend([
        ("system", environment.system.clone()),
        ("processor", environment.cpu.clone()),
        ("cores", environment.cores.to_string()),
        ("memory", quantity::bytes(environment.memory_bytes as f64)),
    ]);
    facts
}

pub(in crate::html) fn section(page: &Page<'_>) -> Markup {
    let environment = &page.run.environment;
    let plan = &page.run.plan;
    let mut facts = machine(environment);
    facts.extend([
        ("operations", plan.operations.join(", ")),
        ("rounds", plan.rounds.to_string()),
        ("load", super::ran::load(page.run)),
        ("seed of the schedule", plan.seed.to_string()),
        ("started", page.run.started_at.to_rfc3339()),
        ("finished", page.run.finished_at.to_rfc3339()),
    ]);
    html! {
        (scrolled(&html! { table class="facts" { tbody { @for (name, value) in &facts { tr { th scope="row" { (name) } td { (value) } } } } } }))
        @if let Some(database) = &environment.database {
            details {
                summary { "Settings of " (database.version) }
                (scrolled(&html! { table class="facts" { tbody { @for (name, value) in &database.settings { tr { th scope="row" { code { (name) } } td { (value) } } } } } }))
            }
        }
        (cpu(page))
    }
}

/// Who used the cores: a client that takes its share from the server measures itself.
fn cpu(page: &Page<'_>) -> Markup {
    let seen =
        |summary: &&crate::summary::Summary<'_>| summary.cores(|cpu| cpu.client_s.or(cpu.server_s)).is_some();
    if !page.summaries.iter().any(|summary| seen(&summary)) {
        return html! {};
    }
    let cores = |value: Option<f64>| value.map_or_else(|| "–".into(), |cores| format!("{cores:.2}"));
    html! {
        details {
            summary { "Cores used by each process, and memory of the server" }
            (scrolled(&html! {
                table {
                    thead { tr { th scope="col" { "Subject" } th scope="col" { "Operation" } th class="n" scope="col" { "Client" } th class="n" scope="col" { "Server" } th class="n" scope="col" { "Database" } th class="n" scope="col" { "Server memory" } } }
                    tbody { @for summary in &page.summaries { tr {
                        th scope="row" { span class={ "c" (page.index(summary.case.subject)) } { (summary.case.subject) } }
                        td { (summary.case.operation) }
                        td class="n" { (cores(summary.cores(|cpu| cpu.client_s))) }
                        td class="n" { (cores(summary.cores(|cpu| cpu.server_s))) }
                        td class="n" { (cores(summary.cores(|cpu| cpu.database_s))) }
                        td class="n" { (summary.server_rss_bytes().map_or_else(|| "–".into(), |bytes| quantity::bytes(bytes as f64))) }
                    } } }
                }
            }))
        }
    }
}
