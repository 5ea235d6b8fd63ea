//! Several sessions side by side: a line for each request, the slowest of which is where to look first.

use super::super::session::{Repeat, Session};
use super::super::sql::{on_one_line, shortened};
use super::super::words::standing;
use crate::budgets::words;
use crate::quantity;
use crate::run::Outcome;
use crate::terminal::grid::{Align, Grid, wrapped};
use crate::terminal::{WIDTH, paint};

/// Columns of a path, beside its number.
const PATH: usize = WIDTH - 8;

/// The median answer of each session, and the assertions that do not hold; `color` as in [`super::table`].
#[must_use]
pub fn overview(sessions: &[Session], color: bool) -> String {
    let all: Vec<_> = sessions.iter().flat_map(|session| session.verdicts.iter().cloned()).collect();
    let mut grid = Grid::new(&[
        ("", Align::Right),
        ("request", Align::Left),
        ("total", Align::Right),
        ("statements", Align::Right),
        ("N+1", Align::Left),
        ("", Align::Left),
    ]);
    let mut failed = String::new();
    for (session, number) in sessions.iter().zip(1..) {
        let profile = session.shown().map(Repeat::profile);
        let known = |text: Option<String>| text.unwrap_or_else(|| "–".into());
        grid.row([
            number.to_string(),
            on_one_line(&session.asked),
            known(profile.and_then(|profile| profile.total_time_ms).map(quantity::time_ms)),
            known(profile.and_then(|profile| profile.query_count).map(quantity::count)),
            match profile.and_then(|profile| profile.queries.n_plus_one_detected) {
                Some(true) => "found".to_owned(),
                Some(false) => "none".to_owned(),
                None => "–".to_owned(),
            },
            if session.verdicts.is_empty() { String::new() } else { standing(&session.verdicts).to_owned() },
        ]);
        for judgement in session.verdicts.iter().filter(|judgement| judgement.outcome != Outcome::Pass) {
            let measured = judgement.measured.as_ref().map_or_else(
                || judgement.reason.clone(),
                |value| format!("it is {}", shortened(&value.to_string(), 40)),
            );
            let outcome = words::outcome(judgement.outcome);
            let sentence = format!("{number}  {outcome}  {}: {measured}", judgement.assertion);
            failed += &wrapped(&on_one_line(&sentence), WIDTH, "  ");
        }
    }
    let path =
        |(session, number): (&Session, u32)| format!("{number:>3}  {}\n", shortened(&session.path, PATH));
    let paths: String = sessions.iter().zip(1..).map(path).collect();
    let head = format!(
        "{}  {}\n",
        paint::standing(standing(&all), color),
        quantity::plural(sessions.len() as u64, "request")
    );
    let failed =
        if failed.is_empty() { failed } else { format!("\nAssertions\n{}", paint::outcomes(&failed, color)) };
    format!("{head}{}\n{paths}{failed}", grid.text())
}

#[cfg(test)]
mod tests {
    use super::super::super::sample;
    use super::*;

    #[test]
    fn each_request_has_its_line_and_each_failure_its_number() {
        let sessions = [
            Session { asked: "mixed/detail".into(), ..sample::session(vec![sample::plain()], &[]) },
            sample::session(vec![sample::naive(40.0)], &["query_count < 10", "qeury_count < 1"]),
        ];
        insta::assert_snapshot!(overview(&sessions, false));
    }

    #[test]
    fn no_line_is_wider_than_110_columns_and_none_obeys_the_server() {
        let mut session = sample::session(vec![sample::naive(40.0)], &["method == x"]);
        session.path = format!("/\u{1b}[2J{}", "x".repeat(300));
        let text = overview(&[session], false);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
