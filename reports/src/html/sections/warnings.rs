//! What a reader must know before trusting a figure.

use maud::{Markup, html};

use super::super::Page;

pub(in crate::html) fn section(page: &Page<'_>) -> Option<Markup> {
    let run = page.run;
    let mut sentences: Vec<String> = Vec::new();
    if !run.complete {
        sentences.push("The run was interrupted: what follows is what it had measured until then.".into());
    }
    sentences.extend(run.warnings.iter().cloned());
    for summary in &page.summaries {
        sentences.extend(summary.invalid().iter().map(ToString::to_string));
    }
    (!sentences.is_empty())
        .then(|| html! { ul class="warnings" { @for sentence in &sentences { li { (sentence) } } } })
}
