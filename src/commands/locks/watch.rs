//! `callbench locks watch`: who blocks whom in a database, live.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use chrono::Utc;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use loadgen::probes::{Kept, LockWatch};
use reports::labs::locks::{Room, Watch, graph, terminal};
use reports::quantity;
use reports::run::BlockedMoment;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli::LocksWatch;

/// The version of the lines of JSON.
const SCHEMA: u32 = 1;

/// How often a picture is drawn at most, a second: looks don't come faster.
const MOST_PICTURES: u8 = 60;

/// How often there is a line where there is no terminal.
const SAID_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(asked: LocksWatch, stop: &CancellationToken) -> anyhow::Result<u8> {
    let watch = LockWatch::open(&asked.database_url, asked.every, Kept::Summary)
        .await
        .context("the database can't be asked; check the URL, the user and the password")?;
    let done = stop.child_token();
    let mut teller = Teller::new(asked.json, done.clone());
    teller.begin(&watch, asked.every);
    if let Some(lasting) = asked.lasting {
        let done = done.clone();
        tokio::spawn(async move {
            tokio::time::sleep(lasting).await;
            done.cancel();
        });
    }
    let seen = watch.run(done, |moment| teller.tell(moment)).await;
    teller.end(&seen);
    Ok(0)
}

/// Tells what is seen, in one of three ways.
struct Teller {
    form: Form,
    said: Option<Instant>,
    /// Cancelled when whoever reads along has gone away.
    done: CancellationToken,
}

enum Form {
    Json,
    /// Drawn anew with each look.
    Live(ProgressBar),
    Lines,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Started { hidden: &'a [String], period_ms: f64 },
    Waits(&'a BlockedMoment),
    Finished(&'a Watch),
}

#[derive(Serialize)]
struct Stamped<'a> {
    schema: u32,
    at: String,
    #[serde(flatten)]
    line: Line<'a>,
}

impl Teller {
    fn new(json: bool, done: CancellationToken) -> Self {
        let form = match json {
            true => Form::Json,
            false if std::io::stdout().is_terminal() => Form::Live(picture()),
            false => Form::Lines,
        };
        Self { form, said: None, done }
    }

    fn begin(&self, watch: &LockWatch, every: Duration) {
        let period_ms = every.as_secs_f64() * 1e3;
        if matches!(self.form, Form::Json) {
            self.line(Line::Started { hidden: watch.hidden(), period_ms });
            return;
        }
        eprintln!("watching locks every {}; Ctrl-C ends it with a summary", quantity::time_ms(period_ms));
        for hidden in watch.hidden() {
            eprintln!("note: {hidden}");
        }
    }

    fn tell(&mut self, moment: &BlockedMoment) {
        match &self.form {
            Form::Json => self.line(Line::Waits(moment)),
            Form::Live(picture) => picture.set_message(drawing(moment)),
            Form::Lines => {
                let is_due = self.said.is_none_or(|said| said.elapsed() >= SAID_EVERY);
                if moment.waiting > 0 && is_due {
                    self.said = Some(Instant::now());
                    self.print(&drawing(moment));
                }
            }
        }
    }

    fn end(&self, watch: &Watch) {
        match &self.form {
            Form::Json => self.line(Line::Finished(watch)),
            Form::Live(picture) => {
                picture.finish_and_clear();
                self.print(&terminal::watch(watch));
            }
            Form::Lines => self.print(&terminal::watch(watch)),
        }
    }

    fn line(&self, line: Line<'_>) {
        let at = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        // Plain data: nothing in it can fail to be written.
        if let Ok(json) = serde_json::to_string(&Stamped { schema: SCHEMA, at, line }) {
            self.print(&format!("{json}\n"));
        }
    }

    /// Writes to standard output; where nobody reads any more, the watch ends.
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.done.cancel();
        }
    }
}

/// What is drawn on a terminal, and drawn over.
fn picture() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").expect("the template is a constant");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(MOST_PICTURES)).with_style(style)
}

fn drawing(moment: &BlockedMoment) -> String {
    let at = quantity::seconds(moment.at_s);
    match moment.waiting {
        0 => format!("after {at} nobody waits\n"),
        waiting => format!(
            "after {at} {} waiting\n{}",
            quantity::plural(waiting, "session"),
            graph(moment, Room::TERMINAL)
        ),
    }
}
