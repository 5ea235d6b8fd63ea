//! What machines are told: one JSON object a line on standard output. `docs/live.md` describes each.
//!
//! The fields of a line are written here by name, apart from the types of the load generator, so that renaming one of
//! those changes nothing for who reads along.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use loadgen::curves::{Sought, Trial};
use loadgen::{Event, Flow, PartTick, Plan, Position, Target, Tick};
use reports::curves::{Stage, Step, Verdict};
use reports::run::{LoadModel, Subject};
use serde::{Serialize, Serializer};

use crate::results;

/// The version of the lines. It grows when a field is renamed, removed, or gets another meaning; not when one is added.
const SCHEMA: u32 = 1;

/// Where lines go.
pub(crate) struct Lines(Mutex<Option<Box<dyn Write + Send>>>);

/// A line with what all of them have.
#[derive(Serialize)]
struct Stamped<'a> {
    schema: u32,
    #[serde(serialize_with = "to_the_millisecond")]
    at: DateTime<Utc>,
    #[serde(flatten)]
    line: &'a Line<'a>,
}

fn to_the_millisecond<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// What can be said.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line<'a> {
    Started {
        version: &'static str,
        command: String,
        /// Where metrics are served.
        metrics: Option<&'a str>,
    },
    Measuring {
        subjects: Vec<&'a Subject>,
        scenarios: Vec<&'a str>,
        rounds: u32,
        window_s: f64,
        load: LoadModel,
    },
    Searching {
        subject: &'a Subject,
        scenario: &'a str,
        objectives: Vec<String>,
    },
    Preparing {
        subject: &'a str,
        operation: &'a str,
    },
    Warming {
        subject: &'a str,
        operation: &'a str,
    },
    Counting {
        subject: &'a str,
        operation: &'a str,
    },
    Comparing {
        operation: &'a str,
    },
    WindowStarted {
        window: Window<'a>,
    },
    Second(Box<Look<'a>>),
    WindowFinished {
        window: Window<'a>,
        requests: u64,
        failed: u64,
        p50_us: Option<u64>,
        p99_us: Option<u64>,
    },
    Trying {
        stage: Stage,
        asked_per_second: f64,
        offered_s: f64,
    },
    Step {
        stage: Stage,
        asked_per_second: f64,
        reached_per_second: f64,
        requests: u64,
        failed: u64,
        unsent: u64,
        p50_us: Option<u64>,
        p99_us: Option<u64>,
        verdict: Verdict,
        reasons: &'a [String],
    },
    Warning {
        sentence: &'a str,
    },
    Finished(Finished<'a>),
    Failed {
        sentence: &'a str,
    },
}

/// A window's place.
#[derive(Serialize)]
pub(crate) struct Window<'a> {
    number: usize,
    windows: Option<usize>,
    round: u32,
    rounds: Option<u32>,
    subject: &'a str,
    scenario: &'a str,
    pass: u32,
}

/// A look at a window.
#[derive(Serialize)]
pub(crate) struct Look<'a> {
    window: Window<'a>,
    at_s: f64,
    seconds: f64,
    offered_s: f64,
    asked_per_second: Option<f64>,
    reached_per_second: Option<f64>,
    in_flight: u64,
    queued: Option<u64>,
    lately: Told<'a>,
    so_far: Told<'a>,
    operations: Vec<Part<'a>>,
    client_cores: Option<f64>,
    server_cores: Option<f64>,
    database_cores: Option<f64>,
    waiting_for_lock: Option<u64>,
    deadlocks: Option<u64>,
}

#[derive(Serialize)]
struct Told<'a> {
    due: Option<u64>,
    skipped: u64,
    requests: u64,
    failed: u64,
    errors: &'a BTreeMap<String, u64>,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
    max_us: Option<u64>,
    max_lag_us: Option<u64>,
    lateness_p99_us: Option<u64>,
}

#[derive(Serialize)]
struct Part<'a> {
    operation: &'a str,
    requests: u64,
    errors: &'a BTreeMap<String, u64>,
}

/// How a command ended that has a result.
#[derive(Serialize)]
pub(crate) struct Finished<'a> {
    /// Name of the run.
    pub(crate) name: &'a str,
    /// `pass`, `fail`, `inconclusive`, `not_judged` or `interrupted`.
    pub(crate) verdict: &'static str,
    /// Of the command.
    pub(crate) exit_code: u8,
    /// The JSON file.
    pub(crate) result: &'a Path,
    /// The page.
    pub(crate) report: &'a Path,
}

impl Lines {
    pub(crate) fn to_stdout() -> Self {
        Self::to(Box::new(std::io::stdout()))
    }

    fn to(out: Box<dyn Write + Send>) -> Self {
        Self(Mutex::new(Some(out)))
    }

    /// Writes a line. A reader who has gone away ends the lines, and not the run, which has a result to keep.
    pub(crate) fn tell(&self, line: &Line<'_>) {
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(to) = out.as_mut() else { return };
        let stamped = Stamped { schema: SCHEMA, at: Utc::now(), line };
        let written = serde_json::to_string(&stamped)
            .map_err(std::io::Error::from)
            .and_then(|line| writeln!(to, "{line}").and_then(|()| to.flush()));
        if let Err(error) = written {
            eprintln!("warning: nothing more is written to standard output: {error}");
            *out = None;
        }
    }

    /// The last line of a command that has a result.
    pub(crate) fn finished(&self, finished: Finished<'_>) {
        self.tell(&Line::Finished(finished));
    }

    pub(crate) fn on(&self, event: &Event<'_>) {
        match *event {
            Event::Preparing { subject, operation } => self.tell(&Line::Preparing { subject, operation }),
            Event::Warming { subject, operation } => self.tell(&Line::Warming { subject, operation }),
            Event::Counting { subject, operation } => self.tell(&Line::Counting { subject, operation }),
            Event::Comparing { operation } => self.tell(&Line::Comparing { operation }),
            Event::WindowStarted { window } => self.tell(&Line::WindowStarted { window: window.into() }),
            Event::Second { window, tick } => self.tell(&Line::Second(Box::new(Look::of(window, tick)))),
            Event::WindowFinished { window, requests, errors: failed, p50_us, p99_us } => {
                let window = window.into();
                self.tell(&Line::WindowFinished { window, requests, failed, p50_us, p99_us });
            }
            Event::Warning { sentence } => self.tell(&Line::Warning { sentence }),
            _ => {}
        }
    }
}

impl<'a> Line<'a> {
    pub(crate) fn started(metrics: Option<&'a str>) -> Self {
        Self::Started { version: env!("CARGO_PKG_VERSION"), command: results::command_line(), metrics }
    }

    pub(crate) fn measuring(plan: &'a Plan, targets: &'a [Target]) -> Self {
        Self::Measuring {
            subjects: targets.iter().map(|target| &target.subject).collect(),
            scenarios: plan.scenarios.iter().map(|scenario| scenario.name.as_str()).collect(),
            rounds: plan.rounds,
            window_s: plan.window.as_secs_f64(),
            load: LoadModel::from(&plan.load),
        }
    }

    pub(crate) fn searching(sought: &'a Sought, target: &'a Target) -> Self {
        Self::Searching {
            subject: &target.subject,
            scenario: &sought.scenario.name,
            objectives: sought.objectives.iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn trying(trial: &Trial, length: Duration) -> Self {
        Self::Trying { stage: trial.stage, asked_per_second: trial.rate, offered_s: length.as_secs_f64() }
    }

    pub(crate) fn step(step: &'a Step) -> Self {
        Self::Step {
            stage: step.stage,
            asked_per_second: step.asked_per_second,
            reached_per_second: step.reached_per_second,
            requests: step.requests,
            failed: step.failed,
            unsent: step.unsent,
            p50_us: step.p50_us,
            p99_us: step.p99_us,
            verdict: step.verdict,
            reasons: &step.reasons,
        }
    }
}

impl<'a> From<Position<'a>> for Window<'a> {
    fn from(window: Position<'a>) -> Self {
        Self {
            number: window.number,
            windows: window.windows,
            round: window.round,
            rounds: window.rounds,
            subject: window.subject,
            scenario: window.operation,
            pass: window.pass,
        }
    }
}

impl<'a> Look<'a> {
    fn of(window: Position<'a>, tick: &'a Tick) -> Self {
        Self {
            window: window.into(),
            at_s: tick.at_s,
            seconds: tick.seconds,
            offered_s: tick.offered_s,
            asked_per_second: tick.asked_per_second(),
            reached_per_second: tick.reached_per_second(),
            in_flight: tick.in_flight,
            queued: tick.queued,
            lately: Told::of(&tick.lately),
            so_far: Told::of(&tick.so_far),
            operations: tick.parts.iter().map(Part::of).collect(),
            client_cores: tick.seen.client_cores,
            server_cores: tick.seen.server_cores,
            database_cores: tick.seen.database_cores,
            waiting_for_lock: tick.seen.waiting_for_lock,
            deadlocks: tick.seen.deadlocks,
        }
    }
}

impl<'a> Told<'a> {
    fn of(flow: &'a Flow) -> Self {
        Self {
            due: flow.due,
            skipped: flow.skipped,
            requests: flow.requests,
            failed: flow.failed(),
            errors: &flow.errors,
            p50_us: flow.p50_us,
            p99_us: flow.p99_us,
            max_us: flow.max_us,
            max_lag_us: flow.max_lag_us,
            lateness_p99_us: flow.lateness_p99_us,
        }
    }
}

impl<'a> Part<'a> {
    fn of(part: &'a PartTick) -> Self {
        Self { operation: &part.operation, requests: part.response_us.len() as u64, errors: &part.errors }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::live::sample;

    /// What was written, and how much is taken before the reader goes away.
    #[derive(Clone, Default)]
    struct Pipe(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            if written.len() + bytes.len() > self.1 {
                return Err(std::io::ErrorKind::BrokenPipe.into());
            }
            written.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Pipe {
        fn lines(&self) -> Vec<Value> {
            let written = self.0.lock().unwrap();
            let text = std::str::from_utf8(&written).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    #[test]
    fn a_second_has_the_fields_that_the_guide_lists() {
        let pipe = Pipe(Arc::default(), 10_000);
        let lines = Lines::to(Box::new(pipe.clone()));
        lines.on(&Event::Second { window: sample::window(), tick: &sample::tick() });
        let line = pipe.lines().remove(0);
        assert_eq!((&line["schema"], &line["event"]), (&json!(1), &json!("second")));
        assert_eq!(line["window"]["scenario"], "mix");
        assert_eq!((&line["asked_per_second"], &line["reached_per_second"]), (&json!(200.0), &json!(180.0)));
        assert_eq!(line["lately"]["errors"], json!({ "connect": 1, "timeout": 1 }));
        assert_eq!((&line["lately"]["failed"], &line["so_far"]["p99_us"]), (&json!(2), &json!(40_000)));
        assert_eq!(line["operations"][1]["requests"], 30);
        assert_eq!((&line["database_cores"], &line["waiting_for_lock"]), (&json!(1.25), &json!(4)));

        // Every field stands in the guide, and its example has no others.
        let guide = include_str!("../../docs/live.md");
        let (_, example) = guide.split_once("```json\n").expect("an example");
        let example: Value = serde_json::from_str(example.split_once("```").unwrap().0).unwrap();
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        for part in ["/lately", "/so_far", "/window", "/operations/0", ""] {
            let (of_line, of_example) = (line.pointer(part).unwrap(), example.pointer(part).unwrap());
            assert_eq!(fields(of_line), fields(of_example), "{part}");
            for field in fields(of_line) {
                assert!(guide.contains(&format!("`{field}`")), "{field} is not described");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_null() {
        let pipe = Pipe(Arc::default(), 10_000);
        let lines = Lines::to(Box::new(pipe.clone()));
        let unseen = Tick { seen: loadgen::probes::Seen::default(), queued: None, ..sample::tick() };
        lines.on(&Event::Second { window: Position { rounds: None, ..sample::window() }, tick: &unseen });
        let line = pipe.lines().remove(0);
        for field in ["/queued", "/database_cores", "/waiting_for_lock", "/deadlocks", "/window/rounds"] {
            assert_eq!(line.pointer(field), Some(&Value::Null), "{field}");
        }
    }

    #[test]
    fn a_reader_who_goes_away_ends_the_lines_and_nothing_else() {
        let pipe = Pipe(Arc::default(), 200);
        let lines = Lines::to(Box::new(pipe.clone()));
        lines.tell(&Line::Warning { sentence: "one" });
        lines.tell(&Line::Warning { sentence: &"long ".repeat(100) });
        lines.tell(&Line::Warning { sentence: "two" });
        assert_eq!(pipe.lines().len(), 1);
    }
}
