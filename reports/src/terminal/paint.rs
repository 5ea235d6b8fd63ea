//! The colours of words.
//!
//! Colour is an addition: whatever it says is said by a word as well, so that a log file and a screen reader miss
//! nothing.

use crate::budgets::words;
use crate::run::Outcome;

pub(crate) const BOLD: &str = "\u{1b}[1m";
pub(crate) const GREEN: &str = "\u{1b}[32m";
pub(crate) const RED: &str = "\u{1b}[31m";
pub(crate) const YELLOW: &str = "\u{1b}[33m";
pub(crate) const PLAIN: &str = "\u{1b}[0m";

/// The word for the whole, in capitals.
pub(crate) fn standing(word: &str, color: bool) -> String {
    let paint = match word {
        "Pass" => GREEN,
        "Fail" => RED,
        "Not judged" => YELLOW,
        _ => BOLD,
    };
    painted(&word.to_uppercase(), paint, color)
}

/// Lines, of which those that start with an outcome have that word painted.
pub(crate) fn outcomes(text: &str, color: bool) -> String {
    text.lines().map(|line| first_word_painted(line, color) + "\n").collect()
}

fn first_word_painted(line: &str, color: bool) -> String {
    let first = line.trim_start().split(' ').next();
    let outcomes = [Outcome::Pass, Outcome::Fail, Outcome::Inconclusive];
    match outcomes.into_iter().find(|outcome| first == Some(words::outcome(*outcome))) {
        Some(outcome) => {
            let word = words::outcome(outcome);
            line.replacen(word, &painted(word, paint(outcome), color), 1)
        }
        None => line.to_owned(),
    }
}

fn paint(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => GREEN,
        Outcome::Fail => RED,
        Outcome::Inconclusive => YELLOW,
    }
}

fn painted(word: &str, paint: &str, color: bool) -> String {
    if color { format!("{paint}{word}{PLAIN}") } else { word.to_owned() }
}
