//! A conformance in a terminal: what differs first, then what is missing, then what was not checked, then the counts.

use super::{Check, Conformance, Difference, Offer, Outcome, Paging};
use crate::terminal::grid::{Align, Grid, wrapped};
use crate::terminal::{WIDTH, paint};

/// The whole of it as text of at most 110 columns; `color` adds ANSI colours to the word at the top.
#[must_use]
pub fn table(conformance: &Conformance, color: bool) -> String {
    let sections =
        [Some(head(conformance, color)), differing(conformance), missing(conformance), skipped(conformance)];
    let rest = [Some(groups(conformance)), Some(offers(conformance)), left_behind(conformance)];
    sections.into_iter().chain(rest).flatten().collect::<Vec<_>>().join("\n")
}

fn head(conformance: &Conformance, color: bool) -> String {
    let counts = conformance.counts();
    let word = match conformance.exit_code() {
        0 => "Pass",
        1 => "Fail",
        _ => "Not judged",
    };
    let sentence = format!(
        "{} differ, {} missing, {} conform, {} skipped",
        counts.differs, counts.missing, counts.conforms, counts.skipped
    );
    let facts = format!(
        "{}, workspace {}; {}; {} requests, {}",
        conformance.base_url,
        conformance.workspace,
        match conformance.paging {
            Paging::Cursors => "pages by cursor",
            Paging::Numbers => "pages by number",
            Paging::Unknown => "a list of one page",
        },
        conformance.requests,
        conformance.started_at.format("%-d %B %Y, %H:%M UTC"),
    );
    let head = wrapped(&plain(&sentence), WIDTH, "");
    format!("{}  {head}{}", paint::standing(word, color), wrapped(&plain(&facts), WIDTH, ""))
}

fn differing(conformance: &Conformance) -> Option<String> {
    let lines: Vec<String> = conformance
        .checks
        .iter()
        .filter_map(|check| match &check.outcome {
            Outcome::Differs { differences } => Some(difference(check, differences)),
            _ => None,
        })
        .collect();
    (!lines.is_empty()).then(|| format!("Differs\n{}", lines.concat()))
}

fn difference(check: &Check, differences: &[Difference]) -> String {
    let mut text = format!("  {}  ({}, contract {})\n", check.name, check.group, check.section);
    let mut asked = "";
    for difference in differences {
        if difference.asked != asked {
            asked = &difference.asked;
            text += &chopped(&plain(asked), "    ");
        }
        text += &chopped(&format!("expected  {}", plain(&difference.expected)), "      ");
        text += &chopped(&format!("seen      {}", plain(&difference.seen)), "      ");
    }
    text
}

fn missing(conformance: &Conformance) -> Option<String> {
    let reason = |check: &Check| match &check.outcome {
        Outcome::Missing { reason } => Some(reason.clone()),
        _ => None,
    };
    listed("Missing", conformance, reason)
}

fn skipped(conformance: &Conformance) -> Option<String> {
    let reason = |check: &Check| match &check.outcome {
        Outcome::Skipped { reason } => Some(reason.clone()),
        _ => None,
    };
    // Many are skipped for one reason: the reason is said once, with all of them.
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for check in &conformance.checks {
        let Some(reason) = reason(check) else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&check.name),
            None => reasons.push((reason, vec![&check.name])),
        }
    }
    let lines: String = reasons
        .iter()
        .map(|(reason, names)| wrapped(&plain(&format!("{reason}: {}", names.join(", "))), WIDTH, "  "))
        .collect();
    (!lines.is_empty()).then(|| format!("Not checked\n{lines}"))
}

fn listed(
    heading: &str,
    conformance: &Conformance,
    reason: impl Fn(&Check) -> Option<String>,
) -> Option<String> {
    let lines: String = conformance
        .checks
        .iter()
        .filter_map(|check| {
            let sentence = format!("{}  (contract {}): {}", check.name, check.section, reason(check)?);
            Some(wrapped(&plain(&sentence), WIDTH, "  "))
        })
        .collect();
    (!lines.is_empty()).then(|| format!("{heading}\n{lines}"))
}

/// The counts of each group.
fn groups(conformance: &Conformance) -> String {
    let mut names: Vec<&str> = Vec::new();
    for check in &conformance.checks {
        if !names.contains(&check.group.as_str()) {
            names.push(&check.group);
        }
    }
    let mut grid = Grid::new(&[
        ("checks of", Align::Left),
        ("conform", Align::Right),
        ("differ", Align::Right),
        ("missing", Align::Right),
        ("skipped", Align::Right),
    ]);
    for name in names {
        let checks = conformance.checks.iter().filter(|check| check.group == name).cloned().collect();
        let counts = Conformance { checks, ..conformance.clone() }.counts();
        let numbers = [counts.conforms, counts.differs, counts.missing, counts.skipped];
        grid.row(std::iter::once(plain(name)).chain(numbers.map(|number| number.to_string())));
    }
    grid.text()
}

fn offers(conformance: &Conformance) -> String {
    let offers = conformance.all_offers();
    let named = |offers: &[&Offer]| -> String {
        let names: Vec<&str> = offers.iter().map(|offer| offer.scenario.as_str()).collect();
        names.join(", ")
    };
    let (offered, others): (Vec<&Offer>, Vec<&Offer>) =
        offers.iter().partition(|offer| offer.reason.is_none());
    let (judged, unknown): (Vec<&Offer>, Vec<&Offer>) =
        others.into_iter().partition(|offer| conformance.has_checked(&offer.scenario));
    let all = if offered.is_empty() { "none".to_owned() } else { named(&offered) };
    let mut text = wrapped(&format!("Load can be put on: {all}"), WIDTH, "");
    for offer in judged {
        let reason = offer.reason.as_deref().unwrap_or_default();
        text += &wrapped(&plain(&format!("not {}: {reason}", offer.scenario)), WIDTH, "  ");
    }
    if !unknown.is_empty() {
        text += &wrapped(&format!("not known, for want of their checks: {}", named(&unknown)), WIDTH, "  ");
    }
    text
}

fn left_behind(conformance: &Conformance) -> Option<String> {
    if conformance.left_behind.is_empty() {
        return None;
    }
    let sentence = format!(
        "Left behind, because the server did not delete them: the customers {}",
        conformance.left_behind.join(", ")
    );
    Some(wrapped(&plain(&sentence), WIDTH, ""))
}

/// What a server sent, without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A line in pieces of the width; a URL has no spaces to break it at.
fn chopped(line: &str, indent: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    let pieces = letters.chunks(WIDTH - indent.len());
    pieces.flat_map(|piece| indent.chars().chain(piece.iter().copied()).chain(['\n'])).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn mixed() -> Conformance {
        let skipped = || Outcome::Skipped { reason: "it takes --writes".into() };
        let mut conformance = sample::conformance(vec![
            Outcome::Conforms,
            sample::differs(),
            Outcome::Missing { reason: "GET /api/v1/workspaces/shop/ is answered 404".into() },
            skipped(),
            skipped(),
        ]);
        conformance.checks[0].name = "the_first_page_is_a_page".into();
        conformance.checks[2].group = "metadata".into();
        conformance.left_behind = vec!["0b7f9c52-6a0e-4f3b-9d0e-2f6f4c1f7a11".into()];
        conformance
    }

    /// The whole text, so that a change of its form is seen in review.
    #[test]
    fn differences_stand_first_then_what_is_missing_then_the_counts() {
        insta::assert_snapshot!(table(&mixed(), false));
    }

    #[test]
    fn no_line_is_wider_than_110_columns_and_none_obeys_the_server() {
        let mut conformance = mixed();
        let evil = "\u{1b}[31m".to_owned() + &"wide ".repeat(80) + &"x".repeat(300);
        conformance.checks[1].outcome = Outcome::Differs {
            differences: vec![Difference { asked: evil.clone(), expected: evil.clone(), seen: evil }],
        };
        let text = table(&conformance, false);
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
    }
}
