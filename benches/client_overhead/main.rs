//! What a request costs the client: processor time per request of the load generator's open and closed loop, beside bare
//! reqwest at the same pace, goose's own loop and bare hyper.
//!
//! ```text
//! cargo bench --bench client_overhead
//! ```
//!
//! The figures are processor time of this whole process (user and system), not time on a clock. The server is a process of
//! its own that answers with the same 1 KB page of one row. All read the whole body; the load generator also checks it,
//! keeps four histograms and tells goose. One request is in flight at a time, but for the open loops, which may have eight:
//! theirs are due at 1,000/s, where a client sleeps before each and has to be woken up for it; and at 10,000/s, where it has
//! work nearly always, as the closed loops have. Beside them reqwest is woken up by Tokio's clock at the same rate, because a
//! client that sleeps between requests pays for each more than one that sends them back to back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use goose::config::GooseConfiguration;
use goose::goose::{Scenario as GooseScenario, Transaction, TransactionFunction};
use goose::{GooseAttack, GooseError};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use loadgen::operations::FirstPage;
use loadgen::scenarios::Scenario;
use loadgen::{Event, Load, Observer, Open, Plan};
use nix::time::{ClockId, clock_gettime};
use reports::run::OnOverload;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

#[path = "../stand_in/mod.rs"]
mod stand_in;

use stand_in::{Child, WORKSPACE};

const PATH: &str = "/api/v1/customers/?workspace_id=11111111-1111-1111-1111-111111111111&page_size=1";

/// Requests a second of the open loop: one that lets the client sleep between them, and one that hardly does.
const SPARSE: f64 = 1_000.0;
const DENSE: f64 = 10_000.0;

/// Requests of a sample at least. Criterion asks for few where beginning takes long, and what beginning takes is not what a
/// request does.
const BATCH: u64 = 2_000;

/// The processor time of so many requests, taken from a batch of them.
fn of_a_batch(requests: u64, batch: impl FnOnce(u64) -> Duration) -> Duration {
    let sent = requests.max(BATCH);
    batch(sent).mul_f64(requests as f64 / sent as f64)
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("POSIX has this clock").into()
}

fn since(before: Duration) -> Duration {
    processor_time().saturating_sub(before)
}

/// Answers every request with the same page of 1 KB.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let reply = stand_in::page(850);
    for line in BufReader::new(stream.try_clone()?).lines() {
        if line?.is_empty() {
            stream.write_all(reply.as_bytes())?;
        }
    }
    Ok(())
}

fn url(server: &Child) -> reqwest::Url {
    format!("http://{}{PATH}", server.address).parse().expect("a URL")
}

async fn bare_hyper(address: String, requests: u64) -> Duration {
    let stream = tokio::net::TcpStream::connect(&address).await.expect("the server listens");
    stream.set_nodelay(true).expect("an open socket takes options");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP/1.1");
    tokio::spawn(connection);
    let before = processor_time();
    for _ in 0..requests {
        let request = hyper::Request::get(PATH)
            .header("host", &address)
            .header("authorization", "Bearer none")
            .body(Empty::<Bytes>::new())
            .expect("a request");
        sender.ready().await.expect("the connection is open");
        let response = sender.send_request(request).await.expect("an answer");
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        assert!(body.len() > 900);
    }
    since(before)
}

/// One request after another, or one at each tick of a clock, as the open loop sends them.
async fn bare_reqwest(url: reqwest::Url, requests: u64, tick: Option<Duration>) -> Duration {
    let client = reqwest::Client::builder().no_gzip().build().expect("a client");
    let mut clock = tick.map(tokio::time::interval);
    let before = processor_time();
    for _ in 0..requests {
        if let Some(clock) = &mut clock {
            clock.tick().await;
        }
        let request = client.get(url.clone()).header("authorization", "Bearer none");
        let response = request.send().await.expect("an answer");
        let body = response.bytes().await.expect("a body");
        assert!(body.len() > 900);
    }
    since(before)
}

/// One user of goose, who asks in a loop and reads the body, as goose's own examples have it.
async fn goose_loop(server: &Child, requests: u64) -> Result<Duration, GooseError> {
    let taken = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&taken);
    let function: TransactionFunction = Arc::new(move |user| {
        let noted = Arc::clone(&noted);
        Box::pin(async move {
            // Goose begins again until its planned second is over.
            if noted.load(Ordering::Relaxed) == 0 {
                let before = processor_time();
                for _ in 0..requests {
                    let answer = user.get(PATH).await?;
                    let body = answer.response?.bytes().await?;
                    assert!(body.len() > 900);
                }
                let took = since(before).as_nanos();
                noted.store(u64::try_from(took).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        })
    });
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(format!("http://{}", server.address));
    configuration.users = Some(1);
    configuration.run_time = Some("1".to_owned());
    configuration.quiet = 2;
    configuration.no_print_metrics = true;
    configuration.no_telnet = true;
    let attack = GooseAttack::initialize_with_config(configuration)?
        .register_scenario(GooseScenario::new("loop").register_transaction(Transaction::new(function)));
    Box::pin(attack.execute()).await?;
    let taken_ns = taken.load(Ordering::Relaxed);
    // Goose notes the failure of a request and goes on.
    assert!(taken_ns > 0, "a request of goose failed before all were sent");
    Ok(Duration::from_nanos(taken_ns))
}

/// Processor time while windows are open.
#[derive(Default)]
struct Meter(Mutex<(Duration, Duration, u64)>);

impl Observer for Meter {
    fn on(&self, event: &Event<'_>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::WindowStarted { .. } => noted.0 = processor_time(),
            Event::WindowFinished { requests, .. } => {
                noted.1 = since(noted.0);
                noted.2 = *requests;
            }
            _ => {}
        }
    }
}

async fn load_generator(server: &Child, load: Load, requests: u64, rate: f64) -> Duration {
    let plan = Plan {
        scenarios: vec![Scenario::of(Arc::new(FirstPage))],
        rounds: 1,
        window: Duration::from_secs_f64(requests as f64 / rate),
        warm_up: Duration::from_millis(20),
        load,
        page_size: 1,
        workspace: WORKSPACE.to_owned(),
        probes: false,
        ..Plan::default()
    };
    let meter = Meter::default();
    let measured = loadgen::measure(&plan, &[server.target()], &meter, CancellationToken::new()).await;
    let measured = measured.expect("the run is whole");
    assert!(measured.windows[0].errors.is_empty(), "{:?}", measured.windows[0].errors);
    let (_, took, sent) = meter.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Criterion asked for so many; the window held about as many.
    took.mul_f64(requests as f64 / sent.max(1) as f64)
}

fn open_loop(rate: f64) -> Load {
    Load::Open(Open { on_overload: OnOverload::Offer, ..Open::constant(rate, 8) })
}

fn client_overhead(criterion: &mut Criterion) {
    let server = Child::start().expect("the server starts");
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("client_overhead");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2));
    let mut bench = |name: &str, pace: &str, batch: &dyn Fn(u64) -> Duration| {
        group.bench_function(BenchmarkId::new(name, pace), |bencher| {
            bencher.iter_custom(|requests| of_a_batch(requests, batch));
        });
    };
    // As a task, as a user of goose is one: what `block_on` polls itself wakes another thread for each answer.
    let task = |work: Pin<Box<dyn Future<Output = Duration> + Send>>| {
        runtime.block_on(async { tokio::spawn(work).await.expect("it ends well") })
    };
    let reqwest = "baseline: bare reqwest";
    bench(reqwest, "back to back", &|requests| task(Box::pin(bare_reqwest(url(&server), requests, None))));
    bench("bare hyper", "back to back", &|requests| {
        task(Box::pin(bare_hyper(server.address.clone(), requests)))
    });
    bench("goose, closed loop", "back to back", &|requests| {
        runtime.block_on(goose_loop(&server, requests)).expect("goose ends well")
    });
    bench("callbench, closed loop", "back to back", &|requests| {
        runtime.block_on(load_generator(&server, Load::Closed { users: 1 }, requests, 5_000.0))
    });
    for (pace, rate) in [("1,000/s", SPARSE), ("10,000/s", DENSE)] {
        let tick = Duration::from_secs_f64(1.0 / rate);
        bench(reqwest, pace, &|requests| task(Box::pin(bare_reqwest(url(&server), requests, Some(tick)))));
        bench("callbench, open loop", pace, &|requests| {
            runtime.block_on(load_generator(&server, open_loop(rate), requests, rate))
        });
    }
    group.finish();
}

fn main() -> anyhow::Result<()> {
    if stand_in::is_this() {
        return stand_in::serve(answer);
    }
    let mut criterion = Criterion::default().configure_from_args();
    client_overhead(&mut criterion);
    criterion.final_summary();
    Ok(())
}
