//! What profiling costs: a server that is not allowed to, the same request to one that is, and with the profile asked for.
//!
//! They take turns in an order that is drawn for each round, one request each, so that whatever the machine does meanwhile it
//! does to all: who comes after itself finds a warmer server than who does not. One of them is there twice, and the
//! difference between the two is the noise. A profiled request is let in anew, where the others are let in
//! by what is remembered: that is one more statement, whose time is taken off again.

use std::io::Write;
use std::time::Instant;

use rand::seq::SliceRandom as _;

use crate::client::Client;
use crate::quantile;
use crate::reference::Reference;

/// Requests of each kind. The median of so many differs by less than half a percent from run to run.
const REQUESTS: usize = 3_000;

pub(crate) async fn measure(
    out: &mut impl Write,
    allowed: &Reference,
    forbidden: &Reference,
    list: &str,
) -> anyhow::Result<()> {
    let asked = format!("{list}&_profile=true");
    let mut kinds = [
        ("switched off", Client::connect(forbidden.address()).await?, list),
        ("switched off, again", Client::connect(forbidden.address()).await?, list),
        ("not asked for", Client::connect(allowed.address()).await?, list),
        ("asked for", Client::connect(allowed.address()).await?, asked.as_str()),
    ];
    let mut permission = Vec::with_capacity(REQUESTS);
    let mut times = vec![Vec::with_capacity(REQUESTS); kinds.len()];
    let mut turns = [0, 1, 2, 3];
    for round in 0..=REQUESTS {
        turns.shuffle(&mut rand::rng());
        for kind in turns {
            let (_, client, path) = &mut kinds[kind];
            let sent = Instant::now();
            let answer = client.get(path).await?;
            let took = sent.elapsed().as_secs_f64() * 1e3;
            if round == 0 {
                continue;
            }
            times[kind].push(took);
            permission.extend(answer.permission_ms()?);
        }
    }
    writeln!(out, "\nprofiling, {REQUESTS} requests of each kind in turns, one at a time")?;
    for kind in &mut times {
        kind.sort_by(f64::total_cmp);
    }
    let off = quantile(&times[0], 0.5);
    for ((name, ..), times) in kinds.iter().zip(&times) {
        let (p50, p99) = (quantile(times, 0.5), quantile(times, 0.99));
        writeln!(
            out,
            "{name:20} p50 {p50:>6.3}  p99 {p99:>6.2} ms; {:+.1} % at p50",
            (p50 / off - 1.0) * 100.0
        )?;
    }
    permission.sort_by(f64::total_cmp);
    let (asked, permission) = (quantile(&times[3], 0.5), quantile(&permission, 0.5));
    writeln!(
        out,
        "asked for, without the {permission:.3} ms of being let in anew: {:+.1} % at p50",
        ((asked - permission) / off - 1.0) * 100.0,
    )?;
    Ok(())
}
