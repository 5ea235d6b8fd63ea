//! Who blocks whom, as indented text: below each session are those that it keeps waiting.

use std::collections::{BTreeMap, BTreeSet};

use crate::quantity;
use crate::run::{BlockedMoment, LockWait};
use crate::terminal::WIDTH;

/// How much of a graph is shown.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Columns of a line; what is longer is cut.
    pub columns: usize,
    /// Lines; of the sessions that have none there is the number.
    pub lines: usize,
}

impl Room {
    /// As much as a terminal can take in.
    pub const TERMINAL: Self = Self { columns: WIDTH, lines: 24 };
    /// All of it.
    pub const PAGE: Self = Self { columns: usize::MAX, lines: usize::MAX };
}

/// Sessions that are shown below one that blocks them; of the rest there is the number.
const SHOWN: usize = 8;

/// The graph of one moment, a line for each session, those that wait for nobody first.
///
/// A session that waits for several is shown below the first of them and names the others. Sessions that wait for each other
/// in a circle are a deadlock that the server has not broken yet. A name that all of them have stands
/// in a line of its own before them.
#[must_use]
pub fn graph(moment: &BlockedMoment, room: Room) -> String {
    let mut graph = Graph::of(moment, room.columns);
    let mut text = graph.common.as_ref().map_or_else(String::new, |name| format!("  all are {name}\n"));
    let roots: Vec<i32> =
        graph.blocked.keys().copied().filter(|pid| !graph.waits.contains_key(pid)).collect();
    for root in roots {
        graph.show(root, 0, &mut text);
    }
    // Who is left waits in a circle, or for somebody in one.
    while let Some(pid) = graph.waits.keys().copied().find(|pid| !graph.shown.contains(pid)) {
        graph.show(pid, 0, &mut text);
    }
    let lines = text.lines().count();
    if lines <= room.lines {
        return text;
    }
    let mut shown: String = text.lines().take(room.lines - 1).flat_map(|line| [line, "\n"]).collect();
    let left = (lines + 1 - room.lines) as u64;
    shown += &["  … and ", &quantity::plural(left, "line"), " more\n"].concat();
    shown
}

struct Graph<'a> {
    /// By the session that waits: its waits.
    waits: BTreeMap<i32, Vec<&'a LockWait>>,
    /// By the session in the way: who waits for it, the longest wait first.
    blocked: BTreeMap<i32, Vec<i32>>,
    /// Any wait that a session blocks, for what is known of the session.
    blockers: BTreeMap<i32, &'a LockWait>,
    shown: BTreeSet<i32>,
    columns: usize,
    /// The name of all of them, if they have the same.
    common: Option<String>,
}

impl<'a> Graph<'a> {
    fn of(moment: &'a BlockedMoment, columns: usize) -> Self {
        let names: BTreeSet<_> = moment.waits.iter().flat_map(names).collect();
        let mut graph = Self {
            waits: BTreeMap::new(),
            blocked: BTreeMap::new(),
            blockers: BTreeMap::new(),
            shown: BTreeSet::new(),
            columns,
            common: if names.len() == 1 { names.into_iter().next().flatten() } else { None },
        };
        for wait in &moment.waits {
            graph.waits.entry(wait.waiting_pid).or_default().push(wait);
            graph.blocked.entry(wait.blocking_pid).or_default().push(wait.waiting_pid);
            graph.blockers.insert(wait.blocking_pid, wait);
        }
        graph
    }

    fn show(&mut self, pid: i32, depth: usize, text: &mut String) {
        if !self.shown.insert(pid) {
            return;
        }
        let line = match self.waits.get(&pid) {
            Some(waits) => waiting(waits, &self.shown, self.common.is_none()),
            None => blocking(self.blockers[&pid], self.common.is_none()),
        };
        text.push_str(&cut(&format!("{}{line}", "  ".repeat(depth + 1)), self.columns));
        text.push('\n');
        let below: Vec<i32> = self.blocked.get(&pid).cloned().unwrap_or_default();
        let below: Vec<i32> = below.into_iter().filter(|pid| !self.shown.contains(pid)).collect();
        for pid in below.iter().take(SHOWN) {
            self.show(*pid, depth + 1, text);
        }
        let rest: Vec<i32> = below.into_iter().skip(SHOWN).filter(|pid| !self.shown.contains(pid)).collect();
        if !rest.is_empty() {
            let more = quantity::count(rest.len() as u64);
            text.push_str(
                &["  ".repeat(depth + 2).as_str(), "… and ", &more, " more wait for it\n"].concat(),
            );
            self.shown.extend(rest);
        }
    }
}

/// The names of the two sessions of a wait. A prepared transaction has no session.
fn names(wait: &LockWait) -> impl Iterator<Item = Option<String>> {
    let waiting = name(wait.waiting_application.as_deref(), wait.waiting_user.as_deref());
    let blocking = name(wait.blocking_application.as_deref(), wait.blocking_user.as_deref());
    [Some(waiting), (wait.blocking_pid != 0).then_some(blocking)].into_iter().flatten()
}

/// The program and its user, as far as they are known.
fn name(application: Option<&str>, user: Option<&str>) -> Option<String> {
    match (application, user) {
        (Some(application), Some(user)) => Some(format!("{application} ({user})")),
        (Some(one), None) | (None, Some(one)) => Some(format!("({one})")),
        (None, None) => None,
    }
}

/// A session that waits for nobody.
fn blocking(wait: &LockWait, is_named: bool) -> String {
    if wait.blocking_pid == 0 {
        return "a prepared transaction, which somebody has to commit or roll back".to_owned();
    }
    let (application, user) = (wait.blocking_application.as_deref(), wait.blocking_user.as_deref());
    let who = who(wait.blocking_pid, application, user, is_named);
    let state = wait.blocking_state.as_deref().unwrap_or("its state is hidden");
    format!("{who} {state}: {}", statement(wait.blocking_statement.as_deref()))
}

/// A session that waits.
fn waiting(waits: &[&LockWait], shown: &BTreeSet<i32>, is_named: bool) -> String {
    let wait = waits[0];
    let (application, user) = (wait.waiting_application.as_deref(), wait.waiting_user.as_deref());
    let who = who(wait.waiting_pid, application, user, is_named);
    let so_far = wait.waited_ms.map_or_else(String::new, |ms| format!(" {}", quantity::time_ms(ms)));
    let relation = wait.relation.as_ref().map_or_else(String::new, |relation| format!(" {relation}"));
    let others: Vec<String> = waits
        .iter()
        .map(|wait| wait.blocking_pid)
        .filter(|pid| waits.len() > 1 || !shown.contains(pid))
        .map(|pid| pid.to_string())
        .collect();
    let behind = if others.is_empty() { String::new() } else { format!(" (behind {})", others.join(", ")) };
    let said = statement(wait.waiting_statement.as_deref());
    format!("{who} waits{so_far} for {} on {}{relation}{behind}: {said}", wait.mode, wait.lock)
}

fn who(pid: i32, application: Option<&str>, user: Option<&str>, is_named: bool) -> String {
    let name = name(application, user).filter(|_| is_named);
    name.map_or_else(|| pid.to_string(), |name| format!("{pid} {name}"))
}

fn statement(statement: Option<&str>) -> &str {
    statement.unwrap_or("its statement is hidden")
}

fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(waiting_pid: i32, blocking_pid: i32) -> LockWait {
        LockWait {
            waiting_pid,
            waiting_application: Some("shop".into()),
            waiting_user: Some("ann".into()),
            waiting_statement: Some("UPDATE seat SET taken = true".into()),
            lock: "transactionid".into(),
            mode: "ShareLock".into(),
            relation: Some("seat".into()),
            waited_ms: Some(7.0),
            blocking_pid,
            blocking_application: Some("psql".into()),
            blocking_user: Some("bob".into()),
            blocking_state: Some("idle in transaction".into()),
            blocking_statement: Some("SELECT 1".into()),
            ..LockWait::default()
        }
    }

    fn told(waits: Vec<LockWait>) -> String {
        graph(&BlockedMoment { at_s: 0.0, waiting: waits.len() as u64, waits }, Room::TERMINAL)
    }

    #[test]
    fn those_who_wait_stand_below_the_one_in_their_way() {
        let text = told(vec![wait(2, 1), wait(3, 2), wait(4, 1)]);
        assert_eq!(
            text,
            "  1 psql (bob) idle in transaction: SELECT 1\n    \
             2 shop (ann) waits 7.00 ms for ShareLock on transactionid seat: UPDATE seat SET taken = true\n      \
             3 shop (ann) waits 7.00 ms for ShareLock on transactionid seat: UPDATE seat SET taken = true\n    \
             4 shop (ann) waits 7.00 ms for ShareLock on transactionid seat: UPDATE seat SET taken = true\n"
        );
    }

    #[test]
    fn a_circle_is_shown_once_and_says_where_it_closes() {
        let text = told(vec![wait(2, 3), wait(3, 2), wait(4, 2)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("  2 shop") && lines[0].contains("(behind 3)"), "{text}");
        assert!(lines[1].starts_with("    3 shop") && lines[2].starts_with("    4 shop"), "{text}");
    }

    #[test]
    fn who_waits_for_several_is_shown_once_and_names_all_of_them() {
        let text = told(vec![wait(3, 1), wait(3, 2)]);
        assert_eq!(text.matches("(behind 1, 2)").count(), 1, "{text}");
        assert_eq!(text.lines().count(), 3, "{text}");
    }

    #[test]
    fn a_crowd_is_counted_and_a_long_statement_is_cut() {
        let crowd: Vec<LockWait> = (2..32).map(|pid| wait(pid, 1)).collect();
        let text = told(crowd);
        assert!(text.ends_with("… and 22 more wait for it\n") && text.lines().count() == 10, "{text}");
        let long = LockWait { waiting_statement: Some("x".repeat(200)), ..wait(2, 1) };
        assert!(told(vec![long]).lines().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_name_that_all_have_is_said_once() {
        let one = |waiting_pid, blocking_pid| LockWait {
            blocking_application: Some("shop".into()),
            blocking_user: Some("ann".into()),
            ..wait(waiting_pid, blocking_pid)
        };
        let text = told(vec![one(2, 1), one(3, 2), LockWait { blocking_application: None, ..one(4, 0) }]);
        assert!(text.starts_with("  all are shop (ann)\n  a prepared transaction"), "{text}");
        assert!(
            text.contains("\n  1 idle in transaction") && text.contains("\n    2 waits 7.00 ms"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_fit_a_terminal_is_counted_and_stands_on_the_page() {
        // Forty pairs of a session and one that waits for it.
        let waits: Vec<LockWait> = (1..=40).map(|pid| wait(pid + 100, pid)).collect();
        let text = told(waits.clone());
        assert!(text.lines().count() == 24 && text.ends_with("\n  … and 57 lines more\n"), "{text}");
        let page = graph(&BlockedMoment { at_s: 0.0, waiting: 40, waits }, Room::PAGE);
        assert_eq!(page.lines().count(), 80);
    }

    #[test]
    fn what_is_hidden_is_said() {
        let hidden = LockWait {
            waiting_statement: None,
            blocking_state: None,
            blocking_statement: None,
            waited_ms: None,
            ..wait(2, 1)
        };
        let text = told(vec![hidden]);
        assert!(text.contains("1 psql (bob) its state is hidden: its statement is hidden"), "{text}");
        assert!(told(vec![wait(2, 0)]).contains("\n  a prepared transaction"));
    }
}
