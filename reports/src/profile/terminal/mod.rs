//! A session in a terminal: layers, statements and advice of the median answer, as text of at most 110 columns.

mod layers;
mod overview;
mod parts;
mod statements;

use super::record::Profile;
use super::session::Session;
use super::sql::{on_one_line, shortened};
use super::words::{choice, headline, standing};
use crate::budgets::words;
use crate::quantity;
use crate::run::Outcome;
use crate::terminal::grid::{Align, Grid, wrapped};
use crate::terminal::{WIDTH, paint};

pub use overview::overview;

/// Columns of SQL beside a number.
const SQL: usize = 90;

/// The whole session; `color` adds ANSI colours to the words of verdicts.
#[must_use]
pub fn table(session: &Session, color: bool) -> String {
    let Some(shown) = session.shown() else { return head(session, &Profile::default(), color) };
    let profile = shown.profile();
    let sections = [
        Some(head(session, profile, color)),
        judged(session, color),
        layers::section(profile),
        statements::slowest(profile),
        statements::one_by_one(profile),
        statements::unused(profile),
        parts::permission(profile),
        parts::serializer(profile),
        parts::memory(profile),
        advice(profile),
    ];
    sections.into_iter().flatten().collect::<Vec<_>>().join("\n") + "\n"
}

fn head(session: &Session, profile: &Profile, color: bool) -> String {
    let server = match &session.server.level {
        Some(level) => format!("{} on level {level}", session.server.name),
        None => format!("{} at {}", session.server.name, session.server.base_url),
    };
    let method = profile.method.as_deref().unwrap_or("GET");
    let facts =
        format!("{}, {}; {server}; {}", session.name, quantity::moment(session.started_at), choice(session));
    format!(
        "{}  {}\n{}{}",
        paint::standing(standing(&session.verdicts), color),
        headline(profile),
        chopped(&format!("{} {}", on_one_line(method), on_one_line(&session.path))),
        wrapped(&facts, WIDTH, "")
    )
}

/// A line without spaces in lines of the width.
fn chopped(line: &str) -> String {
    let letters: Vec<char> = line.chars().collect();
    letters.chunks(WIDTH).map(|chunk| chunk.iter().collect::<String>() + "\n").collect()
}

fn judged(session: &Session, color: bool) -> Option<String> {
    if session.verdicts.is_empty() {
        return None;
    }
    let mut grid = Grid::new(&[
        ("verdict", Align::Left),
        ("assertion", Align::Left),
        ("measured", Align::Right),
        ("holds for", Align::Right),
    ]);
    let mut reasons = String::new();
    for verdict in &session.verdicts {
        grid.row([
            words::outcome(verdict.outcome).into(),
            on_one_line(&verdict.assertion),
            verdict.measured.as_ref().map_or_else(|| "–".into(), |value| shortened(&value.to_string(), 40)),
            format!("{} of {}", verdict.held, verdict.of),
        ]);
        if verdict.outcome == Outcome::Inconclusive {
            let sentence = format!("{}: {}", verdict.assertion, verdict.reason);
            reasons += &wrapped(&on_one_line(&sentence), WIDTH, "  ");
        }
    }
    Some(format!("Assertions\n{}{reasons}", paint::outcomes(&grid.text(), color)))
}

fn advice(profile: &Profile) -> Option<String> {
    if profile.recommendations.is_empty() {
        return None;
    }
    let lines: String = profile
        .recommendations
        .iter()
        .enumerate()
        .map(|(at, sentence)| wrapped(&format!("{}. {}", at + 1, on_one_line(sentence)), WIDTH, "  "))
        .collect();
    Some(format!("Advice\n{lines}"))
}

fn sentence(words: &str) -> String {
    if words.is_empty() { String::new() } else { wrapped(&on_one_line(words), WIDTH, "  ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample;
    use super::super::session::Repeat;
    use super::*;
    use crate::terminal::paint::{BOLD, GREEN, PLAIN, RED, YELLOW};

    /// The whole text, so that a change of its form is seen in review.
    #[test]
    fn a_session_is_printed_as_before() {
        insta::assert_snapshot!(table(&sample::naive_session(), false));
    }

    #[test]
    fn what_the_server_does_not_give_is_not_printed() {
        insta::assert_snapshot!(table(&sample::session(vec![sample::plain()], &[]), false));
        let text = table(&sample::session(vec![Repeat::read(json!({})).unwrap()], &[]), false);
        assert!(text.starts_with("PROFILED  A profile without figures\n"), "{text}");
        assert_eq!(text.lines().count(), 4, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_110_columns_and_none_obeys_the_server() {
        let evil = "SELECT \u{1b}[31m\"".to_owned() + &"wide ".repeat(400);
        let mut raw = sample::naive(40.0).raw().clone();
        raw["recommendations"] = json!([evil]);
        raw["method"] = json!("GET\u{1b}[2J");
        raw["bottleneck_layer"] = json!(evil);
        raw["permission"]["count_statements"] = json!([{"sql": evil}]);
        for list in ["n_plus_one", "unused_columns", "slowest_queries"] {
            raw["queries"][list][0]["sql"] = json!(evil);
        }
        raw["queries"]["unused_columns"][0]["columns"] = json!([evil]);
        for statement in raw["statements"].as_array_mut().unwrap() {
            statement["sql"] = json!(evil);
        }
        let mut session = sample::session(vec![Repeat::read(raw).unwrap()], &["method == x", "q < 1"]);
        session.path = format!("/{}", "x".repeat(300));
        let text = table(&session, false);
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{} columns: {line}", line.chars().count());
        }
    }

    #[test]
    fn colours_only_add_to_the_words() {
        let session = sample::naive_session();
        let mut painted = table(&session, true);
        assert!(painted.contains("\u{1b}[31mFAIL\u{1b}[0m") && painted.contains("\u{1b}[32mpass\u{1b}[0m"));
        for code in [BOLD, GREEN, RED, YELLOW, PLAIN] {
            painted = painted.replace(code, "");
        }
        assert_eq!(painted, table(&session, false));
    }
}
