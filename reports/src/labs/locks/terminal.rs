//! The lock table, and what a watch has seen, as text of at most 110 columns.

use super::{Locks, Room, Trial, Watch, graph, judge};
use crate::budgets::words;
use crate::quantity;
use crate::run::BlockedMoment;
use crate::terminal::grid::{self, Align, Grid};
use crate::terminal::{WIDTH, budgets, paint};

/// What the columns are.
const LEGEND: &str = "(met: under way at once with another that took one of the same rows; deadlocks: as clients saw \
    them, and as the database counted them; bound: 95 % upper limit of the share of attempts, 3/n for none; lost: updates \
    that are committed and not in the rows; longest wait: as sampled)";

/// A whole result: the table, why trials did not pass, and the graph at the worst moment.
#[must_use]
pub fn locks(locks: &Locks, color: bool) -> String {
    let mut grid = Grid::new(&[
        ("case", Align::Left),
        ("how", Align::Left),
        ("transactions", Align::Right),
        ("met", Align::Right),
        ("deadlocks (server)", Align::Right),
        ("bound", Align::Right),
        ("retries", Align::Right),
        ("lost", Align::Right),
        ("longest wait", Align::Right),
        ("verdict", Align::Left),
    ]);
    for trial in &locks.trials {
        let [case, how, _, transactions, met, deadlocks, server, bound, retries, lost, longest, verdict] =
            row(trial);
        let deadlocks = format!("{deadlocks} ({server})");
        grid.row([case, how, transactions, met, deadlocks, bound, retries, lost, longest, verdict]);
    }
    let mut text = format!("{}  {}\n\n", paint::standing(standing(locks), color), headline(locks));
    text.push_str(&grid.text());
    text.push_str(&grid::wrapped(LEGEND, WIDTH, "  "));
    for trial in locks.trials.iter().filter(|trial| trial.judgement.outcome != crate::run::Outcome::Pass) {
        let verdict = words::outcome(trial.judgement.outcome);
        let told = format!("{verdict}: {} {}: {}", trial.case, trial.way.name(), trial.judgement.reason);
        text.push_str(&grid::wrapped(&told, WIDTH, ""));
    }
    if let Some((trial, worst)) = locks.worst().and_then(|trial| Some((trial, trial.watch.worst.as_ref()?))) {
        let trial = [&trial.case, " ", trial.way.name()].concat();
        text.push_str(&["\n", &most_waited(&format!(" in {trial},"), worst)].concat());
    }
    if let Some(budgets) = budgets(&locks.verdicts, color) {
        text.push_str(&["\n", &budgets].concat());
    }
    for warning in &locks.warnings {
        text.push_str(&grid::wrapped(&format!("warning: {warning}"), WIDTH, ""));
    }
    text
}

/// A trial in one line, for those who wait.
#[must_use]
pub fn trial(trial: &Trial) -> String {
    let lost = match trial.lost() {
        Some(lost) if lost != 0 => format!(", {} lost", quantity::plural(lost.unsigned_abs(), "update")),
        _ => String::new(),
    };
    let time = quantity::seconds(trial.seconds);
    format!(
        "{:<14} {:<8} {} in {}{lost}, {time}",
        trial.case,
        trial.way.name(),
        quantity::plural(trial.deadlocks, "deadlock"),
        quantity::plural(trial.transactions, "transaction"),
    )
}

/// The word for the whole.
pub(super) fn standing(locks: &Locks) -> &'static str {
    match locks.exit_code() {
        0 => "Pass",
        1 => "Fail",
        _ => "Not judged",
    }
}

/// The answer in one sentence.
pub(super) fn headline(locks: &Locks) -> String {
    let (controls, ordered): (Vec<&Trial>, Vec<&Trial>) =
        locks.trials.iter().partition(|trial| trial.way == super::Way::Control);
    let sum = |trials: &[&Trial], of: fn(&Trial) -> u64| trials.iter().map(|trial| of(trial)).sum::<u64>();
    format!(
        "{} in {} in order; {} in the controls.",
        quantity::plural(sum(&ordered, |trial| trial.deadlocks), "deadlock"),
        quantity::plural(sum(&ordered, |trial| trial.transactions), "transaction"),
        quantity::count(sum(&controls, |trial| trial.deadlocks)),
    )
}

/// The cells of a trial, as the table of the page has them too.
pub(super) fn row(trial: &Trial) -> [String; 12] {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    [
        trial.case.clone(),
        trial.way.name().to_owned(),
        trial.threads.to_string(),
        quantity::count(trial.transactions),
        or_none(trial.met.map(quantity::count)),
        quantity::count(trial.deadlocks),
        or_none(trial.counted_by_server.map(quantity::count)),
        or_none(trial.bound().map(judge::below)),
        quantity::count(trial.retries),
        or_none(trial.lost().map(signed)),
        or_none(trial.watch.longest_ms.map(quantity::time_ms)),
        words::outcome(trial.judgement.outcome).to_owned(),
    ]
}

/// A count that may lie below zero.
fn signed(count: i64) -> String {
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}", quantity::count(count.unsigned_abs()))
}

/// What a watch has seen in the end.
#[must_use]
pub fn watch(watch: &Watch) -> String {
    let longest = watch.longest_ms.map_or_else(|| "none".to_owned(), quantity::time_ms);
    let deadlocks = watch
        .deadlocks
        .map_or_else(|| "deadlocks not counted".to_owned(), |count| quantity::plural(count, "deadlock"));
    let mut text = format!(
        "{} in {}: {} seen in {} of {}, longest {longest}; {deadlocks}\n",
        quantity::plural(watch.looks, "look"),
        quantity::seconds(watch.seconds),
        quantity::plural(watch.waits, "wait"),
        quantity::count(watch.looks_with_waits),
        quantity::plural(watch.looks, "look"),
    );
    if let Some(worst) = &watch.worst {
        text.push_str(&most_waited("", worst));
    }
    text.push_str(&grid::wrapped(&cost(watch), WIDTH, ""));
    for hidden in &watch.hidden {
        text.push_str(&grid::wrapped(&format!("note: {hidden}"), WIDTH, ""));
    }
    text
}

/// The worst moment, and who blocked whom then.
fn most_waited(place: &str, worst: &BlockedMoment) -> String {
    let (at, sessions) = (quantity::seconds(worst.at_s), quantity::plural(worst.waiting, "session"));
    format!("Most waited{place} after {at}: {sessions}\n{}", graph(worst, Room::TERMINAL))
}

/// What the looks cost, and what they miss.
#[must_use]
pub fn cost(watch: &Watch) -> String {
    let costs: Vec<String> = watch
        .costs
        .iter()
        .map(|cost| {
            let each = quantity::time_ms(cost.own_ms / cost.readings.max(1) as f64);
            format!("{} x {} at {each}", quantity::count(cost.readings), cost.probe)
        })
        .collect();
    let missed = match watch.missed {
        0 => String::new(),
        missed => format!(" {} fell out.", quantity::plural(missed, "look")),
    };
    format!(
        "Cost: one connection, {}. A wait that begins and ends within the {} between two looks is not seen.{missed}",
        costs.join(", "),
        quantity::time_ms(watch.period_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_trial_and_the_graph_of_the_worst_moment() {
        let text = locks(&sample::locks(), false);
        let opening = "PASS  0 deadlocks in 40,000 transactions in order; 25 in the controls.";
        assert!(text.starts_with(opening), "{text}");
        for line in [
            "update_32  control  20,000  19,500  25 (25)  0.17 %  25  0  12.5 ms  pass",
            "update_32  api  20,000  19,500  0 (0)  0.015 %  0  0  12.5 ms  pass",
            "warning: something to know",
        ] {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_there = |line: &str| line.split_whitespace().collect::<Vec<_>>().starts_with(&words);
            assert!(text.lines().any(is_there), "{line}\n{text}");
        }
        let waits = "\n    12 callbench lock lab (callbench) waits 12.5 ms for ShareLock on transactionid customer: UPDATE";
        assert!(text.contains(waits), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!((signed(9_538), signed(-1)), ("9,538".to_owned(), "-1".to_owned()));
        // The longest words there are.
        let long = Trial { case: "delete_update".into(), ..sample::trial(super::super::Way::Control, 0) };
        let text = locks(&Locks { trials: vec![long], ..sample::locks() }.judged(), false);
        let is_whole =
            |line: &str| ["transactions", "deadlocks", "verdict"].iter().all(|word| line.contains(word));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.lines().any(is_whole), "{text}");
    }

    #[test]
    fn a_watch_says_what_it_saw_what_it_cost_and_what_it_missed() {
        let seen = sample::locks().trials[0].watch.clone();
        let text = watch(&seen).replace("\n  ", " ");
        for words in [
            "240 looks in 12.0 s: 4,000 waits seen in 200 of 240 looks, longest 12.5 ms; 25 deadlocks",
            "200 x pg_locks at 1.50 ms",
            "within the 50.0 ms between two looks is not seen",
            "1 look fell out",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        let none = watch(&Watch::default());
        assert!(none.contains("longest none; deadlocks not counted"), "{none}");
    }
}
