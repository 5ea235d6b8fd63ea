//! What of scenarios somebody's server offers, which is asked before any load goes there.

use anyhow::bail;
use loadgen::Target;
use loadgen::conform::Examination;
use loadgen::scenarios::Scenario;
use reports::conformance::{Conformance, SCENARIOS};
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::stop::Interrupted;

/// The scenarios without the operations that a server does not offer, and a sentence for each of these. What a file
/// describes is taken as it is.
pub(crate) async fn offered(
    mut scenarios: Vec<Scenario>,
    target: &Target,
    live: &Live,
    stop: &CancellationToken,
) -> anyhow::Result<(Vec<Scenario>, Vec<String>)> {
    let parts = scenarios.iter().flat_map(|scenario| &scenario.parts);
    let names = parts.map(|part| part.operation.name().to_owned());
    let known: Vec<String> = names.filter(|name| SCENARIOS.contains(&name.as_str())).collect();
    if known.is_empty() {
        return Ok((scenarios, Vec::new()));
    }
    let found = examined(target, known, stop).await?;
    let mut warnings = Vec::new();
    for scenario in &mut scenarios {
        scenario.parts.retain(|part| {
            let name = part.operation.name();
            let Some(reason) = found.lacks(name) else { return true };
            let sentence = format!("{name} is left out, because the server does not offer it: {reason}");
            live.warn(&sentence);
            warnings.push(sentence);
            false
        });
    }
    scenarios.retain(|scenario| !scenario.parts.is_empty());
    if scenarios.is_empty() {
        bail!(
            "the server offers none of the scenarios; `callbench conform {}` says what it answers differently",
            target.base_url
        );
    }
    Ok((scenarios, warnings))
}

/// Refuses a server whose list can't be followed from page to page.
pub(crate) async fn refuse_without_links(target: &Target, stop: &CancellationToken) -> anyhow::Result<()> {
    // It needs the list and its links, and nothing else.
    let scenario = "page_100";
    match examined(target, vec![scenario.to_owned()], stop).await?.lacks(scenario) {
        None => Ok(()),
        Some(reason) => bail!(
            "the server does not offer a list with pages: {reason}; `callbench conform {}` says what else it answers \
             differently",
            target.base_url
        ),
    }
}

/// What a server answers to the checks that some scenarios need.
async fn examined(
    target: &Target,
    scenarios: Vec<String>,
    stop: &CancellationToken,
) -> anyhow::Result<Conformance> {
    let examination = Examination {
        base_url: target.base_url.clone(),
        token: target.token.clone(),
        workspace: target.workspace.clone(),
        other_token: None,
        other_workspace: None,
        employee_token: None,
        writes: false,
        only: Vec::new(),
        scenarios,
    };
    tokio::select! {
        () = stop.cancelled() => Err(Interrupted.into()),
        found = loadgen::conform::conform(&examination, &|_| {}, stop) => Ok(found?),
    }
}
