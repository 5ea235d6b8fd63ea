//! What a request costs the client: processor time per request of the load generator's open and closed loop, beside
//! goose's own loop, bare reqwest and bare hyper.
//!
//! ```text
//! cargo bench --bench client_overhead
//! ```
//!
//! The figures are processor time of this whole process (user and system), not time on a clock. The server is a process of
//! its own that answers with the same 1 KB page of one row; one request at a time, but for the open loop, which has 1,000/s
//! to send and sleeps in between: beside it stands reqwest with a sleep, since who wakes up for each request pays for that. All read the whole body; the load generator also checks it, keeps four histograms and tells goose.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use criterion::{Criterion, SamplingMode};
use goose::config::GooseConfiguration;
use goose::goose::{Scenario as GooseScenario, Transaction, TransactionFunction};
use goose::{GooseAttack, GooseError};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use loadgen::operations::FirstPage;
use loadgen::scenarios::Scenario;
use loadgen::{Event, Load, Observer, Open, Plan, Target};
use nix::time::{ClockId, clock_gettime};
use reports::run::{OnOverload, Subject};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// The word that makes this program the server.
const WORD: &str = "be-the-server";

const PATH: &str = "/api/v1/customers/?workspace_id=11111111-1111-1111-1111-111111111111&page_size=1";
const WORKSPACE: &str = "11111111-1111-1111-1111-111111111111";

/// Requests a second of the open loop.
const RATE: f64 = 1_000.0;

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

/// Answers every request with the same page, until standard input is closed.
fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let row = format!(r#"{{"id":"{WORKSPACE}","workspace_id":"{WORKSPACE}","name":"{}"}}"#, "x".repeat(850));
    let body = format!(r#"{{"results":[{row}],"next":null,"previous":null,"count":null}}"#);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length";
    let reply = format!("{head}: {}\r\n\r\n{body}", body.len());
    for line in BufReader::new(stream.try_clone()?).lines() {
        if line?.is_empty() {
            stream.write_all(reply.as_bytes())?;
        }
    }
    Ok(())
}

/// The running server. It ends with this value.
struct Server {
    child: Child,
    stdin: Option<ChildStdin>,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().expect("a program knows its path"))
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("the server says its address");
        let stdin = child.stdin.take();
        Self { child, stdin, address: line.trim().to_owned() }
    }

    fn url(&self) -> reqwest::Url {
        format!("http://{}{PATH}", self.address).parse().expect("a URL")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It has nothing to do but to end.
        let _ = self.child.wait();
    }
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

/// With a pause before each request as long as the open loop has on average, or with none.
async fn bare_reqwest(url: reqwest::Url, requests: u64, pause: Duration) -> Duration {
    let client = reqwest::Client::builder().no_gzip().build().expect("a client");
    let before = processor_time();
    for _ in 0..requests {
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        let request = client.get(url.clone()).header("authorization", "Bearer none");
        let response = request.send().await.expect("an answer");
        let body = response.bytes().await.expect("a body");
        assert!(body.len() > 900);
    }
    since(before)
}

/// One user of goose, who asks in a loop and reads the body, as goose's own examples have it.
async fn goose_loop(server: &Server, requests: u64) -> Result<Duration, GooseError> {
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
    Ok(Duration::from_nanos(taken.load(Ordering::Relaxed)))
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

async fn load_generator(server: &Server, load: Load, requests: u64, rate: f64) -> Duration {
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
    let target = Target {
        subject: Subject { name: "constant".to_owned(), level: None, description: String::new() },
        base_url: format!("http://{}", server.address),
        token: "none".to_owned(),
        workspace: WORKSPACE.to_owned(),
        crowd: Vec::new(),
        page_size: 1,
        database_url: None,
        server_pid: None,
        control: false,
    };
    let meter = Meter::default();
    let measured = loadgen::measure(&plan, &[target], &meter, CancellationToken::new()).await;
    let measured = measured.expect("the run is whole");
    assert!(measured.windows[0].errors.is_empty(), "{:?}", measured.windows[0].errors);
    let (_, took, sent) = meter.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    // Criterion asked for so many; the window held about as many.
    took.mul_f64(requests as f64 / sent.max(1) as f64)
}

fn open_loop() -> Load {
    Load::Open(Open { on_overload: OnOverload::Offer, ..Open::constant(RATE, 8) })
}

fn client_overhead(criterion: &mut Criterion) {
    let server = Server::start();
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("client_overhead");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2));
    let mut bench = |name: &str, batch: &dyn Fn(u64) -> Duration| {
        group.bench_function(name, |bencher| bencher.iter_custom(|requests| of_a_batch(requests, batch)));
    };
    // As a task, as a user of goose is one: what `block_on` polls itself wakes another thread for each answer.
    let task = |work: Pin<Box<dyn Future<Output = Duration> + Send>>| {
        runtime.block_on(async { tokio::spawn(work).await.expect("it ends well") })
    };
    bench("bare hyper", &|requests| task(Box::pin(bare_hyper(server.address.clone(), requests))));
    bench("bare reqwest", &|requests| task(Box::pin(bare_reqwest(server.url(), requests, Duration::ZERO))));
    let pause = Duration::from_millis(1);
    bench("bare reqwest, 1 ms asleep before each", &|requests| {
        task(Box::pin(bare_reqwest(server.url(), requests, pause)))
    });
    bench("goose, closed loop", &|requests| {
        runtime.block_on(goose_loop(&server, requests)).expect("goose ends well")
    });
    bench("callbench, closed loop", &|requests| {
        runtime.block_on(load_generator(&server, Load::Closed { users: 1 }, requests, 5_000.0))
    });
    bench("callbench, open loop at 1,000/s", &|requests| {
        runtime.block_on(load_generator(&server, open_loop(), requests, RATE))
    });
    group.finish();
}

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(WORD) {
        return serve();
    }
    let mut criterion = Criterion::default().configure_from_args();
    client_overhead(&mut criterion);
    criterion.final_summary();
    Ok(())
}
