//! A server whose delays and freezes are known, in a process of its own.
//!
//! Each request after `/begin` has a number, in the
//! order of their coming, and the delay of that number; from one number on, the server answers nothing for a while.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::stand_in::{self, Child};

/// How long request `number` is held, in a fixed and scattered order. No percentile that is reported lies on the border of
/// two delays.
pub(crate) fn delay(number: u64) -> Duration {
    // 7919 is a prime, so this is a permutation of each thousand.
    Duration::from_millis(match number * 7919 % 1000 {
        0..=1 => 80,
        2..=15 => 40,
        16..=99 => 20,
        _ => 10,
    })
}

/// From which request on nothing is answered, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Freeze {
    pub(crate) at: u64,
    pub(crate) length: Duration,
}

#[derive(Debug, Default)]
struct State {
    freeze: Option<Freeze>,
    requests: u64,
    frozen_until: Option<Instant>,
    /// How much longer than meant each request was held, in microseconds.
    overruns: Vec<u32>,
}

/// Serves until its standard input is closed. Prints its address.
pub(crate) fn serve() -> anyhow::Result<()> {
    let state = Mutex::<State>::default();
    stand_in::serve(move |stream| answer(stream, &state))
}

/// Answers the requests of one connection, until it is closed.
fn answer(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    // Otherwise the system may let a sleep run over by 50 us, to save wake-ups.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_timerslack(1);
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut out = stream;
    let reply = stand_in::page(0);
    while let Some(line) = lines.next() {
        let line = line?;
        let received = Instant::now();
        for rest in lines.by_ref() {
            if rest?.is_empty() {
                break;
            }
        }
        if let Some(query) = line.strip_prefix("GET /begin?") {
            begin(state, query);
            out.write_all(reply.as_bytes())?;
        } else if line.starts_with("GET /overruns ") {
            let overruns = locked(state).overruns.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
            writeln!(out, "{overruns}")?;
        } else {
            let (number, until) = held(state, received);
            thread::sleep(until.saturating_duration_since(Instant::now()));
            let overrun = u32::try_from(until.elapsed().as_micros()).unwrap_or(u32::MAX);
            out.write_all(reply.as_bytes())?;
            if let Some(kept) = locked(state).overruns.get_mut(number) {
                *kept = overrun;
            }
        }
    }
    Ok(())
}

/// `/begin?<at>,<ms>`, with 0 ms for no freeze.
fn begin(state: &Mutex<State>, query: &str) {
    let mut numbers = query.split([',', ' ']).map_while(|number| number.parse().ok());
    let (at, ms) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let freeze = (ms > 0).then(|| Freeze { at, length: Duration::from_millis(ms) });
    *locked(state) = State { freeze, ..State::default() };
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of a request, and until when it is held.
fn held(state: &Mutex<State>, received: Instant) -> (usize, Instant) {
    let mut state = locked(state);
    state.overruns.push(0);
    let number = state.requests;
    state.requests += 1;
    if let Some(freeze) = state.freeze.filter(|freeze| freeze.at == number) {
        state.frozen_until = Some(received + freeze.length);
    }
    let until = state.frozen_until.map_or(received, |until| until.max(received)) + delay(number);
    (state.overruns.len() - 1, until)
}

/// The running server. It ends with this value.
pub(crate) struct Server(pub(crate) Child);

impl Server {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Child::start().map(Self)
    }

    /// Requests are counted from here, with this freeze.
    pub(crate) fn begin(&self, freeze: Option<Freeze>) -> anyhow::Result<()> {
        let (at, ms) = freeze.map_or((0, 0), |freeze| (freeze.at, freeze.length.as_millis()));
        let mut stream = TcpStream::connect(&self.0.address)?;
        write!(stream, "GET /begin?{at},{ms} HTTP/1.1\r\nHost: h\r\n\r\n")?;
        stream.read_exact(&mut [0; 15])?;
        Ok(())
    }

    /// How much longer than meant each request was held: what the operating system took to wake the server up.
    pub(crate) fn overruns(&self) -> anyhow::Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(&self.0.address)?;
        write!(stream, "GET /overruns HTTP/1.1\r\nHost: h\r\n\r\n")?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let micros = line.split_whitespace().map(|word| word.parse().map(Duration::from_micros));
        Ok(micros.collect::<Result<_, _>>()?)
    }
}
