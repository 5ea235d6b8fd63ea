//! A session as people read it; the page and the terminal say the same.

use super::groups::Group;
use super::judgement::{Judgement, exit_code};
use super::record::Profile;
use super::session::Session;
use crate::quantity;

/// The verdict in one word. Without assertions nothing is judged, and nothing failed.
pub(super) fn standing(verdicts: &[Judgement]) -> &'static str {
    match exit_code(verdicts) {
        _ if verdicts.is_empty() => "Profiled",
        0 => "Pass",
        1 => "Fail",
        _ => "Not judged",
    }
}

/// What came of it in one sentence.
pub(super) fn headline(profile: &Profile) -> String {
    let statements = profile.query_count.map(|count| quantity::plural(count, "statement"));
    match (statements, profile.total_time_ms.map(quantity::time_ms)) {
        (Some(statements), Some(total)) => format!("{statements} in {total}"),
        (Some(words), None) | (None, Some(words)) => words,
        (None, None) => "A profile without figures".to_owned(),
    }
}

/// Which of the answers is shown, and how far they lie apart.
pub(super) fn choice(session: &Session) -> String {
    let counted = session.repeats.len() as u64;
    let warm_up = if session.warm_up.is_some() { " after a warm-up that is not counted" } else { "" };
    let totals = session.totals_ms();
    let (low, high) =
        totals.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), ms| (low.min(*ms), high.max(*ms)));
    match counted {
        0 => "no answer was counted".to_owned(),
        1 => format!("one request{warm_up}"),
        _ if totals.is_empty() => format!("the first of {counted} requests{warm_up}"),
        _ => format!(
            "the median by total time of {counted} requests ({} to {}){warm_up}",
            quantity::time_ms(low),
            quantity::time_ms(high)
        ),
    }
}

/// What bounds the request, as far as it is known.
pub(super) fn bound(profile: &Profile) -> String {
    let mut parts = Vec::new();
    match (&profile.bottleneck_type, &profile.bottleneck_layer) {
        (Some(kind), Some(layer)) => parts.push(format!("bound by {kind}, most of it in the {layer}")),
        (Some(kind), None) => parts.push(format!("bound by {kind}")),
        (None, Some(layer)) => parts.push(format!("most of it in the {layer}")),
        (None, None) => {}
    }
    if let Some(ms) = profile.total_query_time_ms {
        parts.push(format!("{} in statements", quantity::time_ms(ms)));
    }
    if let Some(ms) = profile.cpu_time_ms {
        parts.push(format!("{} on a core of the server", quantity::time_ms(ms)));
    }
    if let Some(ms) = profile.pool_wait_ms {
        parts.push(format!("{} of waiting for a connection", quantity::time_ms(ms)));
    }
    parts.join(", ")
}

/// How many statements are like others.
pub(super) fn alike(profile: &Profile, groups: &[Group]) -> String {
    let mut parts = vec![quantity::plural(groups.len() as u64, "text")];
    match profile.queries.similar {
        None => {}
        Some(0) => parts.push("no two statements share one".to_owned()),
        Some(similar) => {
            parts.push(format!("{} statements share theirs with another", quantity::count(similar)));
        }
    }
    if let Some(duplicates) = profile.queries.duplicates.filter(|duplicates| *duplicates > 0) {
        parts.push(format!("{} asked again with the same values", quantity::count(duplicates)));
    }
    parts.join(", ")
}

/// A share as a percentage with one digit, so that a column of them is even.
pub(super) fn whole_share(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
