//! What ran: on what machine, on which rows, under which load, and what the subjects are.

use maud::{Markup, html};

use super::super::Page;
use crate::quantity;
use crate::run::{LoadModel, Run};

pub(in crate::html) fn section(page: &Page<'_>) -> Markup {
    let run = page.run;
    html! {
        dl class="facts" {
            @for subject in &run.subjects {
                div {
                    dt { span class={ "c" (page.index(&subject.name)) } { (subject.name) } @if let Some(level) = &subject.level { span class="muted" { "schema level " (level) } } }
                    dd { (subject.description) }
                }
            }
            div { dt { "Load" } dd { (load(run)) } }
            @if let Some(dataset) = &run.dataset {
                div {
                    dt { "Data" }
                    dd {
                        "workspace " (run.plan.workspace)
                        @for table in dataset.tables.iter().take(2) {
                            @if let Some(rows) = table.workspace_rows { br; (quantity::count(rows)) " of " (quantity::count(table.rows)) " rows of " (table.table) }
                        }
                        br; "scale " (dataset.scale) ", seed " (dataset.seed)
                    }
                }
            } @else {
                div { dt { "Data" } dd { "workspace " (run.plan.workspace) } }
            }
            div {
                dt { "Machine" }
                dd { (run.environment.cpu) br; (quantity::plural(run.environment.cores as u64, "core")) ", " (quantity::bytes(run.environment.memory_bytes as f64)) " memory" }
            }
            @if let Some(database) = &run.environment.database {
                div {
                    dt { "Database" }
                    dd { (database.version) @if let Some(buffers) = database.settings.get("shared_buffers") { br; "shared_buffers " (buffers) } }
                }
            }
            div {
                dt { "Time" }
                dd {
                    @let seconds = (run.finished_at - run.started_at).num_seconds().max(0);
                    (quantity::seconds(seconds as f64)) " for " (quantity::plural(run.windows.len() as u64, "window")) " in " (quantity::plural(u64::from(run.plan.rounds), "round"))
                }
            }
        }
    }
}

/// The load model in one sentence.
pub(crate) fn load(run: &Run) -> String {
    let plan = &run.plan;
    let page = format!("pages of {}, caches {}", plan.page_size, plan.cache);
    match plan.load {
        LoadModel::Open { rate_per_second, max_in_flight } => format!(
            "open loop: {} requests/s due on a schedule, at most {max_in_flight} in flight; {page}",
            quantity::number(rate_per_second)
        ),
        LoadModel::Closed { users } => format!(
            "closed loop: {}, each sending its next request when the last is answered; {page}",
            quantity::plural(users as u64, "user")
        ),
    }
}
