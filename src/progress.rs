//! Progress of migrations, checks and loads for people: bars on a terminal, plain lines elsewhere; of measurements see
//! [`crate::live`]. Everything goes to standard error, so that standard
//! output stays for results.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use datagen::{Present, Spec};
use indicatif::{
    HumanBytes, HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle,
};

use crate::environment;

/// Width of the column with names of steps.
const NAMES: usize = 44;

/// The steps of a migration, one line each when it is done. What takes long has a bar on a terminal, and a line for each
/// tenth elsewhere.
pub(crate) struct Steps {
    current: Option<(&'static str, String)>,
    counting: Option<ProgressBar>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { current: None, counting: None }
    }

    pub(crate) fn on(&mut self, event: &migrations::Event) {
        match event {
            migrations::Event::Started { step, action } => self.current = Some((*action, step.clone())),
            migrations::Event::Leftover { name } => {
                eprintln!("drop {name}: it was left behind by a migration that broke off");
            }
            migrations::Event::Repairing { index } => eprintln!("rebuild {index}: it was missing or invalid"),
            migrations::Event::Waiting { step, tries } => self.say(&format!(
                "{step}: others hold what it needs; it lets them pass and tries again (try {tries} gave up)"
            )),
            migrations::Event::Counted { customers, expected } => self.counted(*customers, *expected),
            migrations::Event::Finished { took, .. } => {
                if let Some(bar) = self.counting.take() {
                    bar.finish_and_clear();
                }
                if let Some((action, step)) = self.current.take() {
                    let named = ["retire ", "replace "].iter().find_map(|verb| step.strip_prefix(verb));
                    finished(&format!("{action} {}", named.unwrap_or(&step)), took.as_secs_f64(), None);
                }
            }
        }
    }

    /// A line that does not disturb a bar.
    fn say(&self, line: &str) {
        match &self.counting {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// How far the totals are. `expected` is an estimate, and the bar grows when it was too low.
    fn counted(&mut self, customers: u64, expected: u64) {
        let bar = self.counting.get_or_insert_with(|| {
            let template = "{msg:<42} {wide_bar} {human_pos}/about {human_len} customers  {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is a constant");
            let bar = ProgressBar::with_draw_target(Some(expected), ProgressDrawTarget::stderr());
            bar.with_style(style).with_message("totals")
        });
        let tenths = |customers: u64| 10 * customers / expected.max(1);
        if bar.is_hidden() && expected > 0 && tenths(customers) > tenths(bar.position()) {
            eprintln!("totals: {} of about {} customers", HumanCount(customers), HumanCount(expected));
        }
        bar.set_length(expected.max(customers));
        bar.set_position(customers);
    }
}

fn finished(name: &str, seconds: f64, rows: Option<u64>) {
    match rows.filter(|rows| *rows > 0) {
        Some(rows) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for people")]
            let rate = (rows as f64 / seconds.max(1e-9)) as u64;
            eprintln!(
                "{name:<NAMES$} {seconds:>7.1} s  {:>12} rows  {:>10} rows/s",
                HumanCount(rows).to_string(),
                HumanCount(rate).to_string()
            );
        }
        None => eprintln!("{name:<NAMES$} {seconds:>7.1} s"),
    }
}

/// One bar over the checks of a server, which names the last one. Without a terminal it is quiet.
pub(crate) struct CheckProgress(ProgressBar);

impl CheckProgress {
    pub(crate) fn new() -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} checks  {msg:<44}");
        let style = style.expect("the template is a constant");
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        Self(bar.with_style(style))
    }

    pub(crate) fn on(&self, made: &loadgen::conform::Progress<'_>) {
        self.0.set_length(made.of as u64);
        self.0.set_message(made.check.name.clone());
        self.0.set_position(made.done as u64);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

/// The bars of a load: one for each phase that is under way, and one for all of it. Without a terminal a load is quiet;
/// `-v` tells of each phase.
pub(crate) struct SeedProgress {
    bars: MultiProgress,
    /// Counts the milliseconds that the plan expects.
    whole: ProgressBar,
    expected_ms: HashMap<String, u64>,
    open: Mutex<HashMap<String, Open>>,
}

struct Open {
    bar: ProgressBar,
    /// Units of the phase, and how many of its expected milliseconds stand in the bar for all.
    total: u64,
    counted_ms: u64,
}

/// Phases that are shorter leave no line behind on a terminal.
const WORTH_A_LINE_SECONDS: f64 = 1.0;

impl SeedProgress {
    /// Nothing is drawn before the first phase begins. `expected_seconds` weighs the phases against each other; without it
    /// there is no bar for all.
    pub(crate) fn new(expected_seconds: impl IntoIterator<Item = (String, f64)>) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
        let expected_ms: HashMap<String, u64> = expected_seconds
            .into_iter()
            .map(|(name, seconds)| (name, (seconds * 1e3).ceil().max(1.0) as u64))
            .collect();
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = ProgressBar::new(expected_ms.values().sum()).with_style(
            ProgressStyle::with_template("{msg:<42} {wide_bar} {percent:>3} %  {elapsed}, about {eta} left")
                .expect("the template is a constant"),
        );
        whole.set_message("in all");
        Self { bars, whole, expected_ms, open: Mutex::new(HashMap::new()) }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.open.lock().expect("no panic while held")
    }

    /// Brings the bar for all to where a phase is.
    fn count(&self, name: &str, open: &mut Open) {
        let Some(&expected_ms) = self.expected_ms.get(name) else { return };
        let done = open.bar.position().min(open.total);
        let reached_ms = u128::from(expected_ms) * u128::from(done) / u128::from(open.total.max(1));
        let reached_ms = u64::try_from(reached_ms).unwrap_or(expected_ms);
        self.whole.inc(reached_ms - open.counted_ms);
        open.counted_ms = reached_ms;
    }
}

impl datagen::Progress for SeedProgress {
    fn phase_started(&self, name: &str, total: u64, unit: datagen::Unit) {
        let template = match unit {
            datagen::Unit::Rows => "{msg:<42} {wide_bar} {human_pos}/{human_len} rows  {rate}  {eta} left",
            datagen::Unit::Steps => "{msg:<42} {wide_bar} {percent:>3} %  {elapsed}",
        };
        let style = ProgressStyle::with_template(template).expect("the template is a constant").with_key(
            "rate",
            |state: &ProgressState, out: &mut dyn fmt::Write| {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a rate for people"
                )]
                let rate = state.per_sec() as u64;
                // What is drawn can't fail, and a bar would be no reason to end a load.
                let _ = write!(out, "{}/s", HumanCount(rate));
            },
        );
        let mut open = self.open();
        let bar = ProgressBar::new(total).with_style(style);
        let bar = if self.expected_ms.is_empty() {
            self.bars.add(bar)
        } else {
            if open.is_empty() {
                self.bars.add(self.whole.clone());
            }
            self.bars.insert_before(&self.whole, bar)
        };
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        open.insert(name.to_owned(), Open { bar, total, counted_ms: 0 });
    }

    fn advanced(&self, name: &str, units: u64, _bytes: u64) {
        if let Some(open) = self.open().get_mut(name) {
            open.bar.inc(units);
            self.count(name, open);
        }
    }

    fn phase_finished(&self, phase: &datagen::Phase) {
        if let Some(mut open) = self.open().remove(&phase.name) {
            open.bar.set_position(open.total);
            self.count(&phase.name, &mut open);
            open.bar.finish_and_clear();
            self.bars.remove(&open.bar);
        }
        let rows = phase.rows.map_or_else(String::new, |rows| format!("{} rows in ", HumanCount(rows)));
        tracing::info!("{}: {rows}{:.1} s", phase.name, phase.seconds);
        if phase.seconds >= WORTH_A_LINE_SECONDS && !self.bars.is_hidden() {
            self.bars.suspend(|| finished(&phase.name, phase.seconds, phase.rows));
        }
    }
}

impl Drop for SeedProgress {
    fn drop(&mut self) {
        self.whole.finish_and_clear();
    }
}

/// What a load will write, and how long that takes on a machine like the one that was measured.
pub(crate) fn print_plan(spec: &Spec, plan: &datagen::Plan) {
    println!("Dataset: {spec}");
    println!("{:<40} {:>14} {:>12} {:>9}", "table, and its indexes", "rows", "about", "time");
    let time = |seconds: f64| match seconds {
        ..0.1 => String::new(),
        ..60.0 => format!("{seconds:.1} s"),
        ..5_400.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3_600.0),
    };
    for table in &plan.tables {
        println!(
            "{:<40} {:>14} {:>12} {:>9}",
            table.table,
            HumanCount(table.rows).to_string(),
            HumanBytes(table.table_bytes).to_string(),
            time(table.copy_seconds + table.vacuum_seconds)
        );
        for index in table.indexes.iter().filter(|index| index.bytes >= WORTH_A_LINE_BYTES) {
            println!(
                "  {:<38} {:>14} {:>12} {:>9}",
                index.name,
                "",
                HumanBytes(index.bytes).to_string(),
                time(index.seconds)
            );
        }
    }
    println!(
        "{:<40} {:>14} {:>12} {:>9}",
        "in all",
        HumanCount(plan.rows()).to_string(),
        HumanBytes(plan.disk_bytes()).to_string(),
        time(plan.seconds)
    );
}

/// Indexes that are smaller are not listed in a plan.
const WORTH_A_LINE_BYTES: u64 = 1 << 20;

/// The same for scripts.
pub(crate) fn plan_as_json(spec: &Spec, plan: &datagen::Plan) -> serde_json::Value {
    let mut json = serde_json::json!({
        "spec": spec,
        "rows": plan.rows(),
        "disk_bytes": plan.disk_bytes(),
        "seconds": plan.seconds,
        "tables": plan.tables,
    });
    if let Some(tables) = json["tables"].as_array_mut() {
        for (json, table) in tables.iter_mut().zip(&plan.tables) {
            json["index_bytes"] = table.index_bytes().into();
        }
    }
    json
}

/// How a load went, phase by phase.
pub(crate) fn print_phases(present: &Present, connections: usize) {
    println!("{:<40} {:>9} {:>14} {:>12} {:>9}", "phase", "seconds", "rows", "rows/s", "MB/s");
    for phase in datagen::condensed(&present.phases) {
        let per_second = |count: Option<u64>| count.map(|count| count as f64 / phase.seconds.max(1e-9));
        println!(
            "{:<40} {:>9.1} {:>14} {:>12} {:>9}",
            phase.name,
            phase.seconds,
            phase.rows.map_or_else(String::new, |rows| HumanCount(rows).to_string()),
            per_second(phase.rows).map_or_else(String::new, |rate| format!("{rate:.0}")),
            per_second(phase.bytes).map_or_else(String::new, |rate| format!("{:.1}", rate / 1e6)),
        );
    }
    let rows: u64 = present.tables.iter().map(|table| table.rows).sum();
    println!("{:<40} {:>9.1} {:>14}", "in all", present.seconds(), HumanCount(rows).to_string());
    if connections > 1 {
        println!("Phases overlap on {connections} connections.");
    }
    if present.attempts > 1 {
        println!(
            "Attempt {} completed the data set; the phases are those of this attempt, the rows in all those of all.",
            present.attempts
        );
    }
    if let Some(bytes) = environment::peak_memory_bytes() {
        println!("Peak memory of the loader: {}", HumanBytes(bytes));
    }
}
