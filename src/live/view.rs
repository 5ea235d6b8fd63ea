//! What people see: on a terminal a few lines that are drawn anew, elsewhere one for each step of a run and none for its
//! seconds. Everything goes to standard error, so that standard output stays for results.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use loadgen::curves::{Progress, Trial};
use loadgen::{Event, Flow, Observer, Plan, Position, Target, Tick};
use reports::quantity::{count, per_second, seconds, time_us};

/// How often what is under way is drawn anew, if nothing has happened.
const REDRAW: Duration = Duration::from_millis(200);

/// A window is shown from its first whole second on, so that short ones don't flicker by.
const SHOWN_FROM_S: f64 = 0.9;

/// Whether somebody sits at the terminal. Some services that build and test give their jobs one.
fn is_attended() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    std::io::stderr().is_terminal()
        && variable("TERM") != "dumb"
        && matches!(variable("CI").as_str(), "" | "0" | "false")
}

fn target(is_attended: bool) -> ProgressDrawTarget {
    if is_attended { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is a constant")
}

/// The window that is open.
struct Panel {
    bars: MultiProgress,
    shown: Mutex<Option<Shown>>,
}

/// Its lines: how far it is, what is asked and reached, how long answers take, what the database does.
struct Shown {
    time: ProgressBar,
    load: ProgressBar,
    response: ProgressBar,
    database: ProgressBar,
}

impl Panel {
    fn new(bars: &MultiProgress) -> Self {
        Self { bars: bars.clone(), shown: Mutex::new(None) }
    }

    /// Shows another look.
    fn show(&self, window: &Position<'_>, tick: &Tick) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_none() && tick.at_s < SHOWN_FROM_S {
            return;
        }
        let shown = shown.get_or_insert_with(|| {
            // Names first, so that a narrow terminal cuts off what matters least.
            let line = |template| self.bars.add(ProgressBar::new(1).with_style(style(template)));
            Shown {
                time: line("{prefix:24!} {wide_bar} {msg}"),
                load: line("load      {wide_msg}"),
                response: line("response  {wide_msg}"),
                database: line("database  {wide_msg}"),
            }
        });
        shown.time.set_prefix(format!("{} of {}", window.operation, window.subject));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bar")]
        let ms = |seconds: f64| (seconds * 1e3) as u64;
        shown.time.set_length(ms(tick.offered_s));
        shown.time.set_position(ms(tick.at_s.min(tick.offered_s)));
        shown.time.set_message(time_left(tick));
        shown.load.set_message(load(tick));
        shown.response.set_message(response(&tick.so_far, &tick.lately));
        shown.database.set_message(database(tick));
    }

    /// The window is over.
    fn clear(&self) {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Shown { time, load, response, database }) = shown {
            for line in [time, load, response, database] {
                line.finish_and_clear();
                self.bars.remove(&line);
            }
        }
    }
}

fn time_left(tick: &Tick) -> String {
    let left = tick.offered_s - tick.at_s;
    if left > 0.5 { format!("{left:.0} s left") } else { "last answers".to_owned() }
}

fn load(tick: &Tick) -> String {
    let mut words = Vec::new();
    let reached = tick.reached_per_second();
    words.extend(match (reached, tick.asked_per_second()) {
        (Some(reached), Some(asked)) => Some(format!("{reached:.0} of {asked:.0}/s")),
        (Some(reached), None) => Some(format!("{reached:.0}/s")),
        (None, _) => None,
    });
    words.extend(failures(&tick.so_far));
    words.push(format!("{} in flight", count(tick.in_flight)));
    words.extend(tick.queued.filter(|queued| *queued > 0).map(|queued| format!("{} waiting", count(queued))));
    if tick.so_far.skipped > 0 {
        words.push(format!("{} skipped", count(tick.so_far.skipped)));
    }
    let late = tick.so_far.lateness_p99_us;
    words.extend(late.map(|us| format!("client late p99 {}", time_us(us as f64))));
    words.join("  ")
}

/// How many failed since the window opened, and of what kind most; nothing if none did.
fn failures(so_far: &Flow) -> Option<String> {
    let (kind, most) = so_far.errors.iter().max_by_key(|(_, count)| **count)?;
    Some(match so_far.errors.len() {
        1 => format!("{} FAILED: {kind}", count(*most)),
        _ => format!("{} FAILED, most: {kind}", count(so_far.failed())),
    })
}

fn response(so_far: &Flow, lately: &Flow) -> String {
    let times = |flow: &Flow| {
        let time = |us: Option<u64>| us.map_or_else(|| "-".to_owned(), |us| time_us(us as f64));
        format!("p50 {}  p99 {}  max {}", time(flow.p50_us), time(flow.p99_us), time(flow.max_us))
    };
    format!("{}  last second: {}", times(so_far), times(lately))
}

fn database(tick: &Tick) -> String {
    let seen = &tick.seen;
    let cores = |cores: f64| format!("{cores:.2} cores");
    let mut words: Vec<String> = seen.database_cores.map(cores).into_iter().collect();
    words.extend(seen.waiting_for_lock.map(|waiting| format!("{} wait for a lock", count(waiting))));
    words.extend(match seen.deadlocks {
        None | Some(0) => None,
        Some(1) => Some("1 deadlock".to_owned()),
        Some(several) => Some(format!("{} deadlocks", count(several))),
    });
    if words.is_empty() {
        words.push("not watched".to_owned());
    }
    words.extend(seen.server_cores.map(|used| format!("server {}", cores(used))));
    words.extend(seen.client_cores.map(|used| format!("client {}", cores(used))));
    words.join("  ")
}

/// The rounds of a measurement: bars on a terminal, a line per step elsewhere.
pub(crate) struct Rounds {
    windows: ProgressBar,
    panel: Panel,
    lines: bool,
}

impl Rounds {
    pub(crate) fn new(plan: &Plan, targets: &[Target]) -> Self {
        let windows: usize = targets.iter().map(|target| usize::from(target.control) + 1).sum::<usize>()
            * plan.scenarios.len()
            * plan.rounds as usize;
        let is_attended = is_attended();
        let rounds = Self::drawn_to(target(is_attended), windows as u64, !is_attended);
        rounds.windows.enable_steady_tick(REDRAW);
        rounds
    }

    fn drawn_to(target: ProgressDrawTarget, windows: u64, lines: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target);
        let template = "measure {bar:10} {pos}/{len} windows  {elapsed}  {wide_msg}";
        let windows = bars.add(ProgressBar::new(windows).with_style(style(template)));
        Self { windows, panel: Panel::new(&bars), lines }
    }

    fn say(&self, words: String) {
        if self.lines {
            eprintln!("{words}");
        } else {
            self.windows.set_message(words);
        }
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.panel.clear();
        self.windows.finish_and_clear();
    }
}

impl Observer for Rounds {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Preparing { subject, operation } => self.say(format!("prepare {operation} of {subject}")),
            Event::Warming { subject, operation } => self.say(format!("warm up {operation} of {subject}")),
            Event::Counting { subject, operation } => {
                self.say(format!("count statements of {operation} of {subject}"));
            }
            Event::Comparing { operation } => self.say(format!("compare the rows of {operation}")),
            // What was made ready for the first one; later ones leave the summary of the one before.
            Event::WindowStarted { window } if window.number == 1 => self.windows.set_message(""),
            Event::Second { window, tick } => self.panel.show(window, tick),
            Event::WindowFinished { window, p50_us, p99_us, requests, errors } => {
                self.panel.clear();
                self.windows.inc(1);
                self.say(summary(window, *p50_us, *p99_us, *requests, *errors));
            }
            Event::Warning { sentence } => self.windows.suspend(|| eprintln!("warning: {sentence}")),
            _ => {}
        }
    }
}

/// A window in one line.
fn summary(
    window: &Position<'_>,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
    requests: u64,
    errors: u64,
) -> String {
    let ms = |us: Option<u64>| us.map_or_else(|| "-".to_owned(), |us| format!("{:.1}", us as f64 / 1000.0));
    let failed = if errors > 0 { format!(", {errors} FAILED") } else { String::new() };
    let rounds = window.rounds.map_or_else(String::new, |rounds| format!("/{rounds}"));
    format!(
        "round {}{rounds}  {:<12} {:<8} {requests:>5} requests{failed}  p50 {} ms  p99 {} ms",
        window.round,
        window.operation,
        window.subject,
        ms(p50_us),
        ms(p99_us),
    )
}

/// The steps of a search for a capacity: a line each, and on a terminal the one that is under way.
pub(crate) struct Search {
    step: ProgressBar,
    panel: Panel,
}

impl Search {
    pub(crate) fn new() -> Self {
        let bars = MultiProgress::with_draw_target(target(is_attended()));
        let step = bars.add(ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}")));
        step.enable_steady_tick(REDRAW);
        Self { step, panel: Panel::new(&bars) }
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.panel.clear();
        self.step.finish_and_clear();
    }
}

impl Observer for Search {
    fn on(&self, event: &Event<'_>) {
        match event {
            Event::Preparing { subject, operation } => {
                self.step.set_message(format!("prepare {operation} of {subject}"));
            }
            Event::Warming { subject, operation } => {
                self.step.set_message(format!("warm up {operation} of {subject}"));
            }
            Event::Second { window, tick } => self.panel.show(window, tick),
            Event::WindowFinished { .. } => self.panel.clear(),
            Event::Warning { sentence } => self.step.suspend(|| eprintln!("warning: {sentence}")),
            _ => {}
        }
    }
}

impl Progress for Search {
    fn trying(&self, trial: &Trial, length: Duration) {
        self.step.set_message(format!("{} for {}", per_second(trial.rate), seconds(length.as_secs_f64())));
    }

    fn tried(&self, step: &reports::curves::Step) {
        let line = reports::curves::terminal::step(step);
        self.step.suspend(|| eprintln!("{line}"));
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::live::sample;

    /// A terminal of so many columns.
    fn rounds(columns: u16) -> (Rounds, InMemoryTerm) {
        let terminal = InMemoryTerm::new(20, columns);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        (Rounds::drawn_to(target, 12, false), terminal)
    }

    /// What stands there, line by line, after the bar of the windows was drawn too, which nothing does by the clock here.
    fn lines(rounds: &Rounds, terminal: &InMemoryTerm) -> Vec<String> {
        rounds.windows.tick();
        terminal.contents().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_window_that_is_open_has_lines_of_its_own_that_give_way_to_its_summary() {
        let (rounds, terminal) = rounds(120);
        let window = sample::window();
        rounds.on(&Event::WindowStarted { window });
        rounds.on(&Event::Second { window, tick: &sample::tick() });
        let drawn = lines(&rounds, &terminal);
        assert_eq!(drawn.len(), 5, "{drawn:#?}");
        assert!(drawn[0].starts_with("measure ") && drawn[0].contains("0/12 windows"), "{drawn:#?}");
        assert!(drawn[1].starts_with("mix of live ") && drawn[1].ends_with("28 s left"), "{drawn:#?}");
        assert_eq!(
            drawn[2],
            "load      180 of 200/s  3 FAILED, most: timeout  7 in flight  13 waiting  2 skipped  client late p99 90.0 us"
        );
        assert_eq!(
            drawn[3],
            "response  p50 2.50 ms  p99 40.0 ms  max 61.0 ms  last second: p50 2.00 ms  p99 30.0 ms  max 35.0 ms"
        );
        assert_eq!(
            drawn[4],
            "database  1.25 cores  4 wait for a lock  1 deadlock  server 0.50 cores  client 0.20 cores"
        );

        rounds.on(&Event::WindowFinished {
            window,
            requests: 6000,
            errors: 3,
            p50_us: Some(2500),
            p99_us: Some(40_000),
        });
        let drawn = lines(&rounds, &terminal);
        assert_eq!(drawn.len(), 1, "{drawn:#?}");
        assert!(
            drawn[0].contains("1/12 windows") && drawn[0].contains("6000 requests, 3 FAILED"),
            "{drawn:#?}"
        );
        drop(rounds);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn a_narrow_terminal_cuts_lines_off_and_wraps_none() {
        let (rounds, terminal) = rounds(40);
        let window = sample::window();
        for _ in 0..2 {
            rounds.on(&Event::Second { window, tick: &sample::tick() });
        }
        let drawn = lines(&rounds, &terminal);
        assert_eq!(drawn.len(), 5, "{drawn:#?}");
        assert!(drawn[2].starts_with("load      180 of 200/s  3 FAILED"), "{drawn:#?}");
        assert!(drawn[4].starts_with("database  1.25 cores"), "{drawn:#?}");
    }

    #[test]
    fn a_window_shorter_than_a_second_is_not_shown() {
        let (rounds, terminal) = rounds(120);
        let short = Tick { at_s: 0.3, seconds: 0.3, ..sample::tick() };
        rounds.on(&Event::Second { window: sample::window(), tick: &short });
        assert_eq!(lines(&rounds, &terminal).len(), 1);
    }

    #[test]
    fn what_is_not_known_is_not_shown_as_zero() {
        let nothing = Tick { seen: loadgen::probes::Seen::default(), ..sample::tick() };
        assert_eq!(database(&nothing), "not watched");
        let closed = Tick {
            queued: None,
            lately: Flow { due: None, requests: 190, ..Flow::default() },
            so_far: Flow::default(),
            ..nothing
        };
        assert_eq!(load(&closed), "190/s  7 in flight");
        assert_eq!(
            response(&closed.so_far, &closed.lately),
            "p50 -  p99 -  max -  last second: p50 -  p99 -  max -"
        );
        let last = Tick { at_s: 31.0, seconds: 0.01, ..closed };
        assert_eq!((load(&last).as_str(), time_left(&last).as_str()), ("7 in flight", "last answers"));
    }
}
