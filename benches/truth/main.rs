//! Whether the load generator tells the truth: against a server whose delays and freezes are known, what it reports of
//! `response` beside what the users had to wait; and beside it what closed loops report, its own, `wrk` and `hey`.
//!
//! ```text
//! cargo bench --bench truth
//! ```
//!
//! Constant arrivals at 300/s for 20 s, at most 1,024 in flight. The truth is arithmetic: a request that is due in a freeze
//! waits for its end, and then for its own delay, and for what the server itself was woken up too late, which it notes. The
//! server is a process of its own on the same machine, so what loopback takes is in the reports and not in the truth. At
//! last, how late the client is at 1,000/s, beside a bare thread that sleeps until each of those instants: no client of
//! this machine wakes up more punctually than that.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loadgen::arrivals::{Pattern, Process, Rate};
use loadgen::operations::FirstPage;
use loadgen::scenarios::Scenario;
use loadgen::{Event, Load, Observer, Open, Plan};
use reports::latency::Latency;
use reports::run::{OnOverload, WhenBusy, Window};
use tokio_util::sync::CancellationToken;

mod server;
#[path = "../stand_in/mod.rs"]
mod stand_in;
mod tools;

use server::{Freeze, Server, delay};

const RATE: f64 = 300.0;
const SECONDS: u64 = 20;

/// Connections of the closed loops: what they need for that rate, with room.
const CONNECTIONS: usize = 8;

/// Response times in milliseconds; `None` where a tool does not tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    p50: f64,
    p99: f64,
    p999: Option<f64>,
    max: f64,
}

impl Figures {
    fn of(latency: &Latency) -> Option<Self> {
        let at = |quantile| Some(latency.quantile_us(quantile)? as f64 / 1e3);
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999), max: latency.max_us()? as f64 / 1e3 })
    }

    /// What users wait whose requests are due at the rate, from a server that held them so much longer than it meant.
    fn truth(freeze: Option<Freeze>, overruns: &[Duration]) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let requests = (RATE * SECONDS as f64) as u64;
        let waited = |number: u64| {
            let after = |freeze: Freeze| Duration::from_secs_f64((number - freeze.at) as f64 / RATE);
            let frozen = freeze.filter(|freeze| number >= freeze.at);
            let left = frozen.map_or(Duration::ZERO, |freeze| freeze.length.saturating_sub(after(freeze)));
            let overrun = usize::try_from(number).ok().and_then(|number| overruns.get(number));
            (left + delay(number) + overrun.copied().unwrap_or_default()).as_secs_f64() * 1e3
        };
        let mut all: Vec<f64> = (0..requests).map(waited).collect();
        all.sort_by(f64::total_cmp);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
        let at = |quantile: f64| all[(quantile * all.len() as f64).ceil() as usize - 1];
        Self { p50: at(0.5), p99: at(0.99), p999: Some(at(0.999)), max: at(1.0) }
    }

    fn line(self, who: &str) {
        let p999 = self.p999.map_or_else(|| "-".to_owned(), |p999| format!("{p999:.2}"));
        println!("{who:34} {:>9.2} {:>9.2} {p999:>9} {:>9.2}", self.p50, self.p99, self.max);
    }

    /// The share by which a report is off, or that it is by less than 100 us, as a line.
    fn error_line(self, truth: Self) {
        let off = |reported: f64, true_ms: f64| {
            let (by, share) = (reported - true_ms, (reported / true_ms - 1.0) * 100.0);
            let is_right = by.abs() <= 0.1 || share.abs() <= 1.0;
            format!("{share:+.2}%{}", if is_right { "" } else { " !" })
        };
        let p999 = self.p999.zip(truth.p999).map_or_else(String::new, |(seen, is)| off(seen, is));
        println!(
            "{:34} {:>9} {:>9} {p999:>9} {:>9}",
            "  its error",
            off(self.p50, truth.p50),
            off(self.p99, truth.p99),
            off(self.max, truth.max),
        );
    }
}

/// Tells the server when the measured window opens.
struct Beginning<'a> {
    server: &'a Server,
    freeze: Option<Freeze>,
    failed: Mutex<Option<anyhow::Error>>,
}

impl Observer for Beginning<'_> {
    fn on(&self, event: &Event<'_>) {
        if matches!(event, Event::WindowStarted { .. })
            && let Err(error) = self.server.begin(self.freeze)
        {
            *self.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
        }
    }
}

async fn measured(
    server: &Server,
    load: Load,
    freeze: Option<Freeze>,
    length: Duration,
) -> anyhow::Result<Window> {
    let plan = Plan {
        scenarios: vec![Scenario::of(std::sync::Arc::new(FirstPage))],
        rounds: 1,
        window: length,
        warm_up: Duration::from_secs(1),
        load,
        page_size: 1,
        workspace: stand_in::WORKSPACE.to_owned(),
        ..Plan::default()
    };
    let beginning = Beginning { server, freeze, failed: Mutex::default() };
    let measured =
        loadgen::measure(&plan, &[server.0.target()], &beginning, CancellationToken::new()).await?;
    if let Some(error) = beginning.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    measured.windows.into_iter().next().context("nothing was measured")
}

fn open(rate: f64, max_in_flight: usize) -> Load {
    Load::Open(Open {
        pattern: Pattern::Drawn { rate: Rate::constant(rate), process: Process::Constant },
        max_in_flight,
        when_busy: WhenBusy::Queue,
        on_overload: OnOverload::Offer,
    })
}

async fn compare(name: &str, freeze: Option<Freeze>) -> anyhow::Result<()> {
    let server = Server::start()?;
    println!("\n{name}\n{:34} {:>9} {:>9} {:>9} {:>9}", "ms", "p50", "p99", "p99.9", "max");
    let length = Duration::from_secs(SECONDS);
    let window = measured(&server, open(RATE, 1024), freeze, length).await?;
    Figures::truth(freeze, &[]).line("what the server means");
    let truth = Figures::truth(freeze, &server.overruns()?);
    truth.line("what users wait");
    let ours = Figures::of(&window.timings.response).context("nothing was answered")?;
    ours.line("callbench, open loop, response");
    ours.error_line(truth);
    let closed = measured(&server, Load::Closed { users: CONNECTIONS }, freeze, length).await?;
    Figures::of(&closed.timings.response)
        .context("nothing was answered")?
        .line("callbench, closed loop, 8 users");
    server.begin(freeze)?;
    match tools::wrk(&server.0.address, CONNECTIONS, SECONDS) {
        Some(figures) => figures.line("wrk -c8"),
        None => println!("wrk is not installed (Debian: apt install wrk)"),
    }
    server.begin(freeze)?;
    match tools::hey(&server.0.address, CONNECTIONS, RATE, SECONDS) {
        Some(figures) => figures.line("hey -c 8 -q 37.5 (300/s in all)"),
        None => println!("hey is not installed (Debian: apt install hey)"),
    }
    Ok(())
}

/// How late a thread wakes up that sleeps until each millisecond, ten thousand times.
fn bare_lateness() -> Vec<Duration> {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
    let begun = Instant::now();
    let late = |ms| {
        let due = begun + Duration::from_millis(ms);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        due.elapsed()
    };
    (1..=10_000).map(late).collect()
}

fn main() -> anyhow::Result<()> {
    if stand_in::is_this() {
        return server::serve();
    }
    // As criterion understands it: cargo asks for measurements with `--bench`, and only for a trial with `--test`.
    let given = |flag: &str| std::env::args().any(|word| word == flag);
    if given("--test") || !given("--bench") {
        println!("truth: skipped; its parts measure for {SECONDS} s each and can't be tried faster");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let only: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
        let is_wanted = |part: &str| only.is_empty() || only.iter().any(|word| word == part);
        println!("{RATE} requests/s for {SECONDS} s");
        if is_wanted("delays") {
            compare("known delays", None).await?;
        }
        if is_wanted("freeze") {
            let freeze = Freeze { at: 3_000, length: Duration::from_secs(1) };
            compare("the same, and the server freezes for 1 s at request 3,000", Some(freeze)).await?;
        }
        if !is_wanted("lateness") {
            return Ok(());
        }
        let mut bare = bare_lateness();
        bare.sort();
        let server = Server::start()?;
        let window = measured(&server, open(1_000.0, 128), None, Duration::from_secs(10)).await?;
        let at = |quantile| window.timings.lateness.quantile_us(quantile).unwrap_or(0);
        println!(
            "\nlateness of the client at 1,000/s: p50 {} us, p99 {} us, p99.9 {} us, max {} us over {} requests",
            at(0.5),
            at(0.99),
            at(0.999),
            window.timings.lateness.max_us().unwrap_or(0),
            window.requests,
        );
        let us = |rank: usize| bare[rank].as_micros();
        println!("a bare thread: p50 {} us, p99 {} us, p99.9 {} us, max {} us", us(5_000), us(9_900), us(9_990), us(9_999));
        anyhow::Ok(())
    })
}
