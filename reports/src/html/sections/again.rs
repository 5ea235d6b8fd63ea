//! How to run it again.

use maud::{Markup, html};

use super::super::Page;

pub(in crate::html) fn section(page: &Page<'_>) -> Markup {
    let run = page.run;
    html! {
        pre { code { (run.command) } }
        p class="muted" {
            @if let Some(commit) = &run.environment.commit { "At commit " code { (commit) } ", with" } @else { "With" }
            " callbench " (run.environment.callbench) ". result.json beside this page holds every histogram; the .hlog files hold them in the format of HdrHistogram."
        }
    }
}
