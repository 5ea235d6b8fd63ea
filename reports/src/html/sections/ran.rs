//! What ran: on what machine, on which rows, under which load, and what the subjects are.

use maud::{Markup, html};

use super::super::Page;
use crate::quantity;
use crate::run::{LoadModel, OpenLoop, Process, Replay, Run, WhenBusy};

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
    match &plan.load {
        LoadModel::Open(open) => format!(
            "open loop: {}, at most {} in flight{}; {page}",
            due(open),
            open.max_in_flight,
            match open.when_busy {
                WhenBusy::Queue => "",
                WhenBusy::Skip => " (an arrival beyond that is skipped)",
            }
        ),
        LoadModel::Closed { users } => format!(
            "closed loop: {}, each sending its next request when the last is answered; {page}",
            quantity::plural(*users as u64, "user")
        ),
    }
}

/// When requests were due.
fn due(open: &OpenLoop) -> String {
    let rate = quantity::number(open.rate_per_second);
    if let Some(Replay { file, sha256, arrivals, speed }) = &open.replay {
        return format!(
            "{} replayed from {file} (SHA-256 {}…) at {} of its speed, {rate} requests/s on average",
            quantity::plural(*arrivals, "arrival"),
            sha256.get(..12).unwrap_or(sha256),
            quantity::times(*speed)
        );
    }
    let rates = match open.ramp_to_per_second {
        Some(end) => format!("{rate} to {} requests/s", quantity::number(end)),
        None => format!("{rate} requests/s"),
    };
    match open.process {
        Process::Constant | Process::Replay => format!("{rates} due on a schedule"),
        Process::Poisson => format!("{rates} due at random, as of independent users (Poisson)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn said(open: OpenLoop) -> String {
        let mut run = sample::run();
        run.plan.load = LoadModel::Open(open);
        load(&run)
    }

    #[test]
    fn the_load_is_told_with_its_ramp_its_process_and_what_happens_when_busy() {
        assert_eq!(
            said(OpenLoop::constant(50.0, 64)),
            "open loop: 50 requests/s due on a schedule, at most 64 in flight; pages of 50, caches warm"
        );
        let ramp = OpenLoop {
            ramp_to_per_second: Some(2000.0),
            process: Process::Poisson,
            when_busy: WhenBusy::Skip,
            ..OpenLoop::constant(100.0, 8)
        };
        assert_eq!(
            said(ramp),
            "open loop: 100 to 2,000 requests/s due at random, as of independent users (Poisson), at most 8 in \
             flight (an arrival beyond that is skipped); pages of 50, caches warm"
        );
    }

    #[test]
    fn a_replay_is_told_with_its_file_and_checksum() {
        let replay =
            Replay { file: "a.log".into(), sha256: "0123456789abcdef".into(), arrivals: 1200, speed: 2.0 };
        let open =
            OpenLoop { process: Process::Replay, replay: Some(replay), ..OpenLoop::constant(40.0, 64) };
        let said = said(open);
        assert!(said.contains("1,200 arrivals replayed from a.log (SHA-256 0123456789ab…)"), "{said}");
    }
}
