//! Verdicts as words on a ground of their colour: never colour alone.

use maud::{Markup, html};

use crate::budgets::words;
use crate::run::Outcome;

/// An outcome with its sign and its word.
pub(crate) fn outcome(outcome: Outcome) -> Markup {
    let (sign, class) = match outcome {
        Outcome::Pass => ("✓", "pass"),
        Outcome::Fail => ("✗", "fail"),
        Outcome::Inconclusive => ("?", "open"),
    };
    html! { span class={ "badge " (class) } { (sign) " " (words::outcome(outcome)) } }
}

/// The word for the whole.
pub(crate) fn standing(word: &str) -> Markup {
    let class = match word {
        "Pass" => "pass",
        "Fail" => "fail",
        "Not judged" => "open",
        _ => "plain",
    };
    html! { span class={ "badge " (class) } { (word) } }
}
