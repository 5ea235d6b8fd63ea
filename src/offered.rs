//! What of scenarios somebody's server offers, which is asked before any load goes there.

use anyhow::bail;
use loadgen::Target;
use loadgen::conform::Examination;
use loadgen::scenarios::Scenario;
use reports::conformance::SCENARIOS;
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
    let examination = Examination {
        base_url: target.base_url.clone(),
        token: target.token.clone(),
        workspace: target.workspace.clone(),
        other_token: None,
        other_workspace: None,
        employee_token: None,
        writes: false,
        only: Vec::new(),
        scenarios: known,
    };
    let found = tokio::select! {
        () = stop.cancelled() => return Err(Interrupted.into()),
        found = loadgen::conform::conform(&examination, &|_| {}, stop) => found?,
    };
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
